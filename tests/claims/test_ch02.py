"""Every claim of chapter 02 holds on its own cases, and fails when something is broken."""

import numpy as np
import pytest

from stablib import (
    EmpiricalWeight,
    ShallowReLU,
    parametric_stability_norm,
    sharpness,
    stability_norm,
)
from stablib.book.claims import (
    cases,
    ch02,
    ch02_beyond,
    ch02_definitions,
    ch02_hessian,
    ch02_minima,
    ch02_proof,
    ch02_stable,
    registry,
)
from stablib.book.claims.cases import Case
from stablib.book.claims.registry import CLAIMS

registry.check()
IDS = [id for id, claim in CLAIMS.items() if claim.chapter == "02"]
CORRECTED = {"eq-23", "eq-58", "app-J"}


def few():
    return [*cases.adversarial()[:6], *cases.random(6), *cases.descended()[2:]]


def scaled(function, factor):
    """The same function with its result, a number or an array, multiplied."""
    return lambda *args, **options: function(*args, **options) * factor


def shifted(net):
    """A network whose values are off by one."""
    return ShallowReLU(net.W1, net.b1, net.w2, net.b2 + 1)


@pytest.mark.parametrize("id", sorted({*IDS} - {"text-3-loose"}))  # that one has a test of its own
def test_the_claim_holds_on_its_own_cases(id, verdict_of):
    verdict = verdict_of(id)
    assert verdict.holds and verdict.cases >= 5, verdict
    assert (verdict.corrected_margin is not None) == (id in CORRECTED)
    assert verdict.corrected_margin is None or verdict.margin < 0


def test_the_chapter_has_all_its_claims():
    needed = "eq-7 eq-12 eq-44 eq-45 eq-47 eq-48 eq-50 eq-52 eq-16 eq-58 lem-3 def-3 thm-1 text-3-other eq-23"
    needed += (
        " eq-1 text-3-loose app-J new-identity new-local-minima new-own-side new-flattest-dual"
    )
    assert {*needed.split(), "new-splitting", "new-interval", "new-weighted-loss"} == set(IDS)


# What is broken, where, and how: the claim must see it.
BROKEN = [
    ("lem-3", ch02, "sharpness", lambda f: scaled(f, 0.2)),
    ("eq-44", ch02_hessian, "tangent_features", lambda f: scaled(f, 1 + 1e-8)),
    ("eq-44", ch02_hessian, "hessian_operator", lambda f: scaled(f, 1 + 1e-8)),
    ("eq-45", ch02_hessian, "tangent_features", lambda f: scaled(f, 1 + 1e-8)),
    ("eq-47", ch02_hessian, "sharpness", lambda f: scaled(f, 1 + 1e-8)),
    ("new-interval", ch02_hessian, "sharpness_interval", lambda f: lambda *a: (9.0, 9.0)),
    (
        "new-interval",
        ch02_hessian,
        "sharpness_interval",
        lambda f: lambda *a: (f(*a)[0] * 0.99, f(*a)[1]),
    ),
    ("eq-48", ch02_proof, "sharpness", lambda f: scaled(f, 0.5)),
    ("eq-48", ch02_proof, "tangent_features", lambda f: scaled(f, 1.1)),
    ("eq-50", ch02_proof, "blocks", lambda f: lambda *a: f(*a)._replace(bound=2.0)),
    ("eq-52", ch02_proof, "sharpness", lambda f: scaled(f, 0.5)),
    ("eq-52", ch02_proof, "one_sided_norm", lambda f: scaled(f, 1 + 1e-8)),
    ("eq-52", ch02_proof, "g", lambda f: scaled(f, 100.0)),
    ("eq-58", ch02_proof, "stability_norm", lambda f: parametric_stability_norm),
    ("eq-1", ch02_proof, "stability_norm", lambda f: scaled(f, 1.01)),
    ("eq-1", ch02_proof, "sharpness", lambda f: scaled(f, 0.3)),
    ("def-3", ch02_stable, "stability_norm", lambda f: scaled(f, 1e3)),
    ("def-3", ch02_stable, "implementation", lambda f: lambda net, rng: net),
    ("def-3", ch02_stable, "implementation", lambda f: lambda net, rng: f(shifted(net), rng)),
    ("new-identity", ch02_beyond, "sharpness", lambda f: scaled(f, 0.5)),
    ("new-identity", ch02_beyond, "sharpness", lambda f: scaled(f, 100.0)),
    ("new-identity", ch02_beyond, "g_hat", lambda f: scaled(f, 1 + 1e-6)),
    ("new-own-side", ch02_beyond, "sharpness", lambda f: scaled(f, 0.3)),
    (
        "new-own-side",
        ch02_beyond,
        "sharpness_lower_bound",
        lambda f: lambda net, X, own_side=False: f(net, X),
    ),
    ("new-flattest-dual", ch02_beyond, "dual_value", lambda f: scaled(f, 2.0)),
    ("text-3-other", ch02_beyond, "small_batch_norm", lambda f: scaled(f, 10.0)),
    ("text-3-other", ch02_beyond, "sgd_threshold", lambda f: scaled(f, 1 + 1e-4)),
    ("new-splitting", ch02_beyond, "split", lambda f: lambda net, i, share: f(net, i, 3.0)),
    ("app-J", ch02_minima, "sharpness_lower_bound", lambda f: scaled(f, 1 + 1e-6)),
    ("app-J", ch02_minima, "max_stability_norm", lambda f: lambda eta, C: 1 / eta - 0.5),
    ("new-weighted-loss", ch02_minima, "sharpness_lower_bound", lambda f: scaled(f, 1 + 1e-6)),
    ("new-local-minima", ch02_minima, "stability_norm", lambda f: scaled(f, 100.0)),
]


