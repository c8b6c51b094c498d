"""Figures of chapter 08: MNIST, 0 against 1."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ...data import Dataset
from ...training.grids import Sweep
from ...training.table import Table
from ..widgets import PictureSlider
from . import style
from .chain import chain_against_step_size, chain_table, draw_chain, slack_table

__all__ = [
    "batches",
    "chain_against_step_size",
    "chain_table",
    "digits",
    "features",
    "initialisations",
    "scales",
    "slack_table",
    "splits",
    "validation_error",
]


def digits(data: Dataset, count: int = 8) -> Figure:
    """Some of the images, zeros above ones."""
    figure, axes = style.figure(6.0, 1.7, nrows=2, ncols=count)
    for row, label in zip(axes, (1, -1), strict=True):
        for ax, image in zip(row, data.X[data.y == label], strict=False):
            ax.imshow(image.reshape(28, 28), cmap="gray_r", vmin=0, vmax=1)
            ax.set_axis_off()
    return figure


def validation_error(table: Table) -> Figure:
    """Share of the validation images on the wrong side of 0, over the step size."""
    figure, axes = style.figure(6.0, 3.4)
    error = 100 * table["val_error"]
    style.draw_band(axes, table["step_size"], error, style.OTHER)
    axes.set_ylim(0, 1.15 * np.nanmax(error))
    axes.set_ylabel("validation error in %")
    style.step_size_axis(axes, table["step_size"])
    return figure


def scales(table: Table) -> Figure:
    """The chain for each initialisation scale, with eta* where 2/eta meets the flat branch."""
    every = np.unique(table["scale"])
    figure, axes = style.figure(7.4, 6.4, nrows=2, ncols=2, sharex=True)
    for ax, scale in zip(axes.flat, every, strict=True):
        rows = table.where(scale=float(scale)).by("step_size")
        draw_chain(ax, rows, names=scale == every[0])
        smallest = rows["step_size"] == rows["step_size"].min()
        ax.axvline(2 / np.median(rows["sharpness"][smallest]), color=style.QUIET, linestyle=":")
        ax.set_title(f"scale {scale:g}")
        ax.set_ylabel("")
        ax.set_xlabel("")
        ax.set_xticks([0.001, 0.01, 0.1], ["0.001", "0.01", "0.1"])
    figure.supxlabel(r"step size $\eta$", fontsize=13)
    return figure


def batches(table: Table) -> Figure:
    """Two edges over the batch size: sharpness against 2/eta, and eta against SGD's own threshold."""
    figure, axes = style.figure(7.2, 3.4, ncols=2, sharey=True)
    looks = {0.005: style.FLATTEST, 0.02: style.SHARPNESS, 0.1: style.BOUND}
    shown = (
        (lambda t: t["sharpness"] * t["step_size"] / 2, r"sharpness / $(2/\eta)$"),
        (lambda t: t["step_size"] / t["sgd_threshold"], r"$\eta$ / SGD's own threshold"),
    )
    good = [row for row in table if row["reason"] == "tolerance" and row["sampling"] == "uniform"]
    rows = Table(good, table.kinds)
    for ax, (values, title) in zip(axes, shown, strict=True):
        for step_size, look in looks.items():
            own = rows.where(step_size=step_size).by("batch_size")
            ax.plot(own["batch_size"], values(own), **look, label=rf"$\eta = {step_size:g}$")
        ax.axhline(1, color=style.EDGE["color"])
        ax.set_title(title)
        ax.set_xscale("log", base=2)
        ax.set_xticks([1, 4, 16, 64], ["1", "4", "16", "64"])
        ax.minorticks_off()
        ax.set(xlabel="batch size", ylim=(0, 1.15))
    axes[1].legend(loc="lower right")
    return figure


