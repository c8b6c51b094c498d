"""The claims of chapter 05 hold on their own cases, and fail when something is broken."""

import numpy as np
import pytest

from stablib.book.claims import ch05_deep, ch05_fit, ch05_prop1, ch05_pyramid, ch05_separation
from stablib.radon.polygon import Roof


def scaled(function, factor):
    return lambda *args, **options: factor * function(*args, **options)


@pytest.mark.parametrize(
    ("claim", "module", "name", "factor"),
    [
        (ch05_pyramid.segments, ch05_pyramid, "smooth_slice", 1.01),
        (ch05_pyramid.poles, ch05_pyramid.transforms, "gamma", 1.001),
        (ch05_pyramid.closed_form, ch05_pyramid, "smoothed", 1.05),
        (ch05_pyramid.product_form, ch05_pyramid.pyramid, "density", 1.0001),
        (ch05_separation.infinite_norm, ch05_separation.local, "crease_pairing", 1.01),
        (ch05_separation.infinite_norm, ch05_separation.local, "spike_height", 1.05),
        (ch05_separation.infinite_norm, ch05_separation, "local_rate", 1.01),
        (ch05_separation.separation, ch05_separation, "least_variation", 1.1),
        (ch05_pyramid.figure_6, ch05_pyramid.pyramid, "pyramid", 1.01),
        (ch05_prop1.weak_convergence, ch05_prop1, "stability_norm", 2.0),
        (ch05_deep.neighbours, ch05_deep, "slowest", 0.99),
        (ch05_deep.exactly, ch05_deep, "pyramid", 1.001),
        (ch05_fit.costly, ch05_fit, "bump_norm", 2.0),
    ],
)
def test_a_wrong_number_violates_it(claim, module, name, factor, monkeypatch):
    monkeypatch.setattr(module, name, scaled(getattr(module, name), factor))
    assert not claim().holds


def test_creases_with_another_jump_violate_the_edges(monkeypatch):
    true = Roof.creases
    monkeypatch.setattr(Roof, "creases", lambda self: true(self)._replace(c=1.001 * true(self).c))
    assert not ch05_pyramid.edges().holds
    assert not ch05_pyramid.corner().holds


def test_another_constant_violates_the_rate(monkeypatch):
    monkeypatch.setattr(ch05_pyramid.pyramid, "RATE", 1.0001 * ch05_pyramid.pyramid.RATE)
    assert not ch05_pyramid.rate().holds


def test_a_norm_that_forgets_one_of_two_bends_violates_semicontinuity(monkeypatch):
    true = ch05_prop1.stability_norm

    def forgetful(net, X):
        return true(net, X) * (0.5 if net.k > 1 else 1.0)

    monkeypatch.setattr(ch05_prop1, "stability_norm", forgetful)
    assert not ch05_prop1.lower_semicontinuity().holds


def test_errors_that_do_not_fall_violate_the_shrinking_class(monkeypatch):
    true = ch05_fit.fitted
    monkeypatch.setattr(ch05_fit, "fitted", lambda name: [r | {"dual": 0.1} for r in true(name)])
    assert ch05_fit.shrinking_class().margin <= 0


def test_the_bump_has_a_finite_norm_that_does_not_depend_on_the_grid():
    assert ch05_fit.bump_norm() == pytest.approx(ch05_fit.bump_norm(9001), rel=1e-3)


def test_a_data_point_on_a_knot_is_another_problem():
    clear, knot = ch05_deep.at_a_knot()
    assert clear < 1e-15
    assert np.isfinite(knot)
