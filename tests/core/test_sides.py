"""The range of the sharpness over the sides of data on knots, against Hessians built pair by pair."""

import itertools
import pickle
import time

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from stablib import ShallowReLU, sharpness, sharpness_interval
from stablib.hessian import Hessian
from stablib.sides import SideChoices, pairs_on_data, range_over_sides
from tests.core.oracles import autograd_hessian


def _on_knots(pairs, seed, n=7, d=2, k=4, off=0.0):
    """A random network that has `pairs` points within a relative `off` of its neurons' hyperplanes.

    Every neuron's hyperplane is put through data points: at most d for each.
    """
    rng = np.random.default_rng(seed)
    X, W1, b1 = rng.normal(size=(n, d)), np.zeros((k, d)), np.zeros(k)
    left = pairs
    for i in range(k):
        here = min(left, d)
        chosen = rng.choice(n, here, replace=False)
        through = np.hstack([X[chosen], np.ones((here, 1))])
        # Of the null space of these points, one random direction.
        null = np.linalg.svd(through)[2][here:] if here else np.eye(d + 1)
        v = rng.normal(size=len(null)) @ null
        W1[i], b1[i] = v[:d], v[d] + off * np.linalg.norm(v[:d]) * rng.uniform(-1, 1)
        left -= here
    return ShallowReLU(W1, b1, rng.normal(size=k), rng.normal()), X


def _chosen_hessian(net, X, y, points, neurons, choice):
    """Autograd Hessian of the loss where f(x_j) is a gated linear function: its gates are the choice of side.

    The gates multiply z, but for the open pairs the value (not the gradient) is kept at relu(z).
    """
    z = net.preactivations(X)
    gate = z > 0
    gate[points, neurons] = np.asarray(choice, dtype=bool)
    kept = torch.tensor(np.maximum(z, 0) - gate * z)  # what relu(z) has more than the gated value
    gate, X, y = torch.tensor(gate * 1.0), torch.tensor(X), torch.tensor(np.asarray(y, dtype=float))
    k, d = net.k, net.d

    def loss(theta):
        W1, b1 = theta[: k * d].reshape(k, d), theta[k * d : k * d + k]
        f = (gate * (X @ W1.T + b1) + kept) @ theta[k * d + k : -1] + theta[-1]
        return ((f - y) ** 2).mean() / 2

    return torch.autograd.functional.hessian(loss, torch.tensor(net.parameters())).numpy()


def _brute_force(net, X, y, points, neurons):
    choices = itertools.product([0, 1], repeat=len(points))
    tops = [np.linalg.eigvalsh(_chosen_hessian(net, X, y, points, neurons, c))[-1] for c in choices]
    return min(tops), max(tops)


@pytest.mark.parametrize("residual", [0.0, 1e-4, 1.0, 30.0])
@pytest.mark.parametrize("pairs", [1, 2, 4, 6])
def test_the_range_over_sides_is_that_of_all_hessians_with_chosen_sides(pairs, residual):
    for seed in range(4):
        net, X = _on_knots(pairs, seed, off=1e-7)
        y = net(X) + residual * np.random.default_rng(seed).normal(size=len(X))
        points, neurons = pairs_on_data(net, X, 1e-6)
        assert len(points) == pairs
        interval = sharpness_interval(net, X, y, sides=1e-6)
        low, high = interval
        least, most = _brute_force(net, X, y, points, neurons)
        assert_allclose([low, high], [least, most], rtol=1e-10)
        assert low <= least * (1 + 1e-13) and most * (1 - 1e-13) <= high
        assert interval.certified and interval.pairs == pairs and interval.outer == (low, high)


def test_the_smallest_example_has_a_point_on_the_knot_of_the_only_neuron():
    net, X = ShallowReLU([[1.0]], [0.0], [1.0]), [[0.0], [1.0]]
    low, high = sharpness_interval(net, X, sides=0)
    # Off: the features are (0, 0, 0, 1) and (1, 1, 1, 1). On: the first is (0, 1, 0, 1).
    off, on = (5 + 13**0.5) / 4, (6 + 20**0.5) / 4
    assert_allclose([low, high], [off, on], rtol=1e-10)
    assert_allclose([off, on], [2.151388, 2.618034], atol=5e-7)
    assert low <= sharpness(net, X) <= high


