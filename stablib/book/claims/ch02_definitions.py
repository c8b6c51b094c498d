"""The formulas of Section 3 and Appendix F as printed: what the library is held against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...network import ShallowReLU
from .cases import Case

Loss = Callable[[Any], Any]  # values f(x_j) as a torch vector to one loss per point


def smooth(cases: Iterable[Case]) -> Iterator[Case]:
    """The cases without a data point on a neuron's hyperplane: elsewhere the loss has no Hessian."""
    return (case for case in cases if case.net.knots_on_data(case.X) == 0)


def distance(first: Any, second: Any) -> float:
    """Largest difference of two arrays, relative to the largest entry of the second."""
    size = np.abs(second).max(initial=0.0)
    return float(np.abs(np.asarray(first) - second).max(initial=0.0) / (size or 1.0))


def slack(difference: float, known_to: float) -> float:
    """A difference as a margin, 0 where it is within what it is known to: an equality up to rounding.

    Args:
        difference: what should not be negative.
        known_to: the error it may have.
    """
    return 0.0 if abs(difference) <= known_to else float(difference)


# --- eqs. (12), (18), (53) --------------------------------------------------------------------------------


class Conditional(NamedTuple):
    """What eqs. (12) and (18) ask of the points with x.v > b."""

    share: float  # P(X.v > b)
    height: float  # E[X.v - b | X.v > b]
    mean: np.ndarray  # E[X | X.v > b]
    height2: float  # E[(X.v - b)^2 | X.v > b]
    size2: float  # E[|X|^2 | X.v > b]


def _conditional(X: np.ndarray, v: np.ndarray, b: float, p: np.ndarray | None) -> Conditional:
    p = np.full(len(X), 1 / len(X)) if p is None else p
    z = X @ v - b
    on = z > 0
    share = p[on].sum()
    if share == 0:  # the conditional expectations are undefined, and are multiplied by 0
        return Conditional(0.0, 0.0, np.zeros(X.shape[1]), 0.0, 0.0)
    q, x, z = p[on] / share, X[on], z[on]
    return Conditional(share, q @ z, q @ x, q @ z**2, q @ (x**2).sum(axis=1))


def g_tilde(X: np.ndarray, v: np.ndarray, b: float, p: np.ndarray | None = None) -> float:
    """Eq. (12), conditional expectations and all; `p` are probabilities of the points, (n,).

    Args:
        X: data points, shape (n, d).
        v: a unit normal, shape (d,).
        b: an offset.
        p: probabilities, shape (n,); uniform if left out.
    """
    on = _conditional(X, v, b, p)
    return float(on.share**2 * on.height * np.sqrt(on.mean @ on.mean + 1))


def g(X: np.ndarray, v: np.ndarray, b: float, p: np.ndarray | None = None) -> float:
    """The lesser of `g_tilde` on both sides, eq. (53); arguments as there."""
    return min(g_tilde(X, v, b, p), g_tilde(X, -v, -b, p))


def g_hat(X: np.ndarray, v: np.ndarray, b: float) -> float:
    """Eq. (18); arguments as for `g_tilde`."""
    on = _conditional(X, v, b, None)
    return float(on.share * np.sqrt(on.height2) * np.sqrt(1 + on.size2))


# --- the hyperplanes of a function, found from the function ------------------------------------------------


class Crease(NamedTuple):
    """A hyperplane on which neurons lie: its unit normal and offset, its neurons, the jump of grad f."""

    v: np.ndarray
    b: float
    neurons: list[int]  # as rows of net.ridges()
    jump: float


def creases(net: ShallowReLU) -> list[Crease]:
    """Every hyperplane that a neuron of positive width lies on, once.

    Neurons are put together by comparing all pairs up to a common sign. The jump is read off the function:
    the gradient on one side of a point of the hyperplane, minus that on the other side, along the normal.
    """
    _, V, B = net.ridges()
    scale = np.maximum(1, np.abs(B))
    groups: list[list[int]] = []
    for i in range(len(B)):
        first = [group[0] for group in groups]
        apart = [
            np.linalg.norm(V[i] - s * V[first], axis=1) + np.abs(B[i] - s * B[first]) / scale[i]
            for s in (1, -1)
        ]
        same = np.flatnonzero(np.minimum(*apart) < 1e-9)
        if len(same):
            groups[same[0]].append(i)
        else:
            groups.append([i])
    rng = np.random.default_rng(7)
    return [Crease(V[m[0]], B[m[0]], m, _jump(net, V[m[0]], B[m[0]], rng)) for m in groups]


