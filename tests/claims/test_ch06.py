"""The claims of chapter 06, and of noise in chapter 09, fail when something is broken."""

import numpy as np
import pytest

from stablib.book.claims import (
    ch06_affine,
    ch06_lemma2,
    ch06_others,
    ch06_sobolev,
    ch06_stable,
    ch09_shattering,
)
from stablib.bounds import sharpness_upper_bound, upper_bound_implementation
from stablib.flattest import flattest_implementation


def scaled(function, factor):
    return lambda *args, **options: factor * function(*args, **options)


@pytest.mark.parametrize(
    ("claim", "module", "name", "factor"),
    [
        (ch06_lemma2.weight, ch06_lemma2, "g_hat", 1.001),
        (ch06_lemma2.weight, ch06_lemma2, "g_tilde", 1.5),
        (ch06_lemma2.after_cauchy_schwarz, ch06_lemma2, "sharpness_upper_bound", 0.9),
        (ch06_lemma2.least_trace, ch06_lemma2, "sharpness_upper_bound", 0.99),
        (ch06_lemma2.least_trace, ch06_lemma2, "tangent_gram", 1.01),
        (ch06_lemma2.lemma_2, ch06_lemma2, "sharpness_upper_bound", 0.8),
        (ch06_lemma2.lemma_2, ch06_lemma2, "sharpness", 1.5),
        (ch06_others.weight_one, ch06_others, "r_norm", 1.001),
        (ch06_others.weight_one, ch06_others, "stability_norm", 1.001),
        (ch06_stable.theorem_3, ch06_stable, "sharpness_upper_bound", 0.5),
        (ch06_sobolev.converges, ch06_sobolev, "slope", 0.5),
        (ch09_shattering.shattering, ch09_shattering, "border_exponent", 1.02),
        (ch09_shattering.shattering, ch09_shattering, "norms_of_noise", 0.0),
    ],
)
@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
def test_a_wrong_number_violates_it(claim, module, name, factor, monkeypatch):
    monkeypatch.setattr(module, name, scaled(getattr(module, name), factor))
    try:
        verdict = claim()
    except (ValueError, np.linalg.LinAlgError):
        assert factor == 0.0
    else:
        assert not verdict.holds


@pytest.mark.parametrize(
    ("claim", "field", "factor"),
    [
        (ch06_sobolev.sobolev_norm, "orders", 1.001),
        (ch06_sobolev.power_of_the_laplacian, "laplacian", 1.001),
        (ch06_sobolev.bounded_by_sobolev, "reach", 1.001),
        (ch06_sobolev.bounded_by_sobolev, "r_norm", 10.0),
    ],
)
def test_a_wrong_norm_violates_it(claim, field, factor, monkeypatch):
    true = ch06_sobolev.norms

    def wrong(number):
        found = true(number)
        return found._replace(**{field: factor * getattr(found, field)})

    monkeypatch.setattr(ch06_sobolev, "norms", wrong)
    assert not claim().holds


def test_a_pair_that_costs_more_violates_the_half(monkeypatch):
    true = ch06_affine.affine_pair
    monkeypatch.setattr(
        ch06_affine, "affine_pair", lambda X, b: true(X, b)._replace(exact=1.2 * true(X, b).exact)
    )
    assert not ch06_affine.affine_part().holds


def test_a_form_with_another_first_term_violates_the_duality(monkeypatch):
    true = ch06_lemma2.frozen
    monkeypatch.setattr(
        ch06_lemma2, "frozen", lambda net, X: true(net, X)._replace(total=3.0 * len(X) ** 2)
    )
    assert not ch06_lemma2.balanced().holds


def test_networks_that_grow_sharper_violate_theorem_2(monkeypatch):
    true = ch06_stable.stored
    rows = [row | {"flattest": row["flattest"] * 1e3 / row["k"]} for row in true()]
    monkeypatch.setattr(ch06_stable, "stored", lambda: rows)
    assert not ch06_stable.theorem_2().holds


def test_step_sizes_in_the_wrong_order_violate_the_gap(monkeypatch):
    true = ch06_stable.room
    monkeypatch.setattr(ch06_stable, "room", lambda net, X: true(net, X)._replace(sufficient=1e3))
    assert not ch06_stable.complements().holds


@pytest.mark.parametrize(("d", "field"), [(1, "left"), (1, "error"), (10, "left"), (10, "error")])
def test_noise_that_is_fitted_elsewhere_violates_the_contrast(d, field, monkeypatch):
    true = ch09_shattering.growing

    def wrong(dimension):
        found = true(dimension)
        return found._replace(**{field: 1 - getattr(found, field)}) if dimension == d else found

    monkeypatch.setattr(ch09_shattering, "growing", wrong)
    assert not ch09_shattering.shattering().holds


def test_a_norm_that_sees_the_implementation_violates_the_comparison(monkeypatch):
    monkeypatch.setattr(
        ch06_others, "stability_norm", lambda net, X: float(np.linalg.norm(net.W1)) + 1
    )
    assert not ch06_others.earlier_bounds().holds


def test_a_wrong_slope_violates_119(monkeypatch):
    cases = ch06_lemma2.gathered()[:10]
    assert ch06_affine.affine_slope(cases).holds
    broken = [case._replace(net=_Shifted(case.net)) for case in cases]
    assert not ch06_affine.affine_slope(broken).holds


class _Shifted:
    """A network whose canonical form has another linear part."""

    def __init__(self, net):
        self._net = net

    def __getattr__(self, name):
        return getattr(self._net, name)

    def canonical(self):
        form = self._net.canonical()
        return form._replace(beta=form.beta + 1.0)


def test_the_counterexample_holds_in_width_three():
    net, X, *_ = ch06_lemma2.narrow(100.0)
    wide = upper_bound_implementation(net, X)
    assert flattest_implementation(net, X).lower_bound > 200
    assert flattest_implementation(wide, X).sharpness <= sharpness_upper_bound(net, X) < 5
