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
        ValueError: if shapes do not fit, or the width is not positive.

    Example:
        >>> gaussian_radon([1.0, 0.0], [1.0], [1.0, 5.0]).round(6)
        array([2.506628])

    Source: eq. (24).
    """
    mean = checks.array(mean, "mean")
    v, b = checks.normals(v, len(mean)), checks.array(b, "b")
    width = checks.positive(width, "width")
    size = (np.sqrt(2 * np.pi) * width) ** (len(mean) - 1)
    return size * np.exp(-((b - v @ mean) ** 2) / (2 * width**2))


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
    v, b = checks.normals(v, 2), checks.array(b, "b")
    width = checks.positive(width, "width")
    t = (b - v @ checks.array(mean, "mean")) / width
    return (1 - np.sqrt(2) * t * dawsn(t / np.sqrt(2))) / (2 * np.pi)


def ball_radon(b: Any, radius: float = 1.0, d: int = 2) -> np.ndarray:
    """Hyperplane integrals of the indicator of a ball about the origin, shape of `b`.

    Args:
        b: distances of the hyperplanes, any sign.
        radius: of the ball.
        d: dimension.

    Raises:
        ValueError: if the radius is not positive or d is below 1.

    Example:
        >>> ball_radon([0.0, 0.6, 2.0]).round(6), ball_radon(0.0, d=3).round(6)
        (array([2. , 1.6, 0. ]), np.float64(3.141593))

    Source: eq. (24).
    """
    b, radius = checks.array(b, "b"), checks.positive(radius, "radius")
    m = checks.count(d, "d") - 1
    volume = np.exp(m / 2 * np.log(np.pi) - gammaln(m / 2 + 1))
    return volume * np.where(np.abs(b) < radius, np.maximum(radius**2 - b**2, 0) ** (m / 2), 0.0)
