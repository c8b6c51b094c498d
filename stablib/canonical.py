"""The one way of writing a shallow network's function: every hyperplane once."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from . import checks


class Ridges(NamedTuple):
    """Neurons as ridges a_i relu(v_i . x - b_i), eq. (51): slopes (m,), unit normals (m, d), offsets (m,)."""

    a: np.ndarray
    v: np.ndarray
    b: np.ndarray


class CanonicalForm(NamedTuple):
    """A function written with every hyperplane once: sum_h a_h relu(v_h . x - b_h) + beta . x + c.

    `a` (m,) are the jumps of the gradient across the hyperplanes, `v` (m, d) their unit normals with
    a positive first nonzero entry, `b` (m,) their offsets; `beta` (d,) and `c` the affine rest.
    `near_merges` counts the pairs of neurons that almost share a hyperplane and were kept apart.
    """

    a: np.ndarray
    v: np.ndarray
    b: np.ndarray
    beta: np.ndarray
    c: float
    near_merges: int

    def __call__(self, X: Any) -> np.ndarray:
        """Values at the rows of `X`, shape (n,)."""
        X = checks.points(X)
        return np.maximum(X @ self.v.T - self.b, 0) @ self.a + X @ self.beta + self.c


def canonical_form(ridges: Ridges, constant: float, tol: float) -> CanonicalForm:
    """Merge the ridges that bend on one hyperplane; see `ShallowReLU.canonical`.

    Args:
        ridges: slopes (m,), unit normals (m, d) and offsets (m,).
        constant: what is added to them.
        tol: how far apart coinciding hyperplanes may lie.

    Source: eqs. (57) and (58), with antipodal ridges merged by signed slopes.
    """
    a, v, b = ridges
    first = np.argmax(v != 0, axis=1)
    side = np.sign(np.take_along_axis(v, first[:, None], axis=1)[:, 0])
    v, b = v * side[:, None], b * side
    leader, plane, turn, near = _shared_hyperplanes(v, b, tol)
    v, b = v[leader], b[leader]
    slope = np.bincount(plane, a, len(leader))
    gross = np.bincount(plane, np.abs(a), len(leader))

    # A ridge on the far side of its hyperplane: a relu(-t) = a relu(t) - a t with t = v.x - b
    turned = side * turn < 0
    beta = -(a[turned] @ v[plane[turned]])
    c = constant + a[turned] @ b[plane[turned]]
    keep = np.abs(slope) > tol * gross
    return CanonicalForm(slope[keep], v[keep], b[keep], beta, float(c), near)


def _shared_hyperplanes(
    v: np.ndarray, b: np.ndarray, tol: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Group the hyperplanes (v_i, b_i) that coincide up to a common sign.

    Returns the first member of each group, the group of every hyperplane, its sign against the first
    member, and how many pairs of different groups nearly coincide.
    """
    m = len(v)
    # Coinciding hyperplanes agree in |r.(v, -b)| / |(v, b)| for any fixed unit vector r: sorting by
    # this one number finds the few candidates without comparing all pairs.
    r = np.random.default_rng(0).normal(size=v.shape[1] + 1)
    key = np.abs(np.column_stack([v, -b]) @ (r / np.linalg.norm(r))) / np.sqrt(1 + b**2)
    order = np.argsort(key)
    wide = 1e3 * tol
    after = np.searchsorted(key[order], key[order] + 4 * wide + 1e-15, side="right") - np.arange(
        1, m + 1
    )
    start = np.repeat(np.arange(m), after)
    step = np.arange(after.sum()) - np.repeat(np.cumsum(after) - after, after)
    i, j = order[start], order[start + 1 + step]

    def signs(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        return np.where(np.einsum("id,id->i", v[i], v[j]) < 0, -1.0, 1.0)

    sign = signs(i, j)
    apart = np.maximum(
        np.linalg.norm(v[i] - sign[:, None] * v[j], axis=1),
        np.abs(b[i] - sign * b[j]) / np.maximum(1, np.abs(b[i])),
    )
    same = apart <= tol
    plane = np.arange(m)
    if same.any():  # most networks have no two neurons on one hyperplane
        graph = coo_array((np.ones(same.sum()), (i[same], j[same])), shape=(m, m))
        plane = connected_components(graph, directed=False)[1]
    near = (apart <= wide) & (plane[i] != plane[j])

    leader, plane = np.unique(plane, return_index=True, return_inverse=True)[1:]
    appearance = np.argsort(np.argsort(leader))
    return np.sort(leader), appearance[plane], signs(np.arange(m), leader[plane]), int(near.sum())
