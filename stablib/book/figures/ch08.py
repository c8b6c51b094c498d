"""Figures of chapter 08: MNIST, 0 against 1."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ...data import Dataset
from ...training.table import Table
from . import style
from .chain import chain_against_step_size, chain_table, slack_table

__all__ = [
    "chain_against_step_size",
    "chain_table",
    "digits",
    "initialisations",
    "slack_table",
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
    table = table.by("step_size")
    figure, axes = style.figure(6.0, 3.4)
    eta, error = table["step_size"], 100 * table["val_error"]
    axes.plot(eta, error, **style.OTHER)
    axes.set_ylim(0, 1.15 * np.nanmax(error))
    axes.set_ylabel("validation error in %")
    style.step_size_axis(axes, eta)
    return figure


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
