"""Thresholds against second-moment operators built from the definition, batch by batch."""

from itertools import combinations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from stablib import (
    ShallowReLU,
    gd_threshold,
    sgd_threshold,
    sgd_threshold_interval,
    sharpness,
    tangent_gram,
)
from stablib.meansquare import _Noise, boundary
from tests.core.oracles import autograd_features


def all_batches(n, B, replacement):
    """Every batch, each as likely as the next."""
    return list(product(range(n), repeat=B) if replacement else combinations(range(n), B))


def second_moment_operator(columns, step_size, batches):
    """Mean over the batches of A (x) A on the span of the columns, A = I - (eta/B) sum phi_i phi_i'."""
    U, s, _ = np.linalg.svd(columns, full_matrices=False)
    # Directions flatter than 1e-10 of the sharpest hide behind the rounding of the spectral radius.
    U = U[:, s > 1e-5 * s[0]]
    features = U.T @ columns
    total = 0.0
    for batch in batches:
        phi = features[:, list(batch)]
        A = np.eye(len(phi)) - step_size / len(batch) * phi @ phi.T
        total = total + np.kron(A, A)
    return total / len(batches)


def threshold_by_enumeration(columns, B, replacement):
    """The step size at which the spectral radius of the enumerated operator crosses 1."""
    batches = all_batches(columns.shape[1], B, replacement)
    top = np.linalg.eigvalsh(columns.T @ columns / columns.shape[1])[-1]

    def excess(s):
        operator = second_moment_operator(columns, 2 * s / top, batches)
        return np.abs(np.linalg.eigvals(operator)).max() - 1

    return 2 / top * brentq(excess, 1e-3 / columns.shape[1], 1.5, xtol=1e-14, rtol=1e-13)


@pytest.mark.statement("text-A-batch")
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("B", [1, 2, 3, 4])
def test_threshold_is_where_the_operator_averaged_over_all_batches_stops_to_contract(
    any_network, B, replacement
):
    net, X = any_network
    X = X[:5]
    if len(X) < B and not replacement:
        pytest.skip("no such batch")
    columns = autograd_features(net, X)
    exact = threshold_by_enumeration(columns, B, replacement)
    assert_allclose(sgd_threshold(net, X, B, replacement=replacement), exact, rtol=1e-9)


def test_two_scalar_losses_of_curvature_1_and_3_have_the_threshold_four_fifths():
    # Features 1 and sqrt 3 in one dimension, which no network has: E (1 - eta h)^2 = 1 at eta = 2 E h/E h^2.
    K = np.outer([1, 3**0.5], [1, 3**0.5])
    h, U = np.linalg.eigh(K / 2)
    low, high = boundary(h / h[-1], U, 1.0)
    assert_allclose(np.array([low, high]) * 2 / 2.0, 0.8, rtol=1e-9)


def test_orthogonal_points_have_thresholds_of_their_own():
    # When a point is drawn, its residual is multiplied by 1 - eta K_aa: eta < 2/K_aa, GD's threshold over n.
    K = np.diag([1.0, 5.0, 2.0, 5.0 - 1e-9])
    h, U = np.linalg.eigh(K / 4)
    low, high = boundary(h / h[-1], U, 1.0)
    assert low <= 0.25 <= high * (1 + 1e-15) and high <= low * (1 + 1e-9)


def test_the_interval_is_as_narrow_for_hundreds_of_points_that_hardly_interact():
    # One neuron for each point of a circle: K is 11' plus a diagonal, whose entries agree to 1e-3.
    n, rng = 300, np.random.default_rng(0)
    angle = 2 * np.pi / n * np.arange(n)
    X = np.column_stack([np.cos(angle), np.sin(angle)])
    w2 = 1e6 * rng.uniform(0.999, 1, n)
    net = ShallowReLU(X, np.full(n, -np.cos(np.pi / n)), w2)
    low, high = sgd_threshold_interval(net, X, 1)
    assert high <= low * (1 + 1e-9)
    # A point alone shrinks up to 2/K_aa; together they are no more stable, and at this scale no less.
    assert_allclose(high, 2 / np.diag(tangent_gram(net, X)).max(), rtol=1e-9)


def test_gradient_descent_stays_up_to_two_over_the_sharpness(any_network):
    net, X = any_network
    assert gd_threshold(net, X) == 2 / sharpness(net, X)
    y = net(X) + np.linspace(-1, 1, len(X))
    assert gd_threshold(net, X, y) == 2 / sharpness(net, X, y)


def test_batches_of_all_points_are_gradient_descent_exactly(any_network):
    net, X = any_network
    assert sgd_threshold(net, X, len(X)) == gd_threshold(net, X)


