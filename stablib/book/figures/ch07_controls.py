"""Figures and tables of chapter 07's controls: biases, labels, stopping, decay, width."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ...training.table import Shown, Table
from . import style

_LOOKS = (style.SHARPNESS, style.FLATTEST, style.BOUND, style.OTHER, style.EDGE | {"marker": "v"})


def grouped(table: Table, *by: str, **columns: str) -> Shown:
    """Medians over the seeds, one row for each combination of some columns, with how the runs ended.

    Args:
        table: the rows.
        by: the columns that tell rows apart.
        columns: names of further columns, each with the format of its numbers.
    """
    keys = list(zip(*(table[name].tolist() for name in by), strict=True))
    rows = []
    for key in sorted(set(keys)):
        own = table.where(**dict(zip(by, key, strict=True)))
        ended = [f"{sum(own['reason'] == why)} {why}" for why in sorted(set(own["reason"]))]
        cells = {name: own[name][np.isfinite(own[name])] for name in columns}
        middle = {n: float(np.median(v)) if len(v) else None for n, v in cells.items()}
        rows.append(dict(zip(by, key, strict=True)) | {"ended": ", ".join(ended)} | middle)
    kinds = {name: table.kinds[name] for name in by} | {"ended": str}
    return Table(rows, kinds | dict.fromkeys(columns, float)).show(**columns)


def biases(table: Table) -> Figure:
    """Stability norm and median offset over the step size: biases free, starting at zero, and frozen."""
    figure, axes = style.figure(7.2, 3.4, ncols=2)
    names = {"": "free", "biases zero": "start at 0", "biases frozen": "frozen"}
    for ax, column, title in zip(
        axes, ("stability_norm", "offset_median"), ("stability norm", "median offset"), strict=True
    ):
        for (variant, label), look in zip(names.items(), _LOOKS, strict=False):
            rows = table.where(variant=variant, scale=10.0)
            style.draw_band(ax, rows["step_size"], rows[column], look | {"label": label})
        ax.set_title(title)
        ax.set_ylim(bottom=0)
        style.step_size_axis(ax, table["step_size"])
    axes[1].legend(loc="upper left")
    return figure


def labels(table: Table) -> Figure:
    """Bound and flattest rescaling over the step size for five kinds of labels, three starts each."""
    figure, axes = style.figure(7.2, 3.4, ncols=2, sharey=True)
    names = {
        "": "noise",
        "labels 1": "other noise",
        "labels 2": "other noise",
        "targets teacher": "a teacher",
        "labels x 3": "noise x 3",
    }
    shown = (
        (lambda t: 1 + 2 * t["stability_norm"], r"$1 + 2\,\|f\|_{\mathcal{R},g}$"),
        (lambda t: t["flattest"], "flattest rescaling"),
    )
    for ax, (values, title) in zip(axes, shown, strict=True):
        for (variant, label), look in zip(names.items(), _LOOKS, strict=True):
            rows = table.where(variant=variant)
            style.draw_band(ax, rows["step_size"], values(rows), look | {"label": label})
        ax.set_title(title)
        ax.set_yscale("log")
        style.step_size_axis(ax, table["step_size"])
    axes[0].legend(loc="upper right", fontsize=10)
    return figure
