"""On a line: the least stability norm of all functions through given labels, in closed form.

It is that of joining the dots. Between two neighbouring data points both one-sided weights are linear in the
offset, so g is concave there. A knot b = (1 - t) x_j + t x_(j+1) can be replaced by two knots at the points,
with the shares 1 - t and t of its slope: the values at all data points stay, and by concavity the two cost no
more, g(b) >= (1 - t) g(x_j from the right) + t g(x_(j+1) from the left). With knots at data points only there
is one function through the labels, and each of its knots goes to the cheaper side of its point.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from . import checks
from .network import ShallowReLU


class Interpolant(NamedTuple):
    """The least stability norm of functions through labels on a line, and a network that comes near it.

    `norm` is the infimum over all functions, networks of any width or limits of them. `net` has n neurons at
    most and meets the labels; its knots are beside the data points, at the given share of the way to the next
    one, and its norm is larger than the infimum by about that share.
    """

    norm: float
    net: ShallowReLU


def least_interpolating_norm(X: Any, y: Any, near: float = 1e-6) -> Interpolant:
    """The infimum of the stability norm over all functions of one variable through the labels.

    By Theorem 1 no step size above 1/(norm + 1/2) lets (S)GD settle in a network, of any width, that fits
    these labels.

    Args:
        X: data points, shape (n, 1), all different, n >= 2.
        y: labels, shape (n,).
        near: distance of the network's knots from the data points, as a share of the gap, below 1/2.

    Raises:
        ValueError: if shapes do not fit, two points are equal, or `near` is not between 0 and 1/2.

    Example:
        >>> found = least_interpolating_norm([[-1.0], [0.0], [1.0]], [0.0, 1.0, 0.0])
        >>> round(found.norm, 6), found.net([[-1.0], [0.0], [1.0]]).round(6) + 0.0
        (0.31427, array([0., 1., 0.]))

    Source: new; the norm of functions of one variable is that of Mulayoff et al. (2021).
    """
    X = checks.points(X)
    if X.shape[1] != 1:
        raise ValueError(f"X has {X.shape[1]} columns; points on a line, (n, 1), are needed")
    y = checks.labels(y, len(X))
    near = checks.positive(near, "near")
    if near >= 0.5:
        raise ValueError(f"near is {near:g}; a share of the gap below 1/2 is needed")
    order = np.argsort(X[:, 0], kind="stable")
    x, y = X[order, 0], y[order]
    gap = np.diff(x)
    if len(x) < 2 or (gap <= 0).any():
        raise ValueError("X has fewer than two points or equal ones; different points are needed")
    # g just before and just after each inner point: in the limit only the set of active points matters.
    after, before = _one_sided(x, strict=True), _one_sided(x, strict=False)
    slope = np.diff(y) / gap
    bend = np.diff(slope)
    norm = float(np.abs(bend) @ np.minimum(before, after)[1:-1])
    right = after[1:-1] < before[1:-1]
    where = x[1:-1] + near * np.where(right, gap[1:], -gap[:-1])
    # One neuron more, on at all points, for the first slope; labels then are a triangular system.
    left = x[0] - gap[0]
    knots = np.concatenate([[left], where])
    ridge = np.maximum(x[:, None] - knots, 0)
    A = np.column_stack([ridge, np.ones(len(x))])
    a = np.linalg.solve(A, y)
    return Interpolant(norm, ShallowReLU(np.ones((len(knots), 1)), -knots, a[:-1], a[-1]))


def _one_sided(x: np.ndarray, *, strict: bool) -> np.ndarray:
    """G at b = x_j with the points active for b just above x_j (strict) or just below; shape (n,)."""
    n = len(x)
    first = np.arange(n) + (1 if strict else 0)
    count = n - first
    total = np.r_[np.cumsum(x[::-1])[::-1], 0.0]
    up, mean = total[first] - count * x, total[first]
    down, left = (n - count) * x - (total[0] - mean), total[0] - mean
    front = up / n * np.hypot(count, mean) / n
    back = down / n * np.hypot(n - count, left) / n
    return np.minimum(front, back)
