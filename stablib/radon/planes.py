"""Integrals over the offsets of all planes of one normal, priced by the data from both sides."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..weights import EmpiricalWeight
from .quadrature import Rows, gauss, zeros

_CHUNK = 60_000  # nodes at a time: they stay in the cache


def priced_masses(
    f: Rows, v: np.ndarray, edges: Any, law: EmpiricalWeight, *, nodes: int = 8
) -> np.ndarray:
    """Integrals of |f_i(b)| (g_hat(v_i, b) + g_hat(-v_i, -b)) over b, shape (m,).

    Cut where the data lie, where both weights jump, and at the zeros of f. On a piece the active points do
    not change, so that both weights are the root of a quadratic polynomial in b.

    Args:
        f: takes row numbers and places, arrays of one shape, and returns values of that shape.
        v: unit normals, shape (m, d).
        edges: of panels that are fine enough for f, shape (p,).
        law: the data.
        nodes: of Gauss's rule on each piece.

    Example:
        >>> one = EmpiricalWeight([[0.0]])    # g_hat(v, b) + g_hat(-v, -b) = |b|
        >>> priced_masses(lambda i, b: 1.0 + 0 * b, np.array([[1.0]]), np.array([-1.0, 3.0]), one)
        array([5.])

    Source: eqs. (18) and (122).
    """
    rows = max(1, _CHUNK // (nodes * (len(edges) + len(law.X))))
    parts = [
        _rows(f, i, v, edges, law, nodes)
        for i in np.split(np.arange(len(v)), range(rows, len(v), rows))
    ]
    return np.concatenate(parts)


def _rows(
    f: Rows, i: np.ndarray, v: np.ndarray, edges: np.ndarray, law: EmpiricalWeight, nodes: int
) -> np.ndarray:
    z = v[i] @ law.X.T  # (m, n)
    order = np.argsort(z, axis=1)
    z = np.take_along_axis(z, order, axis=1)
    start = np.tile(edges, (len(i), 1))
    row, place = zeros(lambda j, b: f(i[j], b), start)
    found = np.full((len(i), np.bincount(row, minlength=1).max(initial=0)), edges[-1])
    rank = np.arange(len(row)) - np.searchsorted(row, row)
    found[row, rank] = place
    cuts = np.hstack([start, found, np.clip(z, edges[0], edges[-1])])
    by_place = np.argsort(cuts, axis=1, kind="stable")
    cuts = np.take_along_axis(cuts, by_place, axis=1)
    behind = np.cumsum(by_place >= cuts.shape[1] - z.shape[1], axis=1)[:, :-1]  # (m, pieces)
    node, share = gauss(nodes)
    half = np.diff(cuts, axis=1) / 2
    b = (cuts[:, :-1] + half)[..., None] + half[..., None] * node  # (m, pieces, nodes)
    p = law.p[order]
    size2 = p * (1 + (law.X**2).sum(axis=1))[order]
    price = np.zeros(b.shape)
    for sums in (_before, _after):
        mass, first, second, size = (
            np.take_along_axis(sums(term), behind, axis=1)[..., None]
            for term in (p, p * z, p * z**2, size2)
        )
        height2 = np.maximum(second - 2 * b * first + b**2 * mass, 0)
        price += np.sqrt(height2 * size)
    many = np.broadcast_to(i[:, None, None], b.shape)
    return ((np.abs(f(many, b)) * price) @ share * half).sum(axis=1)


def _before(terms: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, ..., n terms of each row."""
    return np.pad(np.cumsum(terms, axis=1), ((0, 0), (1, 0)))


def _after(terms: np.ndarray) -> np.ndarray:
    """Sums of all but the first 0, 1, ..., n terms of each row."""
    return _before(terms[:, ::-1])[:, ::-1]
