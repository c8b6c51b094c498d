"""Descent, its monitor, data sets and tables of sweeps: what order, copies and turns must not change."""

import tempfile
from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from stablib import (
    Dataset,
    ShallowReLU,
    gaussian,
    gd_threshold,
    gradient_descent,
    mnist01,
    plane,
    sgd,
    sharpness,
    stability_norm,
    two_points,
)
from stablib.training import Spec, StabilityMonitor, Sweep, Table, TrainingRun, sweep
from stablib.training.sampling import Batches
from tests.training.toy_runs import Toy, executed
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


@states(gradient_descent, sgd)
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


# Data


@states(Dataset, Dataset.n, Dataset.d, gaussian, plane, two_points)
@given(st.integers(1, 40), st.integers(1, 6), SEEDS, st.floats(-1e6, 1e6))
def test_data_sets_are_pairs_of_their_size_and_a_seed_decides_them(n, d, seed, p):
    for make in (lambda s: gaussian(n, d, seed=s), lambda s: plane(n, seed=s)):
        X, y = data = make(seed)
        again = make(np.random.default_rng(seed))
        assert (data.n, data.d) == X.shape
        assert y.shape == (n,)
        assert np.isfinite(X).all()
        assert np.isfinite(y).all()
        assert again.X.shape == X.shape
        assert_array_equal(make(seed).X, X)
    X, y = plane(n, seed=seed)
    assert (np.linalg.norm(X, axis=1) <= 1).all()
    assert_array_equal(plane(n, seed=seed, noise=1.0).X, X)
    hill = [np.exp(-4 * ((x - 0.5) ** 2 + (z - 0.2) ** 2)) for x, z in X]
    valley = [np.exp(-4 * ((x + 0.5) ** 2 + (z + 0.2) ** 2)) for x, z in X]
    assert_allclose(y, np.subtract(hill, valley), atol=1e-12)
    X, y = two_points([p] * d)
    assert_array_equal(X, [[p] * d, [-p] * d])
    assert_array_equal(y, [1, -1])


