"""The chain (23) as a picture: 2/eta, sharpness, flattest rescaling and bound over the step size."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ...training.table import Shown, Table
from . import style


def chain_against_step_size(table: Table) -> Figure:
    """Sharpness, flattest rescaling, bound and 2/eta of every row, over the step size.

    Args:
        table: rows with columns step_size, reason, sharpness, flattest and stability_norm. Minima that
            did not reach the tolerance are drawn hollow.
    """
    figure, axes = style.figure()
    draw_chain(axes, table)
    return figure


def chain_table(table: Table) -> Shown:
    """The chain of every row as numbers, from the bound on the left to 2/eta on the right."""
    kinds = dict.fromkeys(("step size", "1 + 2 norm", "flattest", "sharpness", "2/eta"), float)
    rows = [
        {
            "step size": row["step_size"],
            "1 + 2 norm": 1 + 2 * row["stability_norm"],
            "flattest": row["flattest"],
            "sharpness": row["sharpness"],
            "2/eta": 2 / row["step_size"],
            "loss": row["loss"],
            "validation error in %": 100 * row["val_error"],
        }
        for row in table.by("step_size")
    ]
    chain = Table(rows, kinds | {"loss": float, "validation error in %": float})
    return chain.show(
        **dict.fromkeys(("1 + 2 norm", "flattest", "sharpness"), ".4f"),
        **{"loss": ".1e", "validation error in %": ".2f"},
    )


def slack_table(table: Table) -> Shown:
    """Where the slack of the chain sits: each quantity divided by its left neighbour, row by row."""
    rows = [
        {
            "step size": row["step_size"],
            "own side / bound": (1 + 2 * row["one_sided_norm"]) / (1 + 2 * row["stability_norm"]),
            "flattest / own side": row["flattest"] / (1 + 2 * row["one_sided_norm"]),
            "sharpness / flattest": row["sharpness"] / row["flattest"],
            "2/eta / sharpness": 2 / row["step_size"] / row["sharpness"],
        }
        for row in table.by("step_size")
    ]
    slack = Table(rows, dict.fromkeys(rows[0], float))
    return slack.show(**dict.fromkeys(list(rows[0])[1:], ".3f"))


def draw_chain(axes: Axes, table: Table) -> None:
    """The same, into given axes."""
    table = table.by("step_size")
    eta = table["step_size"]
    lines = [
        (table["sharpness"], "sharpness", style.SHARPNESS, 12),
        (table["flattest"], "flattest", style.FLATTEST, -15),
        (1 + 2 * table["stability_norm"], r"$1+2\,\|f\|_{\mathcal{R},g}$", style.BOUND, 13),
    ]
    fine = np.geomspace(eta.min() / 1.15, eta.max() * 1.15, 100)
    axes.plot(fine, 2 / fine, **style.EDGE)
    converged = table["reason"] == "tolerance"
    top = 0.0
    for values, name, look, shift in lines:
        axes.plot(eta, values, **look)
        axes.plot(
            eta[~converged],
            values[~converged],
            **look | {"linestyle": "", "markerfacecolor": "white"},
        )
        top = max(top, np.nanmax(values))
        style.label_end(axes, eta, values, name, look["color"], at=0, dx=4, dy=shift)
    axes.set_yscale("log")
    axes.set_ylim(0.6 * np.nanmin(lines[-1][0]), 2.2 * top)
    inside = np.flatnonzero(2 / fine < 1.6 * top)
    first = inside[0] if len(inside) else 0
    style.label_end(
        axes, fine, 2 / fine, r"$2/\eta$", style.EDGE["color"], at=int(first), dx=8, dy=4
    )
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylabel("eigenvalue of the Hessian")
    style.step_size_axis(axes, eta)
