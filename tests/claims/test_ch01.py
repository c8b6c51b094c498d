"""Every claim of chapter 01 fails when something is broken, and holds on a few cases."""

import numpy as np
import pytest

from stablib import ShallowReLU, gradient_descent, sharpness
from stablib.book import moments, trajectories
from stablib.book.claims import (
    cases,
    ch01,
    ch01_discussion,
    ch01_lemma,
    ch01_practice,
    ch01_training,
    registry,
)
from stablib.book.claims.cases import Case
from stablib.book.claims.registry import CLAIMS
from stablib.book.figures.ch01 import rates

registry.check()
IDS = [id for id, claim in CLAIMS.items() if claim.chapter == "01"]
CORRECTED = {"text-A-interpolation", "text-A-decay"}
NOT_REPRODUCED = {"text-A-batch", "text-A-nondiff"}  # the prose says more than is seen; tests below


@pytest.mark.parametrize("id", sorted({*IDS} - NOT_REPRODUCED))
def test_the_claim_holds_on_its_own_cases(id, verdict_of):
    verdict = verdict_of(id)
    assert verdict.holds and verdict.cases >= 6, verdict
    assert (verdict.corrected_margin is not None) == (id in CORRECTED)
    assert verdict.corrected_margin is None or verdict.margin < 0


def test_the_chapter_has_all_its_claims():
    needed = "def-1 lem-1 eq-5 eq-22 text-2-nonlinear text-eos text-A-batch text-A-eps text-A-init"
    needed += " text-A-interpolation text-A-warmup text-A-decay text-A-nondiff"
    assert {*needed.split(), "new-three-notions", "new-sgd-threshold"} == set(IDS)


def with_methods(**methods):
    """The class of linearised dynamics with some of its methods replaced."""
    return type("Wrong", (moments.Linearised,), methods)


Linearised = moments.Linearised
TWO = [Case(c.net, c.X, c.y, c.name) for c in ch01.small_minima(2)]


@pytest.fixture
def two_minima(monkeypatch):
    """Claims make their cases from two networks instead of five."""
    small = ch01.small_minima
    for room in (ch01, ch01_lemma, ch01_discussion):
        monkeypatch.setattr(
            room, "small_minima", lambda count=5, **size: small(min(count, 2), **size)
        )


# Definition 1 and (5)


@pytest.mark.statement("def-1")
@pytest.mark.parametrize("wrong", ["the side", "the sign of the Hessian", "the size of a step"])
def test_an_ensemble_on_the_wrong_side_violates_definition_1(wrong, two_minima, monkeypatch):
    runs = ch01.ensembles()
    assert CLAIMS["def-1"](runs).holds
    if wrong == "the side":
        for number in range(len(runs)):
            turned = runs[number]._replace(stable=not runs[number].stable)
            assert not CLAIMS["def-1"]([turned]).holds
        return

    def ensemble(self, start, step_size, *rest, **options):
        factor = -0.5 if wrong == "the sign of the Hessian" else 1 + 1e-6
        return Linearised.ensemble(self, start, factor * step_size, *rest, **options)

    monkeypatch.setattr(ch01, "Linearised", with_methods(ensemble=ensemble))
    assert not CLAIMS["def-1"](ch01.ensembles()).holds


@pytest.mark.statement("eq-5")
def test_a_hessian_that_is_off_violates_the_linearisation(two_minima, monkeypatch):
    assert CLAIMS["eq-5"](ch01.departures()).holds
    true = trajectories.hessian_operator
    monkeypatch.setattr(trajectories, "hessian_operator", lambda *a: 1.1 * true(*a))
    assert not CLAIMS["eq-5"](ch01.departures()).holds


@pytest.mark.statement("eq-5")
def test_a_kink_within_reach_violates_the_order_of_the_linearisation(two_minima):
    beyond = [pair for pair in ch01.departures() if not pair.inside]
    assert CLAIMS["eq-5"](beyond).holds
    assert not CLAIMS["eq-5"]([beyond[0]._replace(inside=True)]).holds


