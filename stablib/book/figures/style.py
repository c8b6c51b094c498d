"""One look for every figure: sizes that read on a phone, and one colour per quantity, book-wide."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import palette
from ..pictures import DPI, Picture

# Colour, dash and marker of each quantity, the same on every page; told apart without colour, too.
EDGE = {"color": palette.EDGE, "linestyle": "-", "linewidth": 1.8}
SHARPNESS = {"color": palette.SHARPNESS, "linestyle": "--", "marker": "o", "linewidth": 2.2}
FLATTEST = {"color": palette.FLATTEST, "linestyle": "-", "marker": "s", "linewidth": 2.2}
BOUND = {"color": palette.BOUND, "linestyle": "-", "marker": "^", "linewidth": 2.2}
DATA = {"color": palette.EDGE, "edgecolor": "white", "linewidth": 0.8}
OTHER = {"color": palette.OTHER, "linestyle": "-", "marker": "D", "linewidth": 2.2}
QUIET = palette.QUIET

_STYLE = {
    "font.size": 13,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 13,
    "axes.labelcolor": palette.TEXT,
    "axes.grid": True,
    "axes.grid.which": "major",
    "grid.color": palette.GRID,
    "grid.linewidth": 0.8,
    "lines.markersize": 6,
    "legend.frameon": False,
    "legend.fontsize": 12,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "figure.facecolor": palette.PAPER,
    "mathtext.fontset": "cm",
    "svg.hashsalt": "stablib",
}


def figure(width: float = 6.0, height: float = 4.0, **grid: object) -> tuple[Figure, Axes]:
    """A pyplot figure with its axes, in the book's style.

    Args:
        width: in inches; a page shows 6 at full size, and a phone half as large.
        height: in inches.
        grid: what `plt.subplots` takes, such as ncols or subplot_kw.
    """
    with plt.rc_context(_STYLE):
        return plt.subplots(
            figsize=(width, height), layout="constrained", FigureClass=Picture, **grid
        )


def mosaic(
    layout: str, width: float, height: float, **options: Any
) -> tuple[Figure, dict[str, Axes]]:
    """A figure whose axes are named by letters, in the book's style.

    Args:
        layout: rows of letters, such as "AB;CC": A beside B, and C below both.
        width: in inches.
        height: in inches.
        options: what `plt.subplot_mosaic` takes, such as per_subplot_kw.
    """
    with plt.rc_context(_STYLE):
        options = {"layout": "constrained", "FigureClass": Picture} | options
        return plt.subplot_mosaic(layout, figsize=(width, height), **options)


def label_end(
    axes: Axes, x: np.ndarray, y: np.ndarray, text: str, color: str, at: int = -1, **offset: float
) -> None:
    """Write a line's name beside one of its points instead of into a box.

    Args:
        axes: where the line is drawn.
        x: its abscissas, shape (m,).
        y: its ordinates, shape (m,).
        text: its name.
        color: its colour.
        at: index of the point.
        offset: dx and dy in points.
    """
    axes.annotate(
        text,
        (x[at], y[at]),
        xytext=(offset.get("dx", 8), offset.get("dy", 0)),
        textcoords="offset points",
        color=color,
        fontsize=13,
        va="center",
        annotation_clip=False,
    )


def draw_band(axes: Axes, x: np.ndarray, values: np.ndarray, look: Mapping[str, Any]) -> np.ndarray:
    """Medians of values with equal abscissa as a line, in a band from the least to the greatest.

    Args:
        axes: where it is drawn.
        x: abscissas, shape (m,), each as often as there are values.
        values: shape (m,); NaN is passed over.
        look: of the line, as for `plot`.

    Returns:
        The medians, in the order of the distinct abscissas.
    """
    places = np.unique(x)
    groups = [values[(x == place) & np.isfinite(values)] for place in places]
    low, middle, high = (
        np.array([float(f(group)) if len(group) else np.nan for group in groups])
        for f in (np.min, np.median, np.max)
    )
    axes.fill_between(places, low, high, color=look["color"], alpha=0.18, linewidth=0)
    axes.plot(places, middle, **look)
    return middle


def step_size_axis(axes: Axes, step_sizes: np.ndarray) -> None:
    """A logarithmic axis of step sizes with a tick at some of those that were run.

    Args:
        axes: whose abscissa it is.
        step_sizes: eta of the runs, shape (m,).
    """
    axes.set_xscale("log")
    chosen = [e for e in sorted(set(step_sizes)) if f"{e:.1e}".startswith(("1.0", "2.0", "5.0"))]
    if len(chosen) > 8:  # names would run into each other
        chosen = [e for e in chosen if f"{e:.1e}".startswith("1.0")]
    axes.set_xticks(chosen, [f"{eta:g}" for eta in chosen])
    axes.minorticks_off()
    axes.set_xlabel(r"step size $\eta$")