def test_without_a_pair_the_interval_is_the_one_without_sides(any_network):
    net, X = any_network
    y = net(X) + 0.1
    open_, closed = sharpness_interval(net, X, y, sides=0), sharpness_interval(net, X, y)
    if net.knots_on_data(X, 0) == 0:
        assert open_ == closed and open_.pairs == 0 and open_.certified


@pytest.mark.parametrize("tol", [0.05, 0.3])
def test_the_range_holds_the_sharpness_of_every_nasty_network(any_network, tol):
    net, X = any_network
    y = net(X) + 1e-3 * np.random.default_rng(0).normal(size=len(X))
    interval = sharpness_interval(net, X, y, sides=tol)
    low, high = interval
    assert low <= sharpness(net, X, y) * (1 + 1e-13) and sharpness(net, X, y) <= high
    assert interval.outer[0] <= low and high <= interval.outer[1]
    assert interval.certified == (interval.pairs <= 12)
    points, neurons = pairs_on_data(net, X, tol)
    rng = np.random.default_rng(1)
    for _ in range(10):
        H = _chosen_hessian(net, X, y, points, neurons, rng.integers(0, 2, len(points)))
        top = np.linalg.eigvalsh(H)[-1]
        assert interval.outer[0] <= top * (1 + 1e-12) and top * (1 - 1e-12) <= interval.outer[1]


def test_a_neuron_without_input_weights_has_no_sides():
    X = [[0.0], [1.0]]
    net = ShallowReLU([[1.0], [0.0]], [0.0, 0.0], [1.0, 2.0])
    assert net.knots_on_data(X, 0) == 3  # the constant neuron, 0 everywhere, counts there
    assert sharpness_interval(net, X, sides=0).pairs == 1


@pytest.mark.parametrize("pairs", [13, 14])
@pytest.mark.parametrize("residual", [0.0, 0.3])
def test_the_search_finds_choices_and_its_outer_interval_holds_them_all(pairs, residual):
    found = 0
    for seed in range(3):
        net, X = _on_knots(pairs, seed, n=9, d=2, k=7)
        y = net(X) + residual * np.random.default_rng(seed).normal(size=len(X))
        points, neurons = pairs_on_data(net, X, 1e-12)
        assert len(points) == pairs
        interval = sharpness_interval(net, X, y, sides=1e-12)
        assert not interval.certified and interval.pairs == pairs
        least, most = _top_of_all_by_numpy(net, X, y, points, neurons)
        low, high = interval
        assert least * (1 - 1e-10) <= low <= high <= most * (1 + 1e-10)
        assert interval.outer[0] <= least * (1 + 1e-13)
        assert most * (1 - 1e-13) <= interval.outer[1]
        found += np.allclose([low, high], [least, most], rtol=1e-9, atol=0)
    assert found >= 2


def _top_of_all_by_numpy(net, X, y, points, neurons):
    """Least and greatest top eigenvalue over 2^m choices: each Hessian entry by entry, in batches."""
    n, k, d = len(X), net.k, net.d
    z = net.preactivations(X)
    p = k * (d + 1) + k + 1
    r, X1 = net(X) - y, np.hstack([X, np.ones((n, 1))])
    m = len(points)
    tops = []
    for block in np.array_split(np.array(list(itertools.product([0, 1], repeat=m))), 64):
        gate = np.repeat((z > 0)[None] * 1.0, len(block), axis=0)  # (c, n, k)
        gate[:, points, neurons] = block
        slope = (gate * net.w2)[..., None] * X1[:, None, :]  # (c, n, k, d + 1)
        features = np.concatenate(
            [
                slope.reshape(len(block), n, -1),
                np.broadcast_to(np.maximum(z, 0), (len(block), n, k)),
                np.ones((len(block), n, 1)),
            ],
            axis=2,
        )
        H = features.transpose(0, 2, 1) @ features / n
        c = np.einsum("cji,j,ja->cia", gate, r, X1) / n
        for i in range(k):
            rows, outer = slice(i * (d + 1), (i + 1) * (d + 1)), k * (d + 1) + i
            H[:, rows, outer] += c[:, i]
            H[:, outer, rows] += c[:, i]
        assert H.shape[1:] == (p, p)
        tops.append(np.linalg.eigvalsh(H)[:, -1])
    tops = np.concatenate(tops)
    return tops.min(), tops.max()


