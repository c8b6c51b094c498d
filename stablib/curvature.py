"""Curvature of the loss at a network: tangent features, the Hessian, and its top eigenvalue.

The Hessian of (1/2n) sum (f(x_j) - y_j)^2 is H = Phi Phi'/n + E. Column j of Phi is the gradient of f(x_j);
E, the residual part, only couples (W1_i, b1_i) with w2_i, through c_i = (1/n) sum_j r_j 1_ij (x_j, 1).
Everything below works on n x n matrices; nothing of size p = (d + 2) k + 1 squared is formed.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, eigh
from scipy.sparse.linalg import LinearOperator

from . import checks
from .network import ShallowReLU

OVERFLOW = (
    "products of the parameters, the data and the loss's curvature exceed what float64 holds; "
    "entries of moderate size are needed"
)


def tangent_features(net: ShallowReLU, X: Any) -> np.ndarray:
    """Gradients of f(x_j) with respect to all parameters, shape (p, n), p = (d + 2) k + 1.

    Args:
        net: the network.
        X: data points, shape (n, d).

    Returns:
        Array (p, n); rows in the order of eq. (9). At a knot the strict activation z > 0 is taken.

    Raises:
        ValueError: if `net` is no ShallowReLU or X does not fit it.

    Example:
        >>> tangent_features(ShallowReLU([[2.0]], [1.0], [3.0]), [[1.0], [-1.0]])
        array([[3., 0.],
               [3., 0.],
               [3., 0.],
               [1., 1.]])

    Source: eqs. (45), (46).
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    z = net.preactivations(X)
    slopes = (z > 0) * net.w2  # (n, k)
    inner = (slopes[:, :, None] * X[:, None, :]).reshape(len(X), -1) + 0.0  # no negative zeros
    return np.hstack([inner, slopes, np.maximum(z, 0), np.ones((len(X), 1))]).T