# Claims whose own cases are few already, or of a special kind.
SPECIAL = {
    "text-3-other": lambda: cases.random(12, seed=2, n_max=5, k_max=5),
    "new-flattest-dual": lambda: cases.random(3, n_max=8, k_max=4),
    "eq-1": lambda: cases.random(20, seed=1, n_max=12, d_max=1, k_max=6),
    "eq-58": lambda: [*few(), *(c for c in cases.adversarial() if "antipodal" in c.name)],
    "new-local-minima": lambda: ch02_minima.local_minima("squared"),
    "new-weighted-loss": lambda: [(c, "logistic") for c in ch02_minima.local_minima("logistic")],
}


@pytest.mark.parametrize(("id", "room", "name", "change"), BROKEN)
def test_a_wrong_number_violates_the_claim(id, room, name, change, monkeypatch):
    chosen = list(SPECIAL.get(id, few)())
    assert CLAIMS[id](chosen).holds
    monkeypatch.setattr(room, name, change(getattr(room, name)))
    assert not CLAIMS[id](chosen).holds


@pytest.mark.statement("eq-7")
def test_a_network_of_other_values_or_another_order_violates_its_class(monkeypatch):
    class Off(ShallowReLU):
        def __call__(self, X):
            return super().__call__(X) + 1e-6

    class Shuffled(ShallowReLU):
        def parameters(self):
            return super().parameters()[::-1]

    net, X, y, *_ = cases.adversarial()[0]
    for kind in (ShallowReLU, Off, Shuffled):
        case = Case(kind(net.W1, net.b1, net.w2, net.b2), X, y, "")
        assert CLAIMS["eq-7"]([case]).holds == (kind is ShallowReLU)


@pytest.mark.statement("eq-12")
@pytest.mark.parametrize("wrong", ["a factor", "the larger side", "points on the line counted"])
def test_a_wrong_weight_violates_its_definition(wrong, monkeypatch):
    class Wrong(EmpiricalWeight):
        def g(self, v, b):
            if wrong == "a factor":
                return super().g(v, b) * (1 + 1e-9)
            if wrong == "the larger side":
                return np.maximum(self.g_tilde(v, b), self.g_tilde(-v, -b))
            return super().g(v, b)

        def g_tilde(self, v, b):
            counted = wrong == "points on the line counted"
            return super().g_tilde(v, b - 1e-9 if counted else b)

    monkeypatch.setattr(ch02_proof, "EmpiricalWeight", Wrong)
    assert not CLAIMS["eq-12"](few()).holds


@pytest.mark.statement("thm-1")
@pytest.mark.parametrize("column", ["stability_norm", "step_size"])
def test_a_row_with_too_large_a_number_violates_theorem_1(column):
    rows = ch02_stable.rows()
    assert CLAIMS["thm-1"](rows).holds
    rows[0] = rows[0] | {column: 1e3 * rows[0][column]}
    assert not CLAIMS["thm-1"](rows).holds