@pytest.mark.statement("text-2-nonlinear")
def test_a_run_that_stays_above_the_edge_or_leaves_below_it_is_seen():
    case = cases.descended()[2]
    below, above = ch01._escape(case, 0.8), ch01._escape(case, 1.3)
    assert CLAIMS["text-2-nonlinear"]([below, above]).holds
    for broken in (
        below._replace(ratio=1.3),
        above._replace(ratio=0.8),
        below._replace(ended=1.001),
        above._replace(moved=1.0),
        below._replace(moved=float("nan")),
    ):
        assert not CLAIMS["text-2-nonlinear"]([broken]).holds


@pytest.mark.statement("text-2-nonlinear")
def test_with_a_sharpness_read_too_small_by_half_runs_leave_below_the_edge(monkeypatch):
    monkeypatch.setattr(ch01, "sharpness", lambda *a: sharpness(*a) / 2)
    assert not CLAIMS["text-2-nonlinear"]([ch01._escape(cases.descended()[2], 0.8)]).holds


# Lemma 1 and its proof


@pytest.mark.statement("lem-1")
@pytest.mark.parametrize("wrong", ["the batch mean", "the threshold", "the gradients' mean"])
def test_a_wrong_mean_or_threshold_violates_lemma_1(wrong, monkeypatch):
    assert CLAIMS["lem-1"](TWO).holds

    def factors(self, *rest):
        A, c = Linearised.factors(self, *rest)
        if wrong == "the batch mean":
            A[0] *= 1 + 1e-8
        return A, c + 1e-9 * (wrong == "the gradients' mean")

    def gd_threshold(self):
        return Linearised.gd_threshold(self) * (1.01 if wrong == "the threshold" else 1.0)

    changed = with_methods(factors=factors, gd_threshold=gd_threshold)
    monkeypatch.setattr(ch01_lemma, "Linearised", changed)
    assert not CLAIMS["lem-1"](TWO).holds


@pytest.mark.statement("lem-1")
@pytest.mark.parametrize("share", [0.95, 1.05])
def test_an_edge_elsewhere_than_at_two_over_the_sharpness_violates_lemma_1(share, monkeypatch):
    changed = with_methods(gd_threshold=lambda self: share * Linearised.gd_threshold(self))
    monkeypatch.setattr(ch01_lemma, "Linearised", changed)
    assert not CLAIMS["lem-1"](TWO).holds


@pytest.mark.statement("lem-1")
def test_at_a_point_that_is_no_minimum_lemma_1_fails():
    """The mean of (5) then has a drift: its gradient."""
    net, X, y, name, _ = TWO[0]
    assert not CLAIMS["lem-1"]([Case(net, X, y + 1.0, name)]).holds


@pytest.mark.statement("eq-22")
def test_a_mean_distance_below_the_distance_of_the_mean_violates_22(two_minima, monkeypatch):
    sides = ch01_lemma.jensen_sides()
    assert CLAIMS["eq-22"](sides).holds
    of_mean, mean, descent = sides[0]
    assert not CLAIMS["eq-22"]([(of_mean, 0.9 * of_mean, descent)]).holds
    assert not CLAIMS["eq-22"]([(of_mean, mean, descent * (1 + 1e-8))]).holds

    def every_end(self, start, eta, *rest):
        return Linearised.every_end(self, start, eta * (1 + 1e-8), *rest)

    monkeypatch.setattr(ch01_lemma, "Linearised", with_methods(every_end=every_end))
    assert not CLAIMS["eq-22"](ch01_lemma.jensen_sides()).holds


@pytest.mark.statement("new-three-notions")
@pytest.mark.parametrize("column", ["mean_square", "mean", "almost_sure"])
@pytest.mark.parametrize("factor", [0.7, 1.4])
def test_thresholds_in_another_order_violate_the_three_notions(column, factor):
    row = ch01_lemma.notions(Linearised.scalar([1.0, 3.0]), expected=(0.8, 1.0, 4 / 3))
    assert CLAIMS["new-three-notions"]([row]).holds
    assert not CLAIMS["new-three-notions"](
        [row._replace(**{column: factor * getattr(row, column)})]
    ).holds


