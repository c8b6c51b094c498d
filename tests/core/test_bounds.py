import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from stablib import (
    EmpiricalWeight,
    ShallowReLU,
    flattest_implementation,
    max_stability_norm,
    one_sided_norm,
    parametric_stability_norm,
    sharpness,
    sharpness_lower_bound,
    sharpness_upper_bound,
    stability_norm,
    sufficient_stability,
)
from tests.core.oracles import autograd_features, autograd_hessian


@pytest.mark.statement("lem-3")
def test_the_chain_of_lemma_3_holds_on_every_named_network(any_network):
    net, X = any_network
    chain = [
        sharpness_lower_bound(net, X),
        1 + 2 * parametric_stability_norm(net, X),
        1 + 2 * one_sided_norm(net, X),
        flattest_implementation(net, X).sharpness,
        np.linalg.eigvalsh(autograd_hessian(net, X, net(X)))[-1],
    ]
    assert (np.diff(chain) >= -1e-9 * np.array(chain[1:])).all(), chain


@pytest.mark.statement("lem-3")
def test_the_chain_of_lemma_3_holds_on_random_networks(random_networks):
    for net, X in random_networks(300, seed=11):
        lower, top = sharpness_lower_bound(net, X), sharpness(net, X)
        assert lower <= (1 + 2 * one_sided_norm(net, X)) * (1 + 1e-9) <= top * (1 + 2e-9)


def _fit_to_noise(seed):
    """Three neurons fitted to 40 noisy labels by BFGS with restarts; most runs end at a kink instead."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(40, 2)), rng.normal(size=40)

    def network(t):
        return ShallowReLU(t[:6].reshape(3, 2), t[6:9], t[9:12], t[12])

    def loss(t):
        z = X @ t[:6].reshape(3, 2).T + t[6:9]
        height = np.maximum(z, 0)
        r = height @ t[9:12] + t[12] - y
        pull = (z > 0) * t[9:12] * r[:, None] / 40
        gradient = [(pull.T @ X).ravel(), pull.sum(axis=0), height.T @ r / 40, [r.mean()]]
        return (r**2).mean() / 2, np.concatenate(gradient)

    t = rng.normal(size=13)
    for _ in range(9):
        end = minimize(loss, t, jac=True, method="BFGS", options={"gtol": 1e-9})
        t = end.x
    return network(t), X, y, np.abs(end.jac).max()


@pytest.mark.statement("lem-3")
def test_lemma_3_needs_no_interpolation_at_a_smooth_local_minimum():
    smooth = 0
    for seed in (34, 40, 43, 74, 82, 103, 134, 155):
        net, X, y, gradient = _fit_to_noise(seed)
        if gradient > 1e-7 or net.knots_on_data(X, 1e-4):
            continue
        smooth += 1
        features, full = autograd_features(net, X), autograd_hessian(net, X, y)
        assert np.abs(net(X) - y).max() > 0.5
        assert_allclose(full, features @ features.T / 40, atol=1e-6 * np.abs(full).max())
        assert sharpness(net, X, y) >= sharpness_lower_bound(net, X)
    assert smooth >= 3


def test_curvature_of_another_loss_multiplies_and_reweights(random_networks):
    rng = np.random.default_rng(1)
    for net, X in random_networks(100, seed=3):
        curvature = rng.exponential(size=len(X)) * (rng.random(len(X)) < 0.8)
        features = autograd_features(net, X)
        top = np.linalg.eigvalsh(features * curvature @ features.T / len(X))[-1]
        assert sharpness_lower_bound(net, X, curvature) <= top * (1 + 1e-9) + 1e-12
        assert_allclose(
            sharpness_lower_bound(net, X, 3.0), 3 * sharpness_lower_bound(net, X), rtol=1e-12
        )


def _with_affine_pair(net, X, behind):
    """The function of `net` with chosen hyperplanes turned and two neurons for the affine rest (App. K)."""
    form = net.canonical()
    sign = np.where(behind, -1.0, 1.0)
    beta = form.beta + (form.a * behind) @ form.v
    c = form.c - (form.a * behind) @ form.b
    h = beta / np.linalg.norm(beta) if beta.any() else np.eye(net.d)[0]
    size, tau = np.linalg.norm(beta), X.mean(axis=0) @ h
    return ShallowReLU(
        np.vstack([sign[:, None] * form.v, h, -h]),
        np.concatenate([-sign * form.b, [-tau, tau]]),
        np.concatenate([form.a, [size, -size]]),
        c + size * tau,
    )


def test_some_implementation_of_two_more_neurons_stays_below_the_upper_bound(random_networks):
    for net, X in random_networks(60, seed=8):
        weight, form = EmpiricalWeight(X), net.canonical()
        cheaper = weight.g_hat(-form.v, -form.b) < weight.g_hat(form.v, form.b)
        sides = [cheaper, *(form.b < X @ form.v.T)]
        flattest = np.inf
        for behind in sides:
            other = _with_affine_pair(net, X, behind)
            assert_allclose(other(X), net(X), rtol=1e-8, atol=1e-8)
            flattest = min(flattest, flattest_implementation(other, X).sharpness)
        assert flattest <= sharpness_upper_bound(net, X) * (1 + 1e-9)


def test_with_no_neuron_to_spare_the_papers_lemma_2_fails():
    # f = relu(x + 100) - .999 relu(-x - 100): every implementation of width 2 is a rescaling.
    X = np.random.default_rng(0).normal(size=(20, 1))
    net = ShallowReLU([[1.0], [-1.0]], [100.0, -100.0], [1.0, -0.999])
    assert flattest_implementation(net, X).lower_bound > 100
    assert sharpness_upper_bound(net, X) < 10  # which an implementation of width 4 meets
    wide = _with_affine_pair(net, X, np.array([True]))
    assert flattest_implementation(wide, X).sharpness < 3


def test_theorem_1_at_the_edge_is_lemma_3():
    assert max_stability_norm(0.1) == pytest.approx(9.5)
    assert max_stability_norm(4.0) < 0
    net, X = ShallowReLU.initial(3, 10, seed=0), np.random.default_rng(0).normal(size=(20, 3))
    assert stability_norm(net, X) <= max_stability_norm(2 / sharpness(net, X))


def test_sufficient_stability_is_the_upper_bound_against_two_over_the_step_size():
    net, X = ShallowReLU.initial(3, 10, seed=0), np.random.default_rng(0).normal(size=(20, 3))
    edge = 2 / sharpness_upper_bound(net, X)
    assert sufficient_stability(net, X, 0.999 * edge) and not sufficient_stability(
        net, X, 1.001 * edge
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: max_stability_norm(0), "step_size is 0; a positive number is needed"),
        (lambda: max_stability_norm(-0.1), "step_size is -0.1; a positive number is needed"),
        (lambda: max_stability_norm("0.1"), "step_size is str"),
        (lambda: max_stability_norm(True), "step_size is True; a number is needed"),
        (lambda: max_stability_norm(float("nan")), "step_size has NaN"),
        (lambda: sharpness_lower_bound(3, [[1.0]]), "net is int"),
        (
            lambda: sharpness_upper_bound(ShallowReLU([[1.0]], [0], [1]), [[]]),
            r"X has shape \(1, 0\)",
        ),
        (
            lambda: sharpness_lower_bound(ShallowReLU([[1.0]], [0], [1]), [[1.0]], [-1]),
            "negative entry -1",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
