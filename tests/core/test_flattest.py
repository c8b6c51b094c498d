import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from stablib import ShallowReLU, flattest_implementation, one_sided_norm, sharpness
from tests.core.oracles import autograd_features


def _features_sharpness(net, X):
    features = autograd_features(net, X)
    return np.linalg.eigvalsh(features.T @ features / len(X))[-1]


def _certificate_by_definition(net, X, P):
    """(1/n) [1'P1 + 2 sum sqrt(tr(P A) tr(P B))] with A and B written out as matrices."""
    total = P.sum()
    for i in range(net.k):
        z = np.maximum(X @ net.W1[i] + net.b1[i], 0)
        on = (z > 0).astype(float)
        A = net.w2[i] ** 2 * (X @ X.T + 1) * np.outer(on, on)
        total += 2 * np.sqrt(np.trace(P @ A) * np.trace(P @ np.outer(z, z)))
    return total / len(X)


def test_flattest_is_certified_and_attained_by_its_network(any_network):
    net, X = any_network
    flat = flattest_implementation(net, X)
    assert flat.gap <= 1e-9
    assert flat.lower_bound <= flat.sharpness * (1 + 1e-12)
    assert_allclose(_features_sharpness(flat.net, X), flat.sharpness, rtol=1e-9)
    assert_allclose(flat.net(X), net(X), rtol=1e-9, atol=1e-9 * (1 + np.abs(net(X)).max()))
    assert flat.sharpness <= sharpness(net, X) * (1 + 1e-12)
    assert flat.lower_bound >= (1 + 2 * one_sided_norm(net, X)) * (1 - 1e-9)


def test_a_general_optimiser_finds_nothing_flatter_and_comes_close(random_networks):
    rng = np.random.default_rng(0)
    for net, X in random_networks(6, seed=4, n_max=9, d_max=4, k_max=5):
        flat = flattest_implementation(net, X)
        tries = [
            minimize(
                lambda t, net=net, X=X: sharpness(net.rescale(np.exp(t)), X),
                rng.normal(size=net.k),
                method="Nelder-Mead",
                options={"maxiter": 3000, "xatol": 1e-9, "fatol": 1e-11},
            ).fun
            for _ in range(3)
        ]
        assert min(tries) >= flat.sharpness * (1 - 1e-9)
        assert min(tries) <= flat.sharpness * (1 + 1e-2)


def test_the_lower_bound_is_a_density_matrix_value_written_out():
    # At a simple optimum the projector on the top eigenvector is the certificate.
    rng = np.random.default_rng(0)
    net, X = ShallowReLU.initial(4, 6, scale=3, seed=1), rng.normal(size=(9, 4))
    flat = flattest_implementation(net, X)
    features = autograd_features(flat.net, X)
    u = np.linalg.eigh(features.T @ features)[1][:, -1]
    assert_allclose(_certificate_by_definition(net, X, np.outer(u, u)), flat.sharpness, rtol=1e-9)
    uniform = np.full((9, 9), 1 / 9)
    assert_allclose(
        _certificate_by_definition(net, X, uniform), 1 + 2 * one_sided_norm(net, X), rtol=1e-12
    )
    assert flat.lower_bound >= _certificate_by_definition(net, X, uniform)


def test_a_double_top_eigenvalue_is_solved_to_1e_7():
    flat = flattest_implementation(
        ShallowReLU([[1.0, 0.0]], [0.0], [1.0]), [[1.0, 3.0], [1.0, -3.0]]
    )
    exact = 9 * (2 + np.sqrt(116)) / 28
    assert_allclose(flat.sharpness, exact, rtol=1e-7)
    assert flat.gap <= 1e-7
    assert flat.lower_bound <= exact * (1 + 1e-12)


@pytest.mark.parametrize("n", [3, 6])
def test_symmetric_data_with_multiple_eigenvalues_is_certified_to_1e_7(n):
    # Points on a circle and one neuron for each, mirror images of each other.
    angle = 2 * np.pi * np.arange(n) / n
    X = 5 * np.column_stack([np.cos(angle), np.sin(angle)])
    flat = flattest_implementation(ShallowReLU(X, np.full(n, -20.0), np.ones(n)), X)
    assert flat.gap <= 1e-7


def test_newton_needs_few_factorisations_at_the_papers_sizes():
    rng = np.random.default_rng(0)
    for n, d, k, X in [
        (100, 20, 40, rng.normal(size=(100, 20))),
        (512, 784, 200, np.clip(rng.normal(0.1, 0.3, size=(512, 784)), 0, 1)),
    ]:
        flat = flattest_implementation(ShallowReLU.initial(d, k, scale=3), X)
        assert flat.gap <= 1e-9 and flat.evaluations <= 10, (n, d, k)


def test_neurons_without_slope_cost_nothing_in_the_limit():
    X = np.random.default_rng(0).normal(size=(8, 2))
    net = ShallowReLU([[1.0, 0.5], [30.0, 1.0]], [0.2, 5.0], [2.0, 0.0])
    alone = ShallowReLU([[1.0, 0.5]], [0.2], [2.0])
    flat = flattest_implementation(net, X)
    assert_allclose(flat.sharpness, flattest_implementation(alone, X).sharpness, rtol=1e-12)
    assert_allclose(sharpness(flat.net, X), flat.sharpness, rtol=1e-9)


def test_dead_neurons_keep_their_parameters():
    net = ShallowReLU([[1.0], [1.0]], [0.0, -100.0], [3.0, 7.0])
    flat = flattest_implementation(net, [[1.0], [2.0]])
    assert (flat.net.W1[1], flat.net.b1[1], flat.net.w2[1]) == (1.0, -100.0, 7.0)


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="net is None"):
        flattest_implementation(None, [[1.0]])
    with pytest.raises(ValueError, match="exceed what float64 holds"):
        flattest_implementation(ShallowReLU([[1e200]], [0.0], [1.0]), [[1.0]])
    with pytest.raises(ValueError, match="X has 2 columns"):
        flattest_implementation(ShallowReLU([[1.0]], [0.0], [1.0]), [[1.0, 2.0]])


def test_mirrored_data_at_any_scale_is_certified_to_1e_7():
    # X and -X, antipodal neurons, sizes over six decades: multiple eigenvalues and flat directions.
    rng = np.random.default_rng(5)
    for _ in range(80):
        n, d, k = (int(rng.integers(1, 7)) for _ in range(3))
        X = rng.normal(size=(n, d)) * 10 ** rng.uniform(-3, 3)
        X = np.vstack([X, -X])
        size = 10 ** rng.uniform(-3, 3)
        W1 = rng.normal(size=(k, d)) * size / np.abs(X).max()
        b1 = rng.normal(size=k) * size * (rng.random(k) < 0.7)
        if rng.random() < 0.4:
            W1, b1 = np.vstack([W1, -W1]), np.tile(b1, 2)
        net = ShallowReLU(W1, b1, rng.choice([-1.0, 1.0, 0.3], size=len(W1)))
        flat = flattest_implementation(net, X)
        assert flat.gap <= 1e-7
        assert_allclose(_features_sharpness(flat.net, X), flat.sharpness, rtol=1e-8)
