"""Roofs over convex polygons: functions whose creases end, and what these are among the lines."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy.special import dawsn

from .. import checks


class Segments(NamedTuple):
    """Creases with two ends: start (m, 2), end (m, 2), and the jump c (m,) of the slope across each."""

    start: np.ndarray
    end: np.ndarray
    c: np.ndarray


class Roof:
    """The function relu(1 - gauge(x)) of a convex polygon: 1 over the origin, 0 on the border and beyond.

    Args:
        vertices: of the polygon in the plane, in order round it, shape (m, 2), m >= 3; strictly convex, with
            the origin inside.

    Raises:
        ValueError: if the polygon is not convex, has no interior, or the origin is not inside.

    Example:
        >>> diamond = Roof([[1, 0], [0, 1], [-1, 0], [0, -1]])
        >>> diamond([[0.0, 0.0], [0.25, -0.25], [2.0, 0.0]])
        array([1. , 0.5, 0. ])
        >>> diamond.creases().c.round(3)
        array([ 1.414,  1.414,  1.414,  1.414, -2.   , -2.   , -2.   , -2.   ])

    Source: eqs. (125) and (126) for the diamond; any other polygon is ours.
    """

    def __init__(self, vertices: Any) -> None:
        z = checks.points(vertices, "vertices")
        if z.shape[1] != 2 or len(z) < 3:
            raise ValueError(
                f"vertices has shape {z.shape}; at least three points of the plane are needed"
            )
        after = np.roll(z, -1, axis=0)
        turn = z[:, 0] * after[:, 1] - z[:, 1] * after[:, 0]  # twice the areas of the triangles
        if turn.sum() < 0:
            z = z[::-1].copy()
            after = np.roll(z, -1, axis=0)
            turn = z[:, 0] * after[:, 1] - z[:, 1] * after[:, 0]
        side, onwards = after - z, np.roll(after, -1, axis=0) - after
        bend = side[:, 0] * onwards[:, 1] - side[:, 1] * onwards[:, 0]
        size = np.abs(z).max() ** 2
        if (turn <= 1e-12 * size).any():
            raise ValueError("vertices has the origin outside or on the border; it must lie inside")
        if (bend <= 1e-12 * size).any() or turn.sum() > 1.5 * np.abs(turn).sum():
            raise ValueError("vertices is no strictly convex polygon, in order round it")
        self.vertices = z
        # n_i . x = 1 on the i-th side: outside by |n_i| per unit of length the roof has fallen to 0.
        self.slopes = np.column_stack([side[:, 1], -side[:, 0]]) / turn[:, None]

    def __repr__(self) -> str:
        return f"Roof({len(self.vertices)} vertices)"

    def __call__(self, x: Any) -> np.ndarray:
        """Values at the rows of `x` (m, 2)."""
        return np.maximum(1 - (_planar(x) @ self.slopes.T).max(axis=1), 0)

    def creases(self) -> Segments:
        """The Laplacian: first the sides of the polygon, where the roof bends up, then the spokes, down.

        Source: eq. (126).
        """
        z, n = self.vertices, self.slopes
        spokes = -np.linalg.norm(n - np.roll(n, 1, axis=0), axis=1)
        return Segments(
            np.vstack([z, np.zeros_like(z)]),
            np.vstack([np.roll(z, -1, axis=0), z]),
            np.concatenate([np.linalg.norm(n, axis=1), spokes]),
        )

    def masses(self, theta: Any) -> tuple[np.ndarray, np.ndarray]:
        """What each corner contributes to the density: places v.z and masses m_z(v), both (angles, corners).

        The density is the sum of m_z / (4 pi^2 (b - v.z)); the last corner is the top, at the origin. Masses
        are infinite where v is a normal of a crease.

        Args:
            theta: angles of v, shape (m,).

        Source: eqs. (136) to (139), collected by corners.
        """
        v = _directions(np.atleast_1d(checks.array(theta, "theta")))
        return self._places(v), self._masses(v, True)

    def _places(self, v: np.ndarray) -> np.ndarray:
        return v @ np.vstack([self.vertices, [0.0, 0.0]]).T

    def _masses(self, v: np.ndarray, seen: Any) -> np.ndarray:
        """Masses (directions, corners) of the creases that are seen: True, or (directions, creases)."""
        start, end, c = self.creases()
        e = end - start
        along = v @ (e / np.linalg.norm(e, axis=1)[:, None]).T  # (directions, creases)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            share = np.where(seen, c / along, 0.0)
        k = len(self.vertices)
        m = np.zeros((len(v), k + 1))
        for i in range(k):
            m[:, i] += share[:, i]  # the side that leaves the vertex
            m[:, (i + 1) % k] -= share[:, i]  # and arrives at the next
            m[:, k] += share[:, k + i]
            m[:, i] -= share[:, k + i]
        return m

    def radon_laplacian(self, theta: Any, b: Any) -> np.ndarray:
        """The Radon transform of the Laplacian, shape of theta and b broadcast together.

        A line that crosses a crease at an angle a between them counts its jump over sin(a).

        Args:
            theta: angles of v.
            b: offsets.

        Source: eq. (134).
        """
        theta, b = angles_and_offsets(theta, b)
        v = np.stack([np.cos(theta), np.sin(theta)], axis=-1)
        out = np.zeros(theta.shape)
        for start, end, c in zip(*self.creases(), strict=True):
            low, high = v @ start, v @ end
            crosses = (np.minimum(low, high) < b) & (b < np.maximum(low, high))
            length = np.linalg.norm(end - start)
            with np.errstate(divide="ignore", invalid="ignore"):
                out += np.where(crosses, c * length / np.abs(high - low), 0.0)
        return out

    def density(self, theta: Any, b: Any, eps: float | None = None) -> np.ndarray:
        """(R*)^-1 of the Laplacian at angles theta and offsets b, broadcast together.

        Args:
            theta: angles of v.
            b: offsets.
            eps: if given, of the roof convolved with the normal law of width eps; otherwise infinite on the
                lines through a corner.

        Raises:
            ValueError: if eps is given and not positive.

        Source: eqs. (27) and (138).
        """
        theta, b = angles_and_offsets(theta, b)
        v, offset = _directions(theta.reshape(-1)), b.reshape(-1, 1)
        if eps is None:
            total = self._sharp(v, offset)
        else:
            total = self._smoothed(v, offset, checks.positive(eps, "eps"))
        total[np.isnan(total)] = np.inf  # two creases end here, of either sign
        return (total / (4 * np.pi**2)).reshape(theta.shape)[()]

    # A crease almost parallel to the line has two large masses, whose sum is lost in rounding: both
    # densities, times 4 pi^2, take such a crease by itself, as c |e| times a difference quotient.

    def _sharp(self, v: np.ndarray, b: np.ndarray) -> np.ndarray:
        start, end, c = self.creases()
        length = np.linalg.norm(end - start, axis=1)
        sine = np.abs(v @ (end - start).T) / length
        from_start, from_end = b - v @ start.T, b - v @ end.T
        flat = (sine < 1e-15) | ((sine < 1e-3) & (from_start != 0) & (from_end != 0))
        m = self._masses(v, ~flat)
        mass = np.abs(m) > 1e-12 * np.abs(m).max(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            total = np.where(mass, m / (b - self._places(v)), 0.0).sum(axis=1)
            if flat.any():
                near = -1 / from_start / from_end
                total += np.where(flat, c * length * near, 0.0).sum(axis=1)
        return total

    def _smoothed(self, v: np.ndarray, b: np.ndarray, eps: float) -> np.ndarray:
        if len(v) and (v == v[0]).all():
            v = v[:1]  # parallel lines: their corners and masses are the same
        start, end, c = self.creases()
        length = np.linalg.norm(end - start, axis=1)
        flat = np.abs(v @ (end - start).T) < 1e-6 * eps
        root = np.sqrt(2) * eps
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            height = np.sqrt(2) / eps * dawsn((b - self._places(v)) / root)
            total = (self._masses(v, ~flat) * height).sum(axis=1)
            if flat.any():
                t = (b - v @ ((start + end) / 2).T) / root
                near = (1 - 2 * t * dawsn(t)) / eps**2
                total += np.where(flat, c * length * near, 0.0).sum(axis=1)
        return total


def _directions(theta: np.ndarray) -> np.ndarray:
    return np.column_stack([np.cos(theta), np.sin(theta)])


def _planar(x: Any) -> np.ndarray:
    x = checks.points(x, "x")
    if x.shape[1] != 2:
        raise ValueError(f"x has {x.shape[1]} columns; places of the plane are needed")
    return x


def angles_and_offsets(theta: Any, b: Any) -> tuple[np.ndarray, np.ndarray]:
    """Angles and offsets as float64 arrays of one shape."""
    theta, b = checks.array(theta, "theta"), checks.array(b, "b")
    try:
        theta, b = np.broadcast_arrays(theta, b)
    except ValueError:
        raise ValueError(
            f"theta has shape {theta.shape} and b has shape {b.shape}; shapes that broadcast are needed"
        ) from None
    return theta, b
