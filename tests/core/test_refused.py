"""What is refused is named, and what overflows is said in words, not warned of from inside NumPy."""

import warnings
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import expon

from stablib import (
    EmpiricalWeight,
    IsotropicWeight,
    ShallowReLU,
    affine_aware_bound,
    equivalent_implementation,
    flattest_implementation,
    implementation_free_bound,
    least_interpolating_norm,
    least_sharpness,
    linearized_sgd,
    max_stability_norm,
    sgd_threshold,
    sgd_threshold_interval,
    sharpness,
    sharpness_interval,
    sharpness_lower_bound,
    sharpness_upper_bound,
    stability_norm,
    sufficient_stability,
    tangent_features,
    tangent_gram,
)

NET = ShallowReLU([[1.0, 0.5], [-0.3, 2.0]], [0.2, -0.1], [1.0, -2.0], 0.5)
X = np.random.default_rng(0).normal(size=(5, 2))
WEIGHT, NORMAL = EmpiricalWeight(X), IsotropicWeight()
AXIS = [1.0, 0.0]


@pytest.mark.parametrize(
    ("name", "call"),
    [
        ("tol", lambda bad: implementation_free_bound(NET, X, tol=bad)),
        ("tol", lambda bad: affine_aware_bound(NET, X, tol=bad)),
        ("tol", lambda bad: least_sharpness(NET, X, tol=bad)),
        ("density", lambda bad: affine_aware_bound(NET, X, [[bad]])),
        ("loss_curvature", lambda bad: max_stability_norm(0.1, loss_curvature=[bad])),
        ("step_size", lambda bad: sufficient_stability(NET, X, bad)),
        ("W1", lambda bad: ShallowReLU([[bad]], [0.0], [1.0])),
        ("b1", lambda bad: ShallowReLU([[1.0]], [bad], [1.0])),
        ("w2", lambda bad: ShallowReLU([[1.0]], [0.0], [bad])),
        ("c", lambda bad: NET.rescale([bad, bad])),
        ("tol", lambda bad: NET.knots_on_data(X, bad)),
        ("near", lambda bad: least_interpolating_norm(X[:, :1], X[:, 1], near=bad)),
        ("probabilities", lambda bad: EmpiricalWeight(X, [bad])),
        ("b", lambda bad: WEIGHT.g_tilde(AXIS, bad)),
        ("v", lambda bad: WEIGHT.g_tilde([bad, bad], 0.0)),
        ("b", lambda bad: NORMAL.g_tilde(AXIS, bad)),
        ("v", lambda bad: NORMAL.g_tilde([bad, bad], 0.0)),
        ("b", lambda bad: NORMAL.g(AXIS, bad)),
        ("step_size", lambda bad: linearized_sgd(NET, X, NET(X), bad, 2)),
        ("radius", lambda bad: linearized_sgd(NET, X, NET(X), 0.1, 2, radius=bad)),
        ("spread", lambda bad: equivalent_implementation(NET, spread=bad)),
        ("tol", lambda bad: sgd_threshold(NET, X, 2, y=NET(X), tol=bad)),
    ],
)
def test_a_word_in_the_place_of_a_number_is_refused_by_the_arguments_name(name, call):
    with pytest.raises(ValueError, match=rf"^{name}\b"):
        call("word")


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: NORMAL.g_tilde(AXIS, [[1.0]]), "b has shape"),
        (lambda: NORMAL.g_tilde([AXIS, AXIS], [1.0]), "b has shape"),
        (lambda: NORMAL.g_tilde(1.0, 0.0), "v"),
        (lambda: IsotropicWeight(expon(loc=-np.log(2))), "marginal"),
        (lambda: IsotropicWeight(expon(loc=-1)), "marginal"),
        (lambda: IsotropicWeight(SimpleNamespace(expect=0)), "marginal"),
        (lambda: implementation_free_bound(NET, X[:2], [[0.5, 0.1], [0.0, 0.5]]), "symmetric"),
        (lambda: implementation_free_bound(NET, X[:2], [[0.5, 0.0], [0.0, 0.7]]), "trace 1.2"),
        (lambda: sgd_threshold(NET, X, 2, y=NET(X) + 2e-3 * np.sqrt(2)), "loss"),
        (lambda: sgd_threshold_interval(NET, X, 2, y=NET(X) + 2e-3 * np.sqrt(2)), "loss"),
        (lambda: sgd_threshold(NET, X, 2, y=NET(X) + 1.0, tol=0.49), "the network at y is 0.5;"),
    ],
)
def test_what_does_not_fit_is_refused(call, says):
    with pytest.raises(ValueError, match=says):
        call()


def test_a_loss_below_the_tolerance_is_near_enough():
    assert sgd_threshold(NET, X, 2, y=NET(X) + 1.0, tol=0.51) == sgd_threshold(NET, X, 2)


def test_what_is_left_out_has_the_value_that_the_signature_says():
    run = linearized_sgd(NET, X, None, 0.1, 2)
    same = linearized_sgd(NET, X, None, 0.1, 2, radius=1e-2, steps=1000, seed=0)
    np.testing.assert_array_equal(run.inside, same.inside)
    assert len(run.inside) == 1001
    other = equivalent_implementation(NET, seed=0, split=True, turned=True, padded=True, spread=1.0)
    given = equivalent_implementation(NET)
    np.testing.assert_array_equal(given.parameters(), other.parameters())


HUGE, ZERO = 1e200, np.zeros(5)


@pytest.mark.parametrize(
    "function",
    [
        sharpness_lower_bound,
        sharpness_upper_bound,
        stability_norm,
        sharpness,
        sharpness_interval,
        tangent_features,
        tangent_gram,
        flattest_implementation,
        implementation_free_bound,
        least_sharpness,
        lambda net, X: sharpness(net, X, ZERO),
        lambda net, X: sgd_threshold(net, X, 2, y=ZERO),
        lambda net, X: sgd_threshold_interval(net, X, 2, y=ZERO),
        lambda net, X: linearized_sgd(net, X, ZERO, 1e-3, 2, steps=3),
        lambda net, X: equivalent_implementation(net, seed=1).W1,
    ],
)
@pytest.mark.parametrize(
    "net",
    [
        ShallowReLU([[HUGE, HUGE], [-HUGE, 1.0]], [0.0, 1.0], [HUGE, -HUGE]),
        ShallowReLU([[HUGE, 0.0], [HUGE, 0.0]], [0.0, 0.0], [HUGE, -HUGE]),
        ShallowReLU([[1e160, 0.0], [0.0, 1e160]], [0.0, 0.0], [1.0, 1.0]),
        ShallowReLU([[1.0, 0.0], [0.0, 1.0]], [0.0, 0.0], [1e160, -1e160]),
    ],
    ids=["both layers", "both layers, opposite", "inner layer", "outer layer"],
)
def test_what_overflows_is_a_sentence_or_a_number(function, net):
    for points in (X, 1e150 * X):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                found = function(net, points)
            except ValueError as refused:
                assert len(str(refused)) > 20
            else:
                assert not np.isnan(np.asarray(found, dtype=object).ravel()[0])
