import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from stablib import (
    ShallowReLU,
    flattest_implementation,
    one_sided_norm,
    sharpness,
    sharpness_lower_bound,
    sharpness_upper_bound,
    tangent_gram,
)
from stablib.book import specs
from stablib.training import sweep
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


@pytest.mark.parametrize("multiplicity", [2, 5, 40])
def test_a_top_eigenvalue_of_any_multiplicity_is_solved_to_1e_7(multiplicity):
    # Points (1, +-r e_i): the even vector has eigenvalue 1 + 2c + 1/c, the m odd ones r^2 c/m = 9c.
    m = multiplicity
    odd = 3 * np.sqrt(m) * np.eye(m)
    X = np.hstack([np.ones((2 * m, 1)), np.vstack([odd, -odd])])
    flat = flattest_implementation(ShallowReLU(np.eye(m + 1)[:1], [0.0], [1.0]), X)
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
    with pytest.raises(ValueError, match="negative entry -1"):
        flattest_implementation(ShallowReLU([[1.0]], [0.0], [1.0]), [[1.0]], -1)
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


def _nasty(rng):
    """Data and a network that may break any assumption: ties, knots on points, decades of sizes."""
    n, d, k = (int(rng.integers(1, top)) for top in (14, 7, 12))
    X = rng.normal(size=(n, d))
    X = {
        "plain": lambda: X,
        "non-negative": lambda: np.abs(X),
        "mirrored": lambda: np.vstack([X, -X]),
        "repeated": lambda: X[rng.integers(0, n, 2 * n)],
        "collinear": lambda: rng.normal(size=(n, 1)) * X[:1] + rng.normal(size=d),
        "lattice": lambda: rng.integers(-2, 3, size=(n, d)).astype(float),
        "orthogonal": lambda: np.eye(n),
    }[
        rng.choice(
            ["plain", "non-negative", "mirrored", "repeated", "collinear", "lattice", "orthogonal"]
        )
    ]()
    X = X * 10 ** rng.uniform(-6, 6)
    size, d = np.abs(X).max(), X.shape[1]
    W1, b1 = rng.normal(size=(k, d)), rng.normal(size=k) * size
    if rng.random() < 0.5:
        W1, b1 = np.vstack([W1, -W1]), np.tile(b1 * (rng.random() < 0.5), 2)
    decades = 10 ** rng.uniform(-3, 3, size=len(W1)) if rng.random() < 0.5 else 1.0
    W1, b1 = (W1.T * decades).T * 10 ** rng.uniform(-6, 6), b1 * decades
    w2 = rng.normal(size=len(W1)) * 10 ** rng.uniform(-6, 6)
    i, j, h = rng.integers(0, len(W1), 3)
    if rng.random() < 0.3:
        w2[i] = 0
    if rng.random() < 0.3:
        W1[j] = 0
    if rng.random() < 0.3:
        b1[h] = -1e9 * (1 + np.abs(b1).max())
    return ShallowReLU(W1, b1, w2, rng.normal()), X


def test_nasty_networks_are_certified_to_1e_7_and_non_negative_data_to_1e_9():
    rng = np.random.default_rng(12)
    for _ in range(400):
        net, X = _nasty(rng)
        flat = flattest_implementation(net, X)
        assert flat.gap <= (1e-9 if (X >= 0).all() else 1e-7)
        assert flat.lower_bound <= flat.sharpness * (1 + 1e-12)
        assert flat.sharpness <= _features_sharpness(net, X) * (1 + 1e-10)


def test_points_on_hyperplanes_stay_on_them():
    # Integers, so that a third of all points lies exactly on some hyperplane, where the neuron is off.
    rng = np.random.default_rng(13)
    for _ in range(100):
        X = rng.integers(-3, 4, size=(8, 2)).astype(float)
        net = ShallowReLU(rng.integers(-3, 4, (5, 2)), rng.integers(-3, 4, 5), rng.normal(size=5))
        flat = flattest_implementation(net, X)
        assert ((flat.net.preactivations(X) > 0) == (net.preactivations(X) > 0)).all()
        assert_allclose(_features_sharpness(flat.net, X), flat.sharpness, rtol=1e-9)


