"""Figures of chapter 07: gradient descent on synthetic data."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ...network import ShallowReLU
from ...training.table import StoredNetwork, Table
from .. import trajectories
from ..widgets import PictureSlider
from . import style
from .chain import chain_against_step_size, chain_table, slack_table

__all__ = [
    "along_the_edge",
    "bias_norms",
    "chain_against_step_size",
    "chain_table",
    "edges",
    "kinks",
    "level_sets",
    "slack_table",
    "smoothness",
    "surfaces",
]

SCALES = {
    1.0: style.OTHER,
    3.0: style.FLATTEST,
    10.0: style.SHARPNESS,
    5.0: style.FLATTEST,
    15.0: style.BOUND,
}


def bias_norms(table: Table) -> Figure:
    """What may be meant by the size of the biases, over the step size; initial values dashed where known."""
    figure, axes = style.figure(7.4, 2.9, ncols=3)
    shown = (
        ("bias_norm", r"$|b^{(1)}|$, raw", style.SHARPNESS),
        ("bias_norm_balanced", r"$|b^{(1)}|$, balanced", style.FLATTEST),
        ("offset_median", "median distance from 0", style.BOUND),
    )
    for ax, (name, title, look) in zip(axes, shown, strict=True):
        style.draw_band(ax, table["step_size"], table[name], look)
        ax.set_title(title)
        ax.set_ylim(0, 1.1 * np.nanmax(table[name]))
        style.step_size_axis(ax, table["step_size"])
        ax.set_xticks([0.005, 0.02, 0.1, 0.4], ["0.005", "0.02", "0.1", "0.4"])
    axes[0].axhline(np.median(table["bias_norm_init"]), color=style.QUIET, linestyle=":")
    return figure


def edges(table: Table) -> Figure:
    """Sharpness times eta/2 for every scale, without and with warm-up; what did not converge stands above."""
    figure, axes = style.figure(7.2, 3.6, ncols=2, sharey=True)
    for ax, warmup, title in zip(axes, (0, 2_000), ("no warm-up", "warm-up"), strict=True):
        part = table.where(warmup=warmup)
        for scale in np.unique(part["scale"]):
            rows = part.where(scale=float(scale))
            good = rows["reason"] == "tolerance"
            look = SCALES[float(scale)]
            eta, value = rows["step_size"], rows["sharpness"] * rows["step_size"] / 2
            style.draw_band(ax, eta[good], value[good], look | {"label": f"scale {scale:g}"})
            place = 1.13 + 0.05 * np.log10(scale)
            for reason, marker in (("stuck", "$s$"), ("diverged", "x"), ("max_steps", "|")):
                ended = np.unique(eta[rows["reason"] == reason])
                at = np.full(len(ended), place)
                ax.plot(ended, at, color=look["color"], marker=marker, linestyle="", markersize=7)
        ax.axhline(1, color=style.EDGE["color"], linewidth=1.8)
        ax.set_title(title)
        style.step_size_axis(ax, part["step_size"])
        ax.set_xticks([0.005, 0.02, 0.1, 0.4], ["0.005", "0.02", "0.1", "0.4"])
        ax.set_ylim(0, 1.25)
    axes[0].set_ylabel(r"sharpness $\times\ \eta/2$")
    axes[1].legend(loc="lower right")
    return figure


def kinks(table: Table) -> Figure:
    """Bracketed against predicted critical step sizes; on the diagonal the prediction is right."""
    figure, axes = style.figure(5.2, 4.2)
    predicted = table["predicted"]
    ends = np.array([predicted.min() / 1.6, predicted.max() * 1.6])
    axes.plot(ends, ends, color=style.QUIET, linewidth=1.2, linestyle=":")
    for scale in np.unique(table["scale"]):
        rows = table.where(scale=float(scale))
        middle = np.sqrt(rows["low"] * rows["high"])
        bars = np.array([middle - rows["low"], rows["high"] - middle])
        look = SCALES[float(scale)]
        axes.errorbar(
            rows["predicted"], middle, bars, linestyle="", marker=look["marker"], color=look["color"],
            label=f"scale {scale:g}", capsize=4,
        )  # fmt: skip
    axes.set(
        xscale="log",
        yscale="log",
        xlabel=r"predicted: 2 / small-step sharpness",
        ylabel=r"bracketed $\eta^*$",
        xlim=ends,
        ylim=ends,
    )
    axes.legend()
    return figure


def along_the_edge(path: trajectories.Path, X: np.ndarray, step_size: float) -> PictureSlider:
    """Training to scrub through: loss and sharpness, and where each neuron's hyperplane lies.

    Args:
        path: a trajectory with its networks.
        X: data points, shape (n, d).
        step_size: eta, after warm-up.
    """
    reach = np.linalg.norm(path.nets[-1].ridges().b, np.inf) * 1.05
    slopes = 1.1 * max(np.abs(net.ridges().a).max() for net in path.nets)
    share = [(net.preactivations(X) > 0).mean(axis=0) for net in path.nets]

    def picture(step: int) -> Figure:
        at = int(np.flatnonzero(path.step == step)[0])
        figure, (left, right) = style.figure(7.2, 3.4, ncols=2)
        left.plot(path.step, path.sharpness, color=style.SHARPNESS["color"], linewidth=2)
        left.plot(step, path.sharpness[at], **style.SHARPNESS | {"markersize": 10})
        left.axhline(2 / step_size, color=style.EDGE["color"])
        left.set(yscale="log", xlabel="step", ylabel="sharpness")
        left.set_title(f"loss {path.loss[at]:.1e}")
        a, _, b = path.nets[at].ridges()
        dots = right.scatter(
            np.abs(b), np.abs(a), c=share[at], cmap="viridis", vmin=0, vmax=1, edgecolors="white"
        )
        right.set(xlim=(0, reach), ylim=(0, slopes), xlabel="distance of the hyperplane from 0")
        right.set_ylabel(r"$|a_i|$")
        figure.colorbar(dots, ax=right, label="share of points it fires on")
        return figure

    return PictureSlider(
        picture,
        path.step.tolist(),
        name="step",
        form="{:d}",
        alt="Sharpness during training, and every neuron by slope and by distance from the origin",
    )


def level_sets(table: Table) -> Figure:
    """The predictors of one start from above, a panel for each step size."""
    found = _networks(table)
    figure, axes = style.figure(7.2, 5.0, nrows=2, ncols=3, sharex=True, sharey=True)
    data = found[0][1].data
    reach = 1.15 * np.abs(data.X).max()
    grid = np.linspace(-reach, reach, 121)
    levels = np.linspace(-4, 4, 17)
    for ax, (step_size, (net, _)) in zip(axes.flat, found, strict=True):
        _, heights = _heights(net, grid)
        ax.contourf(grid, grid, heights, levels, cmap="PuOr", extend="both")
        ax.contour(grid, grid, heights, levels, colors="black", linewidths=0.3)
        ax.scatter(*data.X.T, c=data.y, cmap="PuOr", vmin=-4, vmax=4, edgecolors="black", s=28)
        ax.set_title(rf"$\eta = {step_size:g}$")
        ax.set_aspect("equal")
        ax.grid(False)
    return figure


def surfaces(table: Table) -> Figure:
    """The predictors of the smallest and of the largest step size as surfaces over the plane."""
    found = _networks(table)
    figure, axes = style.figure(7.4, 3.6, ncols=2, subplot_kw={"projection": "3d"})
    for ax, (step_size, (net, data)) in zip(axes, (found[0], found[-1]), strict=True):
        reach = 1.1 * np.abs(data.X).max()
        grid = np.linspace(-reach, reach, 61)
        points, heights = _heights(net, grid)
        ax.plot_surface(
            *np.moveaxis(points, -1, 0), heights, cmap="viridis", alpha=0.75, linewidth=0
        )
        ax.scatter(*data.X.T, data.y, color=style.DATA["color"], depthshade=False, s=25)
        ax.set(zlim=(-8, 8), title=rf"$\eta = {step_size:g}$")
        ax.tick_params(labelsize=8)
    return figure


def smoothness(table: Table, controls: Table) -> Figure:
    """Norm and integral of the absolute Laplacian over the sharpness: large steps beside the controls."""
    figure, axes = style.figure(7.2, 3.6, ncols=2)
    kinds = (
        (table, style.SHARPNESS | {"linestyle": ""}, "one start, larger steps"),
        (controls.where(variant=""), style.OTHER | {"linestyle": ""}, "smaller starts, small step"),
        (
            controls.where(step_size=0.4),
            style.BOUND | {"linestyle": ""},
            "small step, then large",
        ),
    )
    for ax, name, title in zip(
        axes,
        ("stability_norm", "laplacian"),
        ("stability norm", r"$\int|\Delta f|$ over the disc"),
        strict=True,
    ):
        for rows, look, label in kinds:
            ax.plot(rows["sharpness"], rows[name], **look, label=label, alpha=0.8)
        ax.set(xscale="log", xlabel="sharpness", title=title)
        ax.set_ylim(bottom=0)
    axes[1].legend(fontsize=10, loc="lower right")
    return figure


def _networks(table: Table) -> list[tuple[float, StoredNetwork]]:
    """The stored networks by step size, from the smallest."""
    kept = table.networks
    return sorted((row["step_size"], kept[row["hash"]]) for row in table if row["hash"] in kept)


def _heights(net: ShallowReLU, grid: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The points of a square grid, (m, m, 2), and the network's values there, (m, m)."""
    points = np.stack(np.meshgrid(grid, grid), -1)
    return points, net(points.reshape(-1, 2)).reshape(points.shape[:2])