def tangent_gram(net: ShallowReLU, X: Any, loss_curvature: Any = None) -> np.ndarray:
    """Phi'Phi, the inner products of the tangent features, shape (n, n), in closed form.

    Args:
        net: the network.
        X: data points, shape (n, d).
        loss_curvature: second derivative l'' of the loss at each point, (n,) or a number; with it the
            result is D^(1/2) Phi'Phi D^(1/2).

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, or an l'' is negative.

    Example:
        >>> tangent_gram(ShallowReLU([[2.0]], [1.0], [3.0]), [[1.0], [-1.0]])
        array([[28.,  1.],
               [ 1.,  1.]])

    Source: eqs. (44) to (47).
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    gram = _Setting.of(net, X).gram()
    if loss_curvature is not None:
        root = np.sqrt(checks.loss_curvature(loss_curvature, len(X)))
        gram *= root[:, None] * root
    return gram


def sharpness(net: ShallowReLU, X: Any, y: Any = None, loss_curvature: Any = None) -> float:
    """Top eigenvalue of the Hessian of (1/2n) sum_j (f(x_j) - y_j)^2, to a relative accuracy of 1e-10.

    Args:
        net: the network.
        X: data points, shape (n, d).
        y: labels, shape (n,); without them the network is taken to interpolate, y = f(X), and the
            Hessian is Phi Phi'/n.
        loss_curvature: second derivative l'' of another loss at each point, (n,) or a number, for a
            minimum where the residual part vanishes (interpolation, or any smooth local minimum).

    Returns:
        The sharpness; where a knot lies on a data point, its value for strict activations z > 0.

    Raises:
        ValueError: if arguments do not fit, or both `y` and `loss_curvature` are given.

    Example:
        >>> round(sharpness(ShallowReLU([[2.0]], [1.0], [3.0]), [[1.0], [-1.0]]), 9)
        14.018493185

    Source: eq. (44); the full Hessian through the inertia of an n x n matrix (see `sharpness_interval`).
    """
    net, X, residual = _arguments(net, X, y)
    if loss_curvature is not None:
        if y is not None:
            raise ValueError(
                "both y and loss_curvature are given; l'' says nothing of the residual part"
            )
        return top_eigenpair(tangent_gram(net, X, loss_curvature) / len(X))[0]
    setting = _Setting.of(net, X, residual)
    return setting.sharpness()


def sharpness_interval(net: ShallowReLU, X: Any, y: Any = None) -> tuple[float, float]:
    """A lower and an upper bound of the sharpness, each proven up to rounding, within 1e-10 of each other.

    Below stands a Rayleigh quotient of the Hessian. Above stands a number mu for which mu - H was seen
    to be positive definite: for mu > |E| that is so exactly if Phi'(mu - E)^-1 Phi/n < 1, an n x n matrix
    in closed form, and one Cholesky factorisation tells.

    Arguments and errors as for `sharpness`.

    Example:
        >>> low, high = sharpness_interval(ShallowReLU([[2.0]], [1.0], [3.0]), [[1.0], [-1.0]], [0.5, 2.0])
        >>> bool(low < high <= low * (1 + 1e-10))
        True

    Source: inertia of a Schur complement (Sylvester); Rayleigh-Ritz.
    """
    net, X, residual = _arguments(net, X, y)
    setting = _Setting.of(net, X, residual)
    low = setting.sharpness()
    for excess in (1e-13, 1e-12, 1e-11, 4e-11, 9e-11):
        if setting.exceeds(low * (1 + excess)):
            return low * (1 - 4e-15 * len(X) ** 0.5), low * (1 + excess)
    raise ArithmeticError(
        f"no upper bound within 1e-10 of the sharpness {low:.10g} passed the inertia test; "
        "the parameters are too badly scaled for float64"
    )


def hessian_operator(net: ShallowReLU, X: Any, y: Any = None) -> LinearOperator:
    """The Hessian of (1/2n) sum_j (f(x_j) - y_j)^2 as a SciPy LinearOperator, shape (p, p).

    Arguments and errors as for `sharpness`; a product costs two passes over the data, O(nkd).

    Example:
        >>> H = hessian_operator(ShallowReLU([[2.0]], [1.0], [3.0]), [[1.0], [-1.0]])
        >>> H @ [1.0, 0.0, 0.0, 0.0]
        array([4.5, 4.5, 4.5, 1.5])

    Source: eq. (44).
    """
    net, X, residual = _arguments(net, X, y)
    setting = _Setting.of(net, X, residual)
    p = (net.d + 2) * net.k + 1
    return LinearOperator((p, p), matvec=setting.product, rmatvec=setting.product, dtype=np.float64)


def _arguments(net: Any, X: Any, y: Any) -> tuple[ShallowReLU, np.ndarray, np.ndarray | None]:
    net = checks.network(net)
    X = checks.points_of(X, net)
    return net, X, None if y is None else net(X) - checks.labels(y, len(X))


def top_eigenpair(matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Largest eigenvalue of a symmetric matrix with its unit eigenvector.

    Raises:
        ValueError: if the matrix has overflowed.
    """
    if not np.isfinite(matrix).all():
        raise ValueError(OVERFLOW)
    last = len(matrix) - 1
    value, vector = eigh(matrix, subset_by_index=[last, last], check_finite=False)
    return float(value[0]), vector[:, 0]


