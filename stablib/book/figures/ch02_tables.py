"""Tables of chapter 02: both ends of the sharpness, and how far the flattest rescaling is above the bound."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ...curvature import tangent_gram, top_eigenpair
from ...training.table import Shown, Table
from ..claims.cases import Case

_ENDS = ("|E phi|^2", "sharpness", "E |phi|^2")


def two_ends(networks: Iterable[Case]) -> Table:
    """Both ends of the sharpness: square of the mean and mean of the square of the tangent features.

    Args:
        networks: cases; the networks are taken to interpolate.
    """
    rows = []
    for case in networks:
        gram = tangent_gram(case.net, case.X)
        n = len(gram)
        value, u = top_eigenpair(gram / n)
        rows.append(
            {
                "network": case.name,
                "|E phi|^2": gram.sum() / n**2,
                "sharpness": value,
                "E |phi|^2": np.trace(gram) / n,
                "alignment": abs(u.sum()) / n**0.5,
            }
        )
    return Table(rows, dict.fromkeys(rows[0], float) | {"network": str})


def two_ends_table(ends: Table) -> Shown:
    """The table of `two_ends`, for a page."""
    return ends.show(**dict.fromkeys(_ENDS, ".4f"), alignment=".3f")


def tightness(table: Table) -> Table:
    """How far the flattest rescaling is above the bound, row by row of a sweep.

    Args:
        table: rows with columns step_size, sharpness, flattest and stability_norm.
    """
    rows = [
        {
            "step size": row["step_size"],
            "sharpness / (2/eta)": row["sharpness"] * row["step_size"] / 2,
            "(flattest - 1) / 2 norm": (row["flattest"] - 1) / (2 * row["stability_norm"]),
        }
        for row in table.by("step_size")
    ]
    return Table(rows, dict.fromkeys(rows[0], float))


def tightness_table(ratios: Table) -> Shown:
    """The table of `tightness`, for a page."""
    return ratios.show(**{name: ".3f" for name in ratios.kinds if name != "step size"})
