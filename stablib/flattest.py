"""The flattest implementation of a network's function among its rescalings, with a proof that it is."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from . import checks
from .curvature import OVERFLOW, top_eigenpair
from .hessian import LARGEST
from .network import ShallowReLU


class Flattest(NamedTuple):
    """The least sharpness over rescalings and its certificate.

    `sharpness` is that of `net`; no rescaling has less than `lower_bound`; `gap` is their relative
    distance, (sharpness - lower_bound) / sharpness; `evaluations` counts the rescalings whose sharpness was
    computed, one eigen-solve each.
    """

    sharpness: float
    lower_bound: float
    gap: float
    net: ShallowReLU
    evaluations: int


def flattest_implementation(net: ShallowReLU, X: Any, loss_curvature: Any = None) -> Flattest:
    """Minimise the sharpness over all rescalings (W1_i, b1_i)/c_i, c_i w2_i of an interpolating network.

    In t_i = log c_i the sharpness is convex. Where its top eigenvalue is simple, Newton's method with
    the exact second derivatives needs a handful of eigenvectors; where it is not, an interior-point
    method takes over. Either way a density matrix P (P >= 0, tr P = 1) proves the result, since
    no rescaling is flatter than (1/n) [1'P1 + 2 sum_i sqrt(tr(P A_i) tr(P B_i))], where
    A_i = w2_i^2 (XX' + 1) on the neuron's active points and B_i = z_i z_i'.

    Args:
        net: the network.
        X: data points, shape (n, d); the labels are taken to be net(X).
        loss_curvature: second derivative l'' of another loss at each point, (n,) or a number; 1 if left
            out. It multiplies row j of every A_i and B_i and of 11' by sqrt(l''_j), and column j, too.

    Returns:
        Flattest, with a gap of at most 1e-9 where the top eigenvalue is simple (always for X >= 0, by
        Perron and Frobenius) and 1e-7 otherwise. Neurons that are dead on X are left as they are. For
        neurons with w2_i = 0 that are active the infimum is not attained: the limit is returned as
        `sharpness`, with a net within a relative 1e-9 of it. Wider or turned implementations can be flatter.
        A point within rounding of a neuron's hyperplane counts on the side where it is for `net` as given.

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, an l'' is negative, or products overflow.

    Example:
        >>> flat = flattest_implementation(ShallowReLU([[2.0]], [0.0], [1.0]), [[1.0]])
        >>> flat.gap <= 1e-9, round(flat.sharpness, 6)      # 1 + 2 c^2 + 4/c^2 is least at 1 + 4 sqrt(2)
        (True, 6.656854)

    Source: App. A, "the meaning of min lambda_max"; convexity and duality after Dinh et al. (2017)'s
        rescalings, eigenvalue derivatives by perturbation theory (Overton, 1988).
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    curvature = checks.loss_curvature(1.0 if loss_curvature is None else loss_curvature, len(X))
    unit = curvature.max() or 1.0  # the sharpness is computed in multiples of it
    root = np.sqrt(curvature / unit)
    z = net.preactivations(X)
    height = np.maximum(z, 0) * root[:, None]
    alive = height.any(axis=0)
    sloped = alive & (net.w2 != 0)
    family = _Rescalings(X, z[:, sloped], net.w2[sloped], root)
    t = family.balanced()
    t, value, bound, evaluations = _newton(family, t)
    if value - bound > 1e-9 * value:
        t, value, bound, more = _interior_point(family, t, value, bound)
        evaluations += more
    c = np.ones(net.k)
    c[sloped] = np.exp(t)
    idle = alive & ~sloped
    if idle.any():
        # Their share |z_i|^2 / (n c_i^2) of the trace vanishes as c_i grows; together it is 1e-10.
        share = (height[:, idle] ** 2).sum(axis=0) / len(X)
        c[idle] = np.maximum(1, np.sqrt(share * idle.sum() / (1e-10 * value)))
    gap = max(0.0, (value - bound) / value) if value > 0 else 0.0
    # Rounded to 32 bits: products with short numbers are then exact, and a data point that lies on a
    # neuron's hyperplane stays on it.
    mantissa, exponent = np.frexp(1 / c)
    r = np.ldexp(np.round(mantissa * 2.0**32), exponent - 32)
    flat = ShallowReLU(net.W1 * r[:, None], net.b1 * r, net.w2 / r, net.b2)
    return Flattest(float(value * unit), float(bound * unit), float(gap), flat, evaluations)


class _Rescalings:
    """(ss' + sum_i e^(2 t_i) A_i + e^(-2 t_i) B_i)/n: the Hessian's nonzero spectrum at t = log c.

    s holds the roots of the loss's curvatures, which scale rows and columns of all three: 1 as a rule.
    """

    def __init__(self, X: np.ndarray, z: np.ndarray, w2: np.ndarray, root: np.ndarray) -> None:
        self.n, self.k = z.shape
        self.X1 = np.hstack([X, np.ones((self.n, 1))])
        with np.errstate(over="ignore"):  # what overflows is too large, too
            pull = np.abs(w2).max(initial=0) * np.abs(self.X1).max()
        if not max(pull, z.max(initial=0)) < LARGEST:
            raise ValueError(OVERFLOW)
        self.points = self.X1 @ self.X1.T  # (n, n): XX' + 1
        self.root = root
        self.slopes = (z > 0) * np.abs(w2) * root[:, None]  # (n, k)
        self.heights = np.maximum(z, 0) * root[:, None]  # (n, k)

    def balanced(self) -> np.ndarray:
        """Where both blocks of each neuron pull equally at the test vector s/|s|."""
        pull = np.linalg.norm((self.slopes * self.root[:, None]).T @ self.X1, axis=1)
        return 0.5 * np.log(self.root @ self.heights / pull)

    def matrix(self, t: np.ndarray) -> np.ndarray:
        slopes, heights = self.slopes * np.exp(t), self.heights * np.exp(-t)
        return (
            self.points * (slopes @ slopes.T) + heights @ heights.T + np.outer(self.root, self.root)
        ) / self.n

    def pulls(self, U: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """tr(P A_i) and tr(P B_i) for P = UU', U (n, r); each (k,)."""
        a = sum((((self.slopes * u[:, None]).T @ self.X1) ** 2).sum(axis=1) for u in U.T)
        return a, ((U.T @ self.heights) ** 2).sum(axis=0)

    def bound(self, U: np.ndarray) -> float:
        """The dual value of the density matrix UU'/tr(UU'): a lower bound over all rescalings."""
        with np.errstate(over="ignore"):  # said below
            a, b = self.pulls(U)
        total = ((self.root @ U) ** 2).sum() + 2 * (np.sqrt(a) * np.sqrt(b)).sum()
        if not np.isfinite(total):
            raise ValueError(OVERFLOW)
        return float(total / (self.n * (U**2).sum()))

    def pair_traces(self, t: np.ndarray, Q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """e^(2 t_i) tr(Q A_i) and e^(-2 t_i) tr(Q B_i), each (k,)."""
        slopes, heights = self.slopes * np.exp(t), self.heights * np.exp(-t)
        a = ((Q * self.points) @ slopes * slopes).sum(axis=0)
        return a, (Q @ heights * heights).sum(axis=0)

    def traces(self, t: np.ndarray, Q: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same, and tr(Q C_i Q C_l) for C_i = e^(2 t_i) A_i - e^(-2 t_i) B_i, (k, k)."""
        slopes, heights = self.slopes * np.exp(t), self.heights * np.exp(-t)
        like, mixed = np.empty((self.k, self.k)), np.empty((self.k, self.k))
        for i in range(self.k):
            half = (Q * slopes[:, i]) @ self.X1
            sandwich = half @ half.T  # Q A_i Q
            like[i] = ((sandwich * self.points) @ slopes * slopes).sum(axis=0)
            mixed[i] = (sandwich @ heights * heights).sum(axis=0)
        crossed = like - mixed - mixed.T + (heights.T @ Q @ heights) ** 2
        return *self.pair_traces(t, Q), crossed

    def slope(self, t: np.ndarray, u: np.ndarray) -> np.ndarray:
        """(dK/dt_i) u / n as columns, (n, k)."""
        masked = self.slopes * u[:, None]
        up = self.slopes * (self.points @ masked) * np.exp(2 * t)
        down = self.heights * ((u @ self.heights) * np.exp(-2 * t))
        return 2 * (up - down) / self.n


def _newton(family: _Rescalings, t: np.ndarray) -> tuple[np.ndarray, float, float, int]:
    """Damped Newton on a simple top eigenvalue; stops when solved, or creeping because it is not simple."""
    n, k = family.n, family.k
    value, u = top_eigenpair(family.matrix(t))
    bound, evaluations, damping = family.bound(u[:, None]), 1, 0.0
    while value - bound > 1e-14 * value and evaluations < 30:
        a, b = family.pulls(u[:, None])
        a, b = a * np.exp(2 * t), b * np.exp(-2 * t)
        gradient = 2 * (a - b) / n
        # Second derivatives: own curvature, and how the eigenvector turns, G'(value - K/n)^+ G.
        G = family.slope(t, u)
        shifted = value * np.eye(n) - family.matrix(t) + value * np.outer(u, u)
        shifted[np.diag_indices(n)] += 1e-14 * value
        G -= np.outer(u, u @ G)
        try:
            hessian = 2 * (G.T @ cho_solve(cho_factor(shifted, lower=True), G))
        except np.linalg.LinAlgError:
            break
        hessian[np.diag_indices(k)] += 4 * (a + b) / n
        for _ in range(6):
            step = _regularised_solve(hessian, -gradient, damping)
            largest = np.abs(step).max(initial=0.0)
            step *= min(1.0, 2.0 / largest) if largest > 0 else 1.0
            new_value, new_u = top_eigenpair(family.matrix(t + step))
            evaluations += 1
            if new_value <= value + 1e-15 * value:
                break
            damping = max(10 * damping, 1e-3)
        else:
            break
        drop = value - new_value
        t, value, u = t + step, new_value, new_u
        damping *= 0.1
        bound = max(bound, family.bound(u[:, None]))
        if drop < 1e-3 * (value - bound) and value - bound > 1e-9 * value:
            break  # the top eigenvalue is multiple here, and Newton only creeps
    return t, value, bound, evaluations


def _interior_point(
    family: _Rescalings, t: np.ndarray, value: float, bound: float
) -> tuple[np.ndarray, float, float, int]:
    """Follow the minimisers of s/mu - log det(s - K(t)/n) over (s, t) as mu falls.

    At each of them mu (s - K/n)^-1 is a density matrix, and its dual value is the certificate.
    """
    n, k = family.n, family.k
    best, best_t, evaluations = value, t, 0
    gap = max(value - bound, 1e-3 * value)
    s, mu = value + gap, gap / n
    # The gap is about n mu; below a relative 2e-10 rounding decides the steps.
    while n * mu > 2e-10 * best and evaluations < 400:
        try:
            Q = np.linalg.inv(s * np.eye(n) - family.matrix(t))
        except np.linalg.LinAlgError:
            break
        fresh = family.bound(_root(Q))
        if best - bound <= 1e-7 * best and best - fresh > 1e3 * n * mu:
            break  # near a minimiser the two differ by about n mu: rounding has taken over
        bound = max(bound, fresh)
        if best - bound <= 1e-9 * best:
            break
        a, b, crossed = family.traces(t, Q)
        # The unknown s is measured in units of the sharpness, so that it compares with the t_i.
        gradient = np.concatenate([[(1 / mu - np.trace(Q)) * best], 2 * (a - b) / n])
        squared = Q @ Q
        a2, b2 = family.pair_traces(t, squared)
        hessian = np.empty((k + 1, k + 1))
        hessian[0, 0] = np.trace(squared) * best**2
        hessian[0, 1:] = hessian[1:, 0] = -2 * (a2 - b2) / n * best
        hessian[1:, 1:] = 4 * crossed / n**2 + np.diag(4 * (a + b) / n)
        step = _regularised_solve(hessian, -gradient)
        decrement = -gradient @ step
        step[0] *= best
        length = min(
            1.0 if decrement < 0.1 else 1 / (1 + decrement**0.5), 1 / max(abs(step[1:]).max(), 1e-9)
        )
        while True:
            value = top_eigenpair(family.matrix(t + length * step[1:]))[0]
            evaluations += 1
            if value < s + length * step[0]:
                break
            length /= 2
        s, t = s + length * step[0], t + length * step[1:]
        if value < best:
            best, best_t = value, t
        if decrement < 0.3:
            mu *= 0.2
    return best_t, best, bound, evaluations


def _root(Q: np.ndarray) -> np.ndarray:
    """U with UU' close to the positive matrix Q; any U whatever gives a valid bound."""
    values, vectors = np.linalg.eigh((Q + Q.T) / 2)
    keep = values > 1e-14 * values[-1]
    return vectors[:, keep] * np.sqrt(values[keep])


def _regularised_solve(hessian: np.ndarray, right: np.ndarray, damping: float = 0.0) -> np.ndarray:
    """Solve with a positive semidefinite matrix that may be singular in flat directions."""
    diagonal = np.diag(hessian)
    scale = np.sqrt(np.maximum(diagonal, 1e-12 * diagonal.max(initial=1e-300)))
    scaled = hessian / scale[:, None] / scale
    scaled[np.diag_indices(len(scale))] += damping + 1e-13
    values, vectors = np.linalg.eigh(scaled)
    return (vectors @ ((vectors.T @ (right / scale)) / np.maximum(values, 1e-13))) / scale