@pytest.mark.statement("thm-1")
def test_knots_are_moved_off_the_data_and_nothing_else_is():
    for case in (*cases.trained(), *cases.small()):
        clear = ch02_stable.cleared(case)
        length = np.linalg.norm(case.net.W1, axis=1)
        assert clear.net.knots_on_data(clear.X, 0.99e-5) == 0
        assert (clear.net.W1 == case.net.W1).all() and (clear.net.w2 == case.net.w2).all()
        assert (np.abs(clear.net.b1 - case.net.b1) <= 1e-2 * length).all()
        assert (clear.y == clear.net(clear.X)).all()


@pytest.mark.statement("eq-16")
def test_a_minimum_beyond_its_step_size_violates_16():
    (row,) = (row for row in ch02_stable.rows() if row["name"] == cases.descended()[2].name)
    assert CLAIMS["eq-16"]([row]).holds
    for column, factor in (("step_size", 2), ("parametric_stability_norm", 2), ("sharpness", 0.3)):
        assert not CLAIMS["eq-16"]([row | {column: factor * row[column]}]).holds, column


@pytest.mark.statement("eq-23")
def test_the_printed_line_under_23_fails_and_a_broken_chain_is_seen():
    row = cases.row(cases.descended()[2])
    verdict = CLAIMS["eq-23"]([row])
    assert verdict.holds and verdict.margin < 0 < verdict.corrected_margin
    for column, factor in (("flattest", 0.5), ("sharpness", 0.5), ("sharpness", 1.5)):
        assert not CLAIMS["eq-23"]([row | {column: factor * row[column]}]).holds


@pytest.mark.statement("text-3-loose")
def test_the_bound_is_within_a_factor_of_two_at_large_steps_and_not_at_small_ones():
    rows = list(map(cases.row, cases.stored("fig5")))
    assert not CLAIMS["text-3-loose"](rows).holds
    assert CLAIMS["text-3-loose"]([row for row in rows if row["step_size"] >= 0.02]).holds


@pytest.mark.statement("eq-58")
def test_slopes_are_read_off_the_function():
    net = ShallowReLU([[1.0, 0.0], [-2.0, 0.0], [0.0, 3.0]], [-1.0, 2.0, 0.0], [2.0, 1.0, -1.0])
    first, second = ch02_definitions.creases(net)
    assert first.neurons == [0, 1] and second.neurons == [2]
    assert np.isclose(first.jump, 4.0) and np.isclose(second.jump, -3.0)


@pytest.mark.statement("new-local-minima")
def test_a_point_that_is_no_minimum_has_a_residual_part():
    minima = ch02_minima.local_minima("squared")
    assert all(np.abs(net(X) - y).max() > 1 for net, X, y, *_ in minima)
    net, X, y, *_ = minima[0]
    assert not CLAIMS["new-local-minima"]([Case(net, X, y + np.sin(7 * X[:, 0]), "")]).holds


@pytest.mark.statement("new-weighted-loss")
def test_the_largest_curvature_in_place_of_the_mean_is_no_bound(monkeypatch):
    monkeypatch.setattr(
        ch02_minima,
        "_weighted_bound",
        lambda net, X, curvature: curvature.max() * (1 + 2 * stability_norm(net, X)),
    )
    assert not CLAIMS["new-weighted-loss"]().holds


@pytest.mark.statement("new-flattest-dual")
@pytest.mark.parametrize(("value", "lower"), [(1.02, 1.02), (0.98, 0.98), (1.0, 0.9), (1.0, 1.02)])
def test_a_wrong_least_sharpness_or_certificate_is_seen(value, lower, monkeypatch):
    true = ch02_beyond.flattest_implementation

    def wrong(net, X):
        flat = true(net, X)
        return flat._replace(sharpness=flat.sharpness * value, lower_bound=flat.lower_bound * lower)

    chosen = SPECIAL["new-flattest-dual"]()
    monkeypatch.setattr(ch02_beyond, "flattest_implementation", wrong)
    assert not CLAIMS["new-flattest-dual"](chosen).holds


@pytest.mark.statement("lem-3")
def test_the_search_comes_close_to_the_bound_and_ends_with_an_equality():
    *walks, even = cases.hunted()
    excess = [
        (sharpness(net, X) - 1) / (2 * stability_norm(net, X)) - 1
        for net, X, *_ in walks
        if stability_norm(net, X) > 1e-3
    ]
    assert min(excess) < 0.1
    assert np.isclose(sharpness(*even[:2]), 1 + 2**0.5, rtol=1e-14)
    assert np.isclose(stability_norm(*even[:2]), 0.5**0.5, rtol=1e-14)