@pytest.mark.parametrize("replacement", [False, True])
def test_the_interval_holds_the_value_and_grows_with_the_batch(random_networks, replacement):
    for net, X in random_networks(25, seed=4, n_max=9):
        edge, last = gd_threshold(net, X), 0.0
        for B in range(1, len(X) + 1):
            low, high = sgd_threshold_interval(net, X, B, replacement=replacement)
            value = sgd_threshold(net, X, B, replacement=replacement)
            assert low <= value <= high <= low * (1 + 1e-9)
            assert last <= value * (1 + 1e-9) and value <= edge * (1 + 1e-9)
            last = value


def test_with_replacement_is_never_more_stable_than_without(random_networks):
    for net, X in random_networks(20, seed=5, n_max=8):
        for B in range(1, len(X) + 1):
            with_it = sgd_threshold(net, X, B, replacement=True)
            assert with_it <= sgd_threshold(net, X, B) * (1 + 1e-9)


def test_equal_points_make_sgd_gradient_descent():
    net, X = ShallowReLU([[1.0]], [0.5], [2.0]), [[1.0]] * 5
    for B in (1, 2, 5):
        assert_allclose(sgd_threshold(net, X, B), gd_threshold(net, X), rtol=1e-9)


def test_without_neurons_every_batch_has_the_threshold_2():
    net = ShallowReLU(np.zeros((0, 2)), [], [], 1.5)
    for B in (1, 3):
        assert_allclose(sgd_threshold(net, np.eye(4)[:, :2], B), 2.0, rtol=1e-9)


def test_it_depends_neither_on_the_order_of_points_nor_of_neurons(random_networks):
    rng = np.random.default_rng(0)
    for net, X in random_networks(10, seed=6, n_max=10):
        i, j = rng.permutation(len(X)), rng.permutation(net.k)
        turned = ShallowReLU(net.W1[j], net.b1[j], net.w2[j], net.b2)
        assert_allclose(sgd_threshold(turned, X[i], 1), sgd_threshold(net, X, 1), rtol=1e-8)


def test_it_is_below_the_bounds_that_one_second_moment_gives(random_networks):
    # At E = identity: the quotient of the two operators, which bounds the spectral radius from below.
    for net, X in random_networks(20, seed=7, n_max=10):
        K, n = tangent_gram(net, X), len(X)
        for B in range(1, n):
            q = (n - B) / (B * (n - 1))
            square, fourth = np.sum(K**2) / n**2, np.mean(np.diag(K) ** 2)
            bound = 2 * (np.trace(K) / n) / ((1 - q) * square + q * fourth)
            assert sgd_threshold(net, X, B) <= bound * (1 + 1e-9)


BAD = {
    "batch_size is 0; at least 1": {"batch_size": 0},
    "batch_size is 6, but X has 5 rows": {"batch_size": 6},
    "batch_size is 1.5; a whole number": {"batch_size": 1.5},
    "the loss of the network at y is .*; at most tol": {"batch_size": 1, "y": np.full(5, 99.0)},
    "y has shape": {"batch_size": 1, "y": np.zeros(4)},
    "tol is -1; a number that is zero or positive": {"batch_size": 1, "tol": -1},
}


@pytest.mark.parametrize("message", BAD)
@pytest.mark.parametrize("function", [sgd_threshold, sgd_threshold_interval])
def test_bad_input_is_named(function, message):
    net = ShallowReLU.initial(2, 3)
    with pytest.raises(ValueError, match=message):
        function(net, np.arange(10.0).reshape(5, 2), **BAD[message])


def test_more_than_all_points_are_possible_with_replacement():
    net, X = ShallowReLU.initial(2, 3), np.arange(10.0).reshape(5, 2)
    assert sgd_threshold(net, X, 50, replacement=True) <= gd_threshold(net, X)


@pytest.mark.parametrize("q", [0.05, 0.5, 1.0])
def test_a_step_size_is_seen_to_be_stable_exactly_below_the_threshold(q):
    rng = np.random.default_rng(3)
    features = rng.normal(size=(6, 4)) + 1
    h, U = np.linalg.eigh(features @ features.T)
    h /= h[-1]
    low, high = boundary(h, U, q)
    noise = _Noise(np.maximum(h, 0), U, q)

    def radius(s):
        return np.linalg.eigvals(np.array([noise.times(noise.kernel(s), e) for e in np.eye(6)]))

    assert 2 * low * q * abs(radius(low)).max() <= 1 + 1e-9
    assert 2 * high * q * abs(radius(high)).max() >= 1 - 1e-9 or high == 1
    for share in (0.3, 0.9, 0.999, 1.001, 1.1, 3.0):
        s = share * high
        if s < 1 or q == 1:
            top, stable = noise.perron(s, np.ones(6), 1e-10)
            assert stable == (share < 1)
            if not stable:  # then it is wanted for a better s
                again = noise.times(noise.kernel(s), top)
                assert_allclose(again, abs(radius(s)).max() * top, atol=1e-6 * abs(again).max())
