"""The Hessian of the loss in closed form: products, top eigenpair, and a test for "greater than".

Nothing of size p = (d + 2) k + 1 squared is formed: with E the residual part and Phi the features,
H = Phi Phi'/n + E is asked through the n x n matrix Phi'(mu - E)^-1 Phi/n.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, eigh

from .network import ShallowReLU

OVERFLOW = (
    "products of the parameters, the data and the loss's curvature exceed what float64 holds; "
    "entries of moderate size are needed"
)

LARGEST = 1e150  # an eigenvalue whose square float64 still holds
EXCESSES = (1e-13, 1e-12, 1e-11, 4e-11, 9e-11)  # how far above the top eigenvalue a proof is tried
UNPROVEN = (
    "no bound within 1e-10 of the sharpness {:.10g} passed the inertia test; "
    "the parameters are too badly scaled for float64"
)


def top_eigenpair(matrix: np.ndarray) -> tuple[float, np.ndarray]:
    """Largest eigenvalue of a symmetric matrix with its unit eigenvector.

    Raises:
        ValueError: if the matrix has overflowed.
    """
    values, vectors = _largest(matrix, 1)
    return float(values[-1]), vectors[:, -1]


def _largest(matrix: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The largest eigenvalues of a symmetric matrix, ascending, and their eigenvectors as columns."""
    if not np.isfinite(matrix).all():
        raise ValueError(OVERFLOW)
    last = len(matrix) - 1
    return eigh(matrix, subset_by_index=[max(last + 1 - count, 0), last], check_finite=False)


