"""The claim on small batches holds on its own cases, and fails when something is broken."""

import numpy as np
import pytest

from stablib import sgd_threshold, sharpness, tangent_gram
from stablib.book.claims import cases, ch09_small_batch
from stablib.book.claims.ch09_small_batch import ceilings, small_batches, takeovers

pytestmark = pytest.mark.statement("new-small-batch")


def few():
    return [*cases.adversarial()[:6], *cases.random(12, seed=9, n_max=9), *cases.descended()]


def scaled(function, factor):
    return lambda *args, **options: factor * function(*args, **options)


def scaled_pair(function, low, high):
    def wrong(*args, **options):
        ends = function(*args, **options)
        return low * ends[0], high * ends[1]

    return wrong


def test_the_claim_holds_on_its_own_cases(verdict_of):
    verdict = verdict_of("new-small-batch")
    assert verdict.holds and verdict.cases > 2000, verdict
    assert verdict.corrected_margin is None


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("small_batch_norm", lambda f: scaled(f, 3.0)),
        ("sgd_threshold", lambda f: scaled(f, 1.01)),
        ("sgd_threshold", lambda f: scaled(f, 0.5)),
        ("max_small_batch_norm", lambda f: lambda *a, **o: f(*a, **o) - 0.5),
        ("takeover_batch", lambda f: scaled(f, 1.001)),
        ("sgd_threshold_bounds", lambda f: scaled_pair(f, 2.0, 1.0)),
        ("sgd_threshold_bounds", lambda f: scaled_pair(f, 1.0, 0.8)),
        ("sharpness", lambda f: scaled(f, 1.1)),
    ],
)
def test_a_wrong_number_violates_it(name, wrong, monkeypatch):
    assert small_batches(few()).holds
    monkeypatch.setattr(ch09_small_batch, name, wrong(getattr(ch09_small_batch, name)))
    assert not small_batches(few()).holds


def test_the_stability_norm_with_the_mean_instead_of_the_lesser_side_is_no_bound(monkeypatch):
    from stablib.weights import EmpiricalWeight

    def mean_of_sides(net, X):
        form, weight = net.canonical(), EmpiricalWeight(X)
        both = weight.g_hat(form.v, form.b) + weight.g_hat(-form.v, -form.b)
        return float(np.abs(form.a) @ both / 2)

    monkeypatch.setattr(ch09_small_batch, "small_batch_norm", mean_of_sides)
    assert not small_batches([*cases.adversarial(), *cases.random(40, seed=9, n_max=9)]).holds


def test_ceilings_are_thresholds_and_traces_in_units_of_two_over_the_sharpness():
    case = cases.descended()[1]
    top, trace = sharpness(case.net, case.X), np.trace(tangent_gram(case.net, case.X)) / 100
    for row in ceilings(case, [1, 16, 100]):
        q = (100 - row.batch_size) / (99 * row.batch_size)
        assert np.isclose(row.noise, q)
        edge = sgd_threshold(case.net, case.X, row.batch_size)
        assert np.isclose(row.share * 2 / top, edge)
        least = min(2 / top, 2 / (q * trace)) if q else 2 / top
        assert np.isclose(row.ceiling * 2 / top, least)
        assert (
            row.share <= row.ceiling * (1 + 1e-9) <= (row.spread + 1 - q) * row.share * (1 + 1e-8)
        )


def test_takeovers_lie_between_1_and_16_at_every_stored_minimum():
    rows = takeovers([*cases.stored("overview"), *cases.descended(), cases.stored("fig5")[-1]])
    assert len(rows) == 12
    for row in rows:
        assert 1 < row.network < 16 and 1 < row.function < 16 and row.norm > 3
        assert 1 / row.spread <= row.single <= 1