def splits(table: Table, early: Table) -> Figure:
    """Error, loss and margin of ten splits over the step size, and of one small step stopped early."""
    figure, axes = style.figure(7.6, 3.2, ncols=3)
    factors = {"val_error": 100.0, "val_loss": 1.0, "val_margin": 1.0}
    titles = ("error in %", "loss", "margin")
    places = {0.1: 0.00008, 0.01: 0.00014, 0.001: 0.00024, 0.0001: 0.0004}
    for ax, (name, factor), title in zip(axes, factors.items(), titles, strict=True):
        for split in np.unique(table["data_seed"]).tolist():
            rows = table.where(data_seed=split).by("step_size")
            ax.plot(rows["step_size"], factor * rows[name], color=style.OTHER["color"], alpha=0.6)
        for tol, place in places.items():
            value = factor * early.where(tol=tol)[name]
            ax.plot(np.full(len(value), place), value, ".", color=style.EDGE["color"], alpha=0.7)
        ax.set(title=title, xscale="log", xlabel="step size")
        if name != "val_margin":
            ax.set_ylim(bottom=0)
        ax.set_xticks(
            [*list(places.values())[::3], 0.002, 0.02, 0.2],
            ["$10^{-1}$", "$10^{-4}$", ".002", ".02", ".2"],
            fontsize=10,
        )
        ax.minorticks_off()
    return figure


def features(sweep: Sweep, table: Table) -> PictureSlider:
    """What training has added to the weights of ten neurons, and how often neurons fire, for each step size.

    Args:
        sweep: the runs of the table, which know their starts.
        table: rows with their networks.
    """
    runs = {run.hash: run for run in sweep.runs}
    found = {
        row["step_size"]: (runs[row["hash"]], *table.networks[row["hash"]])
        for row in table
        if row["hash"] in table.networks
    }

    def picture(step_size: float) -> Figure:
        run, net, data = found[step_size]
        added = net.W1 - run.start(net.d).W1
        figure, axes = style.figure(7.0, 3.6, nrows=2, ncols=6)
        for ax, i in zip(axes[:, :5].flat, np.argsort(-np.abs(net.w2)), strict=False):
            top = np.abs(added[i]).max()
            image = np.sign(net.w2[i]) * added[i].reshape(28, 28)
            ax.imshow(image, cmap="PuOr_r", vmin=-top, vmax=top)
            ax.set_title(f"{top:.1e}", fontsize=10)
            ax.set_axis_off()
        for ax in axes[:, 5]:
            ax.remove()
        wide = figure.add_subplot(axes[0, 0].get_gridspec()[:, 5])
        share = (net.preactivations(data.X) > 0).mean(axis=0)
        look = {"color": style.FLATTEST["color"], "orientation": "horizontal"}
        wide.hist(share, bins=np.linspace(0, 1, 11), **look)
        wide.set(ylim=(0, 1), xlim=(0, 140), title="fires on")
        return figure

    return PictureSlider(
        picture,
        sorted(found),
        name="step size",
        alt="What training added to ten first-layer neurons, as images, and how often neurons fire",
    )


def initialisations(table: Table) -> Figure:
    """Dead neurons and final loss of a few initialisations, side by side.

    Args:
        table: rows with columns scheme, scale, warmup, step_size, dead, loss.
    """
    figure, (left, right) = style.figure(6.8, 0.5 * len(table) + 1.2, ncols=2, sharey=True)
    names = [
        f"{row['scheme']} x {row['scale']:g}, " + ("warm-up" if row["warmup"] else "no warm-up")
        for row in table
    ]
    place = np.arange(len(table))[::-1]
    reached = table["loss"] < 1e-8
    colours = np.where(reached, style.FLATTEST["color"], style.EDGE["color"])
    left.barh(place, np.nan_to_num(table["dead"]), color=colours, height=0.6)
    left.set(xlabel="dead neurons of 200", xlim=(0, 200))
    left.set_yticks(place, names)
    right.barh(place, np.log10(table["loss"]) + 13, left=-13, color=colours, height=0.6)
    for y, reason in zip(place, table["reason"], strict=True):
        if reason == "diverged":
            right.text(-12.7, y, "diverged", color=style.EDGE["color"], va="center")
    right.axvline(-8, color=style.QUIET, linewidth=1.2, linestyle=":")
    right.set(xlabel="loss at the end", xlim=(-13, -1))
    right.set_xticks([-12, -8, -4], ["$10^{-12}$", "$10^{-8}$", "$10^{-4}$"])
    for ax in (left, right):
        ax.grid(axis="y", visible=False)
    return figure
