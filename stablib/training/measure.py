"""Everything that a table says about the network where training ended, one column a line."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from ..curvature import sharpness, tangent_gram
from ..data import Dataset
from ..flattest import Flattest, flattest_implementation
from ..network import ShallowReLU
from ..norms import one_sided_norm, parametric_stability_norm, r_norm, stability_norm


class Minimum:
    """A trained network with its data and its start; what several columns need is computed once.

    Args:
        run: the spec, which knows its data sets and its start.
        stored: parameters W1, b1, w2, b2 and data X, y, as they are stored.
        steps: gradient steps taken.
        reason: why training ended.
    """

    def __init__(self, run: Any, stored: dict[str, np.ndarray], steps: int, reason: str) -> None:
        self.run, self.steps, self.reason = run, steps, reason
        self.net = ShallowReLU(*(stored[name] for name in ("W1", "b1", "w2", "b2")))
        self.train = Dataset(stored["X"], stored["y"])
        self.X, self.y = self.train

    @cached_property
    def validation(self) -> Dataset | None:
        """Points that were not trained on, if the data set has some."""
        return self.run.datasets()[1]

    @cached_property
    def start(self) -> ShallowReLU:
        """The network from which training started."""
        return self.run.start(self.net.d)

    @cached_property
    def gram(self) -> np.ndarray:
        """Phi' Phi, shape (n, n)."""
        return tangent_gram(self.net, self.X)

    @cached_property
    def active(self) -> np.ndarray:
        """Which point makes which neuron fire, shape (n, k)."""
        return self.net.preactivations(self.X) > 0

    @cached_property
    def flattest(self) -> Flattest | None:
        """The flattest rescaling; it takes interpolation for granted, so a stuck run has none."""
        return None if self.reason == "stuck" else flattest_implementation(self.net, self.X)

    @cached_property
    def kernel_change(self) -> float:
        """|Phi'Phi - its initial value| / |its initial value|, Frobenius norms."""
        initial = tangent_gram(self.start, self.X)
        return float(np.linalg.norm(self.gram - initial) / np.linalg.norm(initial))

    def error(self, data: Dataset | None) -> float | None:
        """Share of points on the wrong side of 0; None where labels are no classes."""
        if data is None or not (np.abs(data.y) == 1).all():
            return None
        return float(np.mean(np.where(self.net(data.X) > 0, 1, -1) != data.y))

    def loss(self, data: Dataset | None) -> float | None:
        """(1/2n) sum (f(x_j) - y_j)^2."""
        return None if data is None else float(np.mean((self.net(data.X) - data.y) ** 2) / 2)


class Column(NamedTuple):
    """A column: its name, the type of its cells, how a cell is computed, and what it means."""

    name: str
    kind: type
    value: Callable[[Minimum], Any]
    means: str


# A new column is one line here. Rows whose networks are at hand are completed without training.
COLUMNS: tuple[Column, ...] = (
    Column("loss", float, lambda m: m.loss(m.train), "(1/2n) sum of squared residuals"),
    Column("steps", int, lambda m: m.steps, "gradient steps taken"),
    Column(
        "reason",
        str,
        lambda m: m.reason,
        "why training ended: tolerance, max_steps, stuck or diverged",
    ),
    Column(
        "sharpness",
        float,
        lambda m: sharpness(m.net, m.X, m.y),
        "top eigenvalue of the full Hessian",
    ),
    Column("trace", float, lambda m: np.trace(m.gram) / len(m.X), "trace of the Hessian"),
    Column(
        "flattest",
        float,
        lambda m: m.flattest and m.flattest.sharpness,
        "least sharpness over rescalings, taking interpolation for granted (empty if stuck)",
    ),
    Column(
        "flattest_lower",
        float,
        lambda m: m.flattest and m.flattest.lower_bound,
        "what no rescaling can go below (empty if stuck)",
    ),
    Column(
        "stability_norm", float, lambda m: stability_norm(m.net, m.X), "norm of f with weight g"
    ),
    Column(
        "one_sided_norm",
        float,
        lambda m: one_sided_norm(m.net, m.X),
        "the same, each neuron's own side",
    ),
    Column(
        "parametric_stability_norm",
        float,
        lambda m: parametric_stability_norm(m.net, m.X),
        "sum over neurons, hyperplanes not merged",
    ),
    Column("r_norm", float, lambda m: r_norm(m.net), "the same with weight 1"),
    Column("bias_norm", float, lambda m: np.linalg.norm(m.net.b1), "|b1|"),
    Column("bias_norm_init", float, lambda m: np.linalg.norm(m.start.b1), "|b1| before training"),
    Column(
        "offset_median",
        float,
        lambda m: np.median(np.abs(m.net.ridges().b)) if m.net.W1.any() else None,
        "median over neurons of |b1_i| / |W1_i|",
    ),
    Column("weight_norm", float, lambda m: np.linalg.norm(m.net.W1), "|W1|, Frobenius"),
    Column(
        "activity_mean",
        float,
        lambda m: m.active.mean(),
        "share of (neuron, point) pairs that fire",
    ),
    Column(
        "kernel_change",
        float,
        lambda m: m.kernel_change,
        "relative change of the tangent Gram matrix",
    ),
    Column(
        "dead",
        int,
        lambda m: np.sum(~m.active.any(axis=0)),
        "neurons that fire on no training point",
    ),
    Column(
        "knots_1e3", int, lambda m: m.net.knots_on_data(m.X, 1e-3), "pairs within 1e-3 of a knot"
    ),
    Column(
        "knots_1e5", int, lambda m: m.net.knots_on_data(m.X, 1e-5), "pairs within 1e-5 of a knot"
    ),
    Column(
        "knots_1e7", int, lambda m: m.net.knots_on_data(m.X, 1e-7), "pairs within 1e-7 of a knot"
    ),
    Column(
        "train_error", float, lambda m: m.error(m.train), "share of training points misclassified"
    ),
    Column(
        "val_error",
        float,
        lambda m: m.error(m.validation),
        "share of validation points misclassified",
    ),
    Column("val_loss", float, lambda m: m.loss(m.validation), "loss on the validation points"),
)


def measured(
    run: Any, stored: dict[str, np.ndarray], told: dict[str, Any], only: set[str] | None = None
) -> dict[str, Any]:
    """The cells of a row, computed from exactly the stored arrays.

    Args:
        run: the spec of the run.
        stored: W1 (k, d), b1 (k,), w2 (k,), b2 (), X (n, d), y (n,); empty for a diverged run, which
            has nothing to measure.
        told: cells that training reports, "steps" and "reason".
        only: names of columns to compute; by default all.

    Returns:
        Column name to str, int, float or None, which is an empty cell.
    """
    minimum = Minimum(run, stored, **told) if stored else None
    row: dict[str, Any] = {}
    for column in COLUMNS:
        if only is not None and column.name not in only:
            continue
        value = told.get(column.name)
        if value is None and minimum is not None:
            value = column.value(minimum)
        row[column.name] = None if value is None else column.kind(value)
    return row
