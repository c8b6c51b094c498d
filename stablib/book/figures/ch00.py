"""Figures of chapter 00: one network at eight step sizes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import palette
from ...curvature import sharpness
from ...network import ShallowReLU
from ...norms import stability_norm
from ...training.table import StoredNetwork, Table
from ...weights import EmpiricalWeight
from .. import specs
from ..trajectories import descent_path
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
        between="log",
        alt="Left, the creases of the predictor among twelve points; right, its minimum below the line 2/eta",
    )


def predictor_and_edge(table: Table, step_size: float) -> Figure:
    """The predictor found at one step size, and where its minimum stands below the line 2/eta.

    Args:
        table: rows with their networks, columns step_size and sharpness.
        step_size: which row is drawn on the left; one that has no row is trained now.
    """
    table = table.by("step_size")
    net, data = _minimum(table, step_size)
    figure, (left, right) = style.figure(7.0, 3.6, ncols=2)
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

    eta, sharp = table["step_size"], table["sharpness"]
    fine = np.geomspace(eta.min() / 1.2, eta.max() * 1.2, 100)
    right.plot(fine, 2 / fine, **style.EDGE)
    right.plot(eta, sharp, **style.SHARPNESS | {"marker": ""})
    right.plot(eta, 1 + 2 * table["stability_norm"], **style.BOUND | {"marker": ""})
    for value, look in (
        (sharpness(net, data.X, data.y), style.SHARPNESS),
        (1 + 2 * stability_norm(net, data.X), style.BOUND),
    ):
        right.plot([step_size], [value], **look | {"markersize": 11})
    right.set_yscale("log")
    right.set_ylim(1, 3 * sharp.max())
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
    style.label_end(right, eta, sharp, "sharpness", style.SHARPNESS["color"], at=0, dx=0, dy=-20)
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


def _minimum(table: Table, step_size: float) -> StoredNetwork:
    row = table.where(step_size=step_size)
    if len(row):
        return row.networks[str(row["hash"][0])]
    run = replace(specs.OVERVIEW.runs[0], step_size=step_size)
    return StoredNetwork(run.train().net, run.datasets()[0])


def _creases(axes: Axes, net: ShallowReLU, X: np.ndarray) -> None:
    """The lines where f bends, as dark as their share |a| g(v, b) of the stability norm."""
    form = net.canonical()
    shares = np.abs(form.a) * EmpiricalWeight(X).g(form.v, form.b)
    for v, b, share in zip(form.v, form.b, shares, strict=True):
        along = 9 * np.array([-v[1], v[0]])
        ends = np.array([b * v - along, b * v + along])
        axes.plot(*ends.T, color=palette.INK, linewidth=1.5, alpha=min(1.0, share / _DARKEST))


def playground_still() -> Figure:
    """What the playground shows after 2,500 steps on eight labels of a step, drawn beforehand.

    Readers without scripts, of the PDF and of the notebook see it in the playground's place.
    """
    X = np.array([-1.2, -0.8, -0.4, -0.1, 0.1, 0.4, 0.8, 1.2])[:, None]
    y, eta = 0.8 * np.sign(X[:, 0]), 0.2
    start = ShallowReLU.initial(d=1, k=20, seed=6)
    path = descent_path(start, X, y, eta, steps=2500, every=50, warmup=500)
    net, weight = path.nets[-1], EmpiricalWeight(X)
    figure, axes = style.figure(7.0, 4.2, nrows=2, ncols=2, height_ratios=[1.6, 1])
    (fit, curves), (costs, losses) = axes
    x = np.linspace(-1.6, 1.6, 401)
    fit.plot(x, net(x[:, None]), color=style.FLATTEST["color"], linewidth=2.5)
    fit.scatter(X[:, 0], y, s=46, zorder=3, **style.DATA)
    fit.set(xlim=(-1.6, 1.6), ylim=(-1.3, 1.3), ylabel="$f(x)$", title="labels and predictor")
    form = net.canonical()
    dear = np.abs(form.a) * weight.g(form.v, form.b)
    costs.vlines(form.v[:, 0] * form.b, 0, dear, color=style.BOUND["color"], linewidth=2.5)
    costs.set(xlim=(-1.6, 1.6), xlabel="$x$", ylabel="cost of\nits knots")
    costs.set_ylim(bottom=0)
    bound = np.array([1 + 2 * stability_norm(n, X) for n in path.nets])
    for values, look, name in (
        (path.sharpness, style.SHARPNESS, "sharpness"),
        (bound, style.BOUND, "1 + 2 norm"),
    ):
        curves.plot(path.step, values, **look | {"marker": ""})
        style.label_end(curves, path.step, values, name, look["color"], at=16, dx=8, dy=-10)
    curves.axhline(2 / eta, **style.EDGE)
    curves.text(
        path.step[0], 2.2 / eta, r"the line $2/\eta$", color=style.EDGE["color"], fontsize=13
    )
    curves.set(yscale="log", ylim=(0.9, 20), yticks=[1, 2, 5, 10], yticklabels=[1, 2, 5, 10])
    curves.set_title("sharpness and its lower bound")
    curves.minorticks_off()
    losses.semilogy(path.step, path.loss, color=style.FLATTEST["color"], linewidth=2.2)
    losses.set(xlabel="steps", ylabel="loss", yticks=[1e-6, 1e-4, 1e-2])
    losses.minorticks_off()
    return figure
