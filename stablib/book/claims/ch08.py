"""Claims of chapter 08: what Figures 5 and 8 show, put so that tables of runs can contradict it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...training.table import Table
from .ch07 import _stored, kink, starts
from .registry import Verdict, claim


def by_scale(table: Table) -> Iterator[tuple[float, Table]]:
    """The rows of each scale and start, from the smallest step size to the largest."""
    for scale in np.unique(table["scale"]).tolist():
        for rows in starts(table.where(scale=scale)):
            yield scale, rows


@claim(
    "fig-5a",
    kind="figure",
    says="sharpness below 2/eta and falling with eta; bound and flattest rescaling below it, falling, too",
    where="Fig. 5 (a)",
    cases=lambda: _stored("fig5"),
)
def figure_5a(table: Table) -> Verdict:
    """Order at every step size; and from the smallest step size to the largest, every curve falls.

    "Falls" is held against the whole range: below the kink the curves are flat up to the noise of SGD.
    """

    def margins() -> Iterator[float]:
        for rows in starts(table):
            bound, edge = 1 + 2 * rows["stability_norm"], 2 / rows["step_size"]
            sharpness, flattest = rows["sharpness"], rows["flattest"]
            yield from 1 - sharpness / edge
            yield from 1 + 1e-4 - flattest / sharpness
            yield from 1 - bound / flattest
            yield from (1 - curve[-1] / curve[0] for curve in (sharpness, flattest, bound))

    return Verdict.of(margins())


@claim(
    "fig-5b",
    kind="figure",
    says="the validation error falls with eta",
    where="Fig. 5 (b)",
    cases=lambda: _stored("fig5"),
)
def figure_5b(table: Table) -> Verdict:
    """From each step size to every one beyond the kink at least four times as large, the error falls."""

    def margins() -> Iterator[float]:
        for rows in starts(table):
            eta, error = rows["step_size"], rows["val_error"]
            larger = (eta[None, :] >= 4 * eta[:, None]) & (eta[None, :] > kink(rows))
            for i, j in zip(*np.nonzero(larger), strict=True):
                yield 1 - error[j] / error[i]

    return Verdict.of(margins())


@claim(
    "fig-8",
    kind="figure",
    says="at every scale the sharpness is flat up to eta*, and on the line 2/eta beyond it",
    where="Fig. 8",
    cases=lambda: _stored("fig8"),
)
def figure_8(table: Table) -> Verdict:
    """Within 15 % of the smallest step's below 0.7 eta*; from 1.2 eta* on between 0.75 and 1 times 2/eta."""

    def margins() -> Iterator[float]:
        for _, rows in by_scale(table):
            share = rows["step_size"] / kink(rows)
            flat, edge = share < 0.7, share > 1.2
            yield from 1 - np.abs(rows["sharpness"][flat] / rows["sharpness"][0] - 1) / 0.15
            height = rows["sharpness"][edge] * rows["step_size"][edge] / 2
            yield from np.minimum(1 - 0.75 / height, 1 - height)

    return Verdict.of(margins())


@claim(
    "text-N-standard",
    kind="claim",
    says="from a standard start eta* lies below the standard step size of 0.1",
    where="App. N",
    cases=lambda: _stored("fig8").where(scale=1.0),
)
def standard_start(table: Table) -> Verdict:
    """2 over the small-step sharpness against 0.1, for three starts; the paper says "well before"."""
    return Verdict.of(1 - kink(rows) / 0.1 for rows in starts(table))


@claim(
    "text-N-same",
    kind="claim",
    says="scales 10 and 15 follow the edge as in Sec. 6; scales 1 and 5 have a threshold",
    where="App. N",
    cases=lambda: _stored("fig8"),
)
def same_behaviour(table: Table) -> Verdict:
    """eta* lies inside the range of step sizes at scales 1 and 5, and in its lowest fortieth at 10 and 15."""

    def margins() -> Iterator[float]:
        for scale, rows in by_scale(table):
            eta, critical = rows["step_size"], kink(rows)
            if scale <= 5:
                yield min(1 - critical / eta[-1], 1 - eta[0] / critical)
            else:
                yield 1 - critical / (eta[-1] / 40)

    return Verdict.of(margins())


@claim(
    "text-N-origin",
    kind="claim",
    says="flat minima are concentrated near the origin in parameter space",
    where="App. N",
    cases=lambda: _stored("fig8"),
)
def near_the_origin(table: Table) -> Verdict:
    """Of minima of sharpness below 12 the farthest is at most twice as far out as the nearest, by |W1|."""
    norms = table["weight_norm"][table["sharpness"] < 12]
    return Verdict.of([1 - norms.max() / (2 * norms.min())])


@claim(
    "new-sgd-edge",
    kind="claim",
    says="beyond the kink SGD ends at its own mean-square threshold, whatever the batch size",
    where="new",
    cases=lambda: _stored("fig5_batches"),
)
def own_edge(table: Table) -> Verdict:
    """The step size within 15 % of the exact threshold of the minimum, batches drawn anew, B below n."""
    return Verdict.of(
        1 - abs(row["step_size"] / row["sgd_threshold"] - 1) / 0.15
        for row in table
        if row["sampling"] == "uniform" and row["reason"] == "tolerance" and row["batch_size"] < 512
    )
