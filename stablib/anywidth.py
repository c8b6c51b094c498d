"""How flat a network's function could be, over all its implementations of any width: two bounds and an optimum.

A density matrix P charges sqrt(tr(P A) tr(P B)) for a unit ridge on one side of a hyperplane, and a multiplier mu pays for
the linear part that a ridge brings along: every implementation is at least as sharp as both together say. The best
P and mu are found with the flattest network, so that each proves the other (`meeting`).
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import checks
from .curvature import sharpness
from .given import best_multiplier
from .meeting import Meeting, bound_value, uniform
from .network import ShallowReLU


class Bound(NamedTuple):
    """A lower bound of the sharpness of all implementations of a function, with its certificate.

    Attributes:
        value: what `density` and `multiplier` prove, exactly.
        density: P, shape (n, n), positive semidefinite of trace 1.
        multiplier: mu, shape (d,), what is paid for a linear part; zero where it is taken to be free.
        upper: sharpness of `net`.
        gap: (upper - value) / upper.
        net: the flattest network found, or None.
        certified: whether `value` is proven. Only a multiplier can lack the proof that no pair costs less.
    """

    value: float
    density: np.ndarray
    multiplier: np.ndarray
    upper: float
    gap: float
    net: ShallowReLU | None
    certified: bool


def implementation_free_bound(net: ShallowReLU, X: Any, density: Any = None) -> Bound:
    """A lower bound of the sharpness of every implementation of the network's function, of any width.

    For every density matrix P (P >= 0, tr P = 1) no network that computes f is flatter than
    (1/n)[1'P1 + 2 sum_h |a_h| min_o s_o(h)], where s_o = sqrt(tr(P A) tr(P B)) is what a unit ridge costs on
    side o of f's hyperplane h. P = 11'/n gives 1 + 2 norm, Lemma 3; here P is the best there is.

    Args:
        net: the network.
        X: data points, shape (n, d); the labels are taken to be net(X).
        density: a density matrix to use instead of the best one, (n, n), or "uniform" for 11'/n.

    Returns:
        Bound, with a gap of 1e-8 as a rule. `net` computes f up to an affine function, which the bound lets
        go free, and `upper` is its sharpness: the gap says how far P is from the best one. With a given
        density nothing is looked for: `upper` is infinite, `gap` 1 and `net` None.

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, or the density is none.

    Example:
        >>> net = ShallowReLU([[1.0], [1.0]], [0.5, -0.5], [1.0, -1.0])
        >>> X = [[-2.0], [-1.0], [0.0], [1.0], [3.0]]
        >>> uniform, best = (implementation_free_bound(net, X, P).value for P in ("uniform", None))
        >>> round(uniform, 6), uniform < best
        (1.839189, True)

    Source: own result; the uniform density is Lemma 3, eq. (34).
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    if density is not None:
        U = _factor(density, len(X))
        meeting = Meeting(net, X, affine=False)
        value = bound_value(meeting.form, meeting.own, U, meeting.mu)
        return Bound(value, U @ U.T, meeting.mu, np.inf, 1.0, None, True)
    return _bound(_met(net, X, affine=False))


def affine_aware_bound(net: ShallowReLU, X: Any, density: Any = None) -> Bound:
    """A lower bound that also sees the affine part of the function.

    Write f = sum_h a_h relu(v_h.x - b_h) + beta.x + c. For every density matrix P and every mu with
    |mu.v| <= s(v, b) + s(-v, -b) for all (v, b), no implementation is flatter than
    (1/n)[1'P1 + 2 sum_h min(|a_h| s(v_h, b_h), |a_h| s(-v_h, -b_h) + a_h mu.v_h) + 2 mu.beta].

    Args:
        net: the network.
        X: data points, shape (n, d); the labels are taken to be net(X).
        density: a density matrix for which the best mu is found, (n, n), or "uniform" for 11'/n; if left
            out, the best of both are.

    Returns:
        Bound. `certified` is true where the condition on mu is proven for all (v, b): for data on a line, and for
        up to 60 points in a plane. Elsewhere it was met by every pair that a search came up with, and
        `value` may be too high: it is no proof. `upper` and `net` as for `least_sharpness`.

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, or the density is none.

    Example:
        >>> line = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, -1.0])        # f(x) = x has no bend at all
        >>> X = [[-2.0], [-1.0], [0.0], [1.0], [3.0]]
        >>> implementation_free_bound(line, X).value, round(affine_aware_bound(line, X, "uniform").value, 6)
        (1.0, 2.697056)

    Source: own result.
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    if density is not None:
        U = _factor(density, len(X))
        value, mu, proven = best_multiplier(Meeting(net, X, affine=True), U)
        return Bound(value, U @ U.T, mu, np.inf, 1.0, None, proven)
    return _bound(_met(net, X, affine=True))


def least_sharpness(net: ShallowReLU, X: Any) -> Bound:
    """The least sharpness over all implementations of the network's function, of any width, from both sides.

    Args:
        net: the network.
        X: data points, shape (n, d); the labels are taken to be net(X).

    Returns:
        Bound, always certified. For data on a line, and for up to 60 points in a plane, value and upper
        meet to 1e-6. Elsewhere `value` is the larger of what is proven, as a rule
        `implementation_free_bound`, and `upper` comes from a search over antipodal pairs. `net` is the
        implementation whose sharpness is `upper`; the least value itself need not be attained.

    Raises:
        ValueError: if `net` is no ShallowReLU or X does not fit it.

    Example:
        >>> line = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, -1.0])
        >>> least = least_sharpness(line, [[-2.0], [-1.0], [0.0], [1.0], [3.0]])
        >>> least.gap < 1e-6, least.net.k
        (True, 4)

    Source: own result; strong duality of a convex program over measures on hyperplanes.
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    any_affine = _met(net, X, affine=True)
    if any_affine.proven:
        return _bound(any_affine)
    free = _met(net, X, affine=False)
    return _bound(any_affine)._replace(
        value=free.value,
        density=free.U @ free.U.T,
        multiplier=free.mu,
        gap=1 - free.value / any_affine.upper,
        certified=True,
    )


def _met(net: ShallowReLU, X: np.ndarray, *, affine: bool) -> Meeting:
    meeting = Meeting(net, X, affine=affine)
    meeting.run()
    meeting.prove()
    return meeting


def _bound(met: Meeting) -> Bound:
    found = met.network()
    upper = sharpness(found, met.X)
    gap = max(0.0, 1 - met.value / upper)
    return Bound(met.value, met.U @ met.U.T, met.mu, upper, gap, found, met.proven)


def _factor(density: Any, n: int) -> np.ndarray:
    """U with P = UU' of trace 1, from a density matrix or the word "uniform"."""
    if isinstance(density, str):
        checks.choice(density, "density", ("uniform",))
        return uniform(n)
    P = checks.array(density, "density")
    if P.shape != (n, n):
        raise ValueError(f"density has shape {P.shape}; X has {n} points, so ({n}, {n}) is needed")
    values, vectors = np.linalg.eigh((P + P.T) / 2)
    if np.abs(P - P.T).max() > 1e-9 or values[0] < -1e-9 or abs(np.trace(P) - 1) > 1e-9:
        raise ValueError(
            f"density has least eigenvalue {values[0]:g} and trace {np.trace(P):g}; "
            "a symmetric matrix without negative eigenvalues and of trace 1 is needed"
        )
    keep = values > 0
    return vectors[:, keep] * np.sqrt(values[keep] / values[keep].sum())