@pytest.mark.parametrize("residual", [0.0, 1e-3, 5.0])
def test_margins_change_sign_at_the_top_eigenvalue_of_every_choice(random_networks, residual):
    rng = np.random.default_rng(5)
    for net, X in random_networks(10, seed=11):
        n, m = len(X), min(4, len(X) * net.k)
        y = net(X) + residual * rng.normal(size=n)
        # Any pairs will do: how far they are from their hyperplanes does not enter.
        chosen = rng.choice(n * net.k, m, replace=False)
        points, neurons = chosen // net.k, chosen % net.k
        sides = SideChoices(Hessian.of(net, X, net(X) - y), points, neurons)
        choices = np.array(list(itertools.product([0.0, 1.0], repeat=m)))
        tops = np.array(
            [
                np.linalg.eigvalsh(_chosen_hessian(net, X, y, points, neurons, c))[-1]
                for c in choices
            ]
        )
        for mu in tops:
            above, below = (
                sides.margins(mu * (1 + 1e-9), choices),
                sides.margins(mu * (1 - 1e-9), choices),
            )
            assert ((above > 0) == (mu * (1 + 1e-9) > tops)).all()
            assert ((below > 0) == (mu * (1 - 1e-9) > tops)).all()


@pytest.mark.parametrize("residual", [0.0, 0.1, 5.0])
def test_bounds_from_any_choice_hold_all_choices(random_networks, residual):
    rng = np.random.default_rng(6)
    for net, X in random_networks(8, seed=12):
        n, m = len(X), min(5, len(X) * net.k)
        y = net(X) + residual * rng.normal(size=n)
        chosen = rng.choice(n * net.k, m, replace=False)
        points, neurons = chosen // net.k, chosen % net.k
        sides = SideChoices(Hessian.of(net, X, net(X) - y), points, neurons)
        least, most = _brute_force(net, X, y, points, neurons)
        for choice in rng.integers(0, 2, (3, m)).astype(float):
            assert sides.below_all(choice) <= least * (1 + 1e-12)
            assert most * (1 - 1e-12) <= sides.above_all(choice) < np.inf


@pytest.mark.parametrize("data", ["repeated points", "all pairs at one point", "dead slopes"])
def test_degenerate_pairs_are_enumerated_too(data):
    rng = np.random.default_rng(3)
    net, X = _on_knots(4, 8, n=5, d=2, k=3)
    if data == "repeated points":
        X = np.repeat(X, 2, axis=0)
    elif data == "all pairs at one point":
        X = np.vstack([np.zeros((1, 2)), X])
        net = ShallowReLU(net.W1, np.zeros(3), net.w2)
    else:
        net = ShallowReLU(net.W1, net.b1, 0 * net.w2, 1.0)
    y = net(X) + 0.5 * rng.normal(size=len(X))
    points, neurons = pairs_on_data(net, X, 1e-12)
    assert 3 <= len(points) <= 8
    interval = sharpness_interval(net, X, y, sides=1e-12)
    assert_allclose(interval, _brute_force(net, X, y, points, neurons), rtol=1e-10)


def test_products_that_overflow_are_an_error_with_a_reason():
    for pairs in (1, 13):
        net = ShallowReLU(np.full((pairs, 1), 1e160), np.zeros(pairs), np.full(pairs, 1e160))
        with pytest.raises(ValueError, match="exceed what float64 holds"):
            sharpness_interval(net, [[0.0], [1.0]], sides=1e-9)