def test_equal_neurons_share_one_neurons_part():
    # Splitting in parallel copies of one sign changes nothing, and leaves a flat direction of the problem.
    rng = np.random.default_rng(14)
    X = rng.normal(size=(12, 3))
    net = ShallowReLU.initial(3, 4, scale=2, seed=3)
    W1, b1 = np.repeat(net.W1, 3, axis=0), np.repeat(net.b1, 3)
    split = ShallowReLU(W1, b1, np.repeat(net.w2, 3) * np.tile([0.5, 0.4, 0.1], 4), net.b2)
    one, three = flattest_implementation(net, X), flattest_implementation(split, X)
    assert_allclose(three.sharpness, one.sharpness, rtol=1e-9)
    assert three.gap <= 1e-9


def test_evaluations_count_the_eigen_solves(monkeypatch):
    from stablib import flattest

    calls = []

    def counting(matrix, solve=flattest.top_eigenpair):
        calls.append(len(matrix))
        return solve(matrix)

    monkeypatch.setattr(flattest, "top_eigenpair", counting)
    rng = np.random.default_rng(15)
    for net, X in [
        (ShallowReLU.initial(4, 6, seed=1), rng.normal(size=(9, 4))),
        (ShallowReLU([[1.0, 0.0]], [0.0], [1.0]), [[1.0, 3.0], [1.0, -3.0]]),
    ]:
        calls.clear()
        assert flattest_implementation(net, X).evaluations == len(calls)


def test_the_stored_mnist_networks_need_at_most_ten_eigen_solves():
    networks = list(sweep(specs.FIG5).networks.values())
    for net, data in (networks[0], networks[-1]):
        flat = flattest_implementation(net, data.X)
        assert flat.gap <= 1e-9 and flat.evaluations <= 10
        assert flat.sharpness <= sharpness(net, data.X)


def _weighted_sharpness(net, X, curvature):
    features = autograd_features(net, X) * np.sqrt(np.asarray(curvature) / len(X))
    return np.linalg.norm(features, ord=2) ** 2


@pytest.mark.statement("new-weighted-loss")
def test_the_flattest_rescaling_for_another_loss_is_certified_and_attained(any_network):
    net, X = any_network
    rng = np.random.default_rng(16)
    for curvature in (rng.exponential(size=len(X)), (rng.random(len(X)) < 0.6) * 1.0):
        flat = flattest_implementation(net, X, curvature)
        assert flat.gap <= 1e-9
        assert_allclose(_weighted_sharpness(flat.net, X, curvature), flat.sharpness, rtol=1e-9)
        assert flat.sharpness <= _weighted_sharpness(net, X, curvature) * (1 + 1e-12)
        own = sharpness_lower_bound(net, X, curvature, own_side=True)
        assert own <= flat.lower_bound * (1 + 1e-9)
        trace = sharpness_upper_bound(net, X, curvature, own_side=True)
        assert flat.sharpness <= trace * (1 + 1e-9)


def test_a_constant_curvature_multiplies_the_flattest_sharpness(random_networks):
    for net, X in random_networks(40, seed=17):
        plain, tripled = flattest_implementation(net, X), flattest_implementation(net, X, 3.0)
        assert_allclose(tripled.sharpness, 3 * plain.sharpness, rtol=1e-12)
        assert_allclose(tripled.net.parameters(), plain.net.parameters(), rtol=1e-9)
    assert flattest_implementation(net, X, 0.0)[:3] == (0.0, 0.0, 0.0)


def test_a_general_optimiser_finds_nothing_flatter_for_another_loss(random_networks):
    rng = np.random.default_rng(18)
    for net, X in random_networks(6, seed=19, n_max=9, d_max=4, k_max=5):
        curvature = rng.exponential(size=len(X)) * (rng.random(len(X)) < 0.7)
        flat = flattest_implementation(net, X, curvature)
        tries = [
            minimize(
                lambda t, net=net, X=X, curvature=curvature: np.linalg.eigvalsh(
                    tangent_gram(net.rescale(np.exp(t)), X, curvature) / len(X)
                )[-1],
                rng.normal(size=net.k),
                method="Nelder-Mead",
                options={"maxiter": 3000, "xatol": 1e-9, "fatol": 1e-11},
            ).fun
            for _ in range(3)
        ]
        assert min(tries) >= flat.lower_bound * (1 - 1e-12)
        assert min(tries) <= flat.sharpness * (1 + 1e-2)