def _jump(net: ShallowReLU, v: np.ndarray, b: float, rng: np.random.Generator) -> float:
    """Jump of grad f along v across v.x = b, at a point that other hyperplanes keep away from."""
    _, V, B = net.ridges()
    own = np.abs(V @ v) > 1 - 1e-12
    own &= np.abs(np.abs(B) - abs(b)) <= 1e-9 * max(1, abs(b))
    best, gap = b * v, -1.0
    for _ in range(8):
        tangent = rng.normal(size=len(v)) * (1 + abs(b))
        point = b * v + tangent - (tangent @ v) * v
        away = np.abs(V[~own] @ point - B[~own]).min(initial=np.inf)
        if away > gap:
            best, gap = point, away
    step = min(gap / 2, 1.0)
    sides = [net.W1 @ (best + s * step * v) + net.b1 > 0 for s in (1, -1)]
    front, back = ((net.w2 * on) @ net.W1 for on in sides)
    return float((front - back) @ v)


# --- eqs. (44), (45), (97): derivatives by automatic differentiation ---------------------------------------


def _function(net: ShallowReLU, X: np.ndarray) -> tuple[Callable[[Any], Any], Any]:
    import torch

    X, k, d = torch.tensor(X), net.k, net.d

    def f(theta: Any) -> Any:
        W1, b1 = theta[: k * d].reshape(k, d), theta[k * d : k * d + k]
        return torch.relu(X @ W1.T + b1) @ theta[k * d + k : -1] + theta[-1]

    return f, torch.tensor(net.parameters())


def autograd_features(net: ShallowReLU, X: np.ndarray) -> np.ndarray:
    """Columns grad f(x_j), shape (p, n), in the order of eq. (9)."""
    import torch

    f, theta = _function(net, X)
    return torch.autograd.functional.jacobian(f, theta, vectorize=True).numpy().T


def autograd_hessian(net: ShallowReLU, X: np.ndarray, loss: Loss) -> np.ndarray:
    """Hessian of the mean loss in all parameters, shape (p, p).

    Args:
        net: the network.
        X: data points, shape (n, d).
        loss: from the values f(x_j), a torch vector, to the losses of the points.
    """
    import torch

    f, theta = _function(net, X)
    return torch.autograd.functional.hessian(
        lambda t: loss(f(t)).mean(), theta, vectorize=True
    ).numpy()


def squared(y: np.ndarray) -> Loss:
    """The quadratic loss of eq. (8) with labels y, shape (n,)."""
    import torch

    y = torch.tensor(y)
    return lambda f: (f - y) ** 2 / 2


# --- eqs. (48) to (50) -------------------------------------------------------------------------------------


class Blocks(NamedTuple):
    """The sums of eq. (48), one per neuron, and what they make."""

    pull: np.ndarray  # |sum over active points of (x, 1)|
    height: np.ndarray  # sum of relu(z)
    quotient: float  # |Phi 1|^2 / n^2, the third line of (48)
    bound: float  # after the arithmetic-geometric step, the last line


def blocks(net: ShallowReLU, X: np.ndarray) -> Blocks:
    """Eq. (48), neuron by neuron."""
    n, pull, height = len(X), [], []
    for w, b in zip(net.W1, net.b1, strict=True):
        z = X @ w + b
        on = z > 0
        pull.append(np.sqrt((X[on].sum(axis=0) ** 2).sum() + on.sum() ** 2))
        height.append(z[on].sum())
    pull, height = np.array(pull), np.array(height)
    quotient = 1 + ((net.w2 * pull) ** 2 + height**2).sum() / n**2
    return Blocks(pull, height, quotient, 1 + 2 * (np.abs(net.w2) * pull * height).sum() / n**2)
