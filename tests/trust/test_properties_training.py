"""Descent and its monitor: steps by hand, and what order, copies and turns must not change."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from stablib import (
    ShallowReLU,
    gd_threshold,
    gradient_descent,
    sgd,
    sharpness,
    stability_norm,
)
from stablib.training import StabilityMonitor
from stablib.training.sampling import Batches
from tests.trust.problems import SEEDS, of, problems
from tests.trust.stated import states

LABELLED = problems(n=6, d=12, k=4, scale=0, reach=0)  # more dimensions than points: both engines
FEW = settings(max_examples=max(10, settings().max_examples // 10))


def slow_step(net, X, y):
    """A step size well below the edge at both ends of the way."""
    return 0.2 * min(gd_threshold(net, X, y), gd_threshold(net, X), 1.0)


def by_hand(net, X, y, eta, batches, frozen=False):
    """Descent on the mean loss of each batch, gradient by gradient."""
    W1, b1, w2, b2 = net.W1.copy(), net.b1.copy(), net.w2.copy(), net.b2
    for batch in batches:
        x, label = X[batch], y[batch]
        z = x @ W1.T + b1
        r = (np.maximum(z, 0) @ w2 + b2 - label) / len(batch)
        back = r[:, None] * (z > 0) * w2
        gradients = back.T @ x, back.sum(axis=0), np.maximum(z, 0).T @ r, r.sum()
        W1, w2, b2 = W1 - eta * gradients[0], w2 - eta * gradients[2], b2 - eta * gradients[3]
        b1 = b1 if frozen else b1 - eta * gradients[1]
    return ShallowReLU(W1, b1, w2, b2)


def alike(one, two, rtol=1e-9):
    size = 1 + np.abs(two.parameters()).max()
    assert_allclose(one.parameters(), two.parameters(), rtol=0, atol=rtol * size)


@states(gradient_descent)
@given(LABELLED, SEEDS, st.integers(1, 30), st.booleans())
def test_descent_is_its_steps_and_follows_whatever_is_shuffled_turned_or_copied(
    given_problem, seed, steps, frozen
):
    net, X, y = given_problem
    eta, rng = slow_step(net, X, y), np.random.default_rng(seed)
    options = {"tol": 0, "max_steps": steps, "freeze_biases": frozen}
    end = gradient_descent(net, X, y, eta, **options).net
    known = by_hand(net, X, y, eta, [np.arange(len(X))] * steps, frozen)
    alike(end, known)
    if frozen:
        assert_array_equal(end.b1, net.b1)
    i, j = rng.permutation(net.k), rng.permutation(len(X))
    mixed = of(net, W1=net.W1[i], b1=net.b1[i], w2=net.w2[i])
    found = gradient_descent(mixed, X[j], y[j], eta, **options).net
    alike(found, of(end, W1=end.W1[i], b1=end.b1[i], w2=end.w2[i]))
    twice = gradient_descent(net, np.vstack([X, X]), np.append(y, y), eta, **options).net
    alike(twice, end)
    Q = np.linalg.qr(rng.normal(size=(net.d, net.d)))[0]
    turned = gradient_descent(of(net, W1=net.W1 @ Q), X @ Q, y, eta, **options).net
    alike(turned, of(end, W1=end.W1 @ Q))


@states(sgd, gradient_descent)
@given(LABELLED, st.integers(1, 20), st.sampled_from(["uniform", "epoch"]), SEEDS)
def test_batches_of_all_points_are_gradient_descent(given_problem, steps, sampling, seed):
    net, X, y = given_problem
    eta = slow_step(net, X, y)
    options = {"sampling": sampling, "dtype": "float64", "seed": seed, "tol": 0}
    one = sgd(net, X, y, eta, len(X), max_epochs=steps, **options)
    two = gradient_descent(net, X, y, eta, tol=0, max_steps=steps)
    assert one.steps == two.steps
    alike(one.net, two.net)
    assert_allclose(one.loss, two.loss, rtol=1e-6)


@states(sgd)
@given(LABELLED, st.integers(1, 6), st.sampled_from(["uniform", "epoch"]), SEEDS)
def test_sgd_is_its_batches_and_the_same_seed_is_the_same_run(given_problem, B, sampling, seed):
    net, X, y = given_problem
    B, eta = min(B, len(X)), 0.2 * slow_step(net, X, y)
    options = {"sampling": sampling, "seed": seed, "tol": 0, "max_epochs": 3}
    end = sgd(net, X, y, eta, B, dtype="float64", **options)
    drawn = Batches(len(X), B, seed=seed, sampling=sampling).take(3)
    batches = [batch[batch >= 0] for epoch in drawn for batch in epoch]
    assert end.steps == len(batches)
    alike(end.net, by_hand(net, X, y, eta, batches))
    again = sgd(net, X, y, eta, B, dtype="float64", **options)
    assert_array_equal(again.net.parameters(), end.net.parameters())
    alike(sgd(net, X, y, eta, B, dtype="float32", **options).net, end.net, 1e-3)


@states(gradient_descent)
@given(LABELLED, st.integers(2, 40), st.integers(1, 9))
def test_a_history_has_the_losses_of_runs_that_ended_earlier(given_problem, steps, every):
    net, X, y = given_problem
    eta = slow_step(net, X, y)
    run = gradient_descent(net, X, y, eta, tol=0, max_steps=steps, record_every=every)
    expected = sorted({*range(0, steps, every), steps})
    assert list(np.unique(run.history["step"])) == expected
    assert run.history["loss"][-1] == run.loss
    assert_allclose(run.history["loss"][0], ((net(X) - y) ** 2).mean() / 2, rtol=1e-12)
    stop = expected[len(expected) // 2]
    if stop:
        short = gradient_descent(net, X, y, eta, tol=0, max_steps=stop)
        at = np.flatnonzero(run.history["step"] == stop)[0]
        assert_allclose(run.history["loss"][at], short.loss, rtol=1e-7)


@pytest.mark.statement("lem-1")
@states(gradient_descent)
@FEW
@given(problems(n=5, d=2, k=3, scale=0, reach=0), SEEDS, st.floats(0.1, 0.8))
def test_from_beside_a_minimum_descent_returns_below_the_threshold(given_problem, seed, share):
    net, X, _ = given_problem
    z = np.abs(net.preactivations(X))
    if net.k and z.min() < 1e-2:  # a kink too near
        return
    y = net(X)
    near = np.random.default_rng(seed).normal(size=len(net.parameters())) * 1e-6
    W1, b1, w2, b2 = np.split(near, np.cumsum([net.k * net.d, net.k, net.k]))
    start = ShallowReLU(net.W1 + W1.reshape(net.W1.shape), net.b1 + b1, net.w2 + w2, net.b2 + b2[0])
    eta = share * gd_threshold(net, X)
    run = gradient_descent(start, X, y, eta, tol=0, max_steps=300, record_every=1)
    assert run.loss <= run.history["loss"][0] * (1 + 1e-6)


@states(StabilityMonitor, StabilityMonitor.step, StabilityMonitor.record, StabilityMonitor.table)
@FEW
@given(problems(n=6, d=3, k=4, scale=0, reach=0, least_k=1), st.integers(1, 4), st.integers(1, 9))
def test_a_monitor_says_what_is_computed_afterwards(given_problem, every, steps):
    net, X, y = given_problem
    eta = slow_step(net, X, y)
    module, inputs, labels = net.to_torch(), torch.tensor(X), torch.tensor(y)[:, None]
    optimizer = torch.optim.SGD(module.parameters(), lr=eta)
    monitor = StabilityMonitor(module, X, y, optimizer=optimizer, every=every)
    path = [net]
    for _ in range(steps):
        optimizer.zero_grad()
        (((module(inputs) - labels) ** 2).mean() / 2).backward()
        optimizer.step()
        monitor.step()
        path.append(ShallowReLU.from_torch(module))
    monitor.record()
    table = monitor.table()
    assert list(table["step"]) == sorted({*range(0, steps + 1, every), steps})
    for row in table:
        there = path[row["step"]]
        assert_allclose(row["loss"], ((there(X) - y) ** 2).mean() / 2, rtol=1e-12)
        assert_allclose(row["sharpness"], sharpness(there, X, y), rtol=1e-9)
        assert_allclose(row["bound"], 1 + 2 * stability_norm(there, X), rtol=1e-12)
        assert_allclose([row["step_size"], row["edge"]], [eta, 2 / eta], rtol=1e-12)