class _Setting(NamedTuple):
    """A network on data, with what its curvature is made of."""

    X1: np.ndarray  # (n, d + 1): points with a 1 appended
    active: np.ndarray  # (n, k) as floats
    height: np.ndarray  # (n, k): relu(z)
    w2: np.ndarray  # (k,)
    couple: np.ndarray  # (k, d + 1): c_i = (1/n) sum_j r_j 1_ij (x_j, 1)

    @classmethod
    def of(cls, net: ShallowReLU, X: np.ndarray, residual: np.ndarray | None = None) -> _Setting:
        z = net.preactivations(X)
        active = (z > 0).astype(float)
        X1 = np.hstack([X, np.ones((len(X), 1))])
        couple = np.zeros((net.k, net.d + 1))
        if residual is not None:
            couple = (active * residual[:, None] / len(X)).T @ X1
        return cls(X1, active, np.maximum(z, 0), net.w2, couple)

    @property
    def n(self) -> int:
        return len(self.X1)

    def gram(self) -> np.ndarray:
        with np.errstate(over="ignore", invalid="ignore"):  # top_eigenpair says what overflowed
            slopes = self.active * self.w2
            return self.X1 @ self.X1.T * (slopes @ slopes.T) + self.height @ self.height.T + 1.0

    def resolvent(self, mu: float) -> np.ndarray:
        """Phi'(mu - E)^-1 Phi / n for mu > |E|.

        On the plane spanned by (c_i/|c_i|, 0) and (0, 1) in the block of neuron i, E is [[0, s], [s, 0]] with
        s = |c_i|, and zero across it. In that plane the features of x_j are p_j and q_j, so (1/mu)(pp' + qq')
        becomes (mu (pp' + qq') + s (pq' + qp'))/(mu^2 - s^2); the difference is what is added.
        """
        size = np.linalg.norm(self.couple, axis=1)
        moved = size > 0
        s = size[moved]
        p = self.active[:, moved] * (self.X1 @ (self.couple[moved] / s[:, None]).T) * self.w2[moved]
        q = self.height[:, moved]
        even = s**2 / (mu * (mu**2 - s**2))
        odd = s / (mu**2 - s**2)
        cross = (p * odd) @ q.T
        out = self.gram() / mu + (p * even) @ p.T + (q * even) @ q.T + cross + cross.T
        return out / self.n

    def sharpness(self) -> float:
        """Newton's method for the mu at which the top eigenvalue of the resolvent form is 1.

        Each step is the Rayleigh quotient of the Hessian at a lifted vector, so it never exceeds the
        sharpness; and the function is convex, so from below the steps climb.
        """
        floor = np.linalg.norm(self.couple, axis=1).max(
            initial=0.0
        )  # |E|; H >= E, so also a lower bound
        mu = top_eigenpair(self.gram() / self.n)[0]
        if floor == 0:
            return float(mu)
        # Where E dominates, start above the answer: |H| <= |Phi Phi'/n| + |E|.
        mu = mu if mu > 2 * floor else mu + floor
        for _ in range(60):
            theta, u = top_eigenpair(self.resolvent(mu))
            w = self.shifted_solve(mu, u)
            norm2 = w @ w
            step = (theta - 1) * (w @ (mu * w - self.residual_product(w))) / norm2
            if mu + step <= floor:
                # The eigenvalue sits at |E| itself, or so near that only bisection gets there.
                if mu <= floor * (1 + 1e-12):
                    return float(floor)
                mu = (mu + floor) / 2
                continue
            mu += step
            if abs(step) <= 2e-14 * mu:
                break
        return float(mu)

    def exceeds(self, mu: float) -> bool:
        """Whether mu - H is seen to be positive definite."""
        if mu <= np.linalg.norm(self.couple, axis=1).max(initial=0.0):
            return False
        try:
            cho_factor(np.eye(self.n) - self.resolvent(mu), lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return False
        return True

    # Vectors of length p are split into (W1, b1) joined as (k, d + 1), w2 (k,) and b2.

    def split(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        k, d = len(self.w2), self.X1.shape[1] - 1
        inner = np.hstack([w[: k * d].reshape(k, d), w[k * d : k * d + k, None]])
        return inner, w[k * (d + 1) : -1], w[-1]

    def join(self, inner: np.ndarray, outer: np.ndarray, last: float) -> np.ndarray:
        return np.concatenate([inner[:, :-1].ravel(), inner[:, -1], outer, [last]])

    def features_times(self, u: np.ndarray) -> np.ndarray:
        """Phi u."""
        inner = (self.active * self.w2 * u[:, None]).T @ self.X1
        return self.join(inner, self.height.T @ u, u.sum())

    def residual_product(self, w: np.ndarray) -> np.ndarray:
        """E w."""
        inner, outer, _ = self.split(w)
        return self.join(self.couple * outer[:, None], (self.couple * inner).sum(axis=1), 0.0)

    def shifted_solve(self, mu: float, u: np.ndarray) -> np.ndarray:
        """(mu - E)^-1 Phi u for mu > |E|."""
        inner, outer, last = self.split(self.features_times(u))
        along = (self.couple * inner).sum(axis=1)
        det = mu**2 - (self.couple**2).sum(axis=1)
        new_outer = (mu * outer + along) / det
        return self.join((inner + self.couple * new_outer[:, None]) / mu, new_outer, last / mu)

    def product(self, w: np.ndarray) -> np.ndarray:
        """H w."""
        w = np.ravel(w)
        inner, outer, last = self.split(w)
        u = (self.active * (self.X1 @ inner.T) * self.w2).sum(axis=1) + self.height @ outer + last
        return self.features_times(u) / self.n + self.residual_product(w)
