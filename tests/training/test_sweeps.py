"""Sweeps: what is known is not computed again, whatever happened in between."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from toy_runs import Toy, executed

from stablib.training import Sweep, sweep
from stablib.training.store import read_networks


@pytest.fixture
def log(tmp_path):
    return str(tmp_path / "log")


@pytest.fixture
def toy(log):
    return Sweep.grid(
        "toy", Toy(step_size=0.1, log=log), networks={}, step_size=[0.1, 0.3], seed=[0, 1]
    )


@pytest.fixture
def here():
    """Runs in this process, one after the other."""
    with joblib.parallel_config("threading", n_jobs=1):
        yield


def run(spec, root, **options):
    return sweep(spec, root=root, progress=False, **options)


def state(root):
    return {path: path.stat().st_mtime_ns for path in Path(root).rglob("*") if path.is_file()}


def test_a_sweep_gives_its_rows_sorted(toy, tmp_path, here):
    table = run(toy, tmp_path)
    assert table["step_size"].tolist() == [0.1, 0.1, 0.3, 0.3]
    assert table["seed"].tolist() == [0, 1, 0, 1]
    assert table["root"].tolist() == [0.1**0.5, 0.1**0.5, 0.3**0.5, 0.3**0.5]
    assert np.isnan(table["maybe"]).all()
    assert set(table["hash"]) == {r.hash for r in toy.runs}


def test_asking_again_computes_and_writes_nothing(toy, tmp_path, log, here):
    first = run(toy, tmp_path)
    before = state(tmp_path)
    second = run(toy, tmp_path)
    assert state(tmp_path) == before and len(executed(log)) == 4
    assert list(first) == list(second)


def test_one_more_step_size_computes_only_its_own_runs(toy, tmp_path, log, here):
    run(toy, tmp_path)
    table = run(toy.also(step_size=[0.2]), tmp_path)
    assert table["step_size"].tolist() == [0.1, 0.1, 0.2, 0.2, 0.3, 0.3]
    new = toy.also(step_size=[0.2]).only(step_size=0.2).runs
    assert sorted(executed(log)[4:]) == sorted(r.hash for r in new)


def test_the_committed_table_is_enough(toy, tmp_path, log, here):
    first = run(toy, tmp_path)
    for path in (tmp_path / "_runs").rglob("*.*"):
        path.unlink()
    assert list(run(toy, tmp_path)) == list(first) and len(executed(log)) == 4


def test_a_table_that_was_lost_is_written_again_from_the_runs(toy, tmp_path, log, here):
    run(toy, tmp_path)
    content = (tmp_path / "results/toy.csv").read_bytes()
    sidecar = (tmp_path / "results/toy.json").read_bytes()
    for name in ("toy.csv", "toy.json", "networks/toy.npz"):
        (tmp_path / "results" / name).unlink()
    run(toy, tmp_path)
    assert (tmp_path / "results/toy.csv").read_bytes() == content
    assert (tmp_path / "results/toy.json").read_bytes() == sidecar
    assert len(executed(log)) == 4


def test_fewer_runs_leave_the_table_as_it_is(toy, tmp_path, here):
    run(toy, tmp_path)
    before = state(tmp_path)
    assert len(run(toy.only(seed=1), tmp_path)) == 2
    assert state(tmp_path) == before


def test_anew_passes_over_the_table_but_not_over_finished_runs(toy, tmp_path, log, here):
    run(toy, tmp_path)
    csv = tmp_path / "results/toy.csv"
    whole = csv.read_text()
    csv.write_text("".join(whole.splitlines(keepends=True)[:2]).replace("tolerance", "stuck"))
    run(toy, tmp_path, anew=True)
    assert csv.read_text() == whole and len(executed(log)) == 4
    assert len(run(toy.only(seed=0), tmp_path, anew=True)) == 2
    assert len(csv.read_text().splitlines()) == 3


def test_a_failing_run_is_named_and_finished_ones_are_kept(toy, tmp_path, log, here):
    broken = toy.also(reason=["fails"])
    with pytest.raises(
        RuntimeError, match=r"run \w{16} of toy failed .*reason=fails.*the toy is broken"
    ):
        run(broken, tmp_path)
    run(toy, tmp_path)
    assert sorted(executed(log)[:4]) == sorted(r.hash for r in toy.runs)
    assert len(executed(log)) == 5


def test_a_broken_record_is_computed_again(toy, tmp_path, log, here):
    run(toy, tmp_path)
    (tmp_path / "results/toy.csv").unlink()
    victim = toy.runs[2].hash
    (tmp_path / f"_runs/toy/{victim}.json").write_text('{"hash": ')
    (tmp_path / "_runs/toy/notes.txt").write_text("not a record, and nobody's business")
    with pytest.warns(UserWarning, match=f"{victim}.json is no record of a run"):
        run(toy, tmp_path)
    assert executed(log)[4:] == [victim]


def test_a_broken_table_is_refused_before_anything_runs(toy, tmp_path, log, here):
    (tmp_path / "results").mkdir()
    (tmp_path / "results/toy.csv").write_text("<<<<<<< HEAD\n")
    with pytest.raises(ValueError, match="is no table of runs"):
        run(toy, tmp_path)
    (tmp_path / "results/toy.csv").unlink()
    (tmp_path / "results/networks").mkdir()
    (tmp_path / "results/networks/toy.npz").write_text("garbage")
    with pytest.raises(ValueError, match="is no readable file of networks"):
        run(toy, tmp_path)
    assert executed(log) == []


def test_networks_are_kept_of_the_first_converged_run_of_each_step_size(tmp_path, log, here):
    stuck = Toy(step_size=0.1, log=log, reason="stuck")
    runs = [stuck] + [
        Toy(step_size=eta, log=log, data_seed=data, seed=seed)
        for eta, data, seed in [(0.1, 1, 0), (0.1, 0, 2), (0.3, 1, 0), (0.3, 1, 1)]
    ]
    table = run(Sweep("toy", tuple(runs), networks={}), tmp_path)
    assert set(table.networks) == {runs[2].hash, runs[3].hash}
    net, data = table.networks[runs[3].hash]
    assert net.w2.tolist() == [0.3] and data.y.tolist() == [0.3]
    some = run(Sweep("toy", tuple(runs), networks={"data_seed": 1}), tmp_path)
    assert set(some.networks) == {runs[1].hash, runs[3].hash}


def test_a_lost_network_is_computed_again(toy, tmp_path, log, here):
    table = run(toy, tmp_path)
    (tmp_path / "results/networks/toy.npz").unlink()
    for path in (tmp_path / "_runs").rglob("*.*"):
        path.unlink()
    again = run(toy, tmp_path)
    assert sorted(executed(log)[4:]) == sorted(table.networks) == sorted(again.networks)


def test_a_table_of_another_machine_wins_over_ones_own_runs(toy, tmp_path, log, here):
    run(toy, tmp_path)
    csv, npz = tmp_path / "results/toy.csv", tmp_path / "results/networks/toy.npz"
    theirs = csv.read_text().replace("0.54772255750516607", "0.54772255750516700")
    csv.write_text(theirs)
    kept = npz.read_bytes()
    assert run(toy, tmp_path)["root"][-1] == 0.547722557505167
    assert csv.read_text() == theirs and npz.read_bytes() == kept
    # Without their network, one's own does not fit their row: it is computed, and the row with it.
    npz.unlink()
    run(toy, tmp_path)
    mine = toy.only(step_size=0.3, seed=0).runs[0].hash
    (row,) = (line for line in csv.read_text().splitlines() if mine in line)
    assert "0.54772255750516607" in row and len(executed(log)) == 5


def test_two_processes_give_the_same_table_as_one(toy, tmp_path, here):
    one = run(toy, tmp_path / "one")
    with joblib.parallel_config("loky", n_jobs=2):
        two = run(toy, tmp_path / "two")
    assert list(one) == list(two)
    a, b = (read_networks(tmp_path / f"{n}/results/networks/toy.npz") for n in ("one", "two"))
    assert a.keys() == b.keys()


def test_halves_of_files_are_removed_when_nobody_can_be_writing_them(toy, tmp_path, here):
    run(toy, tmp_path)
    old, new = (tmp_path / f"_runs/toy/.{name}.json.1.partial" for name in ("old", "new"))
    for path in (old, new):
        path.write_text('{"ha')
    os.utime(old, (time.time() - 3600,) * 2)
    run(toy, tmp_path)
    assert new.exists() and not old.exists()


def test_a_sweep_is_needed(tmp_path):
    with pytest.raises(ValueError, match="spec is str; a Sweep is needed"):
        sweep("fig5", root=tmp_path)


def test_a_killed_sweep_loses_no_finished_run(tmp_path):
    kills, runs = (20, 70) if os.environ.get("STABLIB_FULL") else (5, 24)
    rng = np.random.default_rng(0)
    log = tmp_path / "log"
    script = Path(__file__).with_name("toy_runs.py")
    command = [sys.executable, str(script), str(tmp_path), str(log), str(runs)]
    folder = tmp_path / "_runs/toy"
    finished = {}
    for _ in range(kills):
        process = subprocess.Popen(command, start_new_session=True)
        started = len(executed(log))
        while len(executed(log)) <= started and process.poll() is None:
            time.sleep(0.01)
        time.sleep(rng.uniform(0, 0.4))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        repeated = set(executed(log)[started:]) & finished.keys()
        assert not repeated
        for path, content in finished.items():
            assert (folder / f"{path}.json").read_bytes() == content
        finished = {path.stem: path.read_bytes() for path in folder.glob("[0-9a-f]*.json")}
    assert 0 < len(finished) < runs  # the kills fell into the sweep
    before = len(executed(log))
    assert subprocess.run(command, check=False).returncode == 0
    assert len(executed(log)) - before == runs - len(finished)
    assert len((tmp_path / "results/toy.csv").read_text().splitlines()) == 1 + runs
    for path in folder.iterdir():
        if path.name.endswith(".partial"):
            continue  # half a file under a name of its own: nobody reads it
        if path.suffix == ".json":
            json.loads(path.read_text())
        else:
            np.load(path).close()


def test_an_interrupted_sweep_leaves_no_process_behind_and_goes_on(tmp_path):
    log, runs = tmp_path / "log", 12
    script = Path(__file__).with_name("toy_runs.py")
    command = [sys.executable, str(script), str(tmp_path), str(log), str(runs)]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
    while len(executed(log)) < 3:
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGINT)  # what Ctrl-C sends
    assert process.wait(timeout=60) != 0
    begun = len(executed(log))
    time.sleep(1.0)
    assert len(executed(log)) == begun < runs
    finished = {path.stem for path in (tmp_path / "_runs/toy").glob("[0-9a-f]*.json")}
    assert subprocess.run(command, check=False).returncode == 0
    assert not finished & set(executed(log)[begun:])
    assert len((tmp_path / "results/toy.csv").read_text().splitlines()) == 1 + runs
