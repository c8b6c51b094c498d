"""Specs: what enters the hash, and what they refuse."""

import json
import subprocess
import sys
from dataclasses import dataclass, fields, replace

import numpy as np
import pytest
from numpy.testing import assert_array_equal

from stablib import ShallowReLU
from stablib.training import Spec, Sweep, TrainingRun, specs

RUN = TrainingRun("gaussian", n=20, k=5, step_size=0.1, d=3)
MNIST = TrainingRun("mnist01", n=512, k=200, step_size=0.1, batch_size=16, dtype="float32")


def test_equal_numbers_of_different_types_are_one_run():
    other = TrainingRun(
        "gaussian",
        n=np.int64(20),
        k=5,
        step_size=np.float64(0.1),
        d=3,
        scale=1,
        tol=np.float64(1e-8),
    )
    assert other == RUN and other.hash == RUN.hash


def test_every_field_changes_the_hash():
    other = {
        "data": "mnist01",
        "scheme": "he",
        "sampling": "epoch",
        "dtype": "float32",
        "batch_size": 4,
        "tol": 1e-9,
    }
    hashes = {RUN.hash}
    for field in fields(TrainingRun):
        value = other.get(field.name, 7)
        changed = replace(RUN, **{field.name: value}, **({"d": None} if value == "mnist01" else {}))
        hashes.add(changed.hash)
    assert len(hashes) == 1 + len(fields(TrainingRun))


def test_neighbouring_floats_are_different_runs():
    assert replace(RUN, step_size=np.nextafter(0.1, 1)).hash != RUN.hash


def test_the_hash_is_the_same_in_another_process():
    code = (
        "from stablib.training import TrainingRun;"
        "print(TrainingRun('gaussian', n=20, k=5, step_size=0.1, d=3).hash)"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == RUN.hash


def test_the_hash_changes_with_the_engine(monkeypatch):
    before = RUN.hash
    monkeypatch.setattr(specs, "ENGINE", specs.ENGINE + 1)
    assert RUN.hash != before


def test_a_new_field_leaves_old_hashes_alone():
    @dataclass(frozen=True)
    class Run(Spec):
        a: int

    old = Run(1).hash

    @dataclass(frozen=True)
    class Run(Spec):
        a: int
        b: float = 0.5

    assert Run(1).hash == old != Run(1, b=0.6).hash


def test_a_spec_is_json():
    assert json.loads(json.dumps(MNIST.canonical()))["batch_size"] == 16


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data": "cifar"}, "data is 'cifar'; 'mnist01' or 'gaussian' is needed"),
        ({"step_size": -0.1}, "step_size is -0.1; a positive number is needed"),
        ({"step_size": np.nan}, "step_size has NaN"),
        ({"step_size": "fast"}, "step_size is str"),
        ({"n": 0}, "n is 0; at least 1 is needed"),
        ({"k": 2.5}, "k is 2.5; a whole number is needed"),
        ({"d": None}, "d is None; a whole number is needed"),
        ({"seed": -1}, "seed is -1; at least 0 is needed"),
        ({"batch_size": 21}, "batch_size is 21; at most n = 20 is possible"),
        ({"batch_size": 0}, "batch_size is 0; at least 1 is needed"),
        ({"scheme": "xavier"}, "scheme is 'xavier'"),
        ({"sampling": "none"}, "sampling is 'none'"),
        ({"dtype": "float16"}, "dtype is 'float16'"),
        ({"tol": -1}, "tol is -1"),
        ({"data": "mnist01"}, "d is 3; it is left out for data='mnist01'"),
    ],
)
def test_an_impossible_run_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        replace(RUN, **change)


def test_a_float32_run_trains_on_the_images_that_are_stored():
    train, validation = MNIST.datasets()
    for data in (train, validation):
        assert_array_equal(data.X, data.X.astype(np.float32).astype(np.float64))
    exact, _ = replace(MNIST, dtype="float64").datasets()
    assert 0 < np.abs(exact.X - train.X).max() < 1e-7


def test_training_starts_from_the_initial_network_of_the_seed():
    run = replace(RUN, seed=3, scale=2.0, scheme="he")
    expected = ShallowReLU.initial(3, 5, 2.0, "he", 3)
    assert_array_equal(run.start(3).parameters(), expected.parameters())


def test_a_grid_has_all_combinations_once():
    sweep = Sweep.grid("toy", RUN, step_size=[0.1, 0.2, 0.1], seed=range(3))
    assert len(sweep.runs) == 6
    assert {(run.step_size, run.seed) for run in sweep.runs} == {
        (eta, seed) for eta in (0.1, 0.2) for seed in range(3)
    }


def test_one_more_step_size_keeps_the_other_runs():
    sweep = Sweep.grid("toy", RUN, step_size=[0.1, 0.2], seed=range(3))
    more = sweep.also(step_size=[0.3])
    assert more.runs[:6] == sweep.runs and len(more.runs) == 9
    assert len(more.only(step_size=0.3, seed=1).runs) == 1


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Sweep("Fig 5", (RUN,)), "name is 'Fig 5'; lower-case letters"),
        (lambda: Sweep("../x", (RUN,)), r"name is '\.\./x'"),
        (lambda: Sweep("toy", ()), "some specs are needed"),
        (lambda: Sweep("toy", ("run",)), "some specs are needed"),
        (lambda: Sweep.grid("toy", RUN, eta=[1]), "eta is no field of TrainingRun; it has data, n"),
        (lambda: Sweep("toy", (RUN,)).only(seed=5), "has no run with {'seed': 5}"),
        (lambda: Sweep("toy", (RUN,)).only(eta=5), "eta is no field"),
    ],
)
def test_an_impossible_sweep_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
