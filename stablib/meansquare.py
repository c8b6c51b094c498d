"""Where the second moment of linearised SGD stops to contract: a nonlinear Perron eigenvalue on n numbers.

In residual coordinates r = Phi'(theta - theta*), a step on a batch is r -> r - (eta/B) K S r with K = Phi'Phi
and S the diagonal of how often each point was drawn. Averaged over the batches, the second moment E of r
becomes

    E - (eta/n) (KE + EK) + eta^2 [(1 - q)/n^2 KEK + (q/n) K diag(E) K] =: E + L(E) + P(E),

P being the last term. Only E with range in that of K matter: these are the moments of theta in the
range of the Hessian.

1.  E -> E + L(E) + P(E) preserves the cone of positive semidefinite E, being a mean of A E A'. So its
    spectral radius is an eigenvalue, and below 1 exactly if L + P has its spectrum in the left half-plane.
2.  L generates a positive semigroup. In K's eigenbasis it multiplies entry ij by a number, which is negative
    for all i, j exactly if eta (1 - q) k_max < 2n. Where that fails, L is unstable, and L + P no less. Where
    it holds, L + P is stable exactly if (-L)^-1 P has spectral radius below 1 (Schneider 1965).
3.  P sees only the diagonal of E, so that radius is the one of e -> diag((-L)^-1 P(diag e)) on n numbers.
    With K = U diag(k) U' this is eta q M(eta),

        M_ab = (1/n) sum_ij U_ai U_bi U_aj U_bj w_ij, 1/w_ij = (1/k_i + 1/k_j)/n - eta (1 - q)/n^2,

    and w_ij = 0 where k_i or k_j is 0: that is the restriction to the range of K.
4.  As 1/s is the integral of exp(-ts) over t > 0, M_ab is 1/n times the integral of the square of
    [U exp(-t/(nk)) U']_ab times exp(eta (1 - q) t/n^2). So M is symmetric, non-negative entry by entry,
    positive semidefinite (Schur), and grows with eta, up to infinity at the limit of item 2 unless q = 1.
    Its diagonal is positive, as K_aa >= 1 (the output bias). Hence eta q rho(M(eta)) = 1 has exactly one
    solution, and that is the threshold.

What is returned is bounded on both sides by what was seen. Instability: for any e, the eta at which
eta q e'M(eta)e = e'e is at or above the threshold. Stability: M(eta) x <= x/(eta q) for a positive x means
rho <= 1/(eta q) (Collatz and Wielandt; M need not be irreducible). M itself is never formed: a product
costs two n x n matrix products.

In this module K/n is divided by its top eigenvalue, and eta = 2 s/lambda_max: s = 1 is GD's threshold.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

WIDTH = 4e-10  # relative distance of the two ends where rounding allows it
ACCURACY = 1e-5  # of eigenvectors; its square is that of the threshold


def boundary(h: np.ndarray, U: np.ndarray, q: float) -> tuple[float, float]:
    """Step sizes s, in units of GD's threshold, that are seen to be stable and not stable.

    Args:
        h: eigenvalues of K/n in ascending order, divided by the last, shape (n,).
        U: their eigenvectors, one per column, shape (n, n).
        q: noise of the batches, 0 < q <= 1.

    Returns:
        (low, high), where high is also accurate to the square of their distance.

    Raises:
        ArithmeticError: if no lower end within a tenth of the upper one passed its test.
    """
    noise = _Noise(np.maximum(h, 0.0), U, q)
    # White noise is the worst there is for small batches, the top eigenvector for large ones.
    e = 1.0 + len(h) * U[:, -1] ** 2
    high = noise.unstable(e)
    # `high` errs by the square of what e errs: rough eigenvectors will do until M(s) is the right matrix.
    rough = noise._replace(U=U.astype(np.float32))
    for accuracy in (1e-2, ACCURACY):
        e, _ = rough.perron(high, e, accuracy)
        high = min(high, noise.unstable(e))
    # Where many eigenvalues crowd at the top, the square does not help: then the vectors must get better.
    for attempt in range(12):
        low = high * (1 - WIDTH * 10.0 ** max(0, attempt - 3))
        e, stable = noise.perron(low, e, ACCURACY / 100.0 ** min(3, attempt))
        high = min(high, noise.unstable(e))
        if stable:
            return min(low, high), high
    raise ArithmeticError(
        f"no step size within a tenth of {high:g} of GD's threshold was seen to be stable; "
        "the parameters are too badly scaled for float64"
    )


class _Noise(NamedTuple):
    """The matrices M of item 4, in scaled units: the threshold solves 2 s q rho(M(s)) = 1."""

    h: np.ndarray
    U: np.ndarray
    q: float

    def kernel(self, s: float) -> np.ndarray:
        """w_ij = h_i h_j / (h_i + h_j - 2 s (1 - q) h_i h_j), shape (n, n)."""
        product = self.h[:, None] * self.h
        scale = self.h[:, None] + self.h - 2 * s * (1 - self.q) * product
        return np.divide(product, scale, out=np.zeros_like(product), where=product > 0)

    def times(self, kernel: np.ndarray, e: np.ndarray) -> np.ndarray:
        """M e."""
        return len(e) * ((self.U @ (kernel * self.moment(e))) * self.U).sum(axis=1, dtype=float)

    def moment(self, e: np.ndarray) -> np.ndarray:
        return (self.U.T * e.astype(self.U.dtype)) @ self.U

    def unstable(self, e: np.ndarray) -> float:
        """The s at which 2 s q e'M(s)e = e'e: not stable there, and nowhere above.

        e'M(s)e is a sum of poles c/(a - s) with c >= 0, so its reciprocal is concave and decreasing: from
        s = 1, Newton's method descends onto the solution, and never past it.
        """
        square = self.moment(e) ** 2 * (len(e) / (e @ e))
        s = 1.0
        for _ in range(60):
            kernel = self.kernel(s)
            r = (kernel * square).sum()
            slope = 2 * (1 - self.q) * (kernel**2 * square).sum()
            step = (1 / (self.q * r) - 2 * s) / (slope / (self.q * r**2) + 2)
            if step >= 0 and s == 1.0:
                return 1.0  # never above GD's threshold
            s += step
            if abs(step) <= 1e-15 * s:
                break
        return float(s)

    def perron(self, s: float, e: np.ndarray, accuracy: float) -> tuple[np.ndarray, bool]:
        """The top eigenvector of M(s), to some accuracy, and whether s was seen to be stable.

        One Krylov space serves both ends: its Ritz vector, and the solution of (mu - M) x = b for a positive
        b and mu = 1/(2 s q), which is positive exactly if mu > rho(M). It is a better witness of stability
        than the Ritz vector: its margin is b at every point, however small the eigenvector is there.
        """
        kernel, mu = self.kernel(s).astype(self.U.dtype), 1 / (2 * s * self.q)
        b = 0.1 + np.abs(e) / np.abs(e).max()
        V, diagonal, beside = (b / np.linalg.norm(b))[None], [], []
        while True:
            new = self.times(kernel, V[-1])
            diagonal.append(V[-1] @ new)
            for _ in range(2):  # orthogonal to rounding after two passes, not after one
                new -= V.T @ (V @ new)
            beta = np.linalg.norm(new)
            T = np.diag(diagonal) + np.diag(beside, 1) + np.diag(beside, -1)
            theta, ritz = np.linalg.eigh(T)
            top = V.T @ ritz[:, -1]
            if theta[-1] < mu:
                start = np.linalg.norm(b) * np.eye(len(T))[0]
                x = np.linalg.solve(mu * np.eye(len(T)) - T, start)
                if (np.abs(new * x[-1]) <= b / 2).all():
                    x = V.T @ x
                    stable = (x > 0).all() and (mu * x - self.times(kernel, x) >= b / 4).all()
                    return top, bool(stable)
            # Once theta >= mu, s is not stable, and the vector is only wanted for a better s.
            enough = accuracy if theta[-1] >= mu else 1e-13
            if beta * abs(ritz[-1, -1]) <= enough * theta[-1] or len(V) == min(len(b), 300):
                return top, False
            V = np.vstack([V, new / beta])
            beside.append(beta)
