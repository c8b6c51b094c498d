"""The claims of chapter 03 hold on their own cases, and fail when something is broken."""

import numpy as np
import pytest

from stablib.book.claims import ch03_harmonic, ch03_norm, ch03_transforms
from stablib.radon.measures import HyperplaneMeasure


def scaled(function, factor):
    return lambda *args, **options: factor * function(*args, **options)


@pytest.mark.parametrize(
    ("claim", "module", "name", "factor"),
    [
        (ch03_transforms.transform, ch03_transforms.exact, "gaussian_radon", 1 + 1e-9),
        (ch03_transforms.transform, ch03_transforms.exact, "ball_radon", 1.02),
        (ch03_transforms.dual, ch03_transforms.transforms, "dual_radon", 1.001),
        (ch03_transforms.inversion, ch03_transforms.transforms, "gamma", 1.001),
        (ch03_transforms.inversion, ch03_transforms.exact, "gaussian_inverse_dual", 1.001),
        (ch03_transforms.inversion, ch03_transforms.radial, "inverse_dual_radial", 2.0),
        (ch03_transforms.layer, ch03_transforms.exact, "gaussian_radon", 1.001),
        (ch03_transforms.dots, ch03_transforms.exact, "gaussian_radon", 1.01),
        (ch03_norm.both_readings, ch03_norm, "absolute_second_differences", 1.03),
        (ch03_norm.limit_of_smoothing, ch03_norm, "primal_norm", 1.01),
        (ch03_norm.primal_form, ch03_norm, "stability_norm", 2.0),
        (ch03_norm.figure_2, ch03_norm, "primal_norm", 0.9),
        (ch03_harmonic.saddle_costs, ch03_harmonic, "stability_norm", 0.99),
        (ch03_harmonic.saddle_costs, ch03_harmonic, "cheapest_directions", 0.99),
        (ch03_harmonic.saddle_costs, ch03_harmonic, "saddle_error", 1000.0),
    ],
)
def test_a_wrong_number_violates_it(claim, module, name, factor, monkeypatch):
    monkeypatch.setattr(module, name, scaled(getattr(module, name), factor))
    assert not claim().holds


def test_dots_without_their_signs_violate_the_pairing(monkeypatch):
    # Each neuron's own dot, opposite ones included: what (32) says when read literally.
    def literal(net):
        ridges = net.ridges()
        return HyperplaneMeasure(np.abs(ridges.a), ridges.v, ridges.b)

    monkeypatch.setattr(ch03_transforms, "laplacian", literal)
    assert not ch03_transforms.dots().holds


def test_line_integrals_below_zero_violate_the_statement(monkeypatch):
    true = ch03_norm.line_integrals
    monkeypatch.setattr(
        ch03_norm, "line_integrals", lambda *args, **options: true(*args, **options) - 0.01
    )
    assert not ch03_norm.negative_density().holds


def test_the_bound_by_one_is_what_keeps_the_variation_finite():
    verdict = ch03_transforms.variation()
    assert verdict.holds
    assert verdict.margin < -5


def test_the_fitted_network_interpolates_and_keeps_clear_of_its_data():
    net, X, y, *_ = ch03_norm.fitted()
    assert np.abs(net(X) - y).max() < 1e-3
    assert net.knots_on_data(X, 1e-3) == 0
