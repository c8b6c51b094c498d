"""Test functions at a corner: bounded among the lines, unbounded against creases that end there."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import checks
from .polygon import Roof, Segments
from .primal import line_integrals
from .quadrature import gauss


def harmonic_spike(points: Any, corner: Any, eps: Any, reach: float = 0.2) -> np.ndarray:
    """A third harmonic over the distance to a corner, cos(3 phi) / r, smooth at eps and cut off at `reach`.

    With (X, Y) = x - corner turned so that phi = 0 points away from the origin it is
    (X^3 - 3 X Y^2) / (r^2 + eps^2)^2 exp(-r^2 / reach^2). Untruncated, the integral of cos(3 phi) / r over
    any line is at most pi in size; along a ray from the corner it is infinite.

    Args:
        points: places, shape (m, 2).
        corner: the place it is about, shape (2,), not the origin.
        eps: distance below which it is smooth.
        reach: distance at which it ends.

    Raises:
        ValueError: if shapes do not fit, the corner is the origin, or a length is not positive.

    Example:
        >>> harmonic_spike([[1.01, 0.0], [0.99, 0.0]], [1.0, 0.0], 1e-4).round(2)
        array([ 99.73, -99.73])

    Source: ours; it takes the place of the test functions of Appendix M, which are not Radon transforms.
    """
    x, corner = checks.points(points, "points"), checks.array(corner, "corner")
    if corner.shape != (2,) or x.shape[1] != 2:
        raise ValueError(
            f"points has shape {x.shape} and corner {corner.shape}; (m, 2) and (2,) are needed"
        )
    eps, reach = checks.positive(eps, "eps"), checks.positive(reach, "reach")
    size = float(np.hypot(*corner))
    if size == 0:
        raise ValueError("corner is the origin; no direction points away from it")
    out = corner / size
    # Quotients before powers, so that none overflows.
    with np.errstate(over="ignore"):  # many reaches away is as good as infinitely many
        r = np.hypot(*(x - corner).T)
        end = np.exp(-((r / reach) ** 2))
        size = np.hypot(r, eps)
        unit = (x - corner) / size[:, None]
    X, Y = unit @ out, unit @ np.array([-out[1], out[0]])
    return X * (X**2 - 3 * Y**2) / size * end


def crease_pairing(creases: Segments, corner: Any, eps: Any, reach: float = 0.2) -> float:
    """Integral of the spike over creases, each with its jump.

    Args:
        creases: segments with their jumps.
        corner: of the spike.
        eps: distance below which it is smooth.
        reach: distance at which it ends.

    Returns:
        The pairing of the Laplacian with the spike. Where m creases leave the corner at angles phi_i it grows
        like sum c_i cos(3 phi_i) log(1/eps).

    Raises:
        ValueError: as for `harmonic_spike`.

    Example:
        >>> diamond = Roof([[1, 0], [0, 1], [-1, 0], [0, -1]])
        >>> values = [crease_pairing(diamond.creases(), [1.0, 0.0], eps) for eps in (1e-5, 1e-6)]
        >>> round(float((values[1] - values[0]) / np.log(10)), 4)
        4.0
    """
    corner = checks.array(corner, "corner")
    total = 0.0
    node, weight = gauss(20)
    for start, end, c in zip(*creases, strict=True):
        for near, far in ((start, (start + end) / 2), (end, (start + end) / 2)):
            # Panels that double away from the end: the spike varies like 1 / distance.
            length = float(np.linalg.norm(far - near))
            finest = min(checks.positive(eps, "eps") / 4, length / 2)
            count = int(np.ceil(np.log2(length / finest)))
            breaks = np.concatenate([[0.0], length * 2.0 ** -np.arange(count, -1, -1.0)])
            middle, half = (breaks[1:] + breaks[:-1]) / 2, np.diff(breaks) / 2
            t = (middle[:, None] + half[:, None] * node).ravel()
            x = near + t[:, None] * (far - near) / length
            values = harmonic_spike(x, corner, eps, reach)
            total += c * float(values @ (half[:, None] * weight).ravel())
    return float(total)


def spike_height(corner: Any, eps: Any, reach: float = 0.2, *, angles: int = 24) -> float:
    """The largest line integral of the spike in size, over lines through and near the corner.

    Args:
        corner: of the spike.
        eps: distance below which it is smooth.
        reach: distance at which it ends.
        angles: of the lines looked at, in the half circle.

    Returns:
        The largest found, over offsets from the corner up to `reach`; it tends to pi as eps tends to 0.

    Raises:
        ValueError: as for `harmonic_spike`.

    Example:
        >>> spike_height([1.0, 0.0], 1e-3) < np.pi
        True
    """
    corner = checks.array(corner, "corner")
    eps = checks.positive(eps, "eps")
    turn = np.pi * np.arange(checks.count(angles, "angles")) / angles
    offset = np.concatenate([[0.0], np.geomspace(eps / 10, reach, 40)])
    offset = np.concatenate([-offset[::-1], offset])
    v = np.column_stack([np.cos(turn), np.sin(turn)])
    V, B = np.repeat(v, len(offset), axis=0), np.tile(offset, len(v))

    # Nodes dense at the corner: measured in units of eps, the line begins at its foot.
    def spike(x: np.ndarray) -> np.ndarray:
        return eps * harmonic_spike(corner + eps * x, corner, eps, reach)

    far = 6 * reach / eps
    values = line_integrals(spike, V, B / eps, reach=far, nodes=40 * int(np.log2(far) + 2))
    return float(np.abs(values).max())


def corner_rate(roof: Roof, index: int) -> float:
    """Growth of the pairing per unit of log(1/eps), at a vertex of a roof: the sum of c cos(3 phi).

    Args:
        roof: the roof.
        index: of the vertex.

    Example:
        >>> round(corner_rate(Roof([[1, 0], [0, 1], [-1, 0], [0, -1]]), 0), 12)
        4.0
    """
    z = roof.vertices[index]
    start, end, c = roof.creases()
    total = 0.0
    for near, far in ((start, end), (end, start)):
        here = np.linalg.norm(near - z, axis=1) < 1e-12
        direction = far[here] - near[here]
        phi = np.arctan2(direction[:, 1], direction[:, 0]) - np.arctan2(z[1], z[0])
        total += float(c[here] @ np.cos(3 * phi))
    return total
