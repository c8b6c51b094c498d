"""Radon transforms in closed form: Gaussian bumps and balls."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.special import dawsn, gammaln

from .. import checks


def gaussian_radon(v: Any, b: Any, mean: Any, width: float = 1.0) -> np.ndarray:
    """Hyperplane integrals of exp(-|x - mean|^2 / (2 width^2)), shape of `b`.

    Args:
        v: unit normals, (m, d) with b (m,), or (d,) with b (m,) or a number.
        b: offsets.
        mean: centre of the bump, shape (d,).
        width: its standard deviation.

    Raises:
        ValueError: if shapes do not fit, the width is not positive, or the integrals exceed what float64
            holds.

    Example:
        >>> gaussian_radon([1.0, 0.0], [1.0], [1.0, 5.0]).round(6)
        array([2.506628])

    Source: eq. (24).
    """
    t, width, d = _standardised(v, b, mean, width)
    with np.errstate(over="ignore"):  # many widths away is as good as infinitely many
        return _power(np.sqrt(2 * np.pi) * width, d - 1) * np.exp(-(t**2) / 2)


def gaussian_inverse_dual(v: Any, b: Any, mean: Any = (0.0, 0.0), width: float = 1.0) -> np.ndarray:
    """In the plane, the function of lines whose dual transform is a Gaussian bump, shape of `b`.

    (1 - sqrt(2) t D(t / sqrt(2))) / (2 pi), t = (b - v.mean) / width, D Dawson's function.

    Args:
        v: unit normals, (m, 2) with b (m,), or (2,) with b (m,) or a number.
        b: offsets.
        mean: centre of the bump, shape (2,).
        width: its standard deviation.

    Raises:
        ValueError: if shapes do not fit, or the width is not positive.

    Example:
        >>> gaussian_inverse_dual([1.0, 0.0], [0.0, 3.0]).round(6)
        array([ 0.159155, -0.028568])

    Source: eq. (27), d = 2.
    """
    t, _, d = _standardised(v, b, mean, width)
    if d != 2:
        raise ValueError(f"mean has {d} entries; the two of a place in the plane are needed")
    t = np.clip(t, -1e150, 1e150)  # where the limit 0 is reached, and no product overflows
    return (1 - np.sqrt(2) * t * dawsn(t / np.sqrt(2))) / (2 * np.pi)


def ball_radon(b: Any, radius: float = 1.0, d: int = 2) -> np.ndarray:
    """Hyperplane integrals of the indicator of a ball about the origin, shape of `b`.

    Args:
        b: distances of the hyperplanes, any sign.
        radius: of the ball.
        d: dimension.

    Raises:
        ValueError: if the radius is not positive, d is below 1, or the integrals exceed what float64 holds.

    Example:
        >>> ball_radon([0.0, 0.6, 2.0]).round(6), ball_radon(0.0, d=3).round(6)
        (array([2. , 1.6, 0. ]), np.float64(3.141593))

    Source: eq. (24).
    """
    b, radius = checks.array(b, "b"), checks.positive(radius, "radius")
    m = checks.count(d, "d") - 1
    volume = np.exp(m / 2 * np.log(np.pi) - gammaln(m / 2 + 1)) * _power(radius, m)
    inside = np.abs(b) < radius
    share = np.where(inside, b, 0.0) / radius
    return volume * np.where(inside, ((1 - share) * (1 + share)) ** (m / 2), 0.0)


def _standardised(v: Any, b: Any, mean: Any, width: Any) -> tuple[np.ndarray, float, int]:
    """Distances of hyperplanes from a place in multiples of the width, shape of `b`; the width; d."""
    mean = checks.array(mean, "mean")
    if mean.ndim != 1 or mean.size == 0:
        raise ValueError(f"mean has shape {mean.shape}; one place, (d,), is needed")
    v, b = checks.hyperplanes(v, b, len(mean))
    width = checks.positive(width, "width")
    with np.errstate(over="ignore"):
        return (b - v @ mean) / width, width, len(mean)


def _power(length: float, m: int) -> float:
    """length^m, as the measure of something m-dimensional."""
    with np.errstate(over="ignore"):
        out = float(np.float64(length) ** m)
    if not np.isfinite(out):
        raise ValueError(
            f"the integrals over {m}-dimensional pieces of size {length:g} exceed what float64 holds; "
            "a smaller size is needed"
        )
    return out
