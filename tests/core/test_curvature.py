import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.sparse.linalg import eigsh

from stablib import (
    ShallowReLU,
    hessian_operator,
    sharpness,
    sharpness_interval,
    tangent_features,
    tangent_gram,
)
from stablib.hessian import Hessian
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


def test_near_interpolation_one_eigen_solve_is_enough(monkeypatch):
    X, residual = np.random.default_rng(5).normal(size=(30, 5)), _residual(range(30), 1.0)
    net = ShallowReLU.initial(5, 12, scale=3, seed=1)
    y = net(X) - 1e-6 * residual
    top = np.linalg.eigvalsh(autograd_hessian(net, X, y))[-1]
    monkeypatch.setattr(Hessian, "resolvent", None)
    assert_allclose(sharpness(net, X, y), top, rtol=1e-12)
    with pytest.raises(TypeError):  # and far from it not: the resolvent is asked
        sharpness(net, X, net(X) - residual)


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
    # log-cosh at labels net(X) - t has l' = tanh(t), l'' = 1/cosh(t)^2; its Gauss-Newton part is compared.
    t = np.linspace(-1, 1, 8)
    curvature = 1 / np.cosh(t) ** 2
    features = autograd_features(net, X)
    exact = np.linalg.eigvalsh(features * curvature @ features.T / 8)[-1]
    assert_allclose(sharpness(net, X, loss_curvature=curvature), exact, rtol=1e-10)
    assert_allclose(sharpness(net, X, loss_curvature=2.0), 2 * sharpness(net, X), rtol=1e-12)


def _extended_top(net, X, y, vectors):
    """Largest Ritz value of the Hessian on a few vectors, in extended precision (64-bit mantissa).

    Its error is the square of the vectors' error over the gap: far below 1e-16 unless what comes after them
    is as large as they are.
    """
    W1, b1, w2, X, y = (np.asarray(a, dtype=np.longdouble) for a in (net.W1, net.b1, net.w2, X, y))
    n, k, d = len(X), net.k, net.d
    z = X @ W1.T + b1
    r = np.maximum(z, 0) @ w2 + net.b2 - y
    V = np.asarray(vectors, dtype=np.longdouble)
    for i in range(V.shape[1]):
        for h in range(i):
            V[:, i] -= V[:, h] * (V[:, h] @ V[:, i])
        V[:, i] /= np.sqrt(V[:, i] @ V[:, i])
    images, inners = [], []
    for v in V.T:
        D, db, dw = v[: k * d].reshape(k, d), v[k * d : k * d + k], v[k * d + k : -1]
        dz = (z > 0) * (X @ D.T + db)
        images.append(dz @ w2 + np.maximum(z, 0) @ dw + v[-1])
        inners.append((dz, dw))
    ritz = np.zeros((V.shape[1],) * 2, dtype=np.longdouble)
    for i, (dz, dw) in enumerate(inners):
        for h, (dz_h, dw_h) in enumerate(inners):
            ritz[i, h] = (images[i] @ images[h] + r @ (dz @ dw_h) + r @ (dz_h @ dw)) / n
    values = mpmath.eigsy(
        mpmath.matrix([[mpmath.mpf(str(x)) for x in row] for row in ritz]), eigvals_only=True
    )
    return max(values)


def _assert_proven(net, X, y, top, width=1e-10):
    low, high = sharpness_interval(net, X, y)
    assert low <= top <= high and high - low <= width * low
    assert abs(sharpness(net, X, y) - top) <= 1e-12 * top


def test_the_interval_is_narrow_and_right_in_extended_precision_at_n_100():
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=(100, 20))
        net = ShallowReLU.initial(20, 40, scale=3.0, seed=seed)
        r = rng.normal(size=100)
        y = net(X) + r * np.sqrt(2e-8 / np.mean(r**2))  # loss 1e-8
        vectors = np.linalg.eigh(autograd_hessian(net, X, y))[1][:, :-4:-1]
        _assert_proven(net, X, y, _extended_top(net, X, y, vectors), width=1e-12)


def test_the_interval_is_narrow_and_right_in_extended_precision_on_trained_mnist_networks():
    from stablib.book import specs
    from stablib.training import sweep

    stored = list(sweep(specs.FIG5).networks.values())
    for entry in (stored[0], stored[-1]):
        net, X = entry.net, entry.data.X
        r = net(X) - entry.data.y
        for y in (entry.data.y, net(X) - r * np.sqrt(2e-8 / np.mean(r**2))):
            vectors = eigsh(hessian_operator(net, X, y), k=3, tol=1e-13, v0=net.parameters())[1]
            _assert_proven(net, X, y, _extended_top(net, X, y, vectors), width=1e-12)


