"""The least sharpness over slopes and scales of ridges on given hyperplanes, as seen from a subspace.

Minimise lambda subject to lambda - V'(11' + sum u A + w B)V >= 0 over u w >= m^2, the slopes m of the two
sides of hyperplane h adding up to a_h, and optionally T m_front = t. It is a convex cone program, and its
dual variable for the matrix inequality is a density matrix on the subspace. In all of R^n it would be large;
restricted to a few eigenvectors it takes milliseconds, and its minimiser says which to add.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import sparse

from .planes import Planes

TOLERANCE = 1e-10  # of the cone program, relative


class Optimum(NamedTuple):
    """A solution of the restricted program.

    Attributes:
        front: slope on the front side of every hyperplane, (m,); the rest is behind.
        u: squared outer weights of the sides, (2 m,).
        w: squared inner weights of the sides, (2 m,).
        density: on the subspace, (r, r), positive semidefinite of trace 1.
        multiplier: half the derivative of n lambda by t, one per row of T.
    """

    front: np.ndarray
    u: np.ndarray
    w: np.ndarray
    density: np.ndarray
    multiplier: np.ndarray


def restricted_optimum(
    planes: Planes,
    slopes: np.ndarray,
    V: np.ndarray,
    U: np.ndarray,
    scale: float,
    linear: tuple[np.ndarray, np.ndarray] | None = None,
) -> Optimum:
    """Solve the program restricted to the span of V.

    Args:
        planes: hyperplanes, at least one.
        slopes: a_h, shape (m,).
        V: orthonormal columns, (n, r), with the vector of ones in their span.
        U: a density's factor, which sets the units of the sides.
        scale: about what n lambda will be.
        linear: T, shape (e, m), of full row rank, and t, (e,).

    Raises:
        ArithmeticError: if the solver gives up.
    """
    import clarabel

    m, r = planes.m, V.shape[1]
    cols, rows = np.tril_indices(r)  # the upper triangle, column by column
    unfold = np.where(rows == cols, 1.0, np.sqrt(2.0))
    live = np.flatnonzero(planes.live)
    A, z = planes.seen(V)
    A, B = A[live][:, rows, cols] * unfold, z[live][:, rows] * z[live][:, cols] * unfold

    # Units in which every side has costs of order one: u = unit kappa u~, w = unit w~ / kappa, m = unit m~.
    total = np.trace(planes.seen(V)[0][live], axis1=1, axis2=2), (z[live] ** 2).sum(axis=1)
    pull, height = (
        part[live] + 1e-3 * whole / r for part, whole in zip(planes.traces(U), total, strict=True)
    )
    kappa, cost = np.sqrt(height / pull), np.sqrt(pull * height)
    dear = np.zeros(2 * m)
    dear[live] = cost
    unit = scale / np.maximum(dear[:m], dear[m:])
    side_unit = np.concatenate([unit, unit])[live]
    u_unit, w_unit = side_unit * kappa, side_unit / kappa
    A *= (u_unit / scale)[:, None]
    B *= (w_unit / scale)[:, None]
    ones = V.sum(axis=0)
    base = (np.outer(ones, ones) / scale)[rows, cols] * unfold

    # Unknowns: lambda, u~ and w~ of the live sides, m~ in front of every hyperplane.
    s, size = len(live), 1 + 2 * len(live) + m
    blocks, right, cones = [], [], []
    equations = 0 if linear is None else len(linear[1])
    if equations:
        T, t = linear
        weight = 1 / np.linalg.norm(T * unit, axis=1)
        row = np.hstack([np.zeros((equations, 1 + 2 * s)), T * unit * weight[:, None]])
        blocks.append(sparse.csc_array(row))
        right.append(t * weight)
        cones.append(clarabel.ZeroConeT(equations))
    eye = (rows == cols).astype(float)
    blocks.append(sparse.csc_array(np.hstack([-eye[:, None], A.T, B.T, np.zeros((len(rows), m))])))
    right.append(-base)
    cones.append(clarabel.PSDTriangleConeT(r))
    # |(u - w, 2 m)| <= u + w for every live side, where behind m = a - front.
    i, behind, plane = np.arange(s), live >= m, live % m
    where = np.concatenate([3 * i, 3 * i, 3 * i + 1, 3 * i + 1, 3 * i + 2])
    which = np.concatenate([1 + i, 1 + s + i, 1 + i, 1 + s + i, 1 + 2 * s + plane])
    entry = np.concatenate(
        [-np.ones(s), -np.ones(s), -np.ones(s), np.ones(s), np.where(behind, 2.0, -2.0)]
    )
    blocks.append(sparse.csc_array((entry, (where, which)), shape=(3 * s, size)))
    offsets = np.zeros(3 * s)
    offsets[3 * i + 2] = np.where(behind, 2 * slopes[plane] / unit[plane], 0)
    right.append(offsets)
    cones += [clarabel.SecondOrderConeT(3)] * s

    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.tol_gap_abs = settings.tol_gap_rel = settings.tol_feas = TOLERANCE
    objective = np.zeros(size)
    objective[0] = 1.0
    matrix = sparse.csc_matrix(sparse.vstack(blocks))
    nothing = sparse.csc_matrix((size, size))
    solution = clarabel.DefaultSolver(
        nothing, objective, matrix, np.concatenate(right), cones, settings
    ).solve()
    x, dual = np.array(solution.x), np.array(solution.z)
    if not (np.isfinite(x).all() and np.isfinite(dual).all()):
        raise ArithmeticError(f"the cone solver stopped with status {solution.status}")

    density = np.zeros((r, r))
    density[rows, cols] = density[cols, rows] = dual[equations : equations + len(rows)] / unfold
    values, vectors = np.linalg.eigh(density)
    values = np.maximum(values, 0)
    density = (vectors * (values / values.sum())) @ vectors.T
    u, w = np.zeros(2 * m), np.zeros(2 * m)
    u[live] = np.maximum(x[1 : 1 + s], 0) * u_unit
    w[live] = np.maximum(x[1 + s : 1 + 2 * s], 0) * w_unit
    multiplier = -scale / 2 * dual[:equations] * (weight if equations else 1.0)
    return Optimum(x[1 + 2 * s :] * unit, u, w, density, multiplier)
