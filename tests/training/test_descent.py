"""The engines against a plain torch loop, and what ends a run."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import deque

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from stablib import ShallowReLU, gradient_descent, sgd
from stablib.training.descent import _drive, _frozen
from stablib.training.gram_form import GramForm
from stablib.training.sampling import Batches


def problem(n, d, k, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    return (
        ShallowReLU.initial(d, k, scale=scale, seed=seed + 1),
        rng.normal(size=(n, d)),
        rng.normal(size=n),
    )


def torch_loop(net, X, y, step_sizes, batches):
    """Autograd and torch.optim.SGD, batch by batch; yields the parameters after every step."""
    W1, b1, w2 = (torch.tensor(part, requires_grad=True) for part in (net.W1, net.b1, net.w2))
    b2 = torch.tensor(net.b2, dtype=torch.float64, requires_grad=True)
    X, y = torch.tensor(X), torch.tensor(y)
    optimizer = torch.optim.SGD([W1, b1, w2, b2], lr=1.0)
    for step_size, batch in zip(step_sizes, batches, strict=True):
        optimizer.param_groups[0]["lr"] = step_size
        optimizer.zero_grad()
        batch = torch.as_tensor(batch)
        residual = torch.relu(X[batch] @ W1.T + b1) @ w2 + b2 - y[batch]
        (residual**2).mean().div(2).backward()
        optimizer.step()
        yield np.concatenate([p.detach().numpy().ravel() for p in (W1, b1, w2, b2)])


def last(iterator):
    return deque(iterator, maxlen=1).pop()


def flat(batches):
    """Epochs of padded batches as a list of index arrays."""
    return [batch[batch >= 0] for epoch in batches for batch in epoch]


# The last two are trained in Gram form, the others on the weights.
SHAPES = [(100, 20, 40), (7, 1, 5), (9, 3, 1), (1, 1, 3), (6, 30, 8), (1, 5, 2)]


@pytest.mark.parametrize("shape", SHAPES)
def test_gradient_descent_walks_with_torch(shape):
    net, X, y = problem(*shape)
    for steps in (1, 2, 30):
        run = gradient_descent(net, X, y, 0.05, tol=0, max_steps=steps)
        expected = last(torch_loop(net, X, y, [0.05] * steps, [np.arange(len(X))] * steps))
        assert run.steps == steps and run.reason == "max_steps"
        assert_allclose(run.net.parameters(), expected, rtol=0, atol=1e-12)


def test_gradient_descent_stays_within_1e_9_of_torch_over_2000_steps():
    net, X, y = problem(100, 20, 40)
    run = gradient_descent(net, X, y, 0.05, tol=0, max_steps=2000, record_every=1)
    path = torch_loop(net, X, y, [0.05] * 2000, [np.arange(100)] * 2000)
    expected = []
    for parameters in path:
        W1, b1, w2, b2 = np.split(parameters, np.cumsum([800, 40, 40]))
        there = ShallowReLU(W1.reshape(40, 20), b1, w2, b2[0])
        expected.append(((there(X) - y) ** 2).mean() / 2)
    assert_allclose(run.history["loss"][1:], expected, rtol=0, atol=1e-9)
    assert_allclose(run.net.parameters(), parameters, rtol=0, atol=1e-9)


@pytest.mark.parametrize("shape", [(20, 3, 6), (8, 30, 6)])  # in weights, and in Gram form
def test_frozen_biases_stay_and_the_rest_walks_with_torch(shape):
    net, X, y = problem(*shape)
    module, rate = net.to_torch(), 0.05
    module[0].bias.requires_grad_(False)
    optimizer = torch.optim.SGD([p for p in module.parameters() if p.requires_grad], lr=rate)
    for _ in range(40):
        optimizer.zero_grad()
        (((module(torch.tensor(X))[:, 0] - torch.tensor(y)) ** 2).mean() / 2).backward()
        optimizer.step()
    run = gradient_descent(net, X, y, rate, tol=0, max_steps=40, freeze_biases=True)
    assert (run.net.b1 == net.b1).all()
    expected = ShallowReLU.from_torch(module).parameters()
    assert_allclose(run.net.parameters(), expected, rtol=0, atol=1e-12)


def test_gradient_descent_warms_up_linearly():
    net, X, y = problem(30, 4, 6)
    run = gradient_descent(net, X, y, 0.2, tol=0, max_steps=15, warmup=10, record_every=1)
    ramp = 0.2 * np.minimum(1, np.arange(1, 16) / 10)
    assert_allclose(run.history["step_size"][:15], ramp, rtol=1e-15)
    expected = last(torch_loop(net, X, y, ramp, [np.arange(30)] * 15))
    assert_allclose(run.net.parameters(), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("sampling", ["uniform", "epoch"])
@pytest.mark.parametrize(
    "shape_and_batch", [(40, 60, 12, 7), (40, 5, 12, 16), (5, 1, 3, 1), (6, 2, 1, 6), (1, 1, 1, 1)]
)
def test_sgd_walks_with_torch_on_the_same_batches(shape_and_batch, sampling):
    *shape, size = shape_and_batch
    net, X, y = problem(*shape)
    epochs = 60
    run = sgd(
        net, X, y, 0.01, size, seed=5, tol=0, max_epochs=epochs, sampling=sampling, dtype="float64"
    )
    batches = flat(Batches(len(X), size, seed=5, sampling=sampling).take(epochs))
    assert run.steps == len(batches) == epochs * -(-len(X) // size)
    expected = last(torch_loop(net, X, y, [0.01] * len(batches), batches))
    assert_allclose(run.net.parameters(), expected, rtol=0, atol=1e-9)


def test_sgd_in_float32_walks_with_torch_to_single_precision():
    net, X, y = problem(64, 100, 20)
    run = sgd(net, X, y, 0.01, 8, seed=1, tol=0, max_epochs=20)
    batches = flat(Batches(64, 8, seed=1).take(20))
    expected = last(torch_loop(net, X, y, [0.01] * 160, batches))
    assert_allclose(run.net.parameters(), expected, rtol=0, atol=2e-6)


def test_sgd_warms_up_step_by_step():
    net, X, y = problem(20, 4, 6)
    run = sgd(net, X, y, 0.1, 8, tol=0, max_epochs=5, warmup=3, dtype="float64")  # 3 steps an epoch
    batches = flat(Batches(20, 8).take(5))
    ramp = 0.1 * np.minimum(1, np.arange(1, 16) / 9)
    expected = last(torch_loop(net, X, y, ramp, batches))
    assert_allclose(run.net.parameters(), expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("shape", [(20, 3, 6), (8, 30, 6)])
def test_full_batches_are_gradient_descent(shape):
    net, X, y = problem(*shape)
    descent = gradient_descent(net, X, y, 0.05, tol=0, max_steps=200)
    stochastic = sgd(net, X, y, 0.05, len(X), tol=0, max_epochs=200, dtype="float64")
    assert_allclose(stochastic.net.parameters(), descent.net.parameters(), rtol=0, atol=1e-11)


def test_uniform_batches_are_uniform_subsets():
    batches = Batches(6, 3, seed=0).take(20_000).reshape(-1, 3)
    assert all(len(set(batch)) == 3 for batch in batches[:1000])
    subsets, counts = np.unique(np.sort(batches, axis=1), axis=0, return_counts=True)
    assert len(subsets) == 20
    # chi-square with 19 degrees of freedom: beyond 43.8 with probability 0.001
    assert ((counts - counts.mean()) ** 2).sum() / counts.mean() < 43.8
    # Two batches in a row share 3 x 3 / 6 points on average, with variance 0.45, as independent ones do.
    overlap = (batches[:-1, :, None] == batches[1:, None, :]).sum(axis=(1, 2))
    assert abs(overlap.mean() - 1.5) < 4 * (0.45 / len(overlap)) ** 0.5
    following = np.unique(batches[:-1, 0] * 6 + batches[1:, 0], return_counts=True)[1]
    assert ((following - following.mean()) ** 2).sum() / following.mean() < 66.6  # 35 degrees


def test_an_epoch_deals_every_point_once():
    epochs = Batches(10, 4, seed=0, sampling="epoch").take(500)
    assert epochs.shape == (500, 3, 4)
    for epoch in epochs:
        assert_array_equal(np.sort(epoch.ravel()), [-1, -1, *range(10)])
        assert_array_equal(epoch[:2] >= 0, True)
    firsts = np.bincount(epochs[:, 0, 0], minlength=10)
    assert ((firsts - 50) ** 2).sum() / 50 < 27.9  # 9 degrees of freedom, 0.001


@pytest.mark.parametrize("sampling", ["uniform", "epoch"])
def test_batches_do_not_depend_on_how_the_stream_is_cut(sampling):
    whole = Batches(10, 4, seed=3, sampling=sampling).take(9)
    stream = Batches(10, 4, seed=3, sampling=sampling)
    head = stream.take(5)
    stream.give_back(head[2:])
    assert_array_equal(np.concatenate([head[:2], stream.take(1), stream.take(6)]), whole)


def test_gradient_descent_stops_at_the_first_loss_below_tol():
    net, X, y = problem(30, 10, 20)
    long = gradient_descent(net, X, y, 0.1, tol=0, max_steps=3000, record_every=1)
    for tol in (1e-2, 1e-4, 1e-6):
        run = gradient_descent(net, X, y, 0.1, tol=tol)
        assert run.reason == "tolerance" and run.loss < tol
        assert run.steps == np.flatnonzero(long.history["loss"] < tol)[0]
        assert run.loss == pytest.approx(((run.net(X) - y) ** 2).mean() / 2, rel=1e-12)


def test_a_start_below_tol_takes_no_step():
    net, X, _ = problem(10, 3, 4)
    for run in (gradient_descent(net, X, net(X), 0.1), sgd(net, X, net(X), 0.1, 2)):
        assert (run.steps, run.reason, run.loss) == (0, "tolerance", 0.0)
        assert_array_equal(run.net.parameters(), net.parameters())


def test_patience_is_a_number_of_epochs_in_a_row_below_tol():
    net, X, y = problem(32, 40, 20)
    long = sgd(net, X, y, 0.02, 4, tol=0, max_epochs=1500, dtype="float64", record_every=1)
    below = long.history["loss"] < 1e-6
    for patience in (0, 1, 2, 50):
        run = sgd(net, X, y, 0.02, 4, tol=1e-6, patience=patience, dtype="float64")
        needed = max(patience, 1)
        runs = np.convolve(below, np.ones(needed), "valid") == needed
        assert run.reason == "tolerance"
        assert run.steps == 8 * (np.flatnonzero(runs)[0] + needed - 1)


def test_an_epoch_above_tol_starts_the_count_of_patience_again():
    net, X, y = problem(60, 2, 1)  # far too small to interpolate: the loss keeps jumping about
    long = sgd(net, X, y, 0.1, 5, tol=0, max_epochs=1500, dtype="float64", record_every=1)
    tol = np.quantile(long.history["loss"][500:], 0.7)
    below = long.history["loss"] < tol
    ends = np.flatnonzero(np.convolve(below, np.ones(8), "valid") == 8) + 7
    assert np.cumsum(below)[ends[0]] > 20  # many epochs below tol before the first eight in a row
    run = sgd(net, X, y, 0.1, 5, tol=tol, patience=8, dtype="float64")
    assert run.reason == "tolerance" and run.steps == 12 * ends[0]


def test_a_refused_end_goes_on_with_the_batches_that_are_next():
    net, X, y = problem(32, 40, 20)
    batches = Batches(32, 4, seed=2)
    engine = GramForm(net, X, y, 0.02, 0, 1e9, batches=batches)
    done, beyond, why = engine.run(0, 1e-3, 0, np.empty(1000))
    assert (why, beyond) == ("tolerance", 0) and 0 < done < 1000
    assert_array_equal(batches.take(2), Batches(32, 4, seed=2).take(done + 2)[done:])


def test_no_run_ends_by_tolerance_while_it_warms_up():
    net, X, y = problem(10, 20, 30)
    assert gradient_descent(net, X, y, 0.1, tol=1e-2).steps < 500
    assert gradient_descent(net, X, y, 0.1, tol=1e-2, warmup=5000).steps == 5000
    assert sgd(net, X, y, 0.1, 5, tol=1e-2, warmup=600).steps == 1200
    net, X, y = problem(20, 10, 40)  # trained on the weights, the one above in Gram form
    assert gradient_descent(net, X, y, 0.1, tol=1e-2).steps < 500
    assert gradient_descent(net, X, y, 0.1, tol=1e-2, warmup=5000).steps == 5000


@pytest.mark.parametrize("tol", [1e-8, 1e-14, 1e-24])
def test_a_float32_run_meets_its_tolerance_in_float64(tol):
    net, X, y = problem(64, 100, 20, scale=3.0)
    run = sgd(net, X, y, 0.005, 8, tol=tol)
    assert run.reason == "tolerance"
    assert ((run.net(X) - y) ** 2).mean() / 2 < tol


def test_losses_of_a_float32_run_are_those_of_its_parameters():
    net, X, y = problem(64, 100, 20)
    for epochs in (3, 40, 300):
        run = sgd(net, X, y, 0.002, 8, tol=0, max_epochs=epochs, record_every=1)
        longer = sgd(net, X, y, 0.002, 8, tol=0, max_epochs=epochs + 1, record_every=1)
        assert longer.history["loss"][epochs] == pytest.approx(run.loss, rel=1e-3)


def test_a_run_that_blows_up_is_called_diverged_and_keeps_finite_parameters():
    net, X, y = problem(20, 5, 10)
    for step_size in (5.0, 1e5, 1e200):
        for run in (
            gradient_descent(net, X, y, step_size),
            sgd(net, X, y, step_size, 4),
            sgd(net, X, y, step_size, 4, dtype="float64"),
        ):
            assert run.reason == "diverged" and run.steps < 1000
            assert np.isfinite(run.net.parameters()).all()
            assert not np.isnan(run.loss)


@pytest.mark.parametrize("shape", [(20, 5, 10), (5, 20, 10)])
def test_parameters_that_overflow_are_taken_back(shape):
    net, X, y = problem(*shape)
    run = gradient_descent(net, X, 1e3 * y, 1e308)
    assert run.reason == "diverged" and np.isfinite(run.net.parameters()).all()


def test_a_run_that_cannot_move_is_called_stuck():
    X, y = np.array([[1.0], [2.0]]), np.array([0.0, 2.0])
    dead = ShallowReLU([[-1.0], [-2.0]], [0.0, 0.0], [1.0, 1.0], 1.0)  # b2 is at its best already
    run = gradient_descent(dead, X, y, 0.1)
    assert (run.reason, run.steps, run.loss) == ("stuck", 20_000, 0.5)
    run = sgd(dead, X, y, 0.1, 2)
    assert (run.reason, run.steps, run.loss) == ("stuck", 2_000, 0.5)


def test_what_happened_before_the_last_two_windows_does_not_count_as_a_fall():
    X, y = np.array([[1.0], [2.0]]), np.array([0.0, 2.0])
    dead = ShallowReLU([[-1.0], [-2.0]], [0.0, 0.0], [1.0, 1.0], 100.0)
    run = gradient_descent(dead, X, y, 0.1)
    assert (run.reason, run.steps) == ("stuck", 30_000)  # the first 10,000 steps hold the fall
    assert run.loss == pytest.approx(0.5)


def test_a_run_is_frozen_only_if_neither_its_highs_nor_its_lows_fall():
    assert _frozen([(1.0, 2.0), (1.0, 2.0)], 0.0)
    assert _frozen([(1.0, 2.0), (0.996, 1.991)], 0.0)
    assert not _frozen([(1.0, 2.0), (0.99, 2.0)], 0.0)
    assert not _frozen([(1.0, 2.0), (1.0, 1.98)], 0.0)
    assert not _frozen([(1.0, 2.0), (1.0, 2.0)], 1.5)  # it has been below tol
    assert not _frozen([(1.0, 2.0)], 0.0)


def test_a_loss_that_rests_below_tol_is_waited_for():
    dead = ShallowReLU([[-1.0], [-2.0]], [0.0, 0.0], [1.0, 1.0], 1.0)
    run = sgd(dead, [[1.0], [2.0]], [0.0, 2.0], 0.1, 2, tol=0.6, patience=5000)
    assert (run.reason, run.steps, run.loss) == ("tolerance", 4999, 0.5)


class Boaster:
    """An engine that says after every unit that the loss is below tol, which it never is."""

    steps_per_unit, needed, below, block = 1, 1, 0, 10

    def __init__(self, net):
        self.net, self.calls, self.refined = net, [], 0

    def run(self, start, tol, first, losses):
        losses[:] = 0.0
        self.calls.append((start, first))
        return (
            min(first - start, len(losses)),
            0,
            "tolerance" if first - start < len(losses) else "",
        )

    def refine(self):
        self.refined += 1
        return self.refined == 1

    def network(self):
        return self.net


def test_an_engine_is_not_believed_that_the_loss_is_below_tol():
    net, X, y = problem(5, 2, 3)
    engine = Boaster(net)
    run = _drive(engine, net, X, y, 0.1, 1e-8, 4, 0, 100, 0, False)
    assert (run.reason, run.steps) == ("max_steps", 4)
    # First it is asked for better arithmetic, and then it has to go on for one unit at least.
    assert engine.calls == [(0, 0), (0, 0), (0, 1), (1, 2), (2, 3), (3, 4)]


def test_a_slow_run_is_not_called_stuck():
    net, X, y = problem(20, 5, 10)
    run = gradient_descent(net, X, y, 1e-5, max_steps=60_000)
    assert run.reason == "max_steps" and run.steps == 60_000


def test_a_dead_neuron_never_moves():
    net, X, y = problem(12, 3, 6)
    X = np.abs(X)
    W1, b1 = net.W1.copy(), net.b1.copy()
    W1[2], b1[2] = -1.0, -0.5
    net = ShallowReLU(W1, b1, net.w2, net.b2)
    for run in (
        gradient_descent(net, X, y, 0.05, max_steps=500),
        sgd(net, X, y, 0.05, 5, max_epochs=100),
    ):
        assert_array_equal(run.net.W1[2], W1[2])
        assert run.net.b1[2] == b1[2] and run.net.w2[2] == net.w2[2]
        assert (run.net.w2[:2] != net.w2[:2]).all()


def test_a_constant_learns_the_mean():
    _, X, y = problem(10, 3, 1)
    for run in (
        gradient_descent(ShallowReLU(np.zeros((0, 3)), [], []), X, y, 0.1, max_steps=1000),
        sgd(ShallowReLU(np.zeros((0, 3)), [], []), X, y, 0.1, 10, max_epochs=1000),
    ):
        assert run.net.k == 0 and run.net.b2 == pytest.approx(y.mean())


def test_tolerance_zero_is_never_met():
    net, X, y = problem(5, 8, 20)
    assert gradient_descent(net, X, y, 0.05, tol=0, max_steps=5000).reason == "max_steps"
    assert sgd(net, X, y, 0.05, 2, tol=0, max_epochs=1000).reason == "max_steps"


@pytest.mark.parametrize("options", [{}, {"dtype": "float64"}, {"sampling": "epoch"}])
def test_the_same_seed_gives_the_same_bits(options):
    net, X, y = problem(40, 50, 12)
    first, second = (sgd(net, X, y, 0.02, 7, seed=9, max_epochs=50, **options) for _ in range(2))
    assert_array_equal(first.net.parameters(), second.net.parameters())
    other = sgd(net, X, y, 0.02, 7, seed=10, max_epochs=50, **options)
    assert (other.net.parameters() != first.net.parameters()).any()


def test_global_random_state_is_neither_read_nor_changed():
    net, X, y = problem(10, 3, 4)
    before = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    sgd(net, X, y, 0.02, 2, max_epochs=5)
    assert random.getstate() == before[0]
    assert_array_equal(np.random.get_state()[1], before[1])  # noqa: NPY002


def test_the_history_has_the_steps_that_were_asked_for_and_the_end():
    net, X, y = problem(20, 3, 6)
    run = gradient_descent(net, X, y, 0.01, tol=0, max_steps=25, record_every=10)
    assert_array_equal(run.history["step"], [0, 10, 20, 25])
    assert run.history["loss"][0] == pytest.approx(((net(X) - y) ** 2).mean() / 2)
    assert run.history["loss"][-1] == run.loss
    run = sgd(net, X, y, 0.01, 8, tol=0, max_epochs=5, record_every=2)
    assert_array_equal(run.history["step"], [0, 6, 12, 15])
    run = sgd(net, X, y, 0.01, 8, tol=0, max_epochs=5)
    assert {name: len(column) for name, column in run.history.items()} == {
        "step": 0, "loss": 0, "step_size": 0,
    }  # fmt: skip


def test_the_history_does_not_depend_on_the_blocks_of_a_run():
    net, X, y = problem(3, 2, 2)
    run = gradient_descent(net, X, y, 1e-4, tol=0, max_steps=12_000, record_every=7)
    assert_array_equal(run.history["step"], [*range(0, 12_000, 7), 12_000])
    run = sgd(net, X, y, 1e-4, 2, tol=0, max_epochs=3000, record_every=7)
    assert_array_equal(run.history["step"], [*range(0, 6000, 14), 6000])
    assert (np.diff(run.history["loss"]) < 0).all()


def test_the_arguments_are_left_alone():
    net, X, y = problem(20, 3, 6)
    parts = [part.copy() for part in (net.parameters(), X, y)]
    gradient_descent(net, X, y, 0.01, max_steps=10)
    sgd(net, X, y, 0.01, 4, max_epochs=10)
    for part, before in zip((net.parameters(), X, y), parts, strict=True):
        assert_array_equal(part, before)


def test_torch_tensors_and_lists_are_data_too():
    net, X, y = problem(20, 3, 6)
    expected = sgd(net, X, y, 0.01, 4, max_epochs=3).net.parameters()
    for convert in (torch.tensor, np.ndarray.tolist):
        run = sgd(net, convert(X), convert(y), 0.01, 4, max_epochs=3)
        assert_array_equal(run.net.parameters(), expected)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"batch_size": 21}, "batch_size is 21, but X has 20 rows"),
        ({"batch_size": 0}, "batch_size is 0; at least 1"),
        ({"batch_size": 2.5}, "batch_size is 2.5; a whole number"),
        ({"step_size": 0}, "step_size is 0; a positive number"),
        ({"step_size": -0.1}, "step_size is -0.1; a positive number"),
        ({"step_size": float("inf")}, "step_size has an infinite entry"),
        ({"step_size": "0.1"}, "step_size is str; an array of real numbers"),
        ({"step_size": float("nan")}, "step_size has NaN"),
        ({"tol": -1e-8}, "tol is -1e-08; a number that is zero or positive"),
        ({"seed": -1}, "seed is -1; at least 0"),
        ({"seed": "a"}, "seed is 'a'; a whole number"),
        ({"patience": -1}, "patience is -1; at least 0"),
        ({"max_epochs": 0}, "max_epochs is 0; at least 1"),
        ({"warmup": -1}, "warmup is -1; at least 0"),
        ({"record_every": -1}, "record_every is -1; at least 0"),
        ({"sampling": "random"}, "sampling is 'random'; 'uniform' or 'epoch'"),
        ({"dtype": "float16"}, "dtype is 'float16'; 'float32' or 'float64'"),
        ({"y": np.zeros(19)}, r"y has shape \(19,\), but X has 20 rows"),
        ({"X": np.zeros((20, 4))}, "X has 4 columns, but the network reads inputs of dimension 3"),
        ({"X": np.zeros((0, 3))}, r"X has shape \(0, 3\)"),
        ({"net": torch.nn.Linear(3, 1)}, "net is Linear; a ShallowReLU is needed"),
    ],
)
def test_bad_input_is_named(changes, sentence):
    net, X, y = problem(20, 3, 6)
    arguments = {"net": net, "X": X, "y": y, "step_size": 0.1, "batch_size": 4, "max_epochs": 2}
    with pytest.raises(ValueError, match=sentence):
        sgd(**arguments | changes)
    if changes.keys() & {"net", "X", "y", "step_size", "tol", "warmup", "record_every"}:
        del arguments["batch_size"], arguments["max_epochs"]
        with pytest.raises(ValueError, match=sentence):
            gradient_descent(**arguments | changes)


@pytest.mark.parametrize(
    ("steps", "sentence"),
    [
        (0, "max_steps is 0; at least 1"),
        (1.5, "max_steps is 1.5; a whole"),
        (-3, "max_steps is -3"),
    ],
)
def test_a_number_of_steps_that_is_none_is_refused(steps, sentence):
    net, X, y = problem(20, 3, 6)
    with pytest.raises(ValueError, match=sentence):
        gradient_descent(net, X, y, 0.1, max_steps=steps)


def test_importing_the_descent_loads_neither_numba_nor_torch():
    code = "import sys, stablib.training.descent; assert not {'numba', 'torch', 'tqdm'} & sys.modules.keys()"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_loops_compile_where_nothing_can_be_cached(tmp_path):
    code = """
import numba.core.caching as caching
class Nowhere:
    @classmethod
    def from_function(cls, *args): return None
caching.CacheImpl._locator_classes = [Nowhere]
caching.CompileResultCacheImpl._locator_classes = [Nowhere]
from stablib.jit import jit
assert jit(lambda a: a + 1)(1) == 2
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_progress_bar_is_shown_when_asked_for():
    # In a process of its own: tqdm reads TQDM_DISABLE, which silences notebooks, when it is imported.
    code = """
from stablib import ShallowReLU, gaussian, gradient_descent, sgd
net, (X, y) = ShallowReLU.initial(3, 6), gaussian(20, 3)
{call}
"""
    calls = {
        "sgd(net, X, y, 0.01, 4, tol=0, max_epochs=30, progress=True)": True,
        "gradient_descent(net, X, y, 0.01, max_steps=30)": False,
    }
    settings = {name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"}
    for call, shown in calls.items():
        command = [sys.executable, "-c", code.format(call=call)]
        run = subprocess.run(command, env=settings, capture_output=True, text=True, check=True)
        assert ("30/30" in run.stderr) == shown and (shown or run.stderr == "")