@pytest.mark.statement("new-three-notions")
def test_a_mean_threshold_above_that_of_descent_violates_the_three_notions():
    row = ch01_lemma.notions(Linearised.scalar([1.0, 2.0, 9.0]))
    assert CLAIMS["new-three-notions"]([row]).holds
    assert not CLAIMS["new-three-notions"]([row._replace(gd=0.99 * row.mean)]).holds


@pytest.mark.statement("new-three-notions")
def test_another_power_than_the_second_misses_the_closed_forms(monkeypatch):
    def threshold(self, power, batch_size=1):
        return Linearised.threshold(self, power or 0.1, batch_size)

    monkeypatch.setattr(ch01_lemma, "Linearised", with_methods(threshold=threshold))
    monkeypatch.setattr(ch01_lemma, "small_minima", lambda *a, **b: [])
    assert not CLAIMS["new-three-notions"](ch01_lemma.three_notions()).holds


@pytest.mark.statement("new-sgd-threshold")
@pytest.mark.parametrize("wrong", ["a factor", "the replacement", "the batch size"])
def test_a_wrong_threshold_of_sgd_is_seen(wrong, monkeypatch):
    from stablib import stability

    true = stability.sgd_threshold

    def sgd_threshold(net, X, B, replacement=False):
        if wrong == "a factor":
            return true(net, X, B, replacement=replacement) * (1 + 1e-5)
        if wrong == "the replacement":
            return true(net, X, B, replacement=not replacement)
        return true(net, X, max(B - 1, 1), replacement=replacement)

    small = ch01_lemma.small_minima
    monkeypatch.setattr(ch01_lemma, "small_minima", lambda count, n: small(n < 6, n=n))
    assert CLAIMS["new-sgd-threshold"](ch01_lemma.thresholds()).holds
    monkeypatch.setattr(stability, "sgd_threshold", sgd_threshold)
    assert not CLAIMS["new-sgd-threshold"](ch01_lemma.thresholds()).holds


# What the discussion says


@pytest.mark.statement("text-A-batch")
def test_the_batch_size_claim_holds_after_small_steps_and_not_after_large_ones():
    small_steps, *_, large_steps = cases.descended()
    rows = ch01_discussion.batch_rows([small_steps], sizes=(1, 4, 16))
    assert CLAIMS["text-A-batch"](rows).holds
    rows = ch01_discussion.batch_rows([large_steps], sizes=(16,))
    assert not CLAIMS["text-A-batch"](rows).holds


@pytest.mark.statement("text-A-batch")
def test_a_threshold_above_two_over_lambda_or_falling_with_the_batch_is_seen():
    def rows(*shares):
        return [
            ch01_discussion.Batch("a", B, 100, share, 0.1)
            for B, share in zip((1, 4, 16), shares, strict=True)
        ]

    assert CLAIMS["text-A-batch"](rows(0.5, 0.8, 0.95)).holds
    for shares in ((0.5, 0.8, 1.01), (0.5, 0.4, 0.95), (0.5, 0.8, 0.89), (0.5, 0.8, np.nan)):
        assert not CLAIMS["text-A-batch"](rows(*shares)).holds


@pytest.mark.statement("text-A-eps")
def test_a_ratio_that_depends_on_the_radius_or_a_kink_that_does_not_matter_is_seen():
    rows = ch01_discussion.outcomes()
    assert CLAIMS["text-A-eps"](rows).holds
    for row in rows:
        if row.system == "quadratic":
            others = [r for r in rows if r.share == row.share and r.system == row.system]
            twice = [r._replace(ratio=2 * r.ratio) if r == row else r for r in others]
            assert CLAIMS["text-A-eps"](others).holds
            assert not CLAIMS["text-A-eps"](twice).holds
        else:
            turned = row._replace(radius=2.0 if row.radius < 1 else 0.5)
            assert not CLAIMS["text-A-eps"]([turned]).holds


@pytest.mark.statement("text-A-eps")
def test_where_the_kink_is_far_epsilon_does_not_matter(monkeypatch):
    far = ch01_discussion.kinked_outcome(0.004, kink=0.5)
    assert not CLAIMS["text-A-eps"]([far._replace(radius=2.0)]).holds


