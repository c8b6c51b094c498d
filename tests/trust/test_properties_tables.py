"""Data sets, and the sweeps and tables that hold results: sizes, seeds, orders."""

import tempfile
from dataclasses import fields, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from stablib import (
    Dataset,
    gaussian,
    mnist01,
    plane,
    two_points,
)
from stablib.training import Spec, Sweep, Table, TrainingRun, sweep
from tests.training.toy_runs import Toy, executed
from tests.trust.problems import SEEDS
from tests.trust.stated import states


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
        assert repr(Dataset(X.tolist(), y)) == repr(data)
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
