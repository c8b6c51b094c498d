"""Radon transforms of square images: turned and summed, and filtered back-projection."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.ndimage import rotate

from .. import checks
from .transforms import ramp


def radon_image(image: Any, angles: Any) -> np.ndarray:
    """Line integrals of an image of [-1, 1]^2, shape (angles, n): one row per direction, n offsets.

    The image is turned by SciPy, linearly interpolated between its pixels' centres, and its columns are added
    up; outside it is 0. Offsets are the centres of n equal parts of [-1, 1].

    Args:
        image: values at pixel centres, shape (n, n); rows are x_2 upwards, columns x_1.
        angles: of the normals, in radians, shape (m,).

    Raises:
        ValueError: if the image is not square or holds NaN, or there are no angles.

    Example:
        >>> x = (np.arange(200) + 0.5) / 100 - 1
        >>> disc = (x**2 + x[:, None]**2 < 0.25).astype(float)
        >>> radon_image(disc, [0.3])[0, 99].round(1)                # a chord through the middle
        np.float64(1.0)

    Source: eq. (24).
    """
    image, angles = _square(image), _angles(angles)
    n = len(image)
    margin = int(np.ceil(n * (np.sqrt(2) - 1) / 2))  # so that no corner is turned out of the frame
    padded = np.pad(image, margin)
    rows = [
        rotate(padded, np.degrees(angle), reshape=False, order=1).sum(axis=0) for angle in angles
    ]
    return np.stack(rows)[:, margin : margin + n] * 2 / n


def inverse_radon_image(sinogram: Any, angles: Any) -> np.ndarray:
    """The image of [-1, 1]^2 with given line integrals, shape (n, n), by filtered back-projection.

    Each row is filtered by the ramp and interpolated linearly; pixels outside the unit disc are not seen by
    all lines and are 0.

    Args:
        sinogram: line integrals, shape (m, n), as `radon_image` makes them.
        angles: of the normals, in radians, shape (m,), at equal distances over half a circle.

    Raises:
        ValueError: if shapes do not fit, or the sinogram holds NaN.

    Example:
        >>> x = (np.arange(100) + 0.5) / 50 - 1
        >>> bump = np.exp(-(x**2 + x[:, None]**2) / 0.08)
        >>> angles = np.pi * np.arange(150) / 150
        >>> found = inverse_radon_image(radon_image(bump, angles), angles)
        >>> bool(np.abs(found - bump)[30:70, 30:70].max() < 0.01)
        True

    Source: eq. (26), d = 2.
    """
    rows, angles = checks.array(sinogram, "sinogram"), _angles(angles)
    if rows.ndim != 2 or len(rows) != len(angles) or rows.size == 0:
        raise ValueError(
            f"sinogram has shape {rows.shape}, but there are {len(angles)} angles: one row of offsets "
            "each is needed"
        )
    n = rows.shape[1]
    b = (np.arange(n) + 0.5) * 2 / n - 1
    filtered = ramp(rows, 2 / n)
    out = np.zeros((n, n))
    for angle, row in zip(angles, filtered, strict=True):
        out += np.interp(b * np.cos(angle) + b[:, None] * np.sin(angle), b, row)
    out[b**2 + b[:, None] ** 2 >= 1] = 0.0
    return out / (2 * len(angles))  # gamma_2 times both halves of the circle


def _square(image: Any) -> np.ndarray:
    image = checks.array(image, "image")
    if image.ndim != 2 or image.shape[0] != image.shape[1] or image.size == 0:
        raise ValueError(f"image has shape {image.shape}; a square image, (n, n), is needed")
    return image


def _angles(angles: Any) -> np.ndarray:
    angles = checks.array(angles, "angles")
    if angles.ndim != 1 or angles.size == 0:
        raise ValueError(f"angles has shape {angles.shape}; directions of shape (m,) are needed")
    return angles