@pytest.mark.statement("text-A-interpolation")
def test_a_flat_part_that_moves_or_a_wrong_noise_level_is_seen():
    seen = ch01_discussion.interpolation()
    verdict = CLAIMS["text-A-interpolation"](seen)
    assert verdict.holds and verdict.margin < 0
    end = next(e for e in seen.ends if not e.printed)
    for broken in (
        seen._replace(flat=[1e-9]),
        seen._replace(noisy=[(1.1, 1.0)]),
        seen._replace(ends=[*seen.ends, end._replace(stable=not end.stable)]),
    ):
        assert not CLAIMS["text-A-interpolation"](broken).holds


@pytest.mark.statement("text-A-interpolation")
def test_a_threshold_of_the_range_that_is_too_small_is_seen(monkeypatch):
    def threshold(self, power, batch_size=1):
        return 0.94 * Linearised.threshold(self, power, batch_size)

    monkeypatch.setattr(ch01_discussion, "Linearised", with_methods(threshold=threshold))
    assert not CLAIMS["text-A-interpolation"](ch01_discussion.interpolation()).holds


# What is said about practice


@pytest.mark.statement("text-eos")
def test_a_tail_off_the_edge_or_a_small_step_that_meets_it_is_seen():
    edge = ch01_training.Edge(True, 0.5, 1.1, np.array([0.98, 1.02]))
    calm = ch01_training.Edge(False, 0.3, 0.5, np.array([0.4]))
    assert CLAIMS["text-eos"]([edge, calm]).holds
    for broken in (
        edge._replace(start=1.2),
        edge._replace(peak=0.97),
        edge._replace(tail=np.array([0.98, 1.1])),
        edge._replace(tail=np.array([0.98, 0.9])),
        calm._replace(peak=0.9),
    ):
        assert not CLAIMS["text-eos"]([broken]).holds


