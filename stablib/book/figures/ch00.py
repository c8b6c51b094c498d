"""Figures of chapter 00: one network at eight step sizes, and the chain (23) on its minima."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import palette
from ...curvature import sharpness
from ...data import Dataset
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
_TOP = 4.0  # the heights that are shown lie between this and its negative
_NEAR = 1.8  # half the side of the square that the surface stands on
_DULL, _BRIGHT = -0.2, 0.95  # light on the facets, from the darkest to the brightest


def step_size_slider(table: Table) -> PictureSlider:
    """A slider over the step sizes of the table, from the smallest to the largest."""
    return PictureSlider(
        lambda eta: predictor_and_edge(table, eta),
        sorted(table["step_size"].tolist()),
        name="step size",
        between="log",
        alt="Above, the predictor as a surface over twelve points, and its creases seen from above; below, "
        "its minimum against the line 2/eta",
    )


def predictor_and_edge(table: Table, step_size: float) -> Figure:
    """The predictor found at one step size, and where its minimum stands below the line 2/eta.

    Args:
        table: rows with their networks, columns step_size, sharpness and stability_norm.
        step_size: whose predictor is drawn above; one that has no row is trained now.
    """
    table = table.by("step_size")
    figure, axes = style.mosaic(
        "AB;CC",
        6.2,
        6.6,
        height_ratios=[1.1, 1],
        per_subplot_kw={"A": {"projection": "3d"}},
    )
    net, data = _minimum(table, step_size)
    _surface(axes["A"], net, data)
    axes["A"].set_title(rf"$f$ at $\eta$ = {step_size:g}")

    side = np.linspace(-_REACH, _REACH, 91)
    height = _heights(net, side)
    axes["B"].contourf(
        side, side, height, np.linspace(-_TOP, _TOP, 13), cmap="PuOr_r", extend="both", alpha=0.45
    )
    _creases(axes["B"], net, data.X)
    axes["B"].scatter(*data.X.T, s=46, zorder=3, **style.DATA)
    axes["B"].set(aspect="equal", xlabel="$x_1$", title="its creases")
    axes["B"].set_ylabel("$x_2$", labelpad=-6)
    axes["B"].set(
        xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH), xticks=[-2, 0, 2], yticks=[-2, 0, 2]
    )
    axes["B"].grid(False)
    _edge(axes["C"], table)
    for value, look in (
        (sharpness(net, data.X, data.y), style.SHARPNESS),
        (1 + 2 * stability_norm(net, data.X), style.BOUND),
    ):
        axes["C"].plot([step_size], [value], **look | {"markersize": 12})
    return figure


def _minimum(table: Table, step_size: float) -> StoredNetwork:
    row = table.where(step_size=step_size)
    if len(row):
        return row.networks[str(row["hash"][0])]
    run = replace(specs.OVERVIEW.runs[0], step_size=step_size)
    return StoredNetwork(run.train().net, run.datasets()[0])


def _heights(net: ShallowReLU, side: np.ndarray) -> np.ndarray:
    """Values of f on the square grid of a side, (m, m)."""
    plane = np.stack(np.meshgrid(side, side), axis=-1)
    return net(plane.reshape(-1, 2)).reshape(len(side), len(side))


def _surface(axes: Any, net: ShallowReLU, data: Dataset) -> None:
    """The predictor over the data as a surface lit from the side, so that every facet has its own grey."""
    side = np.linspace(-_NEAR, _NEAR, 101)
    height = _heights(net, side)
    slope_y, slope_x = np.gradient(height, side, side)
    facing = (0.6 - 0.35 * slope_x + 0.35 * slope_y) / np.sqrt(1 + slope_x**2 + slope_y**2)
    colors = plt.get_cmap("bone")(0.3 + 0.6 * (facing - _DULL) / (_BRIGHT - _DULL))
    axes.computed_zorder = False
    axes.plot_surface(
        *np.meshgrid(side, side), height, rcount=101, ccount=101, facecolors=colors,
        linewidth=0, antialiased=False, shade=False,
    )  # fmt: skip
    axes.scatter(*data.X.T, data.y, depthshade=False, s=34, zorder=5, **style.DATA)
    axes.set(zlim=(-_TOP, _TOP), xticks=[-1, 0, 1], yticks=[-1, 0, 1], zticks=[-4, 0, 4])
    axes.tick_params(labelsize=10, pad=-1)
    axes.view_init(38, -60)
    axes.set_box_aspect((4, 4, 3), zoom=1.12)


def _edge(axes: Axes, table: Table) -> None:
    """Sharpness and bound over the step size, and where the flat branch ends."""
    eta, sharp = table["step_size"], table["sharpness"]
    bound = 1 + 2 * table["stability_norm"]
    fine = np.geomspace(eta.min() / 1.2, eta.max() * 1.2, 100)
    axes.fill_between(fine, 2 / fine, 1e4, color=style.EDGE["color"], alpha=0.08, linewidth=0)
    axes.plot(fine, 2 / fine, **style.EDGE)
    axes.plot(eta, sharp, **style.SHARPNESS | {"marker": ""})
    axes.plot(eta, bound, **style.BOUND | {"marker": ""})
    kink = 2 / sharp[0]
    axes.axvline(kink, color=style.QUIET, linestyle=":", linewidth=1.6)
    axes.text(kink * 1.04, 1.25, r"$\eta^*$", color=style.QUIET, fontsize=15)
    axes.set_yscale("log")
    axes.set(ylim=(1, 3 * sharp.max()), xlim=(fine[0], fine[-1]), ylabel="sharpness")
    ticks = [1, 10, 100]
    axes.set_yticks(ticks, [f"{tick}" for tick in ticks])
    style.step_size_axis(axes, np.array([0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2]))
    last, middle = len(eta) - 1, len(eta) // 2
    for values, at, name, look, dx, dy in (
        (2 / eta, middle, r"$2/\eta$, unstable above it", style.EDGE, -18, 30),
        (sharp, 0, "sharpness", style.SHARPNESS, 0, -18),
        (bound, 0, r"$1+2\,\|f\|_{\mathcal{R},g}$", style.BOUND, 0, 16),
    ):
        style.label_end(axes, eta, values, name, look["color"], at=min(at, last), dx=dx, dy=dy)


def _creases(axes: Axes, net: ShallowReLU, X: np.ndarray) -> None:
    """The lines where f bends, as dark as their share |a| g(v, b) of the stability norm."""
    form = net.canonical()
    shares = np.abs(form.a) * EmpiricalWeight(X).g(form.v, form.b)
    for v, b, share in zip(form.v, form.b, shares, strict=True):
        along = 9 * np.array([-v[1], v[0]])
        ends = np.array([b * v - along, b * v + along])
        axes.plot(*ends.T, color=palette.INK, linewidth=1.5, alpha=min(1.0, share / _DARKEST))


def chain_in_rows(table: Table) -> Figure:
    """The chain (23) of every minimum, one row each: bound, flattest rescaling, sharpness, 2/eta.

    Args:
        table: rows with columns step_size, stability_norm, flattest and sharpness.
    """
    table = table.by("step_size")
    links = (
        (1 + 2 * table["stability_norm"], r"$1+2\,\|f\|_{\mathcal{R},g}$", style.BOUND),
        (table["flattest"], r"$\;\min\lambda_{\max}$", style.FLATTEST),
        (table["sharpness"], r"$\lambda_{\max}$", style.SHARPNESS),
        (2 / table["step_size"], r"$2/\eta$", style.EDGE | {"marker": "|", "markeredgewidth": 3}),
    )
    rows = np.arange(len(table))
    figure, axes = style.figure(6.2, 4.8)
    axes.hlines(rows, links[0][0], links[-1][0], color=palette.FAINT, linewidth=2.0, zorder=1)
    for values, name, look in links:
        size = 15 if look["marker"] == "|" else 9
        axes.plot(values, rows, **look | {"linestyle": "", "markersize": size})
        first = values is links[0][0]
        _above(
            axes,
            values[0],
            name,
            look["color"],
            dx=16 if first else 0,
            ha="right" if first else "center",
        )
    for (left, *_), (right, *_), reason in zip(
        links[:-1], links[1:], ("Lemma 3", "same $f$, rescaled", "stable"), strict=True
    ):
        between = np.sqrt(left[0] * right[0])
        _above(axes, between, r"$\leq$", palette.INK)
        _above(axes, between, reason, style.QUIET, dy=-13, size=10.5)
    axes.set_xscale("log")
    axes.set(xlim=(1, 1.6 * links[-1][0].max()), ylim=(len(rows) - 0.5, -1.1))
    axes.set_yticks(rows, [f"{eta:g}" for eta in table["step_size"]])
    axes.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
    axes.minorticks_off()
    axes.set(xlabel="eigenvalue of the Hessian", ylabel=r"step size $\eta$")
    axes.grid(axis="y", visible=False)
    return figure


def _above(
    axes: Axes, x: float, text: str, color: str, dy: float = 17, size: float = 14, **options: Any
) -> None:
    """Words above (or below) the first row of the chain."""
    axes.annotate(
        text, (x, 0), xytext=(options.pop("dx", 0), dy), textcoords="offset points", color=color,
        fontsize=size, va="center", **{"ha": "center"} | options,
    )  # fmt: skip


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
