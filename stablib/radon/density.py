"""The density rho whose line integrals are the weight g: the stability norm read in the space of the data."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats

from .. import checks
from ..weights import IsotropicWeight
from .pieces import backproject, pieces
from .quadrature import gauss

_CHUNK = 2_000_000  # breaks kept at a time: 48 MB
_NODES = 200  # of Gauss's rule in u, where b = r cosh(u)


def gaussian(r: Any) -> np.ndarray:
    """The density rho of the standard normal law in the plane, at radius r; shape of `r`.

    Positive, strictly decreasing, infinite at 0. Relative accuracy 1e-10 for r <= 20.

    Args:
        r: distances from the origin, not negative.

    Raises:
        ValueError: if `r` holds a negative number or none that is finite.

    Example:
        >>> gaussian([0.1, 1.0, 3.0])
        array([2.87501504e-01, 1.65709072e-02, 1.04325784e-06])

    Source: eq. (81), with g from (79).
    """
    return isotropic(r)


def isotropic(r: Any, marginal: Any = None, d: int = 2) -> np.ndarray:
    """The density rho of an isotropic law, at radius r; shape of `r`.

    In the plane this is the Abel-type integral -(1/pi) int_r^inf g'(b) / sqrt(b^2 - r^2) db; in space it is
    -g'(r) / (2 pi r), with nothing to integrate.

    Args:
        r: distances from the origin, not negative.
        marginal: frozen, symmetric scipy.stats law of one coordinate; the standard normal if left out.
        d: dimension of the data, 2 or 3.

    Raises:
        ValueError: if `r` is negative somewhere, the law is not as above, or d is another number.

    Example:
        >>> from scipy import stats
        >>> isotropic(2.0) == gaussian(2.0)
        np.True_
        >>> isotropic([0.5, 1.5], stats.semicircular()).round(6)      # the uniform law on the disc
        array([0.014865, 0.      ])

    Source: eq. (81).
    """
    r = checks.array(r, "r")
    if (r < 0).any():
        raise ValueError(f"r has the entry {r.min():g}; distances from the origin are needed")
    if checks.count(d, "d") not in (2, 3):
        raise ValueError(f"d is {d}; rho is computed in 2 and 3 dimensions")
    weight = IsotropicWeight(marginal)
    end = weight.marginal.support()[1]
    if not np.isfinite(end):
        # Beyond, nothing is left that a float could hold.
        end = float(weight.marginal.isf(1e-300))
    with np.errstate(divide="ignore", invalid="ignore"):
        if d == 3:
            inside = (r > 0) & (r < end)
            slope = _slope(weight, np.where(inside, r, end / 2))
            return np.where(inside, -slope / (2 * np.pi * r), np.where(r == 0, np.inf, 0.0))[()]
        inside = (r > 0) & (r < end)
        out = np.where(r == 0, np.inf, 0.0)
        out[inside] = np.concatenate([_abel(weight, part, end) for part in _parts(r[inside])])
    return out[()]


def _parts(r: np.ndarray) -> list[np.ndarray]:
    return np.array_split(r, 1 + len(r) * _NODES // _CHUNK)


def _abel(weight: IsotropicWeight, r: np.ndarray, end: float) -> np.ndarray:
    """The integral (81) at radii r (m,) between 0 and the end of the law."""
    # b = r cosh(u) takes the root out of the denominator.
    nodes, weights = gauss(_NODES)
    half = np.arccosh(end / r) / 2
    u = half[:, None] * (1 + nodes)
    return -half * (_slope(weight, r[:, None] * np.cosh(u)) @ weights) / np.pi


def _slope(weight: IsotropicWeight, b: np.ndarray) -> np.ndarray:
    """g'(b) for b > 0: T' = -b p and M' = -p, put into the derivative of (T - b M) sqrt(T^2 + M^2)."""
    mass, p, reach = weight.marginal.sf(b), weight.marginal.pdf(b), weight._reach(b)
    size = np.hypot(reach, mass)
    height = reach - b * mass
    with np.errstate(divide="ignore", invalid="ignore"):
        turn = np.where(size > 0, height * p * (b * reach + mass) / size, 0.0)
    return -mass * size - turn


