"""Everything that a table says about the network where training ended, one column a line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..curvature import sharpness
from ..norms import one_sided_norm, parametric_stability_norm, r_norm, stability_norm
from .minimum import Minimum


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
    Column(
        "side_low",
        float,
        lambda m: m.sides[0],
        "least sharpness over the sides of the pairs within 1e-5 of a knot",
    ),
    Column("side_high", float, lambda m: m.sides[1], "greatest sharpness over those sides"),
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
        "implementation_free",
        float,
        lambda m: m.free and m.free.value,
        "what no implementation of any width can go below (empty if stuck)",
    ),
    Column(
        "implementation_free_upper",
        float,
        lambda m: m.free and m.free.upper,
        "what that bound can be at most",
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
    Column(
        "laplacian",
        float,
        lambda m: m.laplacian,
        "integral of the absolute Laplacian over the ball that reaches the farthest point (up to d = 3)",
    ),
    Column("bias_norm", float, lambda m: np.linalg.norm(m.net.b1), "|b1|"),
    Column("bias_norm_init", float, lambda m: np.linalg.norm(m.start.b1), "|b1| before training"),
    Column(
        "offset_median",
        float,
        lambda m: np.median(np.abs(m.net.ridges().b)) if m.net.W1.any() else None,
        "median over neurons of |b1_i| / |W1_i|",
    ),
    Column(
        "offset_weighted",
        float,
        lambda m: m.weighted_offset,
        "mean of |b1_i| / |W1_i|, weighted by the slopes",
    ),
    Column(
        "bias_norm_balanced",
        float,
        lambda m: m.balanced_bias,
        "|b1| when every neuron has |W1_i| = |w2_i|",
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
        "always_on",
        int,
        lambda m: np.sum(m.active.all(axis=0)),
        "neurons that fire on every training point",
    ),
    Column(
        "rare",
        int,
        lambda m: np.sum((m.active.sum(axis=0) <= 2) & m.active.any(axis=0)),
        "neurons that fire on one or two training points",
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
        "sgd_threshold",
        float,
        lambda m: m.threshold,
        "largest step size stable in mean square, without replacement; 2 / sharpness for gradient descent "
        "(empty unless it ended by tolerance)",
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
    Column(
        "val_margin",
        float,
        lambda m: m.margin(m.validation),
        "what label times output exceeds at nine tenths of the validation points",
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