def test_without_labels_the_sides_are_those_at_interpolation():
    net, X = _on_knots(5, 2)
    assert_allclose(
        sharpness_interval(net, X, sides=1e-9),
        sharpness_interval(net, X, net(X), sides=1e-9),
        rtol=1e-12,
    )


def test_a_choice_of_sides_is_the_hessian_of_a_network_moved_to_that_side():
    # Moved by a hair, the autograd Hessian of the true ReLU network jumps to the chosen side.
    net, X = ShallowReLU([[1.0, 0.5]], [0.0], [2.0]), np.array([[0.0, 0.0], [1.0, 1.0]])
    y = net(X) - [0.3, -0.2]
    ends = []
    for shift in (-1e-13, 1e-13):
        moved = ShallowReLU(net.W1, net.b1 + shift, net.w2)
        ends.append(np.linalg.eigvalsh(autograd_hessian(moved, X, y))[-1])
    assert_allclose(sharpness_interval(net, X, y, sides=1e-9), sorted(ends), rtol=1e-10)


def test_an_interval_is_a_pair_that_tells_what_it_rests_on():
    net, X = _on_knots(3, 1)
    interval = sharpness_interval(net, X, sides=1e-9)
    low, high = interval
    assert (low, high) == interval and isinstance(interval, tuple) and len(interval) == 2
    assert repr(interval) == f"Interval({low:.12g}, {high:.12g}, certified=True, pairs=3)"
    again = pickle.loads(pickle.dumps(interval))
    assert again == interval and (again.certified, again.pairs) == (True, 3)


@pytest.mark.parametrize(
    ("sides", "message"),
    [
        (-1e-5, "sides is -1e-05; a number that is zero or positive is needed"),
        (float("nan"), "sides has NaN"),
        (float("inf"), "sides has an infinite entry"),
        ("near", "sides is str"),
        ([1e-5, 1e-3], r"sides has shape \(2,\)"),
        (True, "sides is True"),
    ],
)
def test_a_bad_tolerance_is_named(sides, message):
    with pytest.raises(ValueError, match=message):
        sharpness_interval(ShallowReLU([[1.0]], [0.0], [1.0]), [[1.0]], sides=sides)


def test_where_inner_products_are_positive_more_active_pairs_are_sharper(fig5_networks):
    # Entrywise larger Gram matrices have larger top eigenvalues (Perron-Frobenius), and pixels are >= 0.
    net, X, _ = fig5_networks[0]
    H = Hessian.of(net, X)
    points, neurons = pairs_on_data(net, X, 1e-3)
    low, high, certified, outer = range_over_sides(H, points, neurons)
    assert len(points) > 100 and not certified
    z = net.preactivations(X)
    exact = []
    for on in (0.0, 1.0):
        active = (z > 0) * 1.0
        active[points, neurons] = on
        slopes = active * net.w2
        gram = (X @ X.T + 1) * (slopes @ slopes.T) + np.maximum(z, 0) @ np.maximum(z, 0).T + 1
        exact.append(np.linalg.eigvalsh(gram)[-1] / len(X))
    assert_allclose([low, high], exact, rtol=1e-10)
    assert_allclose(outer, exact, rtol=1e-10)


def test_all_4096_choices_of_a_trained_mnist_network_take_seconds(fig5_networks):
    net, X, y = fig5_networks[0]
    points, neurons = pairs_on_data(net, X, 1e-5)
    H = Hessian.of(net, X, net(X) - y)
    start = time.perf_counter()
    low, high, certified, _ = range_over_sides(H, points[:12], neurons[:12])
    assert time.perf_counter() - start < 20
    assert certified and low < sharpness(net, X, y) < high
    sides = SideChoices(H, points[:12], neurons[:12])
    rng = np.random.default_rng(0)
    for choice in rng.integers(0, 2, (3, 12)):
        value = sides.hessian(choice).top()[0]
        assert low <= value <= high


@pytest.fixture(scope="module")
def fig5_networks():
    """(net, X, y) of the stored MNIST networks, by step size."""
    from stablib.book import specs
    from stablib.training import sweep

    stored = sweep(specs.FIG5).networks.values()
    return [(entry.net, entry.data.X, entry.data.y) for entry in stored]
