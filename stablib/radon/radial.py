"""Radon transforms of functions of the radius alone, in two and three dimensions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import checks
from .quadrature import gauss
from .transforms import gamma

Profile = Callable[[np.ndarray], Any]


def radon_radial(
    f: Profile, b: Any, d: int, *, reach: float = 10.0, nodes: int = 200
) -> np.ndarray:
    """Integrals over hyperplanes at distance |b| of a function of the radius, shape of `b`.

    In the plane int f(sqrt(b^2 + t^2)) dt; in space 2 pi int_0^inf f(sqrt(b^2 + t^2)) t dt, by Gauss's rule.

    Args:
        f: from radii (m,) to values (m,).
        b: distances, any sign.
        d: dimension, 2 or 3.
        reach: largest t.
        nodes: of the rule.

    Raises:
        ValueError: if d is another number, or f returns a wrong shape.

    Example:
        >>> bell = lambda r: np.exp(-r**2 / 2)
        >>> (radon_radial(bell, 0.0, 2) / np.sqrt(2 * np.pi)).round(9)
        np.float64(1.0)
        >>> (radon_radial(bell, 0.0, 3) / (2 * np.pi)).round(9)
        np.float64(1.0)

    Source: eq. (24).
    """
    d, b = _two_or_three(d), checks.array(b, "b")
    t, weight = _rule(reach, nodes)
    r = np.sqrt(b.reshape(-1, 1) ** 2 + t**2)
    factor = 2.0 if d == 2 else 2 * np.pi * t
    return ((_values(f, r) * factor) @ weight).reshape(b.shape)[()]


def dual_radial(phi: Profile, r: Any, d: int, *, nodes: int = 200) -> np.ndarray:
    """Dual transform of an even function of the offset alone, at radius r; shape of `r`.

    In the plane the mean over the circle times 2 pi; in space 2 pi int_{-1}^1 phi(r t) dt.

    Args:
        phi: even, from offsets (m,) to values (m,).
        r: radii.
        d: dimension, 2 or 3.
        nodes: of the rule.

    Raises:
        ValueError: if d is another number, or phi returns a wrong shape.

    Example:
        >>> dual_radial(lambda b: b**2, 1.0, 2).round(9), dual_radial(lambda b: b**2, 1.0, 3).round(9)
        (np.float64(3.141592654), np.float64(4.188790205))

    Source: eq. (25).
    """
    d, r = _two_or_three(d), checks.array(r, "r")
    if d == 2:
        t = np.cos(2 * np.pi * (np.arange(checks.count(nodes, "nodes")) + 0.5) / nodes)
        weight = np.full(nodes, 2 * np.pi / nodes)
    else:
        t, weight = gauss(nodes)
        weight = 2 * np.pi * weight
    return (_values(phi, r.reshape(-1, 1) * t) @ weight).reshape(r.shape)[()]


def inverse_radial(
    g: Profile, r: Any, d: int, *, reach: float = 10.0, nodes: int = 200, step: float = 1e-3
) -> np.ndarray:
    """The function of the radius with given hyperplane integrals g(|b|), at radii r > 0; shape of `r`.

    In the plane -(1/pi) int_0^inf g'(r cosh u) du, in space -g'(r) / (2 pi r); g' by differences of the
    fourth order.

    Args:
        g: even, from offsets (m,) to values (m,).
        r: radii, positive.
        d: dimension, 2 or 3.
        reach: largest offset, beyond which g is taken to vanish.
        nodes: of the rule in u.
        step: of the differences.

    Raises:
        ValueError: if d is another number, a radius is not in (0, reach), or g returns a wrong shape.

    Example:
        >>> g = lambda b: 2 * np.pi * np.exp(-b**2 / 2)
        >>> inverse_radial(g, [0.5, 1.3], 3).round(6)
        array([0.882497, 0.429557])

    Source: eqs. (26) and (81).
    """
    d, r = _two_or_three(d), checks.array(r, "r")
    reach, step = checks.positive(reach, "reach"), checks.positive(step, "step")
    if (r <= 0).any() or (r >= reach).any():
        raise ValueError(f"r has an entry outside (0, {reach:g}); radii inside are needed")

    def slope(b: np.ndarray) -> np.ndarray:
        near = _values(g, b + step) - _values(g, b - step)
        far = _values(g, b + 2 * step) - _values(g, b - 2 * step)
        return (8 * near - far) / (12 * step)

    if d == 3:
        return -slope(r) / (2 * np.pi * r)
    node, weight = gauss(nodes)
    half = np.arccosh(reach / r.reshape(-1, 1)) / 2
    value = -half * slope(r.reshape(-1, 1) * np.cosh(half * (1 + node))) / np.pi
    return (value @ weight).reshape(r.shape)[()]


def inverse_dual_radial(f: Profile, b: Any, *, step: float = 1e-3) -> np.ndarray:
    """In three dimensions, the even function of the offset whose dual transform is f(|x|); shape of `b`.

    gamma_3 R(-Laplacian) f = -gamma_3 (R f)'' = 2 pi gamma_3 (b f(|b|))': no integral is left.

    Args:
        f: from radii (m,) to values (m,).
        b: offsets.
        step: of the differences, of the fourth order.

    Raises:
        ValueError: if f returns a wrong shape.

    Example:
        >>> inverse_dual_radial(lambda r: np.exp(-r**2 / 2), [0.0, 1.0]).round(6)
        array([0.079577, 0.      ])

    Source: eq. (27), d = 3.
    """
    b, step = checks.array(b, "b"), checks.positive(step, "step")

    def product(b: np.ndarray) -> np.ndarray:
        return b * _values(f, np.abs(b))

    near = product(b + step) - product(b - step)
    far = product(b + 2 * step) - product(b - 2 * step)
    return (2 * np.pi * gamma(3) * (8 * near - far) / (12 * step))[()]


def _two_or_three(d: int) -> int:
    if checks.count(d, "d") not in (2, 3):
        raise ValueError(f"d is {d}; radial transforms are computed in 2 and 3 dimensions")
    return d


def _rule(reach: float, nodes: int) -> tuple[np.ndarray, np.ndarray]:
    node, weight = gauss(nodes)
    half = checks.positive(reach, "reach") / 2
    return half * (1 + node), half * weight


def _values(f: Profile, r: np.ndarray) -> np.ndarray:
    values = checks.array(f(r.reshape(-1)), "the function's value")
    if values.shape != (r.size,):
        raise ValueError(
            f"the function returned shape {values.shape} for {r.size} numbers; one value each is needed"
        )
    return values.reshape(r.shape)
