"""The chain (23) as a picture: 2/eta, sharpness, flattest rescaling and bound over the step size."""

from __future__ import annotations

from collections.abc import Callable

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


def medians(table: Table, **columns: Callable[[Table], np.ndarray]) -> Shown:
    """Medians over the seeds, one row a step size, of quantities that are computed from the columns."""
    eta = table["step_size"]
    rows = []
    for step_size in sorted(set(eta)):
        here = {name: values(table)[eta == step_size] for name, values in columns.items()}
        rows.append(
            {"step size": step_size}
            | {name: float(np.median(values)) for name, values in here.items()}
        )
    return Table(rows, dict.fromkeys(rows[0], float)).show(
        **dict.fromkeys(columns, ".3f") | {n: ".1e" for n in columns if n == "loss"}
    )


def chain_table(table: Table) -> Shown:
    """The chain as numbers, from the bound on the left to 2/eta on the right; medians over the seeds."""
    extra: dict[str, Callable[[Table], np.ndarray]] = {"loss": lambda t: t["loss"]}
    if np.isfinite(table["val_error"]).any():
        extra["validation error in %"] = lambda t: 100 * t["val_error"]
    return medians(
        table,
        **{
            "1 + 2 norm": lambda t: 1 + 2 * t["stability_norm"],
            "any width": lambda t: t["implementation_free"],
            "flattest": lambda t: t["flattest"],
            "sharpness": lambda t: t["sharpness"],
            "2/eta": lambda t: 2 / t["step_size"],
        },
        **extra,
    )


def slack_table(table: Table) -> Shown:
    """Where the slack of the chain sits: quotients of neighbours, medians over the seeds."""

    def own(t: Table) -> np.ndarray:
        return 1 + 2 * t["one_sided_norm"]

    return medians(
        table,
        **{
            "own side / bound": lambda t: own(t) / (1 + 2 * t["stability_norm"]),
            "flattest / own side": lambda t: t["flattest"] / own(t),
            "sharpness / flattest": lambda t: t["sharpness"] / t["flattest"],
            "2/eta / sharpness": lambda t: 2 / t["step_size"] / t["sharpness"],
            "any width / bound": lambda t: t["implementation_free"] / (1 + 2 * t["stability_norm"]),
        },
    )


def draw_chain(axes: Axes, table: Table, *, names: bool = True) -> None:
    """The same, into given axes: medians over the seeds in bands from the least to the greatest."""
    table = table.by("step_size")
    eta = np.unique(table["step_size"])
    bound = 1 + 2 * table["stability_norm"]
    first = table["step_size"] == eta[0]
    start = [float(np.nanmedian(v[first])) for v in (table["sharpness"], table["flattest"], bound)]
    # Names stand where there is room: the flattest rescaling is near the one curve or near the other.
    low = start[1] ** 2 < start[0] * start[2]
    lines = [
        (table["sharpness"], "sharpness", style.SHARPNESS, -15 if low else 12),
        (table["flattest"], "flattest", style.FLATTEST, 13 if low else -15),
        (bound, r"$1+2\,\|f\|_{\mathcal{R},g}$", style.BOUND, -15 if low else 13),
    ]
    fine = np.geomspace(eta.min() / 1.15, eta.max() * 1.15, 100)
    axes.plot(fine, 2 / fine, **style.EDGE)
    converged = np.array(
        [(table["reason"][table["step_size"] == e] == "tolerance").all() for e in eta]
    )
    top = 0.0
    for values, name, look, shift in lines:
        middle = style.draw_band(axes, table["step_size"], values, look)
        hollow = look | {"linestyle": "", "markerfacecolor": "white"}
        axes.plot(eta[~converged], middle[~converged], **hollow)
        top = max(top, np.nanmax(middle))
        if names:
            style.label_end(axes, eta, middle, name, look["color"], at=0, dx=4, dy=shift)
    axes.set_yscale("log")
    axes.set_ylim(0.6 * np.nanmin(lines[-1][0]), 2.2 * top)
    inside = np.flatnonzero(2 / fine < 1.6 * top)
    place = inside[0] if len(inside) else 0
    if names:
        style.label_end(
            axes, fine, 2 / fine, r"$2/\eta$", style.EDGE["color"], at=int(place), dx=8, dy=4
        )
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylabel("eigenvalue of the Hessian")
    style.step_size_axis(axes, eta)
