"""Figures of chapter 01: gradient descent at the edge of stability, and on a parabola."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from ... import palette
from ..trajectories import Path
from . import style
from .ch01_notions import difference_slider, rates, step_size_slider
from .ch01_practice import (
    late_decay,
    leaving_the_flow,
    sides_table,
    threshold_against_batch,
    what_remains,
)

__all__ = [
    "difference_slider",
    "edge_of_stability",
    "late_decay",
    "leaving_the_flow",
    "on_a_parabola",
    "rates",
    "sides_table",
    "step_size_slider",
    "threshold_against_batch",
    "what_remains",
]

INK = palette.INK


def edge_of_stability(paths: Mapping[float, Path]) -> Figure:
    """Loss and sharpness along two runs of gradient descent, with the line 2/eta where it is near.

    Args:
        paths: runs from one start by their step size, the smaller one first.
    """
    figure, (top, bottom) = style.figure(6.2, 5.4, nrows=2, sharex=True)
    peak = max(path.sharpness.max() for path in paths.values())
    lines = zip(paths.items(), (style.OTHER["color"], style.SHARPNESS["color"]), strict=True)
    for (step_size, path), color in lines:
        name = rf"$\eta = {step_size:g}$"
        look = {"color": color, "linewidth": 2.2}
        if 2 / step_size < 1.5 * peak:
            bottom.axhline(2 / step_size, **style.EDGE)
            bottom.text(
                path.step[-1], 1.02 * 2 / step_size, rf"$2/\eta$ for {name}", color=style.EDGE["color"],
                ha="right", va="bottom", fontsize=13,
            )  # fmt: skip
        top.semilogy(path.step, path.loss, **look)
        bottom.plot(path.step, path.sharpness, **look)
        smallest = step_size == min(paths)
        # Above the upper curve of a pair and below the lower one there is room for its name.
        beyond = path.sharpness[-1] > 2 / step_size or smallest
        for axes, values, dy in (
            (top, path.loss, 14 if smallest else -16),
            (bottom, path.sharpness, 12 if beyond else -16),
        ):
            at = 2 * len(path.step) // 3
            style.label_end(
                axes, path.step, values, name, color, at=at, dx=0 if dy > 0 else -50, dy=dy
            )
    top.set_ylabel("loss")
    bottom.set(ylabel="sharpness", xlabel="step", ylim=(0, 1.15 * peak), xlim=(0, path.step[-1]))
    return figure


def on_a_parabola(products: tuple[float, ...] = (0.5, 1.9, 2.1), steps: int = 8) -> Figure:
    """Gradient descent on a parabola for some values of step size times curvature.

    Args:
        products: eta times lambda, one panel each.
        steps: how many are drawn.
    """
    figure, panels = style.figure(7.0, 2.9, ncols=len(products), sharey=True)
    side = np.linspace(-2.4, 2.4, 101)
    for axes, product in zip(panels, products, strict=True):
        axes.plot(side, side**2 / 2, color=style.QUIET, linewidth=2.0)
        theta = (1 - product) ** np.arange(steps + 1.0)
        axes.plot(theta, theta**2 / 2, "o-", color=INK, linewidth=1.0, markersize=5)
        axes.plot([1], [0.5], "o", markersize=11, markerfacecolor="none", color=INK)
        axes.set(xlim=(-2.4, 2.4), ylim=(-0.2, 2.6), xlabel=r"$\theta - \theta^*$")
        axes.set_title(rf"$\eta\lambda = {product:g}$")
        axes.set(xticks=[-2, 0, 2], yticks=[])
    return figure
