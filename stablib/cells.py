"""The ways in which a hyperplane can split a few points: cells of an arrangement, and their rays.

A hyperplane omega.c = tau is a point (omega, tau) of R^(r+1). The data points cut that space into cones, on
each of which the same points are in front; a cone is spanned by hyperplanes through r of the points.
"""

from __future__ import annotations

from itertools import combinations, product
from math import comb
from typing import NamedTuple

import numpy as np

SPLITS = 2000  # as many cells are visited at most
ROUNDING = 1e-12  # of what is gained at a ray of length one
ALLOWED = 1e-9  # how far below zero a linear function may be at a ray, for a solver's rounding
TOUCH = 1e-10  # a hyperplane this near to a point passes through it, in units of the data's size


class Cells(NamedTuple):
    """All cells of an arrangement.

    Attributes:
        rays: hyperplanes through r points that span the frame, with either sign, as (omega, tau), (m, r + 1).
        fronts: masks of the points in front, one per cell and its mirror image, (s, n).
    """

    rays: np.ndarray
    fronts: np.ndarray


def splits(n: int, r: int) -> int:
    """The number of ways to split n points of R^r by a hyperplane, at most.

    Source: Cover (1965).
    """
    return sum(comb(n - 1, i) for i in range(r + 1))


def cells(C: np.ndarray) -> Cells | None:
    """All cells of the points C, (n, r), which span R^r, r >= 2; None if there are too many to visit.

    In more than two dimensions the points have to be in general position, repetitions apart.
    """
    r = C.shape[1]
    C, which = np.unique(C, axis=0, return_inverse=True)
    if splits(len(C), r) > SPLITS:
        return None
    subsets = np.array(list(combinations(range(len(C)), r)))
    size = np.abs(C).max()
    rows = np.concatenate([C[subsets] / size, -np.ones((len(subsets), r, 1))], axis=2)
    _, spread, right = np.linalg.svd(rows)
    spans = spread[:, -1] > TOUCH * spread[:, 0]
    subsets, rays = subsets[spans], right[spans, -1]
    height = rays @ np.hstack([C / size, -np.ones((len(C), 1))]).T
    touches = np.abs(height) <= TOUCH
    rays = rays * np.append(np.ones(r), size)
    if r == 2:
        fronts = _in_plane(C)
    elif (touches.sum(axis=1) == r).all():
        fronts = np.concatenate(
            [_around(height, subsets, side) for side in product((0, 1), repeat=r)]
        )
    else:
        return None
    fronts = fronts ^ ~fronts[:, :1]  # a split and its mirror image count once
    fronts = np.unique(fronts, axis=0)[:, which.ravel()]
    return Cells(np.vstack([rays, -rays]), fronts)


def _around(height: np.ndarray, subsets: np.ndarray, side: tuple[int, ...]) -> np.ndarray:
    """What is in front of a hyperplane when it is moved off its own points in one of the possible ways."""
    front = height > 0
    np.put_along_axis(front, subsets, np.array(side, bool)[None], axis=1)
    return front


def _in_plane(C: np.ndarray) -> np.ndarray:
    """Every split of points of the plane by a line, whether or not more than two points lie on one."""
    i, j = np.triu_indices(len(C), 1)
    edge = C[j] - C[i]
    # The order of the projections changes only at directions normal to a pair's edge.
    angle = np.unique(np.round(np.mod(np.arctan2(edge[:, 0], -edge[:, 1]), np.pi), 13))
    middle = (angle + np.append(angle[1:], angle[0] + np.pi)) / 2
    masks = []
    for omega in np.column_stack([np.cos(middle), np.sin(middle)]):
        c = C @ omega
        level = np.sort(c)
        gap = np.flatnonzero(np.diff(level) > 1e-13 * np.abs(C).max())
        cut = np.concatenate([[level[0] - 1], (level[gap] + level[gap + 1]) / 2])
        masks.append(c > cut[:, None])
    return np.concatenate(masks)


# What the rays of a cell tell of it.


def bound_inside(rays: np.ndarray, gain: np.ndarray, sides: list[np.ndarray]) -> float:
    """A quick bound of gain over cost in the cone of the rays, from what the norms are near some points.

    It starts in the middle and goes three times towards the ray at which its bound is attained. Most cells
    are far from the worst, and this is enough to say so.

    Args:
        rays: that span the cone, (m, r + 1).
        gain: at the rays, (m,).
        sides: the linear maps under the two norms, (q, r + 1) each.
    """
    up = gain > ROUNDING
    if not up.any():
        return 0.0
    best, corners = np.inf, rays[up] / gain[up, None]
    at = corners.mean(axis=0)
    for _ in range(3):
        values = rays @ linear_below([side @ at for side in sides], sides)
        best = min(best, bound_at_rays(values, gain))
        at = at + corners[(values[up] / gain[up]).argmin()]
    return best


def linear_below(ps: list[np.ndarray], sides: list[np.ndarray]) -> np.ndarray:
    """A linear function below the sum of the norms of `side @ x`: what vectors of length 1 make of them.

    Args:
        ps: the vectors, (q,) each, of any length.
        sides: the linear maps under the norms, (q, r + 1) each.
    """
    return sum((p / (np.linalg.norm(p) or 1.0)) @ side for p, side in zip(ps, sides, strict=True))


def bound_at_rays(values: np.ndarray, gain: np.ndarray) -> float:
    """The largest quotient of gain and a linear function in a cone; inf if its rays do not tell.

    With t the least of value / gain where gain is positive, value - t gain must be negative on no ray.

    Args:
        values: of the linear function at the rays, (m,).
        gain: at the rays, (m,).
    """
    up = gain > ROUNDING
    t = (values[up] / gain[up]).min()
    if t <= 0 or (values < t * gain - ALLOWED * np.abs(values).max()).any():
        return np.inf
    return float(1 / t)
