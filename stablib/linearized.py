"""Linearised SGD, eq. (5): how far from a minimum the iterates go, in the range of its Hessian and outside.

With delta = theta - theta*, residuals r_i = f(x_i) - y_i, and features phi_i and Hessians R_i of f(x_i), a
step is

    delta -> delta - (eta/B) sum over the batch of [(phi_i'delta + r_i) phi_i + r_i R_i delta].

The first part moves delta in the range of Phi, where n coordinates describe it. The second part is only there
where a residual is; it couples (W1_i, b1_i) with w2_i, and is applied without any matrix of size p.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import checks
from .curvature import tangent_features, tangent_gram
from .hessian import LARGEST, OVERFLOW
from .network import ShallowReLU
from .stability import batch_noise

FAR = 1e150  # the square of a longer distance would overflow
NEAR = 1e-290  # below, floats lose digits and processors their pace
LARGE = (
    10**7
)  # entries of a basis of the range from which on it is not formed: products with it cost more


class Linearized(NamedTuple):
    """Distances from theta* at every step, and what is needed to run the same steps once more.

    All have a first axis of length `runs`, unless that was None.
    """

    inside: np.ndarray  # (runs, steps + 1): distance in the range of the tangent features
    outside: np.ndarray  # (runs, steps + 1): distance orthogonal to it
    start: np.ndarray  # (runs, p): theta_0 - theta*
    last: np.ndarray  # (runs, p): theta_steps - theta*
    batches: np.ndarray  # (runs, steps, B): indices of the points


def linearized_sgd(
    net: ShallowReLU,
    X: Any,
    y: Any,
    step_size: float,
    batch_size: int,
    *,
    radius: float = 1e-2,
    steps: int = 1000,
    runs: int | None = None,
    seed: int | np.random.Generator = 0,
    replacement: bool = False,
) -> Linearized:
    """Run SGD on the second-order expansion of the loss at a minimum, from random points around it.

    At an interpolating minimum the distance in the range goes to zero or to infinity, and the distance
    outside stays what it is. At another minimum the gradients of single points do not vanish, and neither
    does the distance in the range; their Hessians have a residual part, which moves delta outside as well.

    Args:
        net: the network, its parameters being theta*.
        X: data points, shape (n, d).
        y: labels, shape (n,); None takes the network to interpolate, which is much faster.
        step_size: eta, positive.
        batch_size: points in a batch, 1 to n; more than n is possible with replacement.
        radius: distance of the first point from theta*, in a direction uniform among all p parameters.
        steps: number of steps.
        runs: number of independent runs, done at once; None is one run without an axis of its own.
        seed: an integer or a NumPy Generator.
        replacement: whether a batch may hold a point more than once. Batches are drawn anew at each step.

    Returns:
        Linearized. The range is that of the tangent features; at a minimum where the loss is twice
        differentiable and no w2_i is zero this is the range of the Hessian. A run that gets further than
        1e150 is over: its distances are inf from there on, and so is `last`.

    Raises:
        ValueError: if arguments do not fit, a step size, radius or number is not positive, or
            products overflow.

    Example:
        >>> net = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])
        >>> run = linearized_sgd(net, [[1.0], [-1.0], [2.0]], None, 0.2, 1, radius=1.0)
        >>> bool(run.inside[-1] < 1e-6), bool(run.outside[-1] == run.outside[0])
        (True, True)

    Source: eq. (5), Definition 1.
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    n = len(X)
    with np.errstate(over="ignore", invalid="ignore"):  # said below
        residual = np.zeros(n) if y is None else net(X) - checks.labels(y, n)
    if not np.isfinite(residual).all():
        raise ValueError(OVERFLOW)
    rate = checks.positive(step_size, "step_size")
    batch_noise(n, batch_size, replacement)
    radius, steps = checks.positive(radius, "radius"), checks.count(steps, "steps")
    count = 1 if runs is None else checks.count(runs, "runs")
    rng = checks.generator(seed)
    start = rng.normal(size=(count, (net.d + 2) * net.k + 1))
    start *= radius / np.linalg.norm(start, axis=1)[:, None]
    batches = _draw(rng, n, count, steps, batch_size, replacement)
    tangent = _Tangent(net, X)
    z, beyond = tangent.split(start)
    inside, outside = np.full((2, count, steps + 1), np.inf)
    going = np.ones(count, dtype=bool)
    first = n * np.arange(count)[:, None]
    for t in range(steps + 1):
        here, there = _length(z), outside[:, 0] if t and not residual.any() else _length(beyond)
        over = ~(np.maximum(here, there) <= FAR)
        going &= ~over
        z[over], beyond[over] = 0.0, 0.0
        inside[going, t], outside[going, t] = here[going], there[going]
        if t == steps:
            break
        batch = batches[:, t].astype(np.int64)
        times = np.bincount((first + batch).ravel(), minlength=count * n).reshape(count, n)
        with np.errstate(over="ignore", invalid="ignore"):  # such a run is over
            step = ((z @ tangent.F.T + residual) * times) @ tangent.F
            if residual.any():
                turned = tangent.turned(tangent.join(z, beyond), batch, residual[batch])
                along, across = tangent.split(turned)
                step += along
                beyond -= rate / batch_size * across
            z -= rate / batch_size * step
        z[np.abs(z) < NEAR] = 0.0
    last = tangent.join(z, beyond)
    last[~going] = np.inf
    result = (inside, outside, start, last, batches)
    return Linearized(*(a[0] for a in result) if runs is None else result)


