"""Antipodal pairs, relu(z) - relu(-z) = z: what the cheapest of them costs, and the proof that none is.

A pair on the hyperplane w.x = t, w not of length one in general, costs 2 (s(w, t) + s(-w, -t)) under a
density matrix P = UU', and adds w to the function's linear part. So a multiplier mu is admissible if
|mu.w| <= s(w, t) + s(-w, -t) for all (w, t). As long as (w, t) splits the data in one way, the right side is
a sum of two norms of vectors linear in (w, t), hence convex: each cell of the data's arrangement is a small
cone program, and on a line it is one-dimensional.
"""

from __future__ import annotations

from functools import cached_property
from typing import NamedTuple

import numpy as np
from scipy import sparse

from .cells import Cells, bound_at_rays, bound_inside, cells, linear_below

POLISHED = 8  # pairs that are improved within their cell, where not all cells are visited
STEPS = 6  # from cell to cell
VANISHING = 1e-60  # a spread of which powers are no floats any more
CHUNK = 200_000  # numbers in an array of a scan, so that it stays near the processor
INSIDE = 1e-8  # how far a pair's hyperplane is moved off the data points, relative to its cell


class Frame:
    """Coordinates of the data in the space that they span: X = mean + C basis'.

    Args:
        X: data points, shape (n, d).
        least: a spread that is not seen.

    Attributes:
        C: centred coordinates, (n, r).
        basis: orthonormal columns, (d, r); r = 0 if all points are the same.
        X1: the points with a 1 appended, or a shorter factor of XX' + 11'.
    """

    def __init__(self, X: np.ndarray, least: float = 0.0) -> None:
        self.mean = X.mean(axis=0)
        left, size, right = np.linalg.svd(X - self.mean, full_matrices=False)
        scale = np.abs(X).max(initial=0)
        keep = size > max(1e-11 * max(size.max(initial=0), scale), least, VANISHING)
        self.C = left[:, keep] * size[keep]
        self.basis = right[keep].T
        X1 = np.hstack([X, np.ones((len(X), 1))])
        self.X1 = np.linalg.qr(X1.T, mode="r").T if X1.shape[1] > len(X) else X1

    @cached_property
    def cells(self) -> Cells | None:
        """All ways in which a hyperplane splits the data, unless there are too many to visit."""
        return cells(self.C) if self.C.shape[1] > 1 else None

    def planes(self, omega: np.ndarray, tau: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit normals and offsets in R^d of the hyperplanes C omega = tau, omega (m, r) and tau (m,)."""
        size = np.linalg.norm(omega, axis=1)
        w = omega @ self.basis.T
        return w / size[:, None], (tau + w @ self.mean) / size


class Worst(NamedTuple):
    """The pairs that break a multiplier most.

    Attributes:
        ratio: the largest |mu.w| / (s(w, t) + s(-w, -t)) found.
        omega: normals in the frame, (p, r), worst first.
        tau: offsets in the frame, (p,).
        ratios: theirs, (p,).
        proven: an upper bound of the ratio over all pairs; inf where there is none.
    """

    ratio: float
    omega: np.ndarray
    tau: np.ndarray
    ratios: np.ndarray
    proven: float


def scan(
    frame: Frame, U: np.ndarray, omega: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The cheapest offset in every gap between the data, for many directions.

    Args:
        frame: the data.
        U: factor of the density, (n, q).
        omega: the directions, (s, r).

    Returns:
        Offsets, costs s(omega, tau) + s(-omega, -tau) there, and lower bounds of the costs in their gaps, all
        of shape (s, n + 1): behind the k-th offset are k points. The two gaps beyond the data are among them;
        between points that no offset separates there is none, and its cost and bound are infinite.
    """
    n, q = U.shape
    rows = max(1, CHUNK // ((n + 1) * max(q, frame.X1.shape[1])))
    parts = [_scan(frame, U, omega[i : i + rows]) for i in range(0, len(omega), rows)]
    return tuple(np.concatenate(part) for part in zip(*parts, strict=True))


def _scan(
    frame: Frame, U: np.ndarray, omega: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same, for as many directions as one wants to have in memory at once."""
    c = omega @ frame.C.T
    order = np.argsort(c, axis=1)
    c = np.take_along_axis(c, order, axis=1)
    V, X1 = U[order], frame.X1[order]
    pull = [np.zeros((len(c), c.shape[1] + 1)) for _ in range(2)]
    for q in range(V.shape[2]):
        for side, part in zip(pull, _sums(V[:, :, q, None] * X1), strict=True):
            side += (part**2).sum(axis=2)
    back, front = np.sqrt(pull[0]), np.sqrt(pull[1])
    back0, front0 = _sums(V)
    back1, front1 = _sums(V * c[:, :, None])
    # Heights are taken from the cell's own edge, or they would cancel next to it.
    edge = np.concatenate([c[:, :1], c], axis=1)
    other = np.concatenate([c, c[:, -1:]], axis=1)
    closed = other - edge <= 1e-12 * np.abs(c).max(axis=1, initial=0)[:, None]
    closed[:, [0, -1]] = False
    # Beyond the data one side is empty, and the other is least where its height is: maybe far away.
    for whole, first, ends, gap in (
        (front0[:, 0], front1[:, 0], edge, 0),
        (back0[:, -1], back1[:, -1], other, -1),
    ):
        square = (whole**2).sum(axis=1)
        flat = square <= 1e-24 * (U**2).sum()
        far = (first * whole).sum(axis=1) / np.where(flat, 1, square)
        far = np.where(flat, c[:, gap], far)
        reach = 2 * (np.abs(far - c[:, gap]) + c[:, -1] - c[:, 0])
        ends[:, gap] = c[:, gap] + (reach if gap else -reach)
    back1, front1 = edge[:, :, None] * back0 - back1, front1 - edge[:, :, None] * front0

    def cost(step: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Cost and its slope at edge + step."""
        up, down = front1 - step[:, :, None] * front0, back1 + step[:, :, None] * back0
        size_up, size_down = (np.sqrt((part**2).sum(axis=2)) for part in (up, down))
        slope = back * (down * back0).sum(axis=2) / np.where(size_down > 0, size_down, 1)
        slope -= front * (up * front0).sum(axis=2) / np.where(size_up > 0, size_up, 1)
        return front * size_up + back * size_down, slope

    low, high = INSIDE * (other - edge), (1 - INSIDE) * (other - edge)
    for _ in range(60):
        middle = (low + high) / 2
        rising = cost(middle)[1] > 0
        low, high = np.where(rising, low, middle), np.where(rising, middle, high)
    value, slope = cost(low)
    # A convex function is above its tangents; towards the data points it may fall a little further.
    tangent = value - np.abs(slope) * (high - low)
    ends = [cost(step)[0] for step in (np.zeros_like(low), other - edge)]
    least = np.minimum.reduce([tangent, *ends])
    return edge + low, np.where(closed, np.inf, value), np.where(closed, np.inf, least)


def _sums(of: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sums over the first k of n, for k = 0 to n, and over all others: (s, n + 1, p) each from (s, n, p)."""
    nothing = np.zeros_like(of[:, :1])
    below = np.concatenate([nothing, np.cumsum(of, axis=1)], axis=1)
    above = np.concatenate([np.cumsum(of[:, ::-1], axis=1)[:, ::-1], nothing], axis=1)
    return below, above


def worst_pairs(
    frame: Frame, U: np.ndarray, nu: np.ndarray, starts: np.ndarray, *, prove: bool
) -> Worst:
    """Pairs that cost less than a multiplier promises, and how far it must be scaled down.

    Args:
        frame: the data.
        U: factor of the density, (n, q).
        nu: the multiplier in the frame, (r,).
        starts: directions to begin from, (s, r).
        prove: visit every cell, where they are few; on a line that is always done.
    """
    r = len(nu)
    if r == 0 or not nu.any():
        return Worst(0.0, np.zeros((0, r)), np.zeros(0), np.zeros(0), 0.0)
    if r == 1:
        tau, value, least = (part[0] for part in scan(frame, U, np.ones((1, 1))))
        ratio = _ratio(abs(nu[0]), value)
        order = np.argsort(-ratio)[: np.isfinite(value).sum()]
        proven = float(_ratio(abs(nu[0]), least).max())
        return Worst(float(ratio.max()), np.ones((len(order), 1)), tau[order], ratio[order], proven)
    tau, value, _ = scan(frame, U, starts)
    best, every = value.argmin(axis=1), np.arange(len(starts))
    ratio = _ratio(np.abs(starts @ nu), value[every, best])
    pairs, proven = list(zip(starts, tau[every, best], ratio.tolist(), strict=True)), np.inf
    pairs.sort(key=lambda pair: -pair[2])
    if prove and frame.cells is not None:
        rays, fronts = frame.cells
        bounds, enough = [0.0], min(1.0, pairs[0][2])  # no cell of less is the worst, or breaks mu
        for front in fronts:
            for mask in (front, ~front):
                found, bound = _cell(frame, U, nu, mask, rays, enough)
                pairs += [found] if found else []
                bounds.append(bound)
        proven = max(bounds)
    else:
        for omega, tau, _ in pairs[:POLISHED]:
            sign = 1.0 if nu @ omega > 0 else -1.0
            pairs += _walk(frame, U, nu, frame.C @ (sign * omega) > sign * tau)
    pairs.sort(key=lambda pair: -pair[2])
    omegas, taus, ratios = (np.array(part) for part in zip(*pairs, strict=True))
    return Worst(float(ratios[0]), omegas, taus, ratios, proven)


def _walk(
    frame: Frame, U: np.ndarray, nu: np.ndarray, front: np.ndarray
) -> list[tuple[np.ndarray, float, float]]:
    """From cell to cell over the points that stop the best pair of each, while that gets better."""
    best, steps = 0.0, []
    for _ in range(STEPS):
        found, _ = _cell(frame, U, nu, front, None)
        if found is None or found[2] <= best * (1 + 1e-6):
            break
        steps.append(found)
        best = found[2]
        # Cost jumps where a point changes sides: look beyond all of those that are near.
        omega, tau, _ = found
        height = np.abs(frame.C @ omega - tau)
        front = front ^ (height < 1e-5 * height.max())
    return steps


def _ratio(gain: float, cost: np.ndarray) -> np.ndarray:
    return gain / np.maximum(cost, 1e-300)


def _cell(
    frame: Frame,
    U: np.ndarray,
    nu: np.ndarray,
    front: np.ndarray,
    rays: np.ndarray | None,
    enough: float = 0.0,
) -> tuple[tuple[np.ndarray, float, float] | None, float]:
    """The best pair within one cell, as (omega, tau, ratio), and a proven bound of the ratio there.

    Maximise nu.omega over the (omega, tau) that have the points of `front` in front, the others behind, and
    cost at most 1. Dual vectors p of length 1 bound both norms below by linear functions of (omega, tau); on
    the cell, which its rays span, the quotient of nu.omega and their sum is largest at a ray. Where a quick
    bound is `enough`, nothing is looked for.
    """
    import clarabel

    n, r = frame.C.shape
    q, size = U.shape[1], np.abs(frame.C).max()
    C1 = np.hstack([frame.C / size, -np.ones((n, 1))])  # C omega - tau, in units of the data's size
    length = np.linalg.norm(nu)
    nu, unit_cost = nu / length, size / length  # what a cost of 1 below is worth
    sides = []
    for mask, sign in ((front, 1.0), (~front, -1.0)):
        pull = np.linalg.norm(U[mask].T @ frame.X1[mask])
        sides.append(sign * pull * (U[mask].T @ C1[mask]))
    signed = np.where(front, 1.0, -1.0)[:, None] * C1
    if rays is not None:
        rays = rays / np.append(np.ones(r), size)
        own = rays[(rays @ signed.T >= -1e-9).all(axis=1)]
        gain = own[:, :r] @ nu
        bound = bound_inside(own, gain, sides) / unit_cost
        if bound <= enough:
            return None, bound
    unit = max(np.abs(side).max() for side in sides) or 1.0
    inside = -signed
    inside[:, :r] += INSIDE * nu  # so far inside the cell, in units of nu.omega
    rows = [np.hstack([inside, np.zeros((n, 2))]), np.eye(r + 3)[[-2, -1]].sum(axis=0)[None]]
    for i, side in enumerate(sides):
        rows += [-np.eye(r + 3)[[r + 1 + i]], np.hstack([-side / unit, np.zeros((q, 2))])]
    right = np.concatenate([np.zeros(n), [1.0], np.zeros(2 * (q + 1))])
    cones = [clarabel.NonnegativeConeT(n + 1)] + [clarabel.SecondOrderConeT(q + 1)] * 2
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = 1e-10
    objective = np.concatenate([-nu, np.zeros(3)])
    matrix, nothing = sparse.csc_matrix(np.vstack(rows)), sparse.csc_matrix((r + 3, r + 3))
    solution = clarabel.DefaultSolver(nothing, objective, matrix, right, cones, settings).solve()
    x, dual = np.array(solution.x), np.array(solution.z)
    found = None
    if np.isfinite(x).all() and nu @ x[:r] > 1e-7:
        at = x[: r + 1]
        height = signed @ at
        if (height > 0).all():
            cost = sum(np.linalg.norm(side @ at) for side in sides)
            ratio = float(_ratio(nu @ at[:r], cost * unit_cost))
            w = np.linalg.norm(at[:r])
            found = (at[:r] / w, float(at[r] * size / w), ratio)
    bound = np.inf
    if rays is not None:
        starts = 1 + n + np.array([0, q + 1])
        linear = linear_below([-dual[i + 1 : i + 1 + q] for i in starts], sides)
        bound = bound_at_rays(own @ linear, gain) / unit_cost
    return found, bound