@states(mnist01)
@settings(max_examples=max(3, settings().max_examples // 50))  # images of 8,000 digits each
@given(st.integers(1, 60), st.integers(1, 60), SEEDS)
def test_digits_are_balanced_nested_and_apart_from_the_validation_set(one, two, seed):
    few, many = sorted((2 * one, 2 * two))
    train, validation = mnist01(many, seed=seed)
    smaller, _ = mnist01(few, seed=seed)
    assert train.X.shape == (many, 784)
    assert train.y.sum() == 0
    assert validation.y.sum() == 0
    assert set(np.unique(train.y)) == {-1.0, 1.0}
    assert train.X.min() >= 0
    assert train.X.max() <= 1
    rows = {row.tobytes() for row in train.X}
    assert {row.tobytes() for row in smaller.X} <= rows
    digits = {(row.tobytes(), y) for row, y in zip(train.X, train.y, strict=True)}
    assert len(digits) == len(rows)


# Tables of sweeps


SIZES = st.lists(st.floats(1e-3, 10, allow_subnormal=False), min_size=1, max_size=4, unique=True)


@states(Spec.canonical, Spec.hash, TrainingRun, TrainingRun.labels)
@given(st.floats(1e-6, 10), st.integers(0, 99), st.sampled_from([None, 1, 4]))
def test_a_hash_names_a_run_by_what_is_not_default(step_size, seed, batch_size):
    run = TrainingRun("gaussian", n=20, k=5, step_size=step_size, d=3, seed=seed)
    run = replace(run, batch_size=batch_size)
    assert run.hash == replace(run).hash
    assert len(run.hash) == 16
    assert replace(run, step_size=2 * step_size).hash != run.hash
    assert replace(run, seed=seed + 1).hash != run.hash
    assert "warmup" not in run.canonical()
    known = {f.name for f in fields(run)}
    assert set(run.canonical()) - {"kind"} <= known
    assert run.labels()["batch_size"] == (20 if batch_size is None else batch_size)


@states(Sweep, Sweep.grid, Sweep.also, Sweep.only)
@given(SIZES, st.integers(1, 4), st.floats(20, 30))
def test_a_grid_is_every_combination_once_whatever_the_order(sizes, seeds, more):
    base = Toy(step_size=1.0, log="")
    grid = Sweep.grid("toy", base, step_size=sizes, seed=range(seeds))
    other = Sweep.grid("toy", base, seed=range(seeds), step_size=sizes[::-1])
    assert set(grid.runs) == set(other.runs)
    assert len(grid.runs) == len(sizes) * seeds
    assert len({run.hash for run in grid.runs}) == len(grid.runs)
    assert set(grid.also(step_size=sizes).runs) == set(grid.runs)
    assert len(grid.also(step_size=[more]).runs) == (len(sizes) + 1) * seeds
    parts = [set(grid.only(seed=seed).runs) for seed in range(seeds)]
    assert set.union(*parts) == set(grid.runs)
    assert sum(map(len, parts)) == len(grid.runs)


@states(sweep)
@settings(max_examples=max(3, settings().max_examples // 50))  # files, and processes
@given(SIZES, st.integers(1, 3))
def test_a_sweep_in_two_parts_has_the_rows_of_the_whole_and_runs_nothing_twice(sizes, seeds):
    with tempfile.TemporaryDirectory() as root:
        log = f"{root}/log"
        whole = Sweep.grid("toy", Toy(1.0, log), step_size=sizes, seed=range(seeds))
        sweep(whole.only(seed=0), root=root, progress=False)
        table = sweep(whole, root=root, progress=False)
        assert sorted(executed(log)) == sorted(run.hash for run in whole.runs)
        assert_array_equal(table["step_size"], np.repeat(np.sort(sizes), seeds))
        assert_allclose(table["root"], table["step_size"] ** 0.5, rtol=1e-15)
        again = sweep(replace(whole, runs=whole.runs[::-1]), root=root, progress=False)
        assert list(again) == list(table)


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "eta": st.sampled_from([0.1, 0.2, 0.4]),
            "seed": st.integers(0, 3),
            "loss": st.none() | st.floats(-9, 9),
            "reason": st.sampled_from(["", "stuck", "tolerance"]),
        }
    ),
    max_size=9,
)
KINDS = {"eta": float, "seed": int, "loss": float, "reason": str}


@states(Table, Table.columns, Table.where, Table.median, Table.by, Table.show, Table.networks)
@given(ROWS, SEEDS)
def test_a_table_keeps_its_rows_sorts_them_and_takes_medians_over_what_is_there(rows, seed):
    table = Table(rows, KINDS)
    assert tuple(table.columns) == tuple(KINDS)
    assert len(table) == len(rows)
    assert table.networks == {}
    for name in KINDS:
        cells = [np.nan if row[name] is None else row[name] for row in rows]
        assert_array_equal(table[name], np.array(cells, dtype=table[name].dtype))
    chosen = table.where(seed=1, reason="stuck")
    assert [*chosen] == [row for row in table if row["seed"] == 1 and row["reason"] == "stuck"]
    ordered = table.by("eta", "seed")
    pairs = list(zip(ordered["eta"], ordered["seed"], strict=True))
    assert pairs == sorted(pairs)
    assert len(ordered) == len(rows)
    medians = table.median("loss", "eta")
    for eta, median in zip(sorted({row["eta"] for row in rows}), medians, strict=True):
        known = sorted(r["loss"] for r in rows if r["eta"] == eta and r["loss"] is not None)
        if not known:
            assert np.isnan(median)
        else:
            middle = (known[(len(known) - 1) // 2] + known[len(known) // 2]) / 2
            assert_allclose(median, middle, atol=1e-15)
    lines = repr(table.show("seed", "reason")).splitlines()
    assert len(lines) == len(rows) + 1
    order = np.random.default_rng(seed).permutation(len(rows))
    shuffled = Table([rows[i] for i in order], KINDS)
    assert_array_equal(shuffled.median("loss", "eta"), medians)
