"""The stability norm in the space of the data: the Laplacian's mass, each part at the price of its place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .. import checks
from ..network import ShallowReLU
from .density import empirical
from .measures import laplacian

Density = Callable[[np.ndarray], np.ndarray]  # from places (m, 2) to values (m,)


def line_integrals(
    rho: Density, v: Any, b: Any, *, reach: float = 100.0, nodes: int = 400
) -> np.ndarray:
    """Integrals of a density over lines of the plane, shape of `b`.

    The nodes are dense at the point of the line that is nearest to the origin and thin out towards both
    ends; beyond them the density is taken to fall like 1/t^2.

    Args:
        rho: from places (m, 2) to values (m,).
        v: unit normals, (m, 2) with b (m,), or (2,) with b (m,) or a number.
        b: offsets.
        reach: distance at which the tails begin.
        nodes: on each line.

    Raises:
        ValueError: if a normal is off the unit sphere, shapes do not fit, or `rho` returns a wrong shape.

    Example:
        >>> def bump(x):
        ...     return np.exp(-(x**2).sum(axis=1) / 2) / (2 * np.pi)
        >>> line_integrals(bump, [0.6, 0.8], [0.0, 1.0]).round(6)
        array([0.398942, 0.241971])

    Source: eq. (24).
    """
    v, b = checks.hyperplanes(v, b, 2)
    reach, nodes = checks.positive(reach, "reach"), checks.count(nodes, "nodes", minimum=3)
    u = np.linspace(-np.arcsinh(reach), np.arcsinh(reach), nodes)
    t, weight = np.sinh(u), np.cosh(u) * (u[1] - u[0])
    weight[[0, -1]] /= 2
    weight[[0, -1]] += reach  # the tails: int_T^inf rho(T) (T/t)^2 dt = T rho(T)
    normal = np.broadcast_to(v, (b.size, 2))
    along = np.column_stack([-normal[:, 1], normal[:, 0]])
    x = b.reshape(-1, 1, 1) * normal[:, None] + t[:, None] * along[:, None]
    values = checks.array(rho(x.reshape(-1, 2)), "rho(x)")
    if values.shape != (b.size * nodes,):
        raise ValueError(
            f"rho returned shape {values.shape} for {b.size * nodes} places; one value each is needed"
        )
    return (values.reshape(-1, nodes) @ weight).reshape(b.shape)[()]


def primal_norm(net: ShallowReLU, X: Any, eps: Any, *, nodes: int = 240) -> float:
    """The stability norm as a sum of line integrals of rho_eps, each with the size of the bend there.

    Args:
        net: a network of two inputs.
        X: data points, shape (n, 2).
        eps: width to which rho is smoothed; as it tends to 0 the value tends to the norm, if no line of the
            network passes through a data point.
        nodes: on each line.

    Raises:
        ValueError: if `net` is no ShallowReLU of two inputs, or the data or eps do not fit.

    Example:
        >>> from stablib import stability_norm
        >>> net = ShallowReLU([[1.0, 0.0], [0.0, 1.0]], [-0.5, 0.0], [1.0, -2.0])
        >>> X = [[1.0, 0.3], [-1.0, 0.2], [0.1, -0.7]]
        >>> round(stability_norm(net, X), 5), round(primal_norm(net, X, 0.02), 5)
        (0.27083, 0.2703)

    Source: eqs. (13), (66) and (67).
    """
    X = checks.points_of(X, checks.network(net))
    if net.d != 2:
        raise ValueError(f"net has {net.d} inputs; rho of a data set lives in the plane")
    lines = laplacian(net)
    if not len(lines.a):
        return 0.0
    # Integrals along lines start from the data's centre: there rho has its peaks.
    centre = X.mean(axis=0)
    values = line_integrals(
        lambda x: _in_shells(X - centre, X, x, eps),
        lines.v,
        lines.b - lines.v @ centre,
        nodes=nodes,
    )
    return float(np.abs(lines.a) @ values)


def _in_shells(spread: np.ndarray, X: np.ndarray, x: np.ndarray, eps: Any) -> np.ndarray:
    """rho_eps at the data's centre plus x, with a smoothing that far away grows like the distance.

    There rho varies over lengths like the distance itself, and needs no finer one; the number of directions
    stays bounded. Beyond three radii of the data, with eps = 1/100 of one, it changes by less than 1e-4.
    """
    eps = checks.positive(eps, "eps")
    near = 3 * float(np.linalg.norm(spread, axis=1).max()) + 4 * eps
    shell = np.ceil(np.log2(np.maximum(np.linalg.norm(x, axis=1) / near, 1))).astype(int)
    out = np.empty(len(x))
    for level in np.unique(shell):
        here = shell == level
        out[here] = empirical(X, x[here] + (X - spread)[0], 2.0**level * eps)
    return out


def norm_on_grid(
    f: Density,
    X: Any,
    *,
    eps: Any = None,
    nodes: int = 400,
    levels: int = 7,
) -> float:
    """The stability norm of a piecewise linear function of the plane, from its values alone.

    The second differences of f on a square grid hold the mass of its Laplacian; their absolute values are
    summed with rho_eps as weights. Around the grid over the data lies one of twice the side with squares
    twice as large, and so on. Where bends of opposite sign cross, they cancel over the size of a square: an
    error in proportion to the squares, which the same sum with squares twice as large takes out.

    Args:
        f: from places (m, 2) to values (m,).
        X: data points, shape (n, 2), not all equal.
        eps: width to which rho is smoothed, 2 squares of the smallest grid by default; it doubles with them.
        nodes: squares along a side of each grid, a multiple of 8.
        levels: number of grids.

    Returns:
        The norm, to a few per cent with the default grid; parallel bends of opposite sign are told
        apart only if they are further from each other than a square.

    Raises:
        ValueError: if arguments are not as described, or f returns a wrong shape.

    Example:
        >>> def roof(x):
        ...     return np.maximum(x[:, 0], 0) - 2 * np.maximum(x @ [0.6, 0.8] - 0.3, 0)
        >>> from stablib import stability_norm
        >>> net = ShallowReLU([[1.0, 0.0], [0.6, 0.8]], [0.0, -0.3], [1.0, -2.0])
        >>> X = [[1.0, 0.3], [-1.0, 0.2], [0.1, -0.7]]
        >>> round(norm_on_grid(roof, X), 3), round(stability_norm(net, X), 3)
        (0.332, 0.332)

    Source: eq. (13).
    """
    X = checks.points(X)
    if X.shape[1] != 2:
        raise ValueError(f"X has {X.shape[1]} columns; rho of a data set lives in the plane")
    nodes = checks.count(nodes, "nodes", minimum=8)
    levels = checks.count(levels, "levels")
    if nodes % 8:
        raise ValueError(f"nodes is {nodes}; a multiple of 8 is needed, so that the grids meet")
    half = 1.5 * float(np.abs(X - X.mean(axis=0)).max())
    if half == 0:
        raise ValueError("X holds one point only, over and over; points apart are needed")
    eps = 4 * half / nodes if eps is None else checks.positive(eps, "eps")
    fine, coarse = (_on_grids(f, X, half, eps, count, levels) for count in (nodes, nodes // 2))
    return 2 * fine - coarse


def second_differences(z: np.ndarray) -> np.ndarray:
    """Five-point second differences of values on a grid, (n, m) to (n - 2, m - 2).

    On a piecewise linear function they are the mass of its Laplacian in each square.

    Args:
        z: values, shape (n, m).

    Example:
        >>> x = np.arange(5.0)
        >>> second_differences(np.abs(x - 2) + 0 * x[:, None])[0]
        array([0., 2., 0.])
    """
    return z[2:, 1:-1] + z[:-2, 1:-1] + z[1:-1, 2:] + z[1:-1, :-2] - 4 * z[1:-1, 1:-1]


def _on_grids(f: Density, X: np.ndarray, half: float, eps: float, nodes: int, levels: int) -> float:
    """Sum of |second differences| rho_eps over grids whose sides are 2 half, 4 half, 8 half, ..."""
    total = 0.0
    place = (np.arange(-1, nodes + 1) - nodes / 2 + 0.5) * 2 * half / nodes
    inner = slice(nodes // 4, -(nodes // 4))
    for level in range(levels):
        x = X.mean(axis=0) + 2**level * np.stack(np.meshgrid(place, place), axis=-1)
        values = checks.array(f(x.reshape(-1, 2)), "f(x)")
        if values.shape != (len(place) ** 2,):
            raise ValueError(
                f"f returned shape {values.shape} for {len(place) ** 2} places; one value each is needed"
            )
        mass = second_differences(values.reshape(len(place), -1))
        if level > 0:
            mass[inner, inner] = 0.0  # counted on the finer grid
        kept = np.abs(mass) > 1e-12 * np.abs(values).max()
        if kept.any():
            rho = empirical(X, x[1:-1, 1:-1][kept], 2**level * eps)
            total += float(np.abs(mass[kept]) @ rho)
    return total
