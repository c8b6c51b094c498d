"""What must not change a number, and what may only move it one way: random networks, nasties planted."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from stablib import (
    ShallowReLU,
    affine_aware_bound,
    flattest_implementation,
    gd_threshold,
    implementation_free_bound,
    least_sharpness,
    max_small_batch_norm,
    max_stability_norm,
    one_sided_norm,
    parametric_stability_norm,
    r_norm,
    sgd_threshold,
    sgd_threshold_bounds,
    sharpness,
    sharpness_interval,
    sharpness_lower_bound,
    sharpness_upper_bound,
    small_batch_norm,
    stability_norm,
)
from tests.core.oracles import autograd_hessian
from tests.trust.problems import SEEDS, gross, of, problem, problems, with_neuron
from tests.trust.stated import states


def function_norms(net, X):
    """What belongs to the function."""
    return np.array([stability_norm(net, X), small_batch_norm(net, X), r_norm(net)])


def network_norms(net, X):
    return np.array([parametric_stability_norm(net, X), one_sided_norm(net, X)])


def norms(net, X):
    return np.concatenate([function_norms(net, X), network_norms(net, X)])


def close(found, expected, net, X, rtol=1e-9):
    assert_allclose(found, expected, rtol=rtol, atol=1e-13 * gross(net, X))


def curvature(net, X, y):
    """Sharpness at interpolation and at the labels, and the step sizes that follow."""
    return np.array([sharpness(net, X), sharpness(net, X, y), gd_threshold(net, X, y)])


# What changes nothing


@states(stability_norm, parametric_stability_norm, one_sided_norm, r_norm, sharpness, gd_threshold)
@given(problems(), SEEDS)
def test_the_order_of_neurons_and_points_does_not_matter(given_problem, seed):
    net, X, y = given_problem
    rng = np.random.default_rng(seed)
    i, j = rng.permutation(net.k), rng.permutation(len(X))
    other = ShallowReLU(net.W1[i], net.b1[i], net.w2[i], net.b2)
    close(norms(other, X[j]), norms(net, X), net, X)
    assert_allclose(curvature(other, X[j], y[j]), curvature(net, X, y), rtol=1e-9)
    B = int(rng.integers(1, len(X) + 1))
    assert_allclose(sgd_threshold(other, X[j], B), sgd_threshold(net, X, B), rtol=1e-8)


@pytest.mark.statement("def-3")
@states(ShallowReLU.rescale, stability_norm, sharpness_lower_bound, sharpness_upper_bound)
@given(problems(), SEEDS)
def test_a_rescaling_moves_the_sharpness_and_no_norm_or_bound(given_problem, seed):
    net, X, _ = given_problem
    c = 10 ** np.random.default_rng(seed).uniform(-3, 3, net.k)
    other = net.rescale(c)
    close(norms(other, X), norms(net, X), net, X)
    for bound in (sharpness_lower_bound, sharpness_upper_bound):
        close(bound(other, X), bound(net, X), net, X)
    one, two = net.canonical(), other.canonical()
    assert len(one.a) == len(two.a)
    assert_allclose(two.v, one.v, atol=1e-12)
    assert_allclose(two.b, one.b, rtol=1e-12, atol=1e-12)
    assert_allclose(two.a, one.a, rtol=1e-9, atol=1e-12 * np.abs(net.ridges().a).sum())
    flat = flattest_implementation(net, X)
    assert sharpness(other, X) >= flat.lower_bound * (1 - 1e-12)


@states(flattest_implementation)
@given(problems(least_k=1))
def test_the_flattest_rescaling_is_the_same_from_wherever_one_starts(given_problem):
    net, X, _ = given_problem
    far = net.rescale(np.linspace(0.1, 10, net.k))
    assert_allclose(
        flattest_implementation(far, X).sharpness,
        flattest_implementation(net, X).sharpness,
        rtol=1e-6,
    )


def test_a_rescaling_does_move_the_sharpness():
    net, X, _ = problem(5, 2, 3)
    assert sharpness(net.rescale(10.0), X) > 2 * sharpness(net, X)


@states(stability_norm, small_batch_norm, sharpness, sharpness_upper_bound)
@given(problems(), SEEDS)
def test_turning_data_and_input_weights_together_changes_nothing(given_problem, seed):
    net, X, y = given_problem
    Q = np.linalg.qr(np.random.default_rng(seed).normal(size=(net.d, net.d)))[0]
    other = of(net, W1=net.W1 @ Q)
    close(norms(other, X @ Q), norms(net, X), net, X)
    assert_allclose(curvature(other, X @ Q, y), curvature(net, X, y), rtol=1e-9)
    close(sharpness_upper_bound(other, X @ Q), sharpness_upper_bound(net, X), net, X)


@states(stability_norm, sharpness, sharpness_upper_bound)
@given(problems(), st.integers(2, 3))
def test_the_data_several_times_over_are_the_same_law(given_problem, times):
    net, X, y = given_problem
    many, labels = np.tile(X, (times, 1)), np.tile(y, times)
    close(norms(net, many), norms(net, X), net, X)
    assert_allclose(curvature(net, many, labels), curvature(net, X, y), rtol=1e-9)
    close(sharpness_upper_bound(net, many), sharpness_upper_bound(net, X), net, X)


@states(stability_norm, sharpness, sgd_threshold)
@given(problems(), SEEDS, st.integers(-6, 6))
def test_a_neuron_that_is_off_at_all_points_changes_nothing_but_the_r_norm(
    given_problem, seed, power
):
    net, X, y = given_problem
    rng = np.random.default_rng(seed)
    w = rng.normal(size=net.d)
    other = with_neuron(net, w, -(X @ w).max() - np.abs(X).max() - 1, 10.0**power)
    expected = norms(net, X)
    close(np.delete(norms(other, X), 2), np.delete(expected, 2), net, X)
    assert_allclose(curvature(other, X, y), curvature(net, X, y), rtol=1e-9)
    assert_allclose(sgd_threshold(other, X, 1), sgd_threshold(net, X, 1), rtol=1e-8)


@states(stability_norm, one_sided_norm, sharpness)
@given(problems(least_k=1), st.floats(0.01, 0.99))
def test_a_neuron_in_two_parts_is_the_same_neuron(given_problem, share):
    net, X, y = given_problem
    root, rest = share**0.5, (1 - share) ** 0.5
    W1, b1, w2 = net.W1.copy(), net.b1.copy(), net.w2.copy()
    W1[0], b1[0], w2[0] = root * W1[0], root * b1[0], root * w2[0]
    other = with_neuron(
        ShallowReLU(W1, b1, w2, net.b2), rest * net.W1[0], rest * net.b1[0], rest * net.w2[0]
    )
    close(norms(other, X), norms(net, X), net, X)
    assert_allclose(curvature(other, X, y), curvature(net, X, y), rtol=1e-9)


@states(stability_norm, sharpness, gd_threshold)
@given(problems(), st.floats(-1, 1))
def test_a_constant_on_labels_and_output_is_not_seen(given_problem, share):
    net, X, y = given_problem
    constant = share * (1 + np.abs(y).max())
    other = of(net, b2=net.b2 + constant)
    assert np.array_equal(norms(other, X), norms(net, X))
    assert_allclose(curvature(other, X, y + constant), curvature(net, X, y), rtol=1e-8)


# What scales


@states(stability_norm, r_norm, small_batch_norm, sharpness_lower_bound, sharpness_upper_bound)
@given(problems(), st.floats(1e-3, 1e3))
def test_norms_grow_with_the_function_and_bounds_with_what_is_above_one(given_problem, c):
    net, X, _ = given_problem
    other = of(net, w2=c * net.w2, b2=c * net.b2)
    close(norms(other, X), c * norms(net, X), other, X)
    for bound in (sharpness_lower_bound, sharpness_upper_bound):
        assert_allclose(
            bound(other, X) - 1,
            c * (bound(net, X) - 1),
            rtol=1e-9,
            atol=1e-12 + 1e-13 * gross(other, X),
        )


# What moves one way


@pytest.mark.statement("eq-15")
@states(parametric_stability_norm, one_sided_norm, stability_norm, sharpness)
@given(problems(), SEEDS)
def test_one_more_neuron_never_lowers_what_neurons_cost(given_problem, seed):
    net, X, _ = given_problem
    rng = np.random.default_rng(seed)
    w, b, a = rng.normal(size=net.d), rng.normal(), rng.normal()
    other, alone = with_neuron(net, w, b, a), ShallowReLU([w], [b], [a])
    both = network_norms(net, X) + network_norms(alone, X)
    close(network_norms(other, X), both, other, X)
    assert (network_norms(other, X) >= network_norms(net, X) * (1 - 1e-12)).all()
    assert stability_norm(other, X) <= both[0] * (1 + 1e-9) + 1e-13 * gross(other, X)
    assert sharpness(other, X) >= sharpness(net, X) * (1 - 1e-12)


@states(sgd_threshold, sgd_threshold_bounds, gd_threshold)
@given(problems(n=6, k=4))
def test_larger_batches_never_lower_the_threshold_of_sgd(given_problem):
    net, X, _ = given_problem
    sizes = range(1, len(X) + 1)
    for replacement in (False, True):
        found = [sgd_threshold(net, X, B, replacement=replacement) for B in sizes]
        assert (np.diff(found) >= -1e-8 * np.array(found[1:])).all()
        for B, value in zip(sizes, found, strict=True):
            low, high = sgd_threshold_bounds(net, X, B, replacement=replacement)
            assert low * (1 - 1e-8) <= value <= high * (1 + 1e-8)
            assert value <= gd_threshold(net, X) * (1 + 1e-8)


@states(max_stability_norm, max_small_batch_norm)
@given(st.floats(1e-6, 1e6), st.floats(1e-6, 1e6), st.integers(1, 50), st.integers(1, 50))
def test_what_a_step_size_allows_falls_with_it_and_grows_with_the_batch(one, two, first, second):
    low, high = sorted((one, two))
    small, large = sorted((first, second))
    assert max_stability_norm(low) >= max_stability_norm(high)
    allowed = [max_small_batch_norm(low, B, 50) for B in (small, large)]
    assert allowed[0] <= allowed[1]
    assert max_small_batch_norm(low, small, 50) >= max_small_batch_norm(high, small, 50)
    assert max_small_batch_norm(low, 1, 50) == max_stability_norm(low)


# The chain


@pytest.mark.statement("eq-23")
@pytest.mark.statement("lem-3")
@pytest.mark.statement("new-any-width")
@states(
    implementation_free_bound,
    affine_aware_bound,
    least_sharpness,
    flattest_implementation,
    sharpness,
)
@settings(max_examples=max(15, settings().max_examples // 10))  # a second each
@given(problems(n=6, d=2, k=4, scale=2, reach=2))
def test_every_link_of_the_chain_holds(given_problem):
    net, X, _ = given_problem
    norm = 1 + 2 * stability_norm(net, X)
    free, aware = implementation_free_bound(net, X), affine_aware_bound(net, X)
    least, flat = least_sharpness(net, X), flattest_implementation(net, X)
    chain = [norm, free.value]
    if aware.certified:
        chain.append(aware.value)
    chain += [least.upper, flat.sharpness, sharpness(net, X)]
    chain = np.array(chain)
    assert (np.diff(chain) >= -2e-6 * chain[1:]).all(), chain
    assert least.value <= least.upper * (1 + 1e-9)
    own = 1 + 2 * one_sided_norm(net, X)
    assert own <= flat.sharpness * (1 + 1e-9)
    assert_allclose(least.net(X), net(X), atol=1e-6 * (1e-300 + gross(net, X) + abs(net.b2)))


def test_points_nearer_to_each_other_than_rounding_leave_the_chain_whole():
    net, X, _ = problem(6, 2, 4, seed=7)
    for size in (1e-8, 1e-10, 1e-11, 1e-12, 1e-16, 1e-99, 1e-300):
        least = least_sharpness(net, size * X)
        assert least.certified
        assert 1 - 1e-12 <= least.value <= least.upper <= 1 + 1e-6
        assert affine_aware_bound(net, size * X, "uniform").value <= least.upper


# The Hessian, formed


@pytest.mark.statement("eq-44")
@pytest.mark.statement("new-interval")
@states(sharpness_interval)
@given(problems(n=6, k=4))
def test_the_interval_holds_the_eigenvalue_of_the_formed_hessian(given_problem):
    net, X, y = given_problem
    for labels in (y, net(X)):
        top = np.linalg.eigvalsh(autograd_hessian(net, X, labels))[-1]
        low, high = sharpness_interval(net, X, labels)
        assert low * (1 - 1e-12) <= top <= high * (1 + 1e-12)
        assert high <= low * (1 + 1.1e-10)
