"""How flat a network's function could be, over all its implementations of any width: two bounds, an optimum.

A density matrix P charges sqrt(tr(P A) tr(P B)) for a unit ridge on one side of a hyperplane, and a
multiplier mu pays for the linear part that a ridge brings along: every implementation is at least as sharp as
both together say. The best P and mu are found with the flattest network, and each proves the other.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import checks
from .curvature import sharpness
from .flattest import flattest_implementation
from .given import best_multiplier
from .meeting import CLOSE, GOAL, Meeting, bound_value, uniform
from .network import ShallowReLU

SEARCHED = 10_000  # numbers in X beyond which no pairs are looked for: half a minute there


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


def implementation_free_bound(
    net: ShallowReLU, X: Any, density: Any = None, *, tol: float = GOAL
) -> Bound:
    """A lower bound of the sharpness of every implementation of the network's function, of any width.

    For every density matrix P (P >= 0, tr P = 1) no network that computes f is flatter than
    (1/n)[1'P1 + 2 sum_h |a_h| min_o s_o(h)], where s_o = sqrt(tr(P A) tr(P B)) is what a unit ridge costs on
    side o of f's hyperplane h. P = 11'/n gives 1 + 2 norm, Lemma 3; here P is the best there is.

    Args:
        net: the network.
        X: data points, shape (n, d); the labels are taken to be net(X).
        density: a density matrix to use instead of the best one, (n, n), or "uniform" for 11'/n.
        tol: relative gap at which the search ends.

    Returns:
        Bound, with a gap of `tol` as a rule. `net` computes f up to an affine function, which the bound lets
        go free, and `upper` is its sharpness: the gap says how far P is from the best one. With a given
        density nothing is looked for: `upper` is infinite, `gap` 1 and `net` None.

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, density is none, or tol is not positive.

    Example:
        >>> net = ShallowReLU([[1.0], [1.0]], [0.5, -0.5], [1.0, -1.0])
        >>> X = [[-2.0], [-1.0], [0.0], [1.0], [3.0]]
        >>> uniform, best = (implementation_free_bound(net, X, P).value for P in ("uniform", None))
        >>> round(uniform, 6), uniform < best
        (2.650201, True)

    Source: own result; the uniform density is Lemma 3, eq. (34).
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    tol = checks.positive(tol, "tol")
    if density is not None:
        U = _factor(density, len(X))
        meeting = Meeting(net, X, affine=False)
        value = bound_value(meeting.form, meeting.own, U, meeting.mu)
        return Bound(value, U @ U.T, meeting.mu, np.inf, 1.0, None, True)
    return _bound(_met(net, X, tol, affine=False))


def affine_aware_bound(
    net: ShallowReLU, X: Any, density: Any = None, *, tol: float = GOAL
) -> Bound:
    """A lower bound that also sees the affine part of the function.

    Write f = sum_h a_h relu(v_h.x - b_h) + beta.x + c. For every density matrix P and every mu with
    |mu.v| <= s(v, b) + s(-v, -b) for all (v, b), no implementation is flatter than
    (1/n)[1'P1 + 2 sum_h min(|a_h| s(v_h, b_h), |a_h| s(-v_h, -b_h) + a_h mu.v_h) + 2 mu.beta].

    Args:
        net: the network.
        X: data points, shape (n, d); the labels are taken to be net(X).
        density: a density matrix for which the best mu is found, (n, n), or "uniform" for 11'/n; if left
            out, the best of both are.
        tol: relative gap at which the search ends.

    Returns:
        Bound. `certified` is true where the condition on mu is proven for all (v, b): for data on a line, and
        where hyperplanes split the points in at most 2,000 ways (63 points in a plane, 23 in space, 11 in
        any dimension; beyond the plane, points in general position). Elsewhere it was met by every pair that
        a search came up with, and `value` may be too high: it is no proof. Where X has more than 10,000
        entries, mu = 0, which is `implementation_free_bound`. `upper` and `net` are as for `least_sharpness`.

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, density is none, or tol is not positive.

    Example:
        >>> line = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, -1.0])        # f(x) = x has no bend at all
        >>> X = [[-2.0], [-1.0], [0.0], [1.0], [3.0]]
        >>> [round(f(line, X, "uniform").value, 6) for f in (implementation_free_bound, affine_aware_bound)]
        [1.0, 3.449317]

    Source: own result.
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    tol = checks.positive(tol, "tol")
    if density is not None:
        U = _factor(density, len(X))
        if X.size > SEARCHED:
            return implementation_free_bound(net, X, density)
        value, mu, proven = best_multiplier(Meeting(net, X, affine=True), U)
        return Bound(value, U @ U.T, mu, np.inf, 1.0, None, proven)
    if X.size > SEARCHED:
        return _without_multiplier(net, X, tol)
    return _bound(_met(net, X, tol, affine=True))


def least_sharpness(net: ShallowReLU, X: Any, *, tol: float = GOAL) -> Bound:
    """The least sharpness over all implementations of the network's function, of any width, from both sides.

    Args:
        net: the network.
        X: data points, shape (n, d); the labels are taken to be net(X).
        tol: relative gap at which the search ends. Where pairs are searched for, 1e-2 takes a third to a
            half of the time that 1e-8 takes.

    Returns:
        Bound, always certified. Where `affine_aware_bound` is certified, value and upper meet to 1e-6 (or to
        `tol`, if that is more) as a rule; with at most d + 1 points in d > 1 dimensions, where every split is
        possible, a gap may remain. Elsewhere `value` is `implementation_free_bound`, and `upper` comes
        from a search over antipodal pairs; where X has more than 10,000 entries it is the flattest rescaling.
        `net` computes the same function, and its sharpness is `upper`; the least value need not be attained.

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, or tol is not positive.

    Example:
        >>> line = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, -1.0])
        >>> least = least_sharpness(line, [[-2.0], [-1.0], [0.0], [1.0], [3.0]])
        >>> least.gap < 1e-6, bool(least.upper < sharpness(line, [[-2.0], [-1.0], [0.0], [1.0], [3.0]]))
        (True, True)

    Source: own result; strong duality of a convex program over measures on hyperplanes.
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    tol = checks.positive(tol, "tol")
    if X.size > SEARCHED:
        return _without_multiplier(net, X, tol)
    found = _bound(_met(net, X, tol, affine=True))
    if found.certified:
        return found if found.gap <= CLOSE else _or_flattest(found, net, X)
    free = _met(net, X, tol, affine=False)
    proven = Bound(free.value, free.U @ free.U.T, free.mu, found.upper, 1.0, found.net, True)
    return _or_flattest(proven, net, X)


def _without_multiplier(net: ShallowReLU, X: np.ndarray, tol: float) -> Bound:
    """What is known without a search for pairs."""
    free = implementation_free_bound(net, X, tol=tol)
    return _or_flattest(free._replace(upper=np.inf), net, X)


def _or_flattest(found: Bound, net: ShallowReLU, X: np.ndarray) -> Bound:
    """The same bound, with the flattest rescaling where the search has found nothing better."""
    flat = flattest_implementation(net, X)
    if flat.sharpness < found.upper:
        found = found._replace(upper=sharpness(flat.net, X), net=flat.net)
    return found._replace(gap=max(0.0, 1 - found.value / found.upper))


def _met(net: ShallowReLU, X: np.ndarray, tol: float, *, affine: bool) -> Meeting:
    meeting = Meeting(net, X, affine=affine, tol=tol)
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
