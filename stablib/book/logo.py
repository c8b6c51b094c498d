"""The logo: the strip of all lines, lit by the price g of three points, whose waves cross like a braid.

A line {x : v.x = b} is a point of the strip: across, the angle of v from 0 to 180 degrees; upwards, the
offset b. The lines through a data point are a wave. `python -m stablib.book.logo` writes `assets/logo.svg`
and `assets/favicon.svg`.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from contourpy import contour_generator

from .. import palette
from ..weights import EmpiricalWeight
from .environment import ROOT

POINTS = np.array([[1.0, 0.15], [-0.55, 0.85], [-0.4, -0.8]])
REACH = 1.12  # offset at the upper edge
WORDS = "Three waves cross over a bright ridge: the lines through three points, and the price g of all lines"
_NODES = 301


def logo() -> str:
    """The logo as SVG text, 96 by 64."""
    night, dusk, _, dawn = palette.BOUND_SHADES
    bands = [(0.25, dusk), (0.5, dawn), (0.78, palette.AMBER)]
    return _svg(96, 64, night, bands, corner=8, line=2.0)


def favicon() -> str:
    """The same, square, with fewer bands and stronger waves: it is seen at 16 pixels."""
    night, _, dusk, _ = palette.BOUND_SHADES
    return _svg(64, 64, night, [(0.3, dusk), (0.7, palette.AMBER)], corner=12, line=3.4)


def _svg(
    width: int,
    height: int,
    ground: str,
    bands: Sequence[tuple[float, str]],
    *,
    corner: float,
    line: float,
) -> str:
    angle, offset = np.linspace(0, np.pi, _NODES), np.linspace(-REACH, REACH, _NODES)
    v = np.stack([np.cos(angle), np.sin(angle)], axis=1)  # (nodes, 2)
    weight = EmpiricalWeight(POINTS)
    g = np.stack([weight.g(direction, offset) for direction in v], axis=1)  # (offsets, angles)

    def placed(curve: np.ndarray) -> np.ndarray:
        return np.stack(
            [curve[:, 0] / np.pi * width, (1 - curve[:, 1] / REACH) * height / 2], axis=1
        )

    box = f'width="{width}" height="{height}" rx="{corner}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" '
        f'aria-label="{WORDS}">',
        f'<clipPath id="tile"><rect {box}/></clipPath>',
        '<g clip-path="url(#tile)">',
        f'<rect {box} fill="{ground}"/>',
    ]
    # A column without height at either end closes the curves there.
    across = np.concatenate([[-0.01], angle, [np.pi + 0.01]])
    heights = np.pad(g / g.max(), ((0, 0), (1, 1)))
    for level, shade in bands:
        curves = contour_generator(across, offset, heights).lines(level)
        path = "".join(f"{_path(placed(curve)[:-1])}Z" for curve in curves)
        parts.append(f'<path fill="{shade}" d="{path}"/>')
    beyond = np.linspace(-0.1, np.pi + 0.1, _NODES)  # so that a wave leaves the tile at full width
    waves = "".join(
        _path(placed(np.stack([beyond, x[0] * np.cos(beyond) + x[1] * np.sin(beyond)], axis=1)))
        for x in POINTS
    )
    parts.append(f'<path fill="none" stroke="{palette.PAPER}" stroke-width="{line}" d="{waves}"/>')
    return "\n".join([*parts, "</g>", "</svg>", ""])


def _path(curve: np.ndarray, slack: float = 0.06) -> str:
    kept = _thinned(curve, slack).round(1)
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in kept)


def _thinned(curve: np.ndarray, slack: float) -> np.ndarray:
    """Leave out corners that lie within the slack of a chord (Ramer, Douglas and Peucker)."""
    along, away = curve[-1] - curve[0], curve - curve[0]
    length = np.hypot(*along)
    far = np.abs(away @ [-along[1], along[0]]) / length if length > 1e-9 else np.hypot(*away.T)
    worst = int(np.argmax(far))
    if far[worst] <= slack:
        return curve[[0, -1]]
    return np.concatenate(
        [_thinned(curve[: worst + 1], slack)[:-1], _thinned(curve[worst:], slack)]
    )


def write(folder: Path = ROOT / "assets") -> None:
    """Write both files.

    Args:
        folder: where they go.
    """
    for name, text in (("logo.svg", logo()), ("favicon.svg", favicon())):
        (folder / name).write_text(text, "utf-8", newline="\n")


if __name__ == "__main__":
    write()
