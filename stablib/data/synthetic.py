"""Synthetic data sets: Gaussian noise (Fig. 4), two points (Fig. 3), and a hill beside a valley."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import checks
from .dataset import Dataset

# A stream of its own ("data"): ShallowReLU.initial draws from default_rng(seed), and with one seed its
# weights would otherwise be the data points.
STREAM = 0x64617461


def gaussian(n: int = 100, d: int = 20, seed: int | np.random.Generator = 0) -> Dataset:
    """Standard normal points with standard normal labels: nothing to learn, everything to fit.

    Args:
        n: number of points.
        d: dimension.
        seed: an integer or a NumPy Generator.

    Raises:
        ValueError: if n or d is below 1, or the seed is negative.

    Example:
        >>> gaussian(n=5, d=2)
        Dataset(n=5, d=2)

    Source: Section 6, Fig. 4, where n = 100 and d = 20.
    """
    n, d = checks.count(n, "n"), checks.count(d, "d")
    rng = checks.generator(seed, STREAM)
    return Dataset(rng.standard_normal((n, d)), rng.standard_normal(n))


def two_points(p: Any = (1.0, 0.0)) -> Dataset:
    """The points p and -p with labels 1 and -1.

    The paper's example has no labels: its g and rho depend on the points alone.

    Args:
        p: the first point, shape (d,).

    Raises:
        ValueError: if p is not a finite, non-empty vector.

    Example:
        >>> two_points().X
        array([[ 1.,  0.],
               [-1.,  0.]])

    Source: Section 3.3, Example 1; App. H.1, Fig. 3.
    """
    p = checks.array(p, "p")
    if p.ndim != 1 or p.size == 0:
        raise ValueError(f"p has shape {p.shape}; one point, of shape (d,) with d >= 1, is needed")
    return Dataset([p, 0.0 - p], [1.0, -1.0])


def plane(n: int = 40, seed: int | np.random.Generator = 0, *, noise: float = 0.0) -> Dataset:
    """Points of the unit disc, labelled by a hill beside a valley: a set that can be drawn.

    The points are uniform in the disc, hence centred and isotropic. The label of x is
    exp(-4 |x - c|^2) - exp(-4 |x + c|^2) with c = (0.5, 0.2), plus normal noise.

    Args:
        n: number of points.
        seed: an integer or a NumPy Generator.
        noise: standard deviation of the noise on the labels.

    Raises:
        ValueError: if n is below 1, the noise is negative, or the seed is negative.

    Example:
        >>> data = plane()
        >>> data
        Dataset(n=40, d=2)
        >>> bool((np.linalg.norm(data.X, axis=1) <= 1).all())
        True

    Source: the book's own; not in the paper.
    """
    n, noise = checks.count(n, "n"), checks.nonnegative(noise, "noise")
    rng = checks.generator(seed, STREAM)
    # The square root makes the area, not the radius, uniform.
    radius, angle = np.sqrt(rng.random(n)), 2 * np.pi * rng.random(n)
    X = radius[:, None] * np.column_stack([np.cos(angle), np.sin(angle)])
    c = np.array([0.5, 0.2])
    y = np.exp(-4 * ((X - c) ** 2).sum(1)) - np.exp(-4 * ((X + c) ** 2).sum(1))
    return Dataset(X, y + noise * rng.standard_normal(n))
