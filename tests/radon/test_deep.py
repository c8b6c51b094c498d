"""Two hidden layers against autograd, and descent near the pyramid."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from stablib.radon.deep import DeepNet, descend
from stablib.radon.pyramid import pyramid


def points(n, d, seed=0):
    return np.random.default_rng(seed).uniform(-1.3, 1.3, (n, d))


def random_net(d, seed=0):
    size = 2 * d * d + 4 * d + 3
    return DeepNet.of(np.random.default_rng(seed).normal(size=size), d)


def torch_loss(p, X, y, d):
    k = 2 * d
    W, b, a = p[: k * d].reshape(k, d), p[k * d : k * d + k], p[k * d + k : k * d + 2 * k]
    c, w, e = p[-3:]
    f = w * torch.relu(c - torch.relu(X @ W.T + b) @ a) + e
    return ((f - y) ** 2).mean() / 2


@pytest.mark.parametrize("d", [1, 2, 3])
def test_the_pyramid_is_a_network_of_two_hidden_layers(d):
    X = points(300, d)
    assert_allclose(DeepNet.pyramid(d)(X), pyramid(X), atol=1e-15)


@pytest.mark.parametrize("d", [1, 2, 3])
def test_sharpness_is_the_top_eigenvalue_of_autograds_hessian(d):
    X, net = points(40, d), DeepNet.pyramid(d)
    data = torch.tensor(X), torch.tensor(net(X))
    p = torch.tensor(net.parameters())
    hessian = torch.autograd.functional.hessian(lambda p: torch_loss(p, *data, d), p)
    assert net.sharpness(X) == pytest.approx(float(torch.linalg.eigvalsh(hessian)[-1]), rel=1e-12)
    assert net.rank(X) == int(torch.linalg.matrix_rank(hessian, atol=1e-10))


def test_a_step_of_descent_is_autograds():
    X, net = points(30, 2), random_net(2)
    y = np.random.default_rng(5).normal(size=30)
    p = torch.tensor(net.parameters(), requires_grad=True)
    torch_loss(p, torch.tensor(X), torch.tensor(y), 2).backward()
    after, losses = descend(net, X, y, 0.1, 1)
    assert_allclose(after.parameters(), (p - 0.1 * p.grad).detach().numpy(), atol=1e-13)
    assert len(losses) == 2


@pytest.mark.parametrize(("d", "n"), [(2, 60), (2, 400), (3, 400)])
def test_the_flat_directions_are_more_than_the_rescalings(d, n):
    X, net = points(n, d), DeepNet.pyramid(d)
    flat = len(net.parameters()) - net.rank(X)
    assert net.rank(X) == (d + 1) ** 2 + 1
    assert flat == (d + 1) ** 2 > 2 * d + 1


def test_descent_below_the_threshold_ends_in_a_neighbour_of_the_pyramid():
    X, exact = points(60, 2), DeepNet.pyramid(2)
    side = np.linspace(-1.3, 1.3, 131)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    start = exact.parameters() + 1e-3 * np.random.default_rng(1).normal(size=19)
    net, losses = descend(
        DeepNet.of(start, 2), X, exact(X), 1 / exact.sharpness(X), 8000, tol=1e-26
    )
    assert losses[-1] <= 1e-26
    assert np.abs(net(X) - exact(X)).max() < 1e-12
    assert 1e-4 < np.abs(net(grid) - exact(grid)).max() < 1e-2


def test_descent_well_above_the_threshold_leaves():
    X, exact = points(60, 2), DeepNet.pyramid(2)
    start = exact.parameters() + 1e-4 * np.random.default_rng(1).normal(size=19)
    _, losses = descend(DeepNet.of(start, 2), X, exact(X), 2.2 / exact.sharpness(X), 300)
    assert losses.max() > 1e3 * losses[0]


def test_a_wedge_can_be_added_without_touching_the_data():
    e = 0.02
    wedge = DeepNet(
        np.array([[1, e], [-1, e], [0, 1 - e], [0, -(1 + e)]]), np.zeros(4), np.ones(4), 1, 1, 0
    )
    X = points(4000, 2)
    away = np.abs(X[:, 0]) > e * np.abs(X[:, 1])
    difference = np.abs(wedge(X) - pyramid(X))
    assert difference[away].max() < 1e-15
    assert difference.max() > 0.005


def test_bad_input_is_named():
    net = DeepNet.pyramid(2)
    with pytest.raises(ValueError, match="X has 3 columns"):
        net(np.ones((4, 3)))
    with pytest.raises(ValueError, match="19 numbers"):
        DeepNet.of(np.ones(5), 2)
    with pytest.raises(ValueError, match="d is 0"):
        DeepNet.pyramid(0)
    with pytest.raises(ValueError, match="step_size is 0"):
        descend(net, np.ones((1, 2)), [0.0], 0.0, 5)
    with pytest.raises(ValueError, match="y has shape"):
        descend(net, np.ones((1, 2)), [0.0, 1.0], 0.1, 5)


def test_points_on_knots_are_counted_where_they_matter():
    net = DeepNet.pyramid(2)
    assert net.knots_on_data([[0.0, 0.3], [0.5, 0.5], [0.2, 0.1], [0.0, 3.0]]) == 2