def _two_copies(gap, seed=0):
    """100 points with a top eigenvalue of multiplicity two but for a relative gap.

    Points come in pairs (.., +h) and (.., -h) that the same neurons see alike; a second copy is mirrored at
    the origin, with neurons of its own. The odd vectors of each copy see neither b2 nor the other copy.
    """
    rng = np.random.default_rng(seed)
    half = np.column_stack([rng.uniform(1, 2, 25), rng.normal(size=25), rng.uniform(3, 6, 25)])
    copy = np.vstack([half, half * [1, 1, -1]])
    W1 = np.column_stack([rng.uniform(0.5, 1, 3), 0.1 * rng.normal(size=3), np.zeros(3)])
    w2 = rng.normal(size=3)
    net = ShallowReLU(
        np.vstack([W1, -W1]), np.zeros(6), np.concatenate([w2, w2 * np.sqrt(1 + gap)])
    )
    return net, np.vstack([copy, -copy])


def _top_two_exactly(net, X, y):
    """The two largest eigenvalues in 40 digits, from the Hessian's entries."""
    with mpmath.workdps(40):
        n, k, d = len(X), net.k, net.d
        p = (d + 2) * k + 1
        H = mpmath.zeros(p)
        exact = [[mpmath.mpf(float(v)) for v in [*row, 1]] for row in X]
        W = [[mpmath.mpf(float(v)) for v in [*w, b]] for w, b in zip(net.W1, net.b1, strict=True)]
        w2 = [mpmath.mpf(float(v)) for v in net.w2]
        for x, label in zip(exact, y, strict=True):
            z = [mpmath.fdot(w, x) for w in W]
            r = mpmath.fdot(w2, [max(v, 0) for v in z]) + net.b2 - mpmath.mpf(float(label))
            phi = [0] * p
            phi[-1] = 1
            for i in range(k):
                if z[i] > 0:
                    places = [*range(i * d, i * d + d), k * d + i]
                    outer = k * d + k + i
                    phi[outer] = z[i]
                    for place, value in zip(places, x, strict=True):
                        phi[place] = w2[i] * value
                        H[place, outer] += r * value / n
                        H[outer, place] += r * value / n
            seen = [a for a in range(p) if phi[a] != 0]
            for a in seen:
                for b in seen:
                    H[a, b] += phi[a] * phi[b] / n
        values = sorted(mpmath.eigsy(H, eigvals_only=True))
        return values[-1], values[-2]


@pytest.mark.parametrize("residual", [0.0, 1e-6, 1e-2])
@pytest.mark.parametrize("gap", [1e-9, 1e-13, 0.0])
def test_the_interval_holds_a_double_and_a_nearly_double_top_eigenvalue(gap, residual):
    net, X = _two_copies(gap)
    # A residual that is as symmetric as the data leaves the eigenvalue double.
    r = np.tile(np.random.default_rng(1).normal(size=25), 4)
    y = net(X) - residual * r
    first, second = _top_two_exactly(net, X, y)
    assert abs((first - second) / first - gap) <= 1e-15
    _assert_proven(net, X, y, first)
    # One that is not splits it by about as much as it is large.
    y = net(X) - residual * np.random.default_rng(2).normal(size=100)
    _assert_proven(net, X, y, _top_two_exactly(net, X, y)[0])


@pytest.mark.parametrize("size", [0.0, 1e-8, 1e-4, 1.0, 1e3])
def test_positive_definiteness_is_seen_just_above_the_top_eigenvalue_and_not_just_below(
    any_network, size
):
    net, X = any_network
    y = net(X) + _residual(X, size)
    top = np.linalg.eigvalsh(autograd_hessian(net, X, y))[-1]
    H = Hessian.of(net, X, net(X) - y)
    for distance in (1e-11, 1e-9, 1e-6, 1e-2, 0.9):
        assert H.below(top * (1 + distance))
        assert not H.below(top * (1 - distance))


def test_scipy_finds_the_same_top_eigenvalue_from_products_alone(any_network):
    net, X = any_network
    y = net(X) + _residual(X, 0.1)
    H = hessian_operator(net, X, y)
    if H.shape[0] < 3:
        return  # too small for the Lanczos method
    top = eigsh(H, k=1, which="LA", v0=np.ones(H.shape[0]), return_eigenvectors=False, tol=1e-13)
    assert_allclose(top, sharpness(net, X, y), rtol=1e-9)


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
