"""The pyramid relu(1 - |x|_1), a function that no stable shallow network can approximate."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import checks
from ..weights import IsotropicWeight, Weight
from .polygon import Roof, angles_and_offsets
from .quadrature import gauss

RATE = 8 * (1 + np.sqrt(2)) / np.pi**2  # the truncated norm is RATE log^2(1/eps) + O(log(1/eps))


def pyramid(x: Any) -> np.ndarray:
    """The function relu(1 - |x|_1), at the rows of `x`, shape (m,).

    Args:
        x: places, shape (m, d).

    Raises:
        ValueError: if `x` is no finite (m, d) array.

    Example:
        >>> pyramid([[0.0, 0.0], [0.5, -0.25], [1.0, 1.0]])
        array([1.  , 0.25, 0.  ])

    Source: Proposition 2, (125).
    """
    return np.maximum(1 - np.abs(checks.points(x, "x")).sum(axis=1), 0)


def density(theta: Any, b: Any) -> np.ndarray:
    """(R*)^-1 of the pyramid's Laplacian in the plane, at angles and offsets broadcast together.

    It is -1 / (pi^2 (b^2 - cos^2) (b^2 - sin^2)): infinite on the lines through one of the four corners, with
    both signs, not integrable in absolute value, and not singular on the lines through the top.

    Args:
        theta: angles of v.
        b: offsets.

    Raises:
        ValueError: if either holds no finite numbers, or their shapes do not fit.

    Example:
        >>> density(0.0, 2.0) * np.pi**2 * 12
        np.float64(-1.0)

    Source: eq. (139), with gamma_2 and 1/pi restored and without its second line.
    """
    theta, b = angles_and_offsets(theta, b)
    with np.errstate(divide="ignore", over="ignore"):  # infinite at a corner, 0 far away
        return -1 / (np.pi**2 * (b**2 - np.cos(theta) ** 2) * (b**2 - np.sin(theta) ** 2))


def truncated_norm(eps: Any) -> float:
    """Integral of |density| over all lines whose offset is more than eps from those through a corner.

    The inner integral is a difference of logarithms; the outer one is taken in the logarithm of the distance
    to the lines through two corners, where all of the growth comes from. Eight digits for eps >= 1e-8.

    Args:
        eps: half the width of the strips left out, between 0 and 1.

    Raises:
        ValueError: if eps is not between 0 and 1.

    Example:
        >>> round(truncated_norm(1e-2), 5), round(truncated_norm(1e-8), 5)
        (39.97275, 659.07085)

    Source: eq. (142), sharpened.
    """
    eps = _share(eps)

    def inner(s: np.ndarray, gap: np.ndarray, c: np.ndarray) -> np.ndarray:
        """Integral over b > 0 at angles whose sine is s, cosine c and difference gap."""

        def upper(b: np.ndarray, below_c: np.ndarray, above_s: np.ndarray) -> np.ndarray:
            # Antiderivative of 1 / ((b^2 - c^2)(b^2 - s^2)), from |b - c| and |b - s|.
            first = np.log(below_c / (b + c)) / (2 * c)
            second = np.log(above_s / (b + s)) / (2 * s)
            return (first - second) / (gap * (c + s))

        # Near the centre, between the two curves, and beyond both.
        low = np.where(s > eps, s - eps, 0.0)
        total = np.where(s > eps, upper(low, gap + eps, np.full_like(s, eps)), 0.0)
        wide = gap > 2 * eps
        b = s + eps
        between = upper(b, np.where(wide, gap - eps, 1.0), np.full_like(s, eps)) - upper(
            c - eps, np.full_like(s, eps), np.where(wide, gap - eps, 1.0)
        )
        total = total + np.where(wide, between, 0.0)
        return total - upper(c + eps, np.full_like(s, eps), gap + eps)

    def near_axis(t: np.ndarray) -> np.ndarray:
        s = np.sin(t)
        c = np.cos(t)
        return inner(s, c - s, c)

    def near_diagonal(t: np.ndarray) -> np.ndarray:
        # theta = pi/4 - t, where the difference of cosine and sine is sqrt(2) sin(t), without cancellation.
        return inner(np.sin(np.pi / 4 - t), np.sqrt(2) * np.sin(t), np.cos(np.pi / 4 - t))

    # Kinks of the inner integral: s = eps near the axis, gap = 2 eps near the diagonal.
    first = _graded(near_axis, np.pi / 8, [np.arcsin(eps)])
    second = _graded(near_diagonal, np.pi / 8, [np.arcsin(min(1.0, np.sqrt(2) * eps))])
    return float(16 * (first + second) / np.pi**2)


def truncated_weighted_norm(weight: Weight, eps: Any, *, nodes: int = 12) -> float:
    """The same integral with the price of a line as a further factor.

    Gauss's rule on panels that halve towards every curve and every crossing of curves: four digits, for a
    finite data set, whose price jumps, three at best.

    Args:
        weight: EmpiricalWeight or IsotropicWeight in the plane.
        eps: half the width of the strips left out, between 0 and 1.
        nodes: on each panel.

    Raises:
        ValueError: if eps is not between 0 and 1.

    Example:
        >>> from stablib import IsotropicWeight
        >>> round(truncated_weighted_norm(IsotropicWeight(), 1e-2), 3)
        4.773

    Source: eq. (142), with g.
    """
    eps = _share(eps)

    def line(theta: float, v: np.ndarray) -> float:
        curves = np.sort([v[0], -v[0], v[1], -v[1]])
        b, inner = _offsets(curves, eps, nodes)
        return inner @ (np.abs(density(theta, b)) * weight.g(v, b)) if len(b) else 0.0

    return _over_angles(line, weight, eps, nodes, 1e-3)


def mollified_norm(weight: Weight, eps: Any, *, nodes: int = 12) -> float:
    """The stability norm of the pyramid convolved with the normal law of width eps.

    A smooth function, whose norm is finite; it grows like that with strips left out as eps tends to 0.

    Args:
        weight: EmpiricalWeight or IsotropicWeight in the plane.
        eps: width of the smoothing, between 0 and 1.
        nodes: on each panel of Gauss's rule.

    Raises:
        ValueError: if eps is not between 0 and 1.

    Example:
        >>> from stablib import IsotropicWeight
        >>> round(mollified_norm(IsotropicWeight(), 1e-2), 2)
        6.37

    Source: eqs. (27) and (139).
    """
    eps = _share(eps)
    roof = Roof([[1, 0], [0, 1], [-1, 0], [0, -1]])

    def line(theta: float, v: np.ndarray) -> float:
        ends = np.unique([-3.0, v[0], -v[0], v[1], -v[1], 0.0, 3.0])
        parts = [
            _panels(np.array(pair), eps, nodes, 0.5)
            for pair in itertools.pairwise(ends.tolist())
            if pair[1] - pair[0] > 1e-9 * eps
        ]
        b, inner = (np.concatenate([p[i] for p in parts]) for i in (0, 1))
        return inner @ (np.abs(roof.density(theta, b, eps)) * weight.g(v, b))

    return _over_angles(line, weight, eps, nodes, 1e-2)


def _share(eps: Any) -> float:
    eps = checks.positive(eps, "eps")
    if not 1e-100 <= eps < 1:
        raise ValueError(f"eps is {eps:g}; a number between 0 and 1, at least 1e-100, is needed")
    return eps


def _over_angles(
    line: Callable[[float, np.ndarray], float],
    weight: Weight,
    eps: float,
    nodes: int,
    finest: float,
) -> float:
    """Integral over the circle of a function of the direction, whose peaks are at multiples of pi/4.

    v and -v have the same planes; and the pyramid is the same in all eighths of the circle, so that without
    a direction in the price one of them will do.
    """
    turn, share = _panels(np.array([0.0, np.pi / 4]), eps, nodes, finest)
    eighths = 1 if isinstance(weight, IsotropicWeight) else 4
    total = 0.0
    for eighth in range(eighths):
        for theta, size in zip(eighth * np.pi / 4 + turn, share, strict=True):
            total += size * line(theta, np.array([np.cos(theta), np.sin(theta)]))
    return float(total) * 8 / eighths


def _offsets(curves: np.ndarray, eps: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights in the offset: between -3 and 3, off the strips about the curves."""
    ends = np.concatenate([[-3.0 - eps], curves, [3.0 + eps]])
    gaps = np.column_stack([ends[:-1] + eps, ends[1:] - eps])
    gaps = gaps[gaps[:, 1] > gaps[:, 0]]
    # An isotropic price has a kink at 0.
    middle = gaps[(gaps[:, 0] < 0) & (gaps[:, 1] > 0)]
    sides = [g for g in gaps if not g[0] < 0 < g[1]]
    sides += [np.array(pair) for low, high in middle for pair in ((low, 0.0), (0.0, high))]
    parts = [_panels(gap, eps, nodes, 1.0) for gap in sides]
    if not parts:
        return np.zeros(0), np.zeros(0)
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _panels(
    ends: np.ndarray, eps: float, nodes: int, finest: float
) -> tuple[np.ndarray, np.ndarray]:
    """Gauss's rule on panels between two ends that double in size away from either, from finest * eps."""
    low, high = ends
    half = (high - low) / 2
    steps = max(1, int(np.ceil(np.log2(max(half / (finest * eps), 2.0)))))
    grid = half * 2.0 ** -np.arange(steps, -1, -1.0)
    breaks = np.concatenate([[low], low + grid, (high - grid[-2::-1]), [high]])
    node, weight = gauss(nodes)
    middle, size = (breaks[1:] + breaks[:-1]) / 2, np.diff(breaks) / 2
    return (middle[:, None] + size[:, None] * node).ravel(), (size[:, None] * weight).ravel()


def _graded(f: Any, end: float, kinks: list[float]) -> float:
    """Integral over (0, end) of a function that varies in the logarithm, with kinks at given places."""
    smallest = 1e-4 * min(kinks)
    breaks = np.unique(
        np.concatenate([np.geomspace(smallest, end, 120), [k for k in kinks if smallest < k < end]])
    )
    node, weight = gauss(20)
    logs = np.log(breaks)
    middle, size = (logs[1:] + logs[:-1]) / 2, np.diff(logs) / 2
    t = np.exp(middle[:, None] + size[:, None] * node)
    total = float(((f(t) * t) @ weight) @ size)
    # The rest, where the integrand is constant: it is one at the scale of eps.
    t = smallest / 2 * (1 + node)
    return total + float(f(t) @ weight) * smallest / 2