def two_points(x: Any) -> np.ndarray:
    """The density rho of the two data points (1, 0) and (-1, 0), shape x.shape[:-1].

    A point of strength -2 at the origin and one of strength 1 at either data point: +inf at the origin,
    -inf at the data.

    Args:
        x: places in the plane, shape (..., 2).

    Raises:
        ValueError: if the last axis of `x` has not length 2.

    Example:
        >>> two_points([[0.1, 0.0], [0.9, 0.0], [0.0, 2.0]]).round(5)
        array([ 0.25857, -0.08159,  0.01256])

    Source: eq. (77), with the constant sqrt(2)/4 in (70).
    """
    x = checks.array(x, "x")
    if x.ndim == 0 or x.shape[-1] != 2:
        raise ValueError(f"x has shape {x.shape}; points of the plane, (..., 2), are needed")
    e1 = np.array([1.0, 0.0])
    with np.errstate(divide="ignore"):
        near = [np.log(np.hypot(y[..., 0], y[..., 1])) for y in (x - e1, x + e1, x)]
    return np.sqrt(2) / 4 / (2 * np.pi) * (near[0] + near[1] - 2 * near[2])


def empirical(X: Any, points: Any, eps: Any, *, angles: int | None = None) -> np.ndarray:
    """The smoothed density rho_eps of a finite planar data set, whose line integrals are g_eps; (m,).

    g(v, .) consists of straight pieces, so that smoothing and the ramp filter are exact; only the
    mean over directions is a sum. Equivalently, rho_eps is rho convolved with the normal law of
    covariance eps^2 I.

    Args:
        X: data points, shape (n, 2).
        points: places, shape (m, 2).
        eps: width of the smoothing, a positive number.
        angles: number of directions in the half circle; by default as many as keep the distance between
            neighbouring lines below eps / 2 at every place.

    Raises:
        ValueError: if the data or places are not planar, eps is not positive, or too small for the default
            of `angles`.

    Example:
        >>> X = [[1.0, 0.0], [-1.0, 0.0]]
        >>> empirical(X, [[0.1, 0.0], [0.0, 2.0]], eps=0.01).round(4)
        array([0.2586, 0.0126])
        >>> two_points([[0.1, 0.0], [0.0, 2.0]]).round(4)
        array([0.2586, 0.0126])

    Source: eqs. (26), (66) and (67).
    """
    X, x = _planar(X, "X"), _planar(points, "points")
    eps = checks.positive(eps, "eps")
    if angles is None:
        far = np.linalg.norm(x, axis=1).max() + np.linalg.norm(X, axis=1).max()
        if far > 1e6 * eps:
            raise ValueError(
                f"eps is {eps:g}, but the places and data reach to {far:g}: that takes more than 6e6 "
                "directions; a number of `angles` is needed"
            )
        angles = max(360, int(np.ceil(2 * np.pi * far / eps)))
    angles = checks.count(angles, "angles")
    # Half a step off the axes, where the projections of symmetric data would coincide.
    turn = np.pi * (np.arange(angles) + 0.5) / angles
    v = np.column_stack([np.cos(turn), np.sin(turn)])
    out = np.zeros(len(x))
    rows = max(1, _CHUNK // (2 * len(X)))
    for i in range(0, angles, rows):
        backproject(x, v[i : i + rows], pieces(X, v[i : i + rows]), eps, out)
    return out / (2 * angles)  # gamma_2 = 1 / (4 pi), times both halves of the circle


def smoothed_weight(X: Any, v: Any, b: Any, eps: Any) -> np.ndarray:
    """g_eps(v, b): the weight of a finite data set, convolved in the offset with N(0, eps^2), exactly.

    Args:
        X: data points, shape (n, d).
        v: unit normals, (m, d) with b (m,), or (d,) with b (m,).
        b: offsets.
        eps: width of the smoothing, a positive number.

    Raises:
        ValueError: if shapes do not fit, a normal is off the unit sphere, or eps is not positive.

    Example:
        >>> X = [[1.0, 0.0], [-1.0, 0.0]]
        >>> smoothed_weight(X, [1.0, 0.0], [0.0, 0.5], eps=0.01).round(6)
        array([0.350732, 0.176777])

    Source: eq. (67).
    """
    X = checks.points(X)
    v, b = checks.hyperplanes(v, b, X.shape[1])
    eps = checks.positive(eps, "eps")
    if v.ndim == 1:
        return pieces(X, v[None]).smoothed(np.atleast_1d(b)[None], eps)[0].reshape(b.shape)[()]
    return pieces(X, v).smoothed(b[:, None], eps)[:, 0]


def uniform_disc() -> Any:
    """Law of one coordinate of the uniform law on the unit disc, for `isotropic` and IsotropicWeight.

    Example:
        >>> bool(abs(uniform_disc().std() - 0.5) < 1e-12)
        True
    """
    return stats.semicircular()


def _planar(value: Any, name: str) -> np.ndarray:
    out = checks.points(value, name)
    if out.shape[1] != 2:
        raise ValueError(f"{name} has {out.shape[1]} columns; rho of a data set lives in the plane")
    return out
