"""Linearised SGD against plain loops over all parameters, with Hessians from autograd."""

import warnings

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from stablib import ShallowReLU, gd_threshold, linearized, linearized_sgd, sgd_threshold
from tests.core.oracles import autograd_features, torch_function


def per_sample(net, X, y):
    """Gradient (p,) and Hessian (p, p) of every sample's loss."""
    gradients, hessians = [], []
    for x, label in zip(X, y, strict=True):
        f, theta = torch_function(net, x[None])

        def loss(t, f=f, label=label):
            return (f(t)[0] - label) ** 2 / 2

        gradients.append(torch.autograd.functional.jacobian(loss, theta).numpy())
        hessians.append(torch.autograd.functional.hessian(loss, theta).numpy())
    return np.array(gradients), np.array(hessians)


def plain_loop(net, X, y, step_size, start, batches):
    gradients, hessians = per_sample(net, X, y)
    delta = [start]
    for batch in batches:
        step = gradients[batch].mean(axis=0) + hessians[batch].mean(axis=0) @ delta[-1]
        delta.append(delta[-1] - step_size * step)
    return np.array(delta)


def distances(net, X, deltas):
    """Lengths in the range of the features, and orthogonal to it."""
    U, s, _ = np.linalg.svd(autograd_features(net, X), full_matrices=False)
    U = U[:, s > 1e-9 * s[0]]
    inside = deltas @ U
    outside = deltas - inside @ U.T
    return np.linalg.norm(inside, axis=1), np.linalg.norm(outside, axis=1)


def small(seed, n=6, d=2, k=3):
    rng = np.random.default_rng(seed)
    net = ShallowReLU(rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k), rng.normal())
    return net, rng.normal(size=(n, d)), rng


@pytest.mark.statement("def-1")
@pytest.mark.parametrize("interpolates", [True, False])
@pytest.mark.parametrize(("B", "replacement"), [(1, False), (2, False), (2, True), (6, False)])
def test_it_is_the_plain_loop_over_all_parameters(interpolates, B, replacement):
    for seed in range(4):
        net, X, rng = small(seed)
        y = net(X) + (0 if interpolates else rng.normal(size=len(X)))
        eta = 0.3 * gd_threshold(net, X)
        run = linearized_sgd(
            net, X, y, eta, B, radius=0.5, steps=30, seed=seed, replacement=replacement
        )
        path = plain_loop(net, X, y, eta, run.start, run.batches)
        assert np.linalg.norm(run.start) == pytest.approx(0.5, rel=1e-12)
        assert_allclose(run.last, path[-1], rtol=1e-9, atol=1e-12)
        inside, outside = distances(net, X, path)
        assert_allclose(run.inside, inside, rtol=1e-8, atol=1e-12)
        assert_allclose(run.outside, outside, rtol=1e-8, atol=1e-9)


def test_large_networks_without_a_stored_basis_take_the_same_steps(monkeypatch):
    net, X, rng = small(4)
    arguments = net, X, net(X) + rng.normal(size=6), 0.2 * gd_threshold(net, X), 2
    stored = linearized_sgd(*arguments, runs=3, steps=25)
    monkeypatch.setattr(linearized, "LARGE", 0)
    for one, other in zip(stored, linearized_sgd(*arguments, runs=3, steps=25), strict=True):
        assert_allclose(one, other, rtol=1e-8, atol=1e-12)


@pytest.mark.statement("text-A-interpolation")
def test_the_distance_vanishes_where_the_network_interpolates_and_stays_where_it_does_not():
    net, X, _ = small(5)
    run = linearized_sgd(net, X, None, 0.5 * sgd_threshold(net, X, 2), 2, steps=100_000)
    assert run.inside[-1] < 1e-5 * run.inside[0] and (run.outside == run.outside[0]).all()
    # The mean of labels -1 and 1: delta -> (1 - eta) delta +- eta, of second moment eta/(2 - eta).
    net, X, y = ShallowReLU(np.zeros((0, 1)), [], []), [[0.0], [1.0]], [-1.0, 1.0]
    run = linearized_sgd(net, X, y, 0.5, 1, runs=400, steps=400, radius=1e-3)
    assert_allclose((run.inside[:, 50:] ** 2).mean(), 0.5 / 1.5, rtol=0.02)
    assert linearized_sgd(net, X, y, 0.5, 2, steps=400).inside[-1] < 1e-15


def test_a_distance_too_small_to_square_is_still_told():
    net, X = ShallowReLU(np.zeros((0, 1)), [], []), [[0.0], [1.0]]
    run = linearized_sgd(net, X, None, 0.5, 1, radius=1.0, steps=900)
    assert_allclose(run.inside, 0.5 ** np.arange(901.0), rtol=1e-12)


def test_runs_are_independent_and_a_seed_repeats_them():
    net, X, _ = small(1)
    run = linearized_sgd(net, X, net(X), 0.01, 2, runs=5, steps=20, seed=3)
    again = linearized_sgd(net, X, net(X), 0.01, 2, runs=5, steps=20, seed=3)
    assert run.inside.shape == run.outside.shape == (5, 21) and run.batches.shape == (5, 20, 2)
    assert (run.inside == again.inside).all()
    assert len({tuple(batches.ravel()) for batches in run.batches}) == 5


def test_batches_hold_every_point_equally_often_and_none_twice():
    net, X, _ = small(2)
    batches = linearized_sgd(net, X, None, 0.01, 2, runs=50, steps=200).batches
    assert (batches[..., 0] != batches[..., 1]).all()
    share = np.bincount(batches.ravel(), minlength=6) / batches.size
    assert np.abs(share - 1 / 6).max() < 0.01


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_run_that_diverges_ends_at_infinity_without_a_warning(noise):
    net, X, _ = small(3)
    y = net(X) + noise * np.arange(6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        run = linearized_sgd(net, X, y, 50 * gd_threshold(net, X), 1, steps=2000)
    assert run.inside[-1] == np.inf and np.isinf(run.last).all()
    assert np.isfinite(run.inside[:3]).all() and not np.isnan(run.outside).any()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"step_size": 0.0}, "step_size is 0; a positive number"),
        ({"step_size": -1}, "step_size is -1; a positive number"),
        ({"batch_size": 7}, "batch_size is 7, but X has 6 rows"),
        ({"radius": 0}, "radius is 0; a positive number"),
        ({"steps": 0}, "steps is 0; at least 1"),
        ({"runs": 0}, "runs is 0; at least 1"),
        ({"y": np.zeros(3)}, "y has shape"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_bad_input_is_named(change, message):
    net, X, _ = small(0)
    arguments = {"y": net(X), "step_size": 0.1, "batch_size": 2} | change
    with pytest.raises(ValueError, match=message):
        linearized_sgd(net, X, **arguments)
