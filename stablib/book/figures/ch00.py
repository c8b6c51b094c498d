"""Figures of chapter 00: one network at eight step sizes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import palette
from ...network import ShallowReLU
from ...training.table import Table
from ...weights import EmpiricalWeight
from ..widgets import PictureSlider
from . import style

_REACH = 2.2  # half the side of the square that is shown
_DARKEST = 0.25  # share of the norm that is drawn black; the same in every frame, so ink compares


def step_size_slider(table: Table) -> PictureSlider:
    """A slider over the step sizes of the table, from the smallest to the largest."""
    return PictureSlider(
        lambda eta: predictor_and_edge(table, eta),
        sorted(table["step_size"].tolist()),
        name="step size",
        alt="Left, the creases of the predictor among twelve points; right, its minimum below the line 2/eta",
    )


def predictor_and_edge(table: Table, step_size: float) -> Figure:
    """The predictor found at one step size, and where its minimum stands below the line 2/eta.

    Args:
        table: rows with their networks, columns step_size and sharpness.
        step_size: which row is drawn on the left.
    """
    table = table.by("step_size")
    figure, (left, right) = style.figure(7.0, 3.6, ncols=2)
    chosen = table.where(step_size=step_size)
    net, data = chosen.networks[str(chosen["hash"][0])]
    side = np.linspace(-_REACH, _REACH, 121)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    height = net(grid.reshape(-1, 2)).reshape(121, 121)
    levels = np.linspace(-3, 3, 13)
    left.contourf(side, side, height, levels, cmap="PuOr_r", extend="both", alpha=0.45)
    _creases(left, net, data.X)
    left.scatter(*data.X.T, s=46, zorder=3, **style.DATA)
    left.set(
        aspect="equal",
        xlabel="$x_1$",
        ylabel="$x_2$",
        title=rf"creases of $f$ at $\eta$ = {step_size:g}",
    )
    left.set(xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH), xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    left.grid(False)

    eta, sharpness = table["step_size"], table["sharpness"]
    fine = np.geomspace(eta.min() / 1.2, eta.max() * 1.2, 100)
    right.plot(fine, 2 / fine, **style.EDGE)
    right.plot(eta, sharpness, **style.SHARPNESS | {"marker": ""})
    right.plot(eta, 1 + 2 * table["stability_norm"], **style.BOUND | {"marker": ""})
    for column, look in (
        (chosen["sharpness"], style.SHARPNESS),
        (1 + 2 * chosen["stability_norm"], style.BOUND),
    ):
        right.plot([step_size], column, **look | {"markersize": 11})
    right.set_yscale("log")
    right.set_ylim(1, 3 * sharpness.max())
    ticks = [1, 10, 100]
    right.set_yticks(ticks, [f"{tick}" for tick in ticks])
    style.step_size_axis(right, np.array([0.002, 0.02, 0.2]))
    middle = len(eta) // 2
    style.label_end(
        right,
        eta,
        2 / eta,
        r"stable below $2/\eta$",
        style.EDGE["color"],
        at=middle - 2,
        dx=10,
        dy=6,
    )
    style.label_end(
        right, eta, sharpness, "sharpness", style.SHARPNESS["color"], at=0, dx=0, dy=-20
    )
    style.label_end(
        right,
        eta,
        1 + 2 * table["stability_norm"],
        r"$1+2\,\|f\|_{\mathcal{R},g}$",
        style.BOUND["color"],
        at=0,
        dx=0,
        dy=17,
    )
    return figure


def _creases(axes: Axes, net: ShallowReLU, X: np.ndarray) -> None:
    """The lines where f bends, as dark as their share |a| g(v, b) of the stability norm."""
    form = net.canonical()
    shares = np.abs(form.a) * EmpiricalWeight(X).g(form.v, form.b)
    for v, b, share in zip(form.v, form.b, shares, strict=True):
        along = 9 * np.array([-v[1], v[0]])
        ends = np.array([b * v - along, b * v + along])
        axes.plot(*ends.T, color=palette.INK, linewidth=1.5, alpha=min(1.0, share / _DARKEST))
