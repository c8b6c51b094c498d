"""Claims of chapter 08: what Figure 5 shows, put so that a table of runs can contradict it."""

from __future__ import annotations

import numpy as np

from ...training.table import Table
from .registry import Verdict, claim


def _fig5() -> Table:
    from ...training import sweep
    from .. import specs

    return sweep(specs.FIG5, progress=False)


@claim(
    "fig-5a",
    kind="figure",
    says="sharpness below 2/eta and falling with eta; bound and flattest rescaling below it, falling, too",
    where="Fig. 5 (a)",
    cases=_fig5,
)
def figure_5a(table: Table) -> Verdict:
    """Order at every step size; and from the smallest step size to the largest, every curve falls.

    "Falls" is held against the whole range: below the kink the curves are flat up to the noise of SGD.
    """
    table = table.by("step_size")
    bound = 1 + 2 * table["stability_norm"]
    sharpness, flattest, edge = table["sharpness"], table["flattest"], 2 / table["step_size"]
    order = np.concatenate(
        [1 - sharpness / edge, 1 + 1e-4 - flattest / sharpness, 1 - bound / flattest]
    )
    falls = [1 - curve[-1] / curve[0] for curve in (sharpness, flattest, bound)]
    return Verdict.of([*order, *falls])


@claim(
    "fig-5b",
    kind="figure",
    says="the validation error falls with eta",
    where="Fig. 5 (b)",
    cases=_fig5,
)
def figure_5b(table: Table) -> Verdict:
    """From each step size to every one at least four times as large, the error falls (relative drop)."""
    table = table.by("step_size")
    eta, error = table["step_size"], table["val_error"]
    return Verdict.of(
        1 - error[j] / error[i]
        for i in range(len(eta))
        for j in range(len(eta))
        if eta[j] >= 4 * eta[i]
    )