def _length(rows: np.ndarray) -> np.ndarray:
    """Euclidean lengths, also of rows whose squares would vanish."""
    top = np.abs(rows).max(axis=1, initial=NEAR)
    return top * np.linalg.norm(rows / top[:, None], axis=1)


def _draw(
    rng: np.random.Generator, n: int, runs: int, steps: int, batch_size: int, replacement: bool
) -> np.ndarray:
    """Batches for every run and step, shape (runs, steps, B), in the smallest type that holds n - 1."""
    out = np.empty((runs, steps, batch_size), dtype=np.min_scalar_type(n - 1))
    if replacement:
        out[:] = rng.integers(0, n, size=out.shape)
    elif batch_size == n:
        out[:] = np.arange(n)
    else:
        piece = max(1, 10**6 // (runs * n))
        for t in range(0, steps, piece):
            keys = rng.random((runs, min(piece, steps - t), n))
            order = np.argpartition(keys, batch_size - 1, axis=2)
            out[:, t : t + piece] = order[:, :, :batch_size]
    return out


class _Tangent:
    """Vectors of parameters, one per row, as coordinates in the range of Phi and a rest orthogonal to it."""

    def __init__(self, net: ShallowReLU, X: np.ndarray) -> None:
        gram = tangent_gram(net, X)
        if not gram.max() < LARGEST:
            raise ValueError(OVERFLOW)
        kappa, U = np.linalg.eigh(gram)
        seen = kappa > len(X) * np.finfo(float).eps * kappa[-1]
        root = np.sqrt(kappa[seen])
        self.F = U[:, seen] * root  # (n, r): rows are the coordinates of the features
        self.V = U[:, seen] / root  # (n, r): Phi V has orthonormal columns
        size = len(X) * ((net.d + 2) * net.k + 1)
        self.basis = tangent_features(net, X) @ self.V if size <= LARGE else None
        z = net.preactivations(X)
        self.X, self.d, self.k = X, net.d, net.k
        self.active = (z > 0).astype(float)  # (n, k)
        self.slopes = self.active * net.w2
        self.height = np.maximum(z, 0)

    def split(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Coordinates (m, r) in the range, and the rest (m, p)."""
        if self.basis is not None:
            z = rows @ self.basis
            return z, rows - z @ self.basis.T
        W1, b1, w2, b2 = self.blocks(rows)
        z = np.einsum("mkn,nk->mn", W1 @ self.X.T + b1[:, :, None], self.slopes, optimize=True)
        z = (z + w2 @ self.height.T + b2) @ self.V
        return z, rows - self.join(z)

    def join(self, z: np.ndarray, rest: Any = 0.0) -> np.ndarray:
        """Parameters (m, p) from coordinates (m, r) and a rest."""
        if self.basis is not None:
            return z @ self.basis.T + rest
        u = z @ self.V.T
        inner = u[:, None, :] * self.slopes.T
        W1 = (inner @ self.X).reshape(len(z), -1)
        return np.hstack([W1, inner.sum(axis=2), u @ self.height, u.sum(axis=1)[:, None]]) + rest

    def turned(self, rows: np.ndarray, batch: np.ndarray, weight: np.ndarray) -> np.ndarray:
        """Sum over each row's own batch (m, B) of weight times R_i delta."""
        W1, b1, w2, b2 = self.blocks(rows)
        inner = (self.active[batch] * weight[:, :, None]).transpose(0, 2, 1)  # (m, k, B)
        pull, total = inner @ self.X[batch], inner.sum(axis=2)
        new = (pull * W1).sum(axis=2) + total * b1
        pull *= w2[:, :, None]
        return np.hstack([pull.reshape(len(rows), -1), total * w2, new, 0 * b2])

    def blocks(self, rows: np.ndarray) -> tuple[np.ndarray, ...]:
        W1, b1, w2, b2 = np.split(rows, np.cumsum([self.k * self.d, self.k, self.k]), axis=1)
        return W1.reshape(len(rows), self.k, self.d), b1, w2, b2
