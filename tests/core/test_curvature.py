import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from stablib import (
    ShallowReLU,
    hessian_operator,
    sharpness,
    sharpness_interval,
    tangent_features,
    tangent_gram,
)
from tests.core.oracles import autograd_features, autograd_hessian


def _residual(X, size, seed=0):
    return size * np.random.default_rng(seed).normal(size=len(X))


@pytest.mark.statement("eq-45")
def test_tangent_features_are_the_autograd_gradients(any_network):
    net, X = any_network
    exact = autograd_features(net, X)
    assert_allclose(tangent_features(net, X), exact, rtol=1e-12, atol=1e-12 * np.abs(exact).max())


@pytest.mark.statement("eq-44")
def test_gram_is_the_square_of_autograd_features(any_network):
    net, X = any_network
    features = autograd_features(net, X)
    gram = features.T @ features
    assert_allclose(tangent_gram(net, X), gram, rtol=1e-12, atol=1e-12 * gram.max())


@pytest.mark.statement("eq-44")
@pytest.mark.parametrize("size", [0.0, 1e-4, 1.0, 1e3])
def test_hessian_products_are_those_of_the_autograd_hessian(any_network, size):
    net, X = any_network
    y = net(X) + _residual(X, size)
    exact = autograd_hessian(net, X, y)
    operator = hessian_operator(net, X, y) @ np.eye(len(exact))
    assert_allclose(operator, exact, atol=1e-12 * np.abs(exact).max())


@pytest.mark.parametrize("size", [0.0, 1e-8, 1e-4, 1.0, 1e3])
def test_sharpness_is_the_top_eigenvalue_of_the_autograd_hessian(any_network, size):
    net, X = any_network
    y = net(X) + _residual(X, size)
    top = np.linalg.eigvalsh(autograd_hessian(net, X, y))[-1]
    assert_allclose(sharpness(net, X, y), top, rtol=1e-10)
    low, high = sharpness_interval(net, X, y)
    assert low <= top * (1 + 1e-13) and top * (1 - 1e-13) <= high and high <= low * (1 + 1e-10)


def test_sharpness_with_labels_is_exact_on_random_networks_far_from_and_near_interpolation(
    random_networks,
):
    rng = np.random.default_rng(1)
    for net, X in random_networks(150, seed=2):
        y = net(X) + 10 ** rng.uniform(-8, 4) * rng.normal(size=len(X))
        top = np.linalg.eigvalsh(autograd_hessian(net, X, y))[-1]
        assert_allclose(sharpness(net, X, y), top, rtol=1e-10)


def test_without_labels_the_network_is_taken_to_interpolate(any_network):
    net, X = any_network
    assert_allclose(sharpness(net, X), sharpness(net, X, net(X)), rtol=1e-12)


def test_sharpness_sits_at_the_residual_part_when_only_that_has_curvature():
    # One dead-slope neuron: the features of (W1, b1) vanish and E alone moves the top eigenvalue.
    net, X, y = ShallowReLU([[1.0]], [0.0], [0.0]), [[1e-9]], [-1e6]
    top = np.linalg.eigvalsh(autograd_hessian(net, X, y))[-1]
    assert_allclose(sharpness(net, X, y), top, rtol=1e-10)


def test_other_losses_enter_by_their_second_derivative():
    net = ShallowReLU.initial(3, 5, seed=2)
    X = np.random.default_rng(0).normal(size=(8, 3))
    r = torch.tensor(net(X))
    # log-cosh at labels net(X) - t has l' = tanh(t), l'' = 1/cosh(t)^2; its Gauss-Newton part is compared.
    t = np.linspace(-1, 1, 8)
    curvature = 1 / np.cosh(t) ** 2
    features = autograd_features(net, X)
    exact = np.linalg.eigvalsh(features * curvature @ features.T / 8)[-1]
    assert_allclose(sharpness(net, X, loss_curvature=curvature), exact, rtol=1e-10)
    assert_allclose(sharpness(net, X, loss_curvature=2.0), 2 * sharpness(net, X), rtol=1e-12)
    assert r.shape == (8,)


def test_interval_is_narrow_at_the_size_of_mnist_and_for_a_nearly_double_eigenvalue():
    rng = np.random.default_rng(0)
    X = np.clip(rng.normal(0.1, 0.3, size=(512, 784)), 0, 1)
    net = ShallowReLU.initial(784, 200)
    low, high = sharpness_interval(net, X, net(X) + 1.4e-4 * rng.normal(size=512))
    assert 0 < high - low <= 1e-10 * low
    # Two far-apart neurons that never fire together, with almost equal blocks.
    net = ShallowReLU([[1.0], [-1.0]], [-50.0, -50.0], [1.0, 1.0 + 1e-9])
    X = [[100.0], [-100.0]]
    y = net(X) + [1e-4, 1e-4]
    top = np.linalg.eigvalsh(autograd_hessian(net, X, y))[-1]
    low, high = sharpness_interval(net, X, y)
    assert low <= top <= high and high - low <= 1e-10 * low


@pytest.mark.parametrize(
    "function", [sharpness, sharpness_interval, hessian_operator, tangent_gram, tangent_features]
)
def test_bad_arguments_are_named(function):
    net = ShallowReLU([[1.0, 0.0]], [0.0], [1.0])
    with pytest.raises(ValueError, match="net is str; a ShallowReLU is needed"):
        function("net", [[1.0, 0.0]])
    with pytest.raises(ValueError, match="X has 1 columns"):
        function(net, [[1.0]])
    with pytest.raises(ValueError, match="X has an infinite entry"):
        function(net, [[np.inf, 0.0]])
    if function in (sharpness, sharpness_interval, hessian_operator):
        with pytest.raises(ValueError, match=r"y has shape \(2,\), but X has 1 rows"):
            function(net, [[1.0, 0.0]], [1.0, 2.0])


def test_curvature_of_a_loss_is_validated():
    net = ShallowReLU([[1.0]], [0.0], [1.0])
    with pytest.raises(ValueError, match="negative entry -1"):
        sharpness(net, [[1.0]], loss_curvature=[-1.0])
    with pytest.raises(ValueError, match=r"loss_curvature has shape \(2,\)"):
        tangent_gram(net, [[1.0]], loss_curvature=[1.0, 1.0])
    with pytest.raises(ValueError, match="both y and loss_curvature"):
        sharpness(net, [[1.0]], [1.0], loss_curvature=1.0)


@pytest.mark.statement("eq-44")
def test_away_from_interpolation_the_hessian_differs_by_a_part_of_norm_max_c(any_network):
    net, X = any_network
    y = net(X) + _residual(X, 1.0)
    features = autograd_features(net, X)
    rest = autograd_hessian(net, X, y) - features @ features.T / len(X)
    r = net(X) - y
    c = [
        np.linalg.norm(
            sum(
                r[j] * np.append(X[j], 1) for j in range(len(X)) if X[j] @ net.W1[i] + net.b1[i] > 0
            )
        )
        for i in range(net.k)
    ]
    expected = max(c, default=0.0) / len(X)
    scale = np.abs(features).max() ** 2
    assert_allclose(np.linalg.norm(rest, 2), expected, rtol=1e-9, atol=1e-13 * scale)


def test_products_that_overflow_are_an_error_with_a_reason():
    net = ShallowReLU([[1e160]], [0.0], [1e160])
    for function in (sharpness, sharpness_interval):
        with pytest.raises(ValueError, match="exceed what float64 holds"):
            function(net, [[1.0], [2.0]])
