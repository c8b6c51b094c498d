"""Weights of the stability norm: how much the data charges for a ridge at (v, b)."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from scipy import stats

from . import checks

_CHUNK = 4_000_000  # entries of the largest temporary array: 32 MB


class _Moments(NamedTuple):
    """Sums over the active points of a half-space, weighted by their probabilities; one per half-space."""

    height: np.ndarray  # E[relu(z)], z = v.x - b
    pull: np.ndarray  # |E[1_active (x, 1)]|^2
    rms: np.ndarray  # E[relu(z)^2]^(1/2)
    size2: np.ndarray  # E[1_active (|x|^2 + 1)]

    def g_tilde(self) -> np.ndarray:
        return self.height * np.sqrt(self.pull)

    def g_hat(self) -> np.ndarray:
        return self.rms * np.sqrt(self.size2)


class EmpiricalWeight:
    """Data-dependent weights of eqs. (12) and (18) for a finite data set.

    Every function takes `v` (m, d) with `b` (m,), one ridge per row; or `v` (d,) with `b` (m,), one
    direction with many offsets, in O(nd + (n + m) log n). Activity is strict, x.v > b; where no
    point is active the weight is 0.

    Args:
        X: data points, shape (n, d).
        probabilities: probability of each point, shape (n,), summing to 1; uniform if left out. (Losses
            of varying curvature reweight the data: App. J.)

    Raises:
        ValueError: if X is not a finite, non-empty (n, d) array or the probabilities are not such.

    Example:
        >>> EmpiricalWeight([[1.0, 0.0], [-1.0, 0.0]]).g([[1.0, 0.0]], [0.0]).round(6)
        array([0.353553])

    Source: eq. (12); the two-point value is eq. (70).
    """

    def __init__(self, X: Any, probabilities: Any = None) -> None:
        self.X = checks.points(X)
        n = len(self.X)
        if probabilities is None:
            self.p = np.full(n, 1 / n)
        else:
            self.p = checks.array(probabilities, "probabilities")
            if self.p.shape != (n,) or (self.p < 0).any() or abs(self.p.sum() - 1) > 1e-9:
                raise ValueError(
                    f"probabilities have shape {self.p.shape} and sum {self.p.sum():g}; "
                    f"{n} non-negative numbers that sum to 1 are needed"
                )

    def __repr__(self) -> str:
        return f"EmpiricalWeight(n={self.X.shape[0]}, d={self.X.shape[1]})"

    def g_tilde(self, v: Any, b: Any) -> np.ndarray:
        """One-sided weight E[relu(v.X - b)] |E[1_active (X, 1)]|, shape (m,).

        This is eq. (12) with the probabilities multiplied out, which also gives it its value where no
        point is active.

        Args:
            v: unit normals, (m, d) or (d,).
            b: offsets, (m,) or a number.

        Raises:
            ValueError: if a row of `v` is off the unit sphere by more than 1e-8, or shapes do not fit.

        Example:
            >>> w = EmpiricalWeight([[0.0], [2.0]])
            >>> w.g_tilde([1.0], [1.0, 2.0]).round(6), w.g_tilde([-1.0], -1.0).round(6)
            (array([0.559017, 0.      ]), np.float64(0.25))

        Source: eq. (12).
        """
        return self._value(v, b, lambda front, back: front.g_tilde())

    def g(self, v: Any, b: Any) -> np.ndarray:
        """The weight of the stability norm, min(g_tilde(v, b), g_tilde(-v, -b)), shape (m,).

        Arguments and errors as for `g_tilde`. Even: g(v, b) = g(-v, -b).

        Example:
            >>> EmpiricalWeight([[0.0], [2.0]]).g([1.0], 1.0)
            np.float64(0.25)

        Source: Theorem 1.
        """
        return self._value(v, b, lambda front, back: np.minimum(front.g_tilde(), back.g_tilde()))

    def g_hat(self, v: Any, b: Any) -> np.ndarray:
        """One-sided weight of the upper bound, sqrt(E[relu(v.X - b)^2]) sqrt(E[1_active (|X|^2 + 1)]), (m,).

        Arguments and errors as for `g_tilde`; by Cauchy-Schwarz it is at least `g_tilde`.

        Example:
            >>> EmpiricalWeight([[0.0], [2.0]]).g_hat([1.0], 1.0).round(6)
            np.float64(1.118034)

        Source: eq. (18).
        """
        return self._value(v, b, lambda front, back: front.g_hat())

    def _value(self, v: Any, b: Any, combine: Any) -> np.ndarray:
        v = checks.normals(v, self.X.shape[1])
        b = checks.array(b, "b")
        if v.ndim == 1:
            if b.ndim > 1:
                raise ValueError(
                    f"b has shape {b.shape}; with one direction v, (m,) offsets are needed"
                )
            return combine(*self._one_direction(v, np.atleast_1d(b))).reshape(b.shape)[()]
        if b.shape != (len(v),):
            raise ValueError(
                f"b has shape {b.shape}, but v has {len(v)} rows: one offset per row is needed"
            )
        rows = max(1, _CHUNK // len(self.X))
        parts = [
            combine(*self._many_directions(v[i : i + rows], b[i : i + rows]))
            for i in range(0, len(v), rows)
        ]
        return np.concatenate(parts) if parts else np.zeros(0)

    def _many_directions(self, v: np.ndarray, b: np.ndarray) -> tuple[_Moments, _Moments]:
        """Moments in front of (v.x > b) and behind (v.x < b) each of m hyperplanes."""
        z = v @ self.X.T - b[:, None]  # (m, n)
        size2 = 1 + (self.X**2).sum(axis=1)

        def half(z: np.ndarray) -> _Moments:
            active = (z > 0) * self.p
            z = np.maximum(z, 0)
            mass = active.sum(axis=1)
            pull = ((active @ self.X) ** 2).sum(axis=1) + mass**2
            # Heights over the largest: a plane may be so far away that their squares overflow.
            top = z.max(axis=1)
            share = z / np.where(top > 0, top, 1)[:, None]
            return _Moments(z @ self.p, pull, top * np.sqrt(share**2 @ self.p), active @ size2)

        return half(z), half(-z)

    def _one_direction(self, v: np.ndarray, b: np.ndarray) -> tuple[_Moments, _Moments]:
        """The same for one v and m offsets: sort the projections, and every sum is a suffix sum."""
        z = self.X @ v
        order = np.argsort(-z, kind="stable")
        z, p, X = z[order], self.p[order], self.X[order]
        X1 = np.column_stack([X, np.ones(len(X))]) * p[:, None]
        size2 = p * (1 + np.einsum("jd,jd->j", X, X))

        def half(
            z: np.ndarray, b: np.ndarray, p: np.ndarray, X1: np.ndarray, size2: np.ndarray
        ) -> _Moments:
            # Entry i of each table is the sum over the i foremost points.
            mass, size2, pull = _sums(p), _sums(size2), _sums(X1)
            pull = np.einsum("jd,jd->j", pull, pull)
            # Heights above the hindmost active point, by steps that are all positive: no cancellation.
            step = z[:-1] - z[1:]
            height = np.concatenate([[0.0, 0.0], np.cumsum(step * mass[1:-1])])
            moment = np.cumsum(step * (2 * height[1:-1] + step * mass[1:-1]))
            height2 = np.concatenate([[0.0, 0.0], moment])
            active = np.searchsorted(-z, -b, side="left")  # points with z > b
            over = np.where(active > 0, z[np.maximum(active, 1) - 1] - b, 0.0)
            m, h = mass[active], height[active]
            # In units of 1 or of the step to the plane, which may be too long to be squared.
            unit = np.maximum(over, 1.0)
            square = height2[active] / unit / unit + over / unit * (2 * h + over * m) / unit
            return _Moments(h + over * m, pull[active], unit * np.sqrt(square), size2[active])

        return half(z, b, p, X1, size2), half(-z[::-1], -b, p[::-1], X1[::-1], size2[::-1])


def _sums(values: np.ndarray) -> np.ndarray:
    """Sums of the first 0, 1, ..., n rows."""
    out = np.zeros((len(values) + 1, *values.shape[1:]))
    np.cumsum(values, axis=0, out=out[1:])
    return out


class IsotropicWeight:
    """Weights of a law that looks the same in every direction; g then depends on |b| alone.

    Args:
        marginal: frozen, symmetric scipy.stats law of one coordinate; the standard normal if left out.

    Raises:
        ValueError: if `marginal` is no frozen scipy.stats distribution, or not symmetric about 0.

    Example:
        >>> IsotropicWeight().g([1.0, 0.0], [0.0, 1.0, -1.0]).round(6)
        array([0.255184, 0.024107, 0.024107])

    Source: eqs. (78) and (79); the normal case in closed form.
    """

    def __init__(self, marginal: Any = None) -> None:
        self.marginal = stats.norm() if marginal is None else marginal
        if not (hasattr(self.marginal, "expect") and hasattr(self.marginal, "sf")):
            raise ValueError(
                f"marginal is {type(marginal).__name__}; a frozen scipy.stats distribution is needed"
            )
        if abs(self.marginal.cdf(0.0) - 0.5) > 1e-9 or abs(self.marginal.mean()) > 1e-9:
            raise ValueError(
                "marginal is not symmetric about 0; an isotropic law has symmetric coordinates"
            )

    def g_tilde(self, v: Any, b: Any) -> np.ndarray:
        """One-sided weight (T - b M) sqrt(T^2 + M^2), M = P(x > b), T = E[x; x > b], shape of `b`.

        Args:
            v: unit normals, (m, d) or (d,); checked, and without effect.
            b: offsets, (m,) or a number.

        Raises:
            ValueError: if `v` holds no unit normals or `b` no finite numbers.

        Example:
            >>> IsotropicWeight().g_tilde([1.0], [-1.0, 1.0]).round(6)
            array([0.948387, 0.024107])

        Source: eq. (78).
        """
        v = checks.array(v, "v")
        checks.normals(v, v.shape[-1] if v.ndim else 0)
        b = checks.array(b, "b")
        if b.ndim > 1 or (v.ndim == 2 and b.shape != (len(v),)):
            raise ValueError(f"b has shape {b.shape}; one offset per row of v is needed")
        mass = self.marginal.sf(b)
        reach = self._reach(b)
        return (reach - b * mass) * np.sqrt(reach**2 + mass**2)

    def g(self, v: Any, b: Any) -> np.ndarray:
        """The weight of the stability norm, shape of `b`: g_tilde at |b|, for any symmetric law.

        Arguments and errors as for `g_tilde`.

        Example:
            >>> IsotropicWeight().g([1.0], [-1.0, 1.0]).round(6)
            array([0.024107, 0.024107])

        Source: eq. (79); that the minimum sits at |b| needs no more than symmetry.
        """
        return self.g_tilde(v, np.abs(checks.array(b, "b")))

    def _reach(self, b: np.ndarray) -> np.ndarray:
        """E[x; x > b], in closed form for the normal law and for the uniform law on a disc."""
        name = getattr(self.marginal.dist, "name", "")
        if name == "norm":
            # Beyond 1e100 deviations the density is 0, and its exponent would overflow.
            far = 1e100 * self.marginal.std()
            return self.marginal.std() ** 2 * self.marginal.pdf(np.clip(b, -far, far))
        if name == "semicircular":
            radius = 2 * float(self.marginal.std())
            share = np.clip(b / radius, -1, 1)
            return 2 * radius * (1 - share**2) ** 1.5 / (3 * np.pi)
        values = [float(self.marginal.expect(lambda x: x, lb=value)) for value in np.ravel(b)]
        return np.array(values).reshape(np.shape(b))


Weight = EmpiricalWeight | IsotropicWeight
