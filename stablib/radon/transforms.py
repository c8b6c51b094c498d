"""The Radon transform of the plane, its dual, and the inverses of both, for functions that one can call."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import fftconvolve

from .. import checks

PlaneFunction = Callable[[np.ndarray], Any]  # from places (m, 2) to values (m,)
LineFunction = Callable[[np.ndarray, np.ndarray], Any]  # from normals (m, 2), offsets (m,) to (m,)


def gamma(d: int) -> float:
    """The constant 1 / (2 (2 pi)^(d-1)) of the inversion formulas.

    It belongs to hyperplane integrals, dual integrals over the whole sphere, and |omega|^(d-1) in angular
    frequency.

    Args:
        d: dimension.

    Raises:
        ValueError: if d is below 1.

    Example:
        >>> round(gamma(2) * 4 * np.pi, 12), round(gamma(3) * 8 * np.pi**2, 12)
        (1.0, 1.0)

    Source: eq. (28).
    """
    return 1 / (2 * (2 * np.pi) ** (checks.count(d, "d") - 1))


def radon(f: PlaneFunction, v: Any, b: Any, *, reach: float = 10.0, nodes: int = 400) -> np.ndarray:
    """Integrals of a function of the plane over lines, shape of `b`.

    The trapezoidal rule over a piece of each line: for smooth functions that vanish at its ends the error
    falls faster than any power of the distance of the nodes.

    Args:
        f: from places (m, 2) to values (m,).
        v: unit normals, (m, 2) with b (m,), or (2,) with b (m,) or a number.
        b: offsets.
        reach: half the length of line that is integrated over, about its point nearest the origin.
        nodes: on each line.

    Raises:
        ValueError: if a normal is off the unit circle, shapes do not fit, or f returns a wrong shape.

    Example:
        >>> radon(lambda x: np.exp(-(x**2).sum(axis=1) / 2), [0.6, 0.8], [0.0, 1.0]).round(6)
        array([2.506628, 1.520347])

    Source: eq. (24).
    """
    v, b = checks.hyperplanes(v, b, 2)
    reach, nodes = checks.positive(reach, "reach"), checks.count(nodes, "nodes", minimum=3)
    t, step = np.linspace(-reach, reach, nodes, retstep=True)
    weight = np.full(nodes, step)
    weight[[0, -1]] /= 2
    normal = np.broadcast_to(v, (b.size, 2))
    along = np.column_stack([-normal[:, 1], normal[:, 0]])
    x = b.reshape(-1, 1, 1) * normal[:, None] + t[:, None] * along[:, None]
    values = _called(f(x.reshape(-1, 2)), b.size * nodes, "f", "places")
    return (values.reshape(-1, nodes) @ weight).reshape(b.shape)[()]


def dual_radon(phi: LineFunction, x: Any, *, angles: int = 360) -> np.ndarray:
    """Integrals of a function of lines over all lines through a place, shape (m,).

    The trapezoidal rule over the whole circle, which for smooth functions converges faster than any power.

    Args:
        phi: from normals (m, 2) and offsets (m,) to values (m,).
        x: places, shape (m, 2).
        angles: number of directions in the circle.

    Raises:
        ValueError: if the places are not planar or phi returns a wrong shape.

    Example:
        >>> dual_radon(lambda v, b: b**2, [[1.0, 0.0], [3.0, 4.0]]).round(6)
        array([ 3.141593, 78.539816])

    Source: eq. (25).
    """
    x, v = _places(x), _circle(angles)
    offset = x @ v.T  # (m, angles)
    values = _called(phi(np.tile(v, (len(x), 1)), offset.reshape(-1)), offset.size, "phi", "lines")
    return values.reshape(offset.shape).sum(axis=1) * 2 * np.pi / len(v)


def ramp(values: Any, step: float) -> np.ndarray:
    """Multiply the Fourier transform of samples by |omega|, along the last axis.

    The samples are taken as those of a function without frequencies above pi / step that vanishes outside;
    the convolution is then exact.

    Args:
        values: samples at equal distances, shape (..., m).
        step: their distance.

    Raises:
        ValueError: if `values` holds no samples, or the step is not positive.

    Example:
        >>> b = np.linspace(-10, 10, 401)
        >>> ramp(np.exp(-b**2 / 2), 0.05)[200].round(6)                   # sqrt(2 / pi)
        np.float64(0.797885)

    Source: eqs. (26) and (27), d = 2.
    """
    values, step = checks.array(values, "values"), checks.positive(step, "step")
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(f"values has shape {values.shape}; samples along the last axis are needed")
    m = values.shape[-1]
    n = np.arange(-m + 1, m)
    kernel = np.zeros(2 * m - 1)
    kernel[n % 2 == 1] = -2 / (np.pi * n[n % 2 == 1] ** 2)
    kernel[m - 1] = np.pi / 2
    kernel = kernel.reshape((1,) * (values.ndim - 1) + (-1,))
    return fftconvolve(values, kernel, mode="full", axes=-1)[..., m - 1 : 2 * m - 1] / step


def inverse_radon(
    phi: LineFunction, x: Any, *, reach: float = 10.0, nodes: int = 400, angles: int = 360
) -> np.ndarray:
    """The function of the plane with given line integrals, at the rows of `x`, shape (m,).

    Each direction is sampled in the offset and filtered by the ramp; a cubic spline takes the samples to
    v.x, and the mean over directions is the trapezoidal rule.

    Args:
        phi: even, from normals (m, 2) and offsets (m,) to values (m,); taken to vanish for |b| > reach.
        x: places, shape (m, 2).
        reach: largest offset sampled; places further away are refused.
        nodes: offsets sampled in each direction.
        angles: number of directions in the circle.

    Raises:
        ValueError: if the places are not planar or too far away, or phi returns a wrong shape.

    Example:
        >>> bell = lambda v, b: np.sqrt(2 * np.pi) * np.exp(-b**2 / 2)
        >>> inverse_radon(bell, [[0.0, 0.0], [0.3, 0.4]]).round(6)
        array([1.      , 0.882497])

    Source: eq. (26), d = 2.
    """
    x, v = _places(x), _circle(angles)
    b, step = _offsets(reach, nodes)
    if np.linalg.norm(x, axis=1).max() > reach:
        far = np.linalg.norm(x, axis=1).max()
        raise ValueError(f"x has a place at distance {far:g}, but offsets reach to {reach:g} only")
    values = _called(
        phi(np.repeat(v, nodes, axis=0), np.tile(b, len(v))), len(v) * nodes, "phi", "lines"
    )
    filtered = CubicSpline(b, ramp(values.reshape(len(v), nodes), step), axis=1)
    out = np.zeros(len(x))
    for k, normal in enumerate(v):
        # One direction at a time: the spline's coefficients (4, nodes - 1, angles) hold all of them.
        out += CubicSpline.construct_fast(filtered.c[..., k], b)(x @ normal)
    return gamma(2) * out * 2 * np.pi / len(v)


def inverse_dual(
    f: PlaneFunction, v: Any, b: Any, *, reach: float = 10.0, nodes: int = 400
) -> np.ndarray:
    """The even function of lines whose dual transform is f, shape of `b`.

    The fractional Laplacian is applied after the transform, as the ramp in the offset.

    Args:
        f: from places (m, 2) to values (m,); taken to vanish for |x| > reach.
        v: one unit normal, shape (2,), for many offsets; or normals (m, 2) with b (m,).
        b: offsets, at most `reach` in size.
        reach: largest offset sampled.
        nodes: offsets sampled, and nodes on each line.

    Raises:
        ValueError: if a normal is off the unit circle, shapes do not fit, or f returns a wrong shape.

    Example:
        >>> inverse_dual(lambda x: np.exp(-(x**2).sum(axis=1) / 2), [1.0, 0.0], 0.0).round(6)
        np.float64(0.159155)

    Source: eq. (27), d = 2.
    """
    v, b = checks.hyperplanes(v, b, 2)
    grid, step = _offsets(reach, nodes)
    if np.abs(b).max(initial=0) > reach:
        raise ValueError(f"b has an entry of size {np.abs(b).max():g}, beyond reach = {reach:g}")
    rows = np.atleast_2d(v)
    out = np.empty((len(rows), b.size if v.ndim == 1 else 1))
    for k, normal in enumerate(rows):
        shape = CubicSpline(grid, ramp(radon(f, normal, grid, reach=reach, nodes=nodes), step))
        out[k] = shape(b.reshape(-1) if v.ndim == 1 else b[k])
    return gamma(2) * out.reshape(b.shape)[()]


def _places(x: Any) -> np.ndarray:
    x = checks.points(x, "x")
    if x.shape[1] != 2:
        raise ValueError(f"x has {x.shape[1]} columns; places of the plane are needed")
    return x


def _circle(angles: int) -> np.ndarray:
    turn = 2 * np.pi * np.arange(checks.count(angles, "angles")) / angles
    return np.column_stack([np.cos(turn), np.sin(turn)])


def _offsets(reach: float, nodes: int) -> tuple[np.ndarray, float]:
    reach, nodes = checks.positive(reach, "reach"), checks.count(nodes, "nodes", minimum=4)
    b, step = np.linspace(-reach, reach, nodes, retstep=True)
    return b, float(step)


def _called(values: Any, size: int, name: str, what: str) -> np.ndarray:
    values = checks.array(values, f"{name}(...)")
    if values.shape != (size,):
        raise ValueError(
            f"{name} returned shape {values.shape} for {size} {what}; one value each is needed"
        )
    return values
