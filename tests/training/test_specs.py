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
        "targets": "teacher",
        "biases": "zero",
        "scaled": "weights",
        "centred": True,
        "after": replace(RUN, step_size=0.2),
    }
    needs = {"data": {"d": None}, "centred": {"data": "mnist01", "d": None}}
    hashes = {RUN.hash}
    for field in fields(TrainingRun):
        value = other.get(field.name, 7)
        changed = replace(RUN, **{field.name: value}, **needs.get(field.name, {}))
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
        ({"step_size": 0}, "step_size is 0; a positive number is needed"),
        ({"step_size": -0.1}, "step_size is -0.1; a positive number is needed"),
        ({"step_size": np.inf}, "step_size has an infinite entry"),
        ({"step_size": True}, "step_size is True; a number is needed"),
        ({"limit": 0}, "limit is 0; at least 1 is needed"),
        ({"warmup": -1}, "warmup is -1; at least 0 is needed"),
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


def test_a_spec_with_an_unknown_key_is_refused_by_its_name():
    given = RUN.canonical() | {"eta": 0.1}
    kind = given.pop("kind")
    assert kind == "TrainingRun"
    with pytest.raises(TypeError, match=r"TrainingRun.* unexpected keyword argument 'eta'"):
        TrainingRun(**given)
    with pytest.raises(TypeError, match="unexpected keyword argument 'eta'"):
        replace(RUN, eta=0.1)
    del given["eta"]
    assert TrainingRun(**given) == RUN


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
        (lambda: Sweep.grid("toy", RUN, step_size=[0.1, 0]), "step_size is 0; a positive number"),
        (lambda: Sweep.grid("toy", RUN, step_size=0.1), "step_size: 0.1 is given; a sequence"),
        (lambda: Sweep.grid("toy", RUN, batch_size=[5, 50]), "batch_size is 50; at most n = 20"),
        (lambda: Sweep("toy", (RUN,)).only(seed=5), "has no run with {'seed': 5}"),
        (lambda: Sweep("toy", (RUN,)).only(eta=5), "eta is no field"),
    ],
)
def test_an_impossible_sweep_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_labels_are_drawn_anew_on_the_same_points():
    (X, y), _ = RUN.datasets()
    (same, other), _ = replace(RUN, target_seed=1).datasets()
    (_, third), _ = replace(RUN, target_seed=2).datasets()
    assert_array_equal(same, X)
    assert len({*y.round(12)} & {*other.round(12)}) == 0 == len({*other} & {*third})


def test_a_teachers_labels_are_those_of_five_neurons_with_variance_one():
    run = replace(RUN, n=400, targets="teacher")
    (X, y), _ = run.datasets()
    assert abs(y.mean()) < 1e-12 and abs(y.std() - 1) < 1e-12
    # A function with five kinks is almost linear between two near points; noise is not.
    middle = (X[:, None] + X[None]) / 2
    near = np.linalg.norm(X[:, None] - X[None], axis=-1)
    i, j = np.unravel_index(np.argsort(near, axis=None)[400:420], near.shape)
    assert middle.shape == (400, 400, 3) and np.abs(y[i] - y[j]).max() < 0.5


def test_labels_are_scaled():
    assert_array_equal(replace(RUN, target_scale=3.0).datasets()[0].y, 3 * RUN.datasets()[0].y)


def test_images_are_centred_at_the_mean_of_the_training_images():
    plain, centred = replace(MNIST, dtype="float64"), replace(MNIST, dtype="float64", centred=True)
    mean = plain.datasets()[0].X.mean(axis=0)
    for with_it, without in zip(centred.datasets(), plain.datasets(), strict=True):
        np.testing.assert_allclose(with_it.X, without.X - mean, atol=1e-15)


def test_only_the_weights_are_scaled():
    wide, plain = replace(RUN, scale=10.0, scaled="weights").start(3), RUN.start(3)
    np.testing.assert_allclose(wide.W1, 10 * plain.W1, rtol=1e-15)
    np.testing.assert_allclose(wide.w2, 10 * plain.w2, rtol=1e-15)
    np.testing.assert_allclose(wide.b1, plain.b1, rtol=1e-15)
    np.testing.assert_allclose(wide.b2, plain.b2, rtol=1e-15)


def test_biases_start_at_zero_or_stay():
    assert not replace(RUN, biases="zero").start(3).b1.any()
    frozen = replace(RUN, biases="frozen", limit=50)
    assert_array_equal(frozen.train().net.b1, RUN.start(3).b1)
    assert (replace(RUN, limit=50).train().net.b1 != RUN.start(3).b1).all()


def test_a_run_after_another_starts_where_that_ended():
    first = replace(RUN, tol=1e-2)
    later = replace(RUN, step_size=0.01, after=first, limit=7)
    start = first.train().net
    X, y = RUN.datasets()[0]
    expected = specs_descent(start, X, y)
    assert_array_equal(later.train().net.parameters(), expected.parameters())
    assert_array_equal(later.start(3).parameters(), RUN.start(3).parameters())
    assert json.loads(json.dumps(later.canonical()))["after"]["tol"] == 0.01


def specs_descent(start, X, y):
    from stablib import gradient_descent

    return gradient_descent(start, X, y, 0.01, max_steps=7).net


def test_the_variant_names_what_differs():
    assert RUN.variant == ""
    assert replace(RUN, biases="zero", target_scale=3.0).variant == "biases zero, labels x 3"
    assert replace(RUN, after=replace(RUN, tol=0.01)).variant == "after step 0.1 to loss 0.01"


@pytest.mark.parametrize(
    ("run", "change", "message"),
    [
        (MNIST, {"targets": "teacher"}, "images have theirs"),
        (MNIST, {"target_seed": 1}, "images have theirs"),
        (MNIST, {"biases": "frozen"}, "only gradient descent"),
        (RUN, {"centred": True}, "only data='mnist01'"),
        (RUN, {"after": 3}, "after is int; a TrainingRun is needed"),
        (RUN, {"after": MNIST}, "data is 'gaussian', but 'mnist01' in the run that comes first"),
        (RUN, {"biases": "none"}, "biases is 'none'"),
        (RUN, {"target_scale": 0}, "target_scale"),
        (RUN, {"step_size": 0}, "step_size"),
        (RUN, {"step_size": -0.1}, "step_size"),
        (RUN, {"step_size": float("nan")}, "step_size"),
        (RUN, {"limit": 0}, "limit"),
    ],
)
def test_what_cannot_be_is_refused(run, change, message):
    with pytest.raises(ValueError, match=message):
        replace(run, **change)


def test_an_unknown_key_is_named():
    with pytest.raises(TypeError, match="stepsize"):
        replace(RUN, stepsize=0.1)
    with pytest.raises(ValueError, match="stepsize is no field of TrainingRun; it has data"):
        Sweep.grid("toy", RUN, stepsize=[0.1])
