"""Claims of chapter 07: what Figures 1 and 4 show, put so that tables of runs can contradict it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...network import ShallowReLU
from ...training.table import Table
from .registry import Verdict, claim


def _stored(name: str) -> Table:
    from ...training import sweep
    from .. import tables

    return sweep(tables.named(name), progress=False)


def figure_4_rows() -> Table:
    """The paper's row of the table: scale 10, with warm-up; three starts on two data sets."""
    return _stored("fig4").where(scale=10.0, warmup=2_000)


def starts(table: Table) -> Iterator[Table]:
    """The rows of each start on each data set, from the smallest step size to the largest."""
    for data_seed in np.unique(table["data_seed"]).tolist():
        for seed in np.unique(table["seed"]).tolist():
            yield table.where(data_seed=data_seed, seed=seed).by("step_size")


def kink(table: Table) -> float:
    """eta*, predicted from the run with the smallest step size: 2 over its sharpness."""
    return float(2 / table.by("step_size")["sharpness"][0])


def beyond_the_kink(rows: Table) -> Table:
    """The rows of one start whose step size is above eta*."""
    critical = kink(rows)
    return Table([row for row in rows if row["step_size"] > critical], rows.kinds)


def falls(eta: np.ndarray, values: np.ndarray, factor: float) -> Iterator[float]:
    """Relative drops from each step size to every one that is `factor` times as large, or larger."""
    for i, j in zip(*np.nonzero(eta[None, :] >= factor * eta[:, None]), strict=True):
        yield 1 - values[j] / values[i]


@claim(
    "fig-1",
    kind="figure",
    says="the larger the step size, the smoother the predictor of two variables",
    where="Fig. 1",
    cases=lambda: _stored("fig1"),
)
def figure_1(table: Table) -> Verdict:
    """Norm and integral of the absolute Laplacian over the disc of the data fall over every factor of 6."""

    def margins() -> Iterator[float]:
        for rows in starts(table):
            for name in ("stability_norm", "laplacian"):
                yield from falls(rows["step_size"], rows[name], 6)

    return Verdict.of(margins())


@claim(
    "fig-4a",
    kind="figure",
    says="sharpness at 2/eta; flattest rescaling and bound below it, close to each other; all fall with eta",
    where="Fig. 4 (a)",
    cases=figure_4_rows,
)
def figure_4a(table: Table) -> Verdict:
    """Beyond the kink: sharpness within 10 % of 2/eta; the order; each curve falls over a factor of 3.

    "Close to each other": the flattest rescaling is at most twice the bound.
    """

    def margins() -> Iterator[float]:
        for rows in map(beyond_the_kink, starts(table)):
            eta, sharpness, flattest = rows["step_size"], rows["sharpness"], rows["flattest"]
            bound = 1 + 2 * rows["stability_norm"]
            yield from 1 - np.abs(1 - sharpness * eta / 2) / 0.1
            yield from 1 + 1e-4 - flattest / sharpness
            yield from 1 - bound / flattest
            yield from 2 - flattest / bound
            for curve in (sharpness, flattest, bound):
                yield from falls(eta, curve, 3)

    return Verdict.of(margins())


@claim(
    "fig-4b",
    kind="figure",
    says="the norm of the bias vector grows with the step size",
    where="Fig. 4 (b)",
    cases=figure_4_rows,
)
def figure_4b(table: Table) -> Verdict:
    """Beyond the kink |b1| grows over every factor of 3 of the step size."""

    def margins() -> Iterator[float]:
        for rows in map(beyond_the_kink, starts(table)):
            # What grows is what falls turned over.
            yield from falls(rows["step_size"], 1 / rows["bias_norm"], 3)

    return Verdict.of(margins())


@claim(
    "text-6-eos",
    kind="claim",
    says="gradient descent converges at the edge of stability: sharpness and 2/eta coincide",
    where="Sec. 6",
    cases=lambda: _stored("fig4"),
)
def edge_of_stability(table: Table) -> Verdict:
    """Within 10 %, at every step size; the corrected form asks it of step sizes beyond eta*, with warm-up."""
    printed, corrected = [], []
    worst: tuple[float, str] = (np.inf, "")
    for scale in np.unique(table["scale"]).tolist():
        for warmup in np.unique(table["warmup"]).tolist():
            for rows in starts(table.where(scale=scale, warmup=warmup)):
                critical = kink(rows)
                for row in rows:
                    if row["reason"] != "tolerance":
                        continue
                    margin = 1 - abs(1 - row["sharpness"] * row["step_size"] / 2) / 0.1
                    printed.append(margin)
                    worst = min(worst, (margin, f"scale {scale:g}, step size {row['step_size']:g}"))
                    if warmup and row["step_size"] > 1.05 * critical:
                        corrected.append(margin)
    return Verdict.corrected(printed, corrected, f"{worst[1]}, far below eta*")