class Hessian:
    """H = Phi Phi'/n + E of a network on data, for a given choice of who counts as active where.

    Args:
        X1: points with a 1 appended, (n, d + 1).
        active: 1 where the neuron counts as active at the point, else 0, (n, k).
        height: relu(z), (n, k).
        w2: output weights, (k,).
        pull: residuals over n, (n,).
    """

    def __init__(
        self,
        X1: np.ndarray,
        active: np.ndarray,
        height: np.ndarray,
        w2: np.ndarray,
        pull: np.ndarray,
    ) -> None:
        self.X1, self.active, self.height, self.w2, self.pull = X1, active, height, w2, pull
        # E couples (W1_i, b1_i) with w2_i through c_i = (1/n) sum_j r_j 1_ij (x_j, 1): (k, d + 1).
        self.couple = (active * pull[:, None]).T @ X1

    @classmethod
    def of(cls, net: ShallowReLU, X: np.ndarray, residual: np.ndarray | None = None) -> Hessian:
        """At strict activations z > 0; without residuals E = 0.

        Raises:
            ValueError: if products with the residuals overflow.
        """
        z = net.preactivations(X)
        X1 = np.hstack([X, np.ones((len(X), 1))])
        pull = np.zeros(len(X)) if residual is None else residual / len(X)
        with np.errstate(over="ignore", invalid="ignore"):  # said below
            found = cls(X1, (z > 0).astype(float), np.maximum(z, 0), net.w2, pull)
            if not found.residual_norm < LARGEST:
                raise ValueError(OVERFLOW)
        return found

    def with_active(self, points: np.ndarray, neurons: np.ndarray, on: Any) -> Hessian:
        """The same, but neurons[q] counts as active at point points[q] exactly if on[q]."""
        active = self.active.copy()
        active[points, neurons] = on
        other = Hessian(self.X1, active, self.height, self.w2, self.pull)
        other.kernel = self.kernel
        return other

    @property
    def n(self) -> int:
        """Number of data points."""
        return len(self.X1)

    @cached_property
    def kernel(self) -> np.ndarray:
        """x_j . x_l + 1, (n, n)."""
        with np.errstate(over="ignore", invalid="ignore"):
            return self.X1 @ self.X1.T

    @cached_property
    def residual_norm(self) -> float:
        """|E|, which is also its top eigenvalue: H is nowhere flatter."""
        return float(np.linalg.norm(self.couple, axis=1).max(initial=0.0))

    @cached_property
    def gram(self) -> np.ndarray:
        """Phi'Phi, (n, n)."""
        with np.errstate(over="ignore", invalid="ignore"):  # top_eigenpair says what overflowed
            slopes = self.active * self.w2
            return self.kernel * (slopes @ slopes.T) + self.height @ self.height.T + 1.0

    def resolvent(self, mu: float) -> np.ndarray:
        """Phi'(mu - E)^-1 Phi / n for mu > |E|.

        On the plane spanned by (c_i/|c_i|, 0) and (0, 1) in the block of neuron i, E is [[0, s], [s, 0]] with
        s = |c_i|, and zero across it. In that plane the features of x_j are p_j and q_j, so (1/mu)(pp' + qq')
        becomes (mu (pp' + qq') + s (pq' + qp'))/(mu^2 - s^2); the difference is what is added.
        """
        size = np.linalg.norm(self.couple, axis=1)
        moved = size > 0
        out = self.gram / (mu * self.n)
        if not moved.any():
            return out
        s = size[moved]
        p = self.active[:, moved] * (self.X1 @ (self.couple[moved] / s[:, None]).T) * self.w2[moved]
        q = self.height[:, moved]
        even = s**2 / (mu * (mu**2 - s**2))
        odd = s / (mu**2 - s**2)
        cross = (p * odd) @ q.T
        return out + ((p * even) @ p.T + (q * even) @ q.T + cross + cross.T) / self.n

    def top(self) -> tuple[float, np.ndarray]:
        """Largest eigenvalue and a unit eigenvector.

        Where E is small, the lifted top eigenvector of the Gram matrix is one of H to rounding, and Temple's
        inequality proves it. Elsewhere Newton's method finds the mu at which the top eigenvalue of the
        resolvent form is 1. Each step is the Rayleigh quotient of the Hessian at a lifted vector, so it never
        exceeds the answer; and the function is convex, so from below the steps climb.
        """
        floor = self.residual_norm  # H >= E, so a lower bound
        if floor == 0:
            mu, u = top_eigenpair(self.gram / self.n)
            w = self.features_times(u)
            return mu, w / np.linalg.norm(w)
        values, vectors = _largest(self.gram / self.n, 2)
        mu, u = float(values[-1]), vectors[:, -1]
        if not mu < LARGEST:
            raise ValueError(OVERFLOW)
        # No other eigenvalue of H is above this (Weyl).
        others = floor + (float(values[0]) if len(values) == 2 else 0.0)
        if mu > max(others, 2 * floor):
            w = self.shifted_solve(mu, u)
            w /= np.linalg.norm(w)
            moved = self.product(w)
            quotient = float(w @ moved)
            rest = moved - quotient * w
            # Temple: the top eigenvalue is at most quotient + |rest|^2 / (quotient - others).
            if quotient > others and rest @ rest <= 1e-14 * quotient * (quotient - others):
                return quotient, w
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
                    mu = floor
                    break
                mu = (mu + floor) / 2
                continue
            mu += step
            if abs(step) <= 2e-14 * mu:
                break
        return float(mu), w / norm2**0.5

    def below(self, mu: float) -> bool:
        """Whether mu - H is seen to be positive definite, so that no eigenvalue reaches mu."""
        if mu <= self.residual_norm:
            return False
        try:
            cho_factor(np.eye(self.n) - self.resolvent(mu), lower=True, check_finite=False)
        except np.linalg.LinAlgError:
            return False
        return True

    def enclosed(self) -> tuple[float, float]:
        """A lower and an upper bound of the top eigenvalue within a relative 1e-10, proven up to rounding.

        Raises:
            ArithmeticError: if rounding stands against the upper one.
        """
        low = self.top()[0]
        for excess in EXCESSES:
            if self.below(low * (1 + excess)):
                return low * (1 - 4e-15 * self.n**0.5), low * (1 + excess)
        raise ArithmeticError(UNPROVEN.format(low))

    def split(self, w: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
        """The parts of a vector of length p: (W1, b1) joined as (k, d + 1), w2 (k,) and b2."""
        k, d = len(self.w2), self.X1.shape[1] - 1
        inner = np.hstack([w[: k * d].reshape(k, d), w[k * d : k * d + k, None]])
        return inner, w[k * (d + 1) : -1], w[-1]

    def join(self, inner: np.ndarray, outer: np.ndarray, last: float) -> np.ndarray:
        """The vector of length p that has these parts."""
        return np.concatenate([inner[:, :-1].ravel(), inner[:, -1], outer, [last]])

    def features_times(self, u: np.ndarray) -> np.ndarray:
        """Phi u."""
        inner = (self.active * self.w2 * u[:, None]).T @ self.X1
        return self.join(inner, self.height.T @ u, u.sum())

    def features_of(self, w: np.ndarray) -> np.ndarray:
        """Phi'w, (n,)."""
        inner, outer, last = self.split(w)
        slopes = (self.active * (self.X1 @ inner.T) * self.w2).sum(axis=1)
        return slopes + self.height @ outer + last

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
        return self.features_times(self.features_of(w)) / self.n + self.residual_product(w)
