"""The claims of chapter 04 hold on their own cases, and fail when something is broken."""

import numpy as np
import pytest

from stablib import ShallowReLU
from stablib.book.claims import ch04, ch04_examples
from stablib.book.claims.cases import Case


def scaled(function, factor):
    return lambda *args, **options: factor * function(*args, **options)


@pytest.mark.parametrize(
    ("claim", "module", "name", "factor"),
    [
        (ch04_examples.two_point_price, ch04_examples, "tent", 1 + 1e-9),
        (ch04_examples.three_poles, ch04_examples, "flux", 1.001),
        (ch04_examples.three_poles, ch04_examples.density, "two_points", 1.01),
        (ch04_examples.two_point_density, ch04_examples, "two_point_line", 1.001),
        (ch04_examples.abel, ch04_examples.density, "gaussian", 1 + 1e-7),
        (ch04_examples.shape_of_rho, ch04_examples.density, "gaussian", 1.5),
        (ch04.parametric, ch04, "parametric_stability_norm", 1.001),
        (ch04.parametric, ch04, "stability_norm", 1.5),
        (ch04.figure_3, ch04.density, "two_points", -1.0),
        (ch04.figure_3, ch04.density, "gaussian", -1.0),
    ],
)
def test_a_wrong_number_violates_it(claim, module, name, factor, monkeypatch):
    monkeypatch.setattr(module, name, scaled(getattr(module, name), factor))
    assert not claim().holds


@pytest.mark.parametrize("method", ["g_tilde", "g"])
def test_another_price_violates_both_isotropic_formulas(method, monkeypatch):
    law = ch04_examples.IsotropicWeight
    monkeypatch.setattr(law, method, scaled(getattr(law, method), 1.001))
    broken = ch04_examples.isotropic_price if method == "g_tilde" else ch04_examples.isotropic_least
    assert not broken().holds


def test_a_price_that_reaches_beyond_the_points_violates_the_support(monkeypatch):
    weight = ch04.EmpiricalWeight
    true = weight.g
    monkeypatch.setattr(weight, "g", lambda self, v, b: true(self, v, np.asarray(b) * 0.99))
    assert not ch04.support().holds


def test_the_slopes_do_not_fall_and_the_offsets_grow():
    assert not ch04.slopes().holds
    assert ch04.offsets().holds


def test_the_price_share_is_one_for_creases_at_the_dearest_offset():
    X = np.array([[1.0, 0.0], [-1.0, 0.0]])
    # The dearest line of two points is the one halfway between them: the top of the tent, at no projection.
    top = Case(ShallowReLU([[1.0, 0.0]], [0.0], [1.0]), X, np.zeros(2), "halfway")
    assert ch04.price_share(top) == pytest.approx(1, abs=1e-8)
    half = Case(ShallowReLU([[1.0, 0.0]], [0.5], [1.0]), X, np.zeros(2), "half way out")
    assert ch04.price_share(half) == pytest.approx(0.5, abs=1e-8)
    free = Case(ShallowReLU([[1.0, 0.0]], [5.0], [1.0]), X, np.zeros(2), "outside")
    assert ch04.price_share(free) == 0


def test_turned_neurons_are_the_same_lines():
    rng = np.random.default_rng(0)
    net = ShallowReLU(rng.normal(size=(9, 2)), rng.normal(size=9), rng.normal(size=9))
    angle, b, a = ch04.turned_neurons(Case(net, np.zeros((1, 2)), np.zeros(1), "any"))
    form = net.canonical()
    v = np.column_stack([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    same = np.sign((v * form.v).sum(axis=1))
    assert (angle >= 0).all() and (angle < 180).all()
    np.testing.assert_allclose(v, same[:, None] * form.v, atol=1e-12)
    np.testing.assert_allclose(b, same * form.b)
    np.testing.assert_allclose(a, np.abs(form.a))