@claim(
    "text-6-tight",
    kind="claim",
    says="the bound is quite tight",
    where="Sec. 6",
    cases=figure_4_rows,
)
def tight(table: Table) -> Verdict:
    """The flattest rescaling is at most twice the bound, at every step size."""
    ratio = table["flattest"] / (1 + 2 * table["stability_norm"])
    return Verdict.of(1 - (ratio - 1))


@claim(
    "text-A-dinh",
    kind="claim",
    says="the sharpness can be quite larger than that of a rescaling of the same function",
    where="App. A",
    cases=figure_4_rows,
)
def far_flatter(table: Table) -> Verdict:
    """At the first step size beyond the kink a rescaling is at most half as sharp, at every start."""

    def margins() -> Iterator[float]:
        for rows in starts(table):
            first = next(iter(beyond_the_kink(rows)))
            yield 1 - 2 * first["flattest"] / first["sharpness"]

    return Verdict.of(margins())


@claim(
    "text-A-loss",
    kind="claim",
    says="whenever training converged, the loss converged to 0",
    where="App. A",
    cases=lambda: _stored("fig4"),
)
def converges_to_zero(table: Table) -> Verdict:
    """No run ends stuck at a positive loss; the corrected form asks it of runs with warm-up."""

    def margins(rows: Table) -> Iterator[float]:
        for row in rows:
            if row["reason"] != "diverged":
                yield 1 - row["loss"] / 1e-8 if row["reason"] == "tolerance" else -row["loss"]

    stuck = max(
        (row for row in table if row["reason"] == "stuck"),
        key=lambda row: row["loss"],
        default=None,
    )
    if stuck is None:
        return Verdict.of(margins(table))
    return Verdict.corrected(
        margins(table),
        margins(table.where(warmup=2_000)),
        f"scale {stuck['scale']:g}, step size {stuck['step_size']:g}, no warm-up: stuck at a loss of "
        f"{stuck['loss']:.2g} with {stuck['dead']} dead neurons",
    )


@claim(
    "text-B-barrett",
    kind="claim",
    says="the modified loss adds a term that grows linearly with eta and vanishes at stationary points",
    where="App. B",
    cases=lambda: list(figure_4_rows().networks.values()),
)
def modified_loss(networks: list[tuple[ShallowReLU, tuple[np.ndarray, np.ndarray]]]) -> Verdict:
    """The term is eta |grad L|^2 / 4. At interpolation |grad L|^2 <= 2 sharpness L, so it vanishes with L."""
    from ...curvature import sharpness, tangent_features

    def margins() -> Iterator[float]:
        for net, (X, y) in networks:
            residual = net(X) - y
            gradient = tangent_features(net, X) @ residual / len(y)
            loss = residual @ residual / (2 * len(y))
            yield 1 - gradient @ gradient / (2 * sharpness(net, X) * loss) + 1e-12

    return Verdict.of(margins())


@claim(
    "new-eta-star",
    kind="claim",
    says="the kink sits at eta* = 2 / (sharpness of the small-step minimum)",
    where="beyond the paper",
    cases=lambda: _eta_star(),
)
def kink_is_predicted(table: Table) -> Verdict:
    """The bracket of gradient descent within 5 % of the prediction; of SGD between 0.75 and 1.1 of it."""

    def margins() -> Iterator[float]:
        for row in table:
            low, high = row["low"] / row["predicted"], row["high"] / row["predicted"]
            if row["experiment"] == "fig4":
                yield 1 - abs(low - 1) / 0.05
                yield 1 - abs(high - 1) / 0.05
            else:
                yield 1 - 0.75 / low
                yield 1 - high / 1.1

    return Verdict.of(margins())


def _eta_star() -> Table:
    from ..kinks import eta_star

    return eta_star(progress=False)
