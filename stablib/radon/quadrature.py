"""Gauss's rule, integrals of absolute values cut at the sign changes, and rules on the sphere."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from scipy.optimize.elementwise import find_root

from .. import checks

Rows = Callable[[np.ndarray, np.ndarray], np.ndarray]


def gauss(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of Gauss's rule on (-1, 1), each (nodes,), exact for degrees below 2 nodes.

    Kept, since finding the nodes takes longer than using them; the arrays cannot be written to.

    Args:
        nodes: their number.

    Raises:
        ValueError: if `nodes` is below 1.

    Example:
        >>> node, weight = gauss(2)
        >>> float(round(weight @ node**2, 12))
        0.666666666667
    """
    return _rule(checks.count(nodes, "nodes"))


@cache
def _rule(nodes: int) -> tuple[np.ndarray, np.ndarray]:
    rule = np.polynomial.legendre.leggauss(nodes)
    for part in rule:
        part.flags.writeable = False
    return rule


def absolute_integrals(
    f: Rows, edges: Any, *, weight: Rows | None = None, nodes: int = 10
) -> np.ndarray:
    """Integrals of |f_i(x)| weight_i(x) over x, one for each row i of `edges`; shape (m,).

    Every panel between two edges with a sign change of f is cut at the zero; each piece is integrated by
    Gauss's rule. So kinks of |f| cost no accuracy; two zeros in one panel are not seen.

    Args:
        f: takes row numbers and places, arrays of one shape, and returns values of that shape.
        edges: shape (m, p + 1), every row ascending. A weight may jump at edges.
        weight: as f; 1 if left out.
        nodes: of the rule on each piece.

    Raises:
        ValueError: if `edges` is no (m, p + 1) array of ascending rows, or `nodes` is below 1.

    Example:
        >>> absolute_integrals(lambda i, x: np.sin(x), [[0.0, 2.0, 4.0, 6.2831853071795862]]).round(12)
        array([4.])
    """
    edges = checks.array(edges, "edges")
    if edges.ndim != 2 or edges.shape[1] < 2 or (np.diff(edges, axis=1) < 0).any():
        raise ValueError(
            f"edges has shape {edges.shape}; ascending rows of at least two are needed"
        )
    node, share = gauss(nodes)
    m = len(edges)
    row = np.broadcast_to(np.arange(m)[:, None], edges.shape)
    crossed, zero = _crossings(f, edges)
    i, low, high = row[:, :-1][crossed], edges[:, :-1][crossed], edges[:, 1:][crossed]
    i = np.concatenate([row[:, :-1][~crossed], i, i])
    left = np.concatenate([edges[:, :-1][~crossed], low, zero])
    right = np.concatenate([edges[:, 1:][~crossed], zero, high])
    half = (right - left) / 2
    x = ((left + right) / 2)[:, None] + half[:, None] * node
    many = np.broadcast_to(i[:, None], x.shape)
    height = np.abs(f(many, x))
    if weight is not None:
        height = height * weight(many, x)
    return np.bincount(i, weights=half * (height @ share), minlength=m)


def zeros(f: Rows, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows and places, each (l,) and ascending, where f changes its sign between two edges of a row.

    Args:
        f: as for `absolute_integrals`.
        edges: shape (m, p + 1), every row ascending.

    Example:
        >>> row, place = zeros(lambda i, x: np.cos(x), np.array([[0.0, 2.0, 4.0]]))
        >>> row, place.round(6)
        (array([0]), array([1.570796]))
    """
    crossed, place = _crossings(f, edges)
    return np.nonzero(crossed)[0], place


def _crossings(f: Rows, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which panels (m, p) hold a sign change, and where, in their order."""
    row = np.broadcast_to(np.arange(len(edges))[:, None], edges.shape)
    value = f(row, edges)
    crossed = value[:, :-1] * value[:, 1:] < 0
    i, low, high = row[:, :-1][crossed], edges[:, :-1][crossed], edges[:, 1:][crossed]
    if not len(i):
        return crossed, low
    found = find_root(lambda x, j: f(j.astype(int), x), (low, high), args=(i.astype(float),))
    return crossed, np.where(found.success, found.x, (low + high) / 2)


def sphere(directions: int, *, octant: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Points on the unit sphere of space and their areas: Gauss's rule in z times one in the azimuth.

    Args:
        directions: in the polar angle; twice as many in the azimuth, where the rule is the trapezoid's.
        octant: only points of positive coordinates, as many in both angles by Gauss's rule, their areas
            multiplied by 8: for functions that are even in every coordinate.

    Returns:
        Unit vectors (m, 3) and areas (m,), which sum to 4 pi.

    Raises:
        ValueError: if `directions` is below 1.

    Example:
        >>> v, area = sphere(4)
        >>> float(round(area @ v[:, 0] ** 2, 12)) == round(4 * np.pi / 3, 12)
        True
    """
    n = checks.count(directions, "directions")
    node, share = gauss(n)
    if octant:
        # Dense towards the ends of both angles, where derivatives along the axes have zeros far out.
        u = (1 + node) / 2
        z, rate = u**2 * (3 - 2 * u), 3 * u * (1 - u) * share
        polar = rate
        turn, azimuth = np.pi / 2 * z, 8 * np.pi / 2 * rate
    else:
        z, polar = node, share
        turn, azimuth = np.pi * np.arange(2 * n) / n, np.full(2 * n, np.pi / n)
    ring = np.sqrt(1 - z**2)
    v = np.stack(
        [
            np.outer(ring, np.cos(turn)).ravel(),
            np.outer(ring, np.sin(turn)).ravel(),
            np.repeat(z, len(turn)),
        ],
        axis=1,
    )
    return v / np.linalg.norm(v, axis=1)[:, None], np.outer(polar, azimuth).ravel()