@pytest.mark.statement("text-eos")
def test_a_sharpness_that_is_off_by_a_tenth_does_not_hover_at_the_edge(monkeypatch):
    true = trajectories.sharpness
    monkeypatch.setattr(trajectories, "sharpness", lambda *a: 1.1 * true(*a))
    path = ch01_training.edge_path(0.4, 0)
    share = path.sharpness * 0.2
    run = ch01_training.Edge(True, share[0], share.max(), share[len(share) // 2 :])
    assert not CLAIMS["text-eos"]([run]).holds
    right = run._replace(start=run.start / 1.1, peak=run.peak / 1.1, tail=run.tail / 1.1)
    assert CLAIMS["text-eos"]([right]).holds


@pytest.mark.statement("text-A-warmup")
def test_shares_of_diverged_runs_on_the_wrong_side_are_seen():
    large, own = (
        ch01_training.Start(10.0, 0.1, 1.0, 0.0),
        ch01_training.Start(1.0, 0.1, 0.0, 0.0),
    )
    assert CLAIMS["text-A-warmup"]([large, own]).holds
    for broken in (
        large._replace(without=0.25),
        large._replace(warmed=0.75),
        own._replace(without=0.75),
        own._replace(warmed=1.0),
    ):
        assert not CLAIMS["text-A-warmup"]([broken]).holds


@pytest.mark.statement("text-A-warmup")
def test_a_warm_up_that_is_left_out_does_not_help(monkeypatch):
    def without(*args, warmup, **options):
        return gradient_descent(*args, **options)

    monkeypatch.setattr(ch01_training, "gradient_descent", without)
    assert not CLAIMS["text-A-warmup"](ch01_training.starts(seeds=1)).holds


@pytest.mark.statement("text-A-decay")
def test_a_sharpness_that_moves_after_a_late_decay_is_seen():
    Decay, Decays = ch01_training.Decay, ch01_training.Decays
    good = [Decay(1e-6, 1.0), Decay(1e-2, 1.1), Decay(0.3, 1.5)]
    assert CLAIMS["text-A-decay"](Decays(good, 2.0)).holds
    for broken in (Decay(1e-6, 1.2), Decay(1e-6, 0.8), Decay(1e-2, 0.8), Decay(0.3, 1.2)):
        assert not CLAIMS["text-A-decay"](Decays([broken], 2.0)).holds
    for to_zero in (0.9, float("nan")):
        assert not CLAIMS["text-A-decay"](Decays(good, to_zero)).holds


@pytest.mark.statement("text-A-decay")
def test_with_the_small_step_from_the_beginning_there_is_no_late_decay():
    early = ch01_training.decayed(np.inf)
    assert not CLAIMS["text-A-decay"](ch01_training.Decays([early._replace(level=1e-6)], 2.0)).holds


@pytest.mark.statement("text-A-init")
@pytest.mark.parametrize("wrong", ["an order", "no jump", "a kernel that stays"])
def test_distances_of_another_order_or_a_kernel_that_stays_are_seen(wrong):
    steps = np.array([0.02, 0.04, 0.08, 0.8])
    seen = ch01_practice.Flow(steps, 0.1 * steps * [1, 1, 1, 8], [(3.0, 0.1, 0.3)])
    assert CLAIMS["text-A-init"](seen).holds
    broken = {
        "an order": seen._replace(distances=0.1 * steps**2 / 0.02 * [1, 1, 1, 8]),
        "no jump": seen._replace(distances=0.1 * steps),
        "a kernel that stays": seen._replace(angles=[(3.0, 0.1, 0.15)]),
    }
    assert not CLAIMS["text-A-init"](broken[wrong]).holds


@pytest.mark.statement("text-A-init")
def test_a_flow_to_another_time_is_at_another_distance(monkeypatch):
    true = trajectories.flow
    monkeypatch.setattr(trajectories, "flow", lambda *a: true(*a[:-1], 0.9 * a[-1]))
    assert not CLAIMS["text-A-init"](ch01_practice.flows()).holds


@pytest.mark.statement("text-A-nondiff")
def test_knots_on_data_are_counted_and_the_sharper_side_is_taken():
    X = np.array([[-1.0], [0.5], [1.0], [2.0]])
    on, off = (ShallowReLU([[1.0]], [b], [1.0]) for b in (-0.5, -0.7))
    row, clear = (
        ch01_practice.knots([Case(net, X, net(X) + 0.0, "", 0.1)])[0] for net in (on, off)
    )
    assert row.points == (0.25, 0.25, 0.25) and row.neurons == 1
    assert clear.points == (0.0, 0.0, 0.0) and clear.neurons == 0
    either = [sharpness(ShallowReLU([[1.0]], [b], [1.0]), X) for b in (-0.5 + 1e-9, -0.5 - 1e-9)]
    assert np.isclose(row.high, max(either) * 0.05, rtol=1e-6) and either[0] > either[1]


@pytest.mark.statement("text-A-nondiff")
def test_many_points_on_knots_or_a_side_beyond_the_edge_is_seen():
    few = ch01_practice.Knots("", (0.05, 0.03, 0.01), 0.2, 0.99)
    assert CLAIMS["text-A-nondiff"]([few]).holds
    for broken in (few._replace(points=(0.2, 0.17, 0.1)), few._replace(high=1.001)):
        assert not CLAIMS["text-A-nondiff"]([broken]).holds
    *minimum, eta = cases.descended()[2]
    rows = ch01_practice.knots([Case(*minimum, eta), Case(*minimum, 2 * eta)])
    assert [row.high < 1 for row in rows] == [True, False]
    below, above = (row._replace(points=few.points) for row in rows)
    assert CLAIMS["text-A-nondiff"]([below]).holds
    assert not CLAIMS["text-A-nondiff"]([above]).holds


@pytest.mark.parametrize(("delta", "lit"), [(0.2, 3), (0.5, 3), (0.6, 2), (0.7, 1), (0.8, 0)])
def test_one_lamp_after_the_other_goes_out_as_the_samples_differ(delta, lit):
    """Chapter 01 says so of the curvatures 1 - delta and 1 + delta at a step size of 1.5."""
    assert sum(rate <= 1 for rate in rates((1 - delta, 1 + delta), 1.5)) == lit
    by_hand = (
        2 / (1 + delta**2) >= 1.5,
        1.5 * delta <= 1 or delta < 0.5,
        abs(0.25 - 2.25 * delta**2) < 1,
    )
    assert sum(by_hand) == lit
