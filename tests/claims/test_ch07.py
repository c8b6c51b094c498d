"""Claims of chapters 07 and 08 on tables: they hold for ours, and planted rows contradict each."""

import numpy as np
import pytest

from stablib.book import kinks
from stablib.book.claims import CLAIMS, ch07, ch08
from stablib.training.table import Table


def changed(table, change, **where):
    """The table with some cells of the rows that fit `where` replaced."""
    rows = []
    for row in table:
        fits = all(row[name] == value for name, value in where.items())
        rows.append(row | {n: f(row) for n, f in change.items()} if fits else row)
    return Table(rows, table.kinds)


def constant(value):
    return lambda row: value


PLANTED = {
    "fig-1": ({"laplacian": constant(1e3)}, {"step_size": 0.4, "seed": 1}),
    "fig-4a": ({"sharpness": constant(4.0)}, {"step_size": 0.4, "seed": 0}),
    "fig-4b": ({"bias_norm": constant(1.0)}, {"step_size": 0.4, "seed": 0}),
    "text-6-eos": ({"sharpness": constant(4.0)}, {"step_size": 0.4, "warmup": 2_000, "scale": 3.0}),
    "text-6-tight": ({"flattest": constant(1e3)}, {"step_size": 0.4, "seed": 0}),
    "text-A-dinh": ({"flattest": lambda row: row["sharpness"] / 1.5}, {"step_size": 0.01}),
    "text-A-loss": ({"reason": constant("stuck")}, {"step_size": 0.1, "warmup": 2_000}),
    "fig-5a": ({"sharpness": lambda row: 2.1 / row["step_size"]}, {"step_size": 0.02, "seed": 2}),
    "fig-5b": ({"val_error": constant(0.5)}, {"step_size": 0.1, "seed": 1}),
    "fig-8": ({"sharpness": constant(12.0)}, {"step_size": 0.1, "scale": 15.0}),
    "text-N-standard": ({"sharpness": constant(15.0)}, {"step_size": 0.001}),
    "text-N-same": ({"sharpness": constant(9.0)}, {"step_size": 0.001, "scale": 5.0}),
    "new-sgd-edge": ({"sgd_threshold": constant(0.5)}, {"step_size": 0.02, "batch_size": 4}),
}


@pytest.mark.parametrize("id", PLANTED)
def test_the_claim_holds_for_our_tables_and_fails_for_a_planted_row(id):
    claim, (change, where) = CLAIMS[id], PLANTED[id]
    table = claim.cases()
    assert claim.check(table).holds
    assert not claim.check(changed(table, change, **where)).holds


@pytest.mark.statement("text-N-origin")
def test_minima_as_flat_lie_far_from_the_origin_and_near():
    table = CLAIMS["text-N-origin"].cases()
    assert not ch08.near_the_origin(table).holds
    near = changed(table, {"weight_norm": constant(10.0)})
    assert ch08.near_the_origin(near).holds


@pytest.mark.statement("text-B-barrett")
def test_the_modified_loss_is_held_against_a_gradient_by_differences():
    net, (X, y) = ch07.figure_4_rows().networks.popitem()[1]
    theta = net.parameters()

    def loss(shift):
        from stablib.book.trajectories import with_parameters

        return ((with_parameters(net, theta + shift)(X) - y) ** 2).mean() / 2

    # At a loss of 1e-8 the gradient is a difference of tiny numbers; one direction is enough.
    from stablib import tangent_features

    gradient = tangent_features(net, X) @ (net(X) - y) / len(y)
    along = gradient / np.linalg.norm(gradient)
    slope = (loss(1e-7 * along) - loss(-1e-7 * along)) / 2e-7
    np.testing.assert_allclose(np.linalg.norm(gradient), slope, rtol=1e-5)
    assert ch07.modified_loss([(net, (X, y))]).holds


@pytest.mark.statement("new-eta-star")
def test_the_kink_is_bracketed_around_the_prediction():
    table = kinks.eta_star(progress=False)
    assert len(table) == len(kinks.STARTS) and ch07.kink_is_predicted(table).holds
    assert (table["low"] < table["high"]).all()
    widths = table["high"] / table["low"] - 1
    digits = table["experiment"] == "fig8"
    # Step sizes are rounded to six digits.
    np.testing.assert_allclose(widths[~digits], 4 ** (1 / 2**8) - 1, rtol=1e-3)
    np.testing.assert_allclose(widths[digits], 4 ** (1 / 2**5) - 1, rtol=1e-3)
    moved = changed(table, {"low": lambda r: 1.2 * r["low"], "high": lambda r: 1.2 * r["high"]})
    assert not ch07.kink_is_predicted(moved).holds


def test_the_bisection_finds_a_kink_that_is_known(monkeypatch, tmp_path):
    # Sharpness 10 up to eta = 0.23, then 2/eta: predicted at 0.2.
    def table(spec, **_):
        rows = [
            {"hash": run.hash, "sharpness": 10.0 if run.step_size <= 0.23 else 2 / run.step_size}
            for run in spec.runs
        ]
        return Table(rows, {"hash": str, "sharpness": float})

    monkeypatch.setattr(kinks, "sweep", table)
    (row,) = kinks.eta_star(tmp_path, starts=[("fig4", 3.0, 0)])
    assert row["predicted"] == 0.2 and row["low"] <= 0.23 < row["high"]
    assert row["high"] / row["low"] - 1 < 0.006
