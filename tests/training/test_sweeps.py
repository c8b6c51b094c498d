"""Sweeps: what is known is not computed again, whatever happened in between."""

import hashlib
import json
import os
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

import joblib
import numpy as np
import pytest
from toy_runs import Toy, executed

from stablib.training import Sweep, sweep
from stablib.training.files import read_networks


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


def edited(lines, hash):
    """What a hand, an editor or a full disk may do to a table: the text, and what is said of it."""
    text = "".join(lines)
    row = next(number for number, line in enumerate(lines, 1) if hash in line)
    other = hash[:-1] + ("0" if hash[-1] != "0" else "1")
    return {
        "a hash altered": (text.replace(hash, other), f"{hash} is missing and no .* hash {other}"),
        "a number altered": (text.replace(",0.3162", ",0.3163"), "not their cells or their order"),
        "a number made text": (text.replace(",tolerance,0.3162", ",tolerance,about 0.3"),
                               "in the column root; a number is needed"),
        "a number emptied": (re.sub(r",0\.3162\d+", ",", text), "not their cells or their order"),
        "a row deleted": (text.replace(lines[row - 1], ""), f"the row {hash} is missing"),
        "a row doubled": (text + lines[row - 1], f"line 6 of .* repeats the hash {hash}"),
        "rows swapped": ("".join([lines[0], *lines[:0:-1]]), "not their cells or their order"),
        "a column renamed": (text.replace("root", "rooot"), "not their cells or their order"),
        "cut in a line": (text[: -len(lines[-1]) // 2], "line 5 of .* has . cells, but"),
        "cut at its end": (text[:-1], "not their cells or their order"),
        "cut between lines": ("".join(lines[:-1]), "the row .* is missing"),
        "only its head": (lines[0], "the row .* is missing"),
        "empty": ("", "is no table of runs"),
    }  # fmt: skip


def test_a_table_that_was_edited_is_named_and_neither_read_nor_overwritten(
    toy, tmp_path, log, here
):
    run(toy, tmp_path)
    csv, more = tmp_path / "results/toy.csv", toy.also(step_size=[0.2])
    lines = csv.read_text().splitlines(keepends=True)
    hash = toy.only(step_size=0.1, seed=1).runs[0].hash
    for text, what in edited(lines, hash).values():
        assert text != "".join(lines)
        csv.write_text(text)
        before = state(tmp_path)
        for spec in (toy, more):  # whether there is something to compute or not
            with pytest.raises(ValueError, match=what) as caught:
                run(spec, tmp_path)
            assert "toy.csv" in str(caught.value) and "\n" not in str(caught.value)
        assert state(tmp_path) == before and csv.read_text() == text
    assert len(executed(log)) == 4
    csv.unlink()  # which is what the sentence proposes, and costs nothing
    (tmp_path / "results/toy.json").unlink()
    run(toy, tmp_path)
    assert csv.read_text() == "".join(lines) and len(executed(log)) == 4


def test_ends_of_lines_are_nobodys_edit(toy, tmp_path, log, here):
    first = run(toy, tmp_path)
    csv = tmp_path / "results/toy.csv"
    csv.write_bytes(csv.read_bytes().replace(b"\n", b"\r\n"))  # as git does on Windows
    assert list(run(toy, tmp_path)) == list(first) and len(executed(log)) == 4


def test_a_sidecar_without_a_digest_is_believed(toy, tmp_path, log, here):
    first = run(toy, tmp_path)
    sidecar = tmp_path / "results/toy.json"
    said = json.loads(sidecar.read_text())
    del said["digest"]
    sidecar.write_text(json.dumps(said))
    assert list(run(toy, tmp_path)) == list(first) and len(executed(log)) == 4


def test_a_broken_sidecar_stops_a_sweep_before_anything_runs(toy, tmp_path, log, here):
    run(toy, tmp_path)
    sidecar = tmp_path / "results/toy.json"
    sidecar.write_text(sidecar.read_text()[:-40])
    before = state(tmp_path)
    with pytest.raises(ValueError, match=r"toy\.json cannot be read"):
        run(toy.also(step_size=[0.2]), tmp_path)
    assert state(tmp_path) == before and len(executed(log)) == 4


def test_a_truncated_file_of_networks_stops_a_sweep_before_anything_runs(toy, tmp_path, log, here):
    run(toy, tmp_path)
    npz = tmp_path / "results/networks/toy.npz"
    npz.write_bytes(npz.read_bytes()[:-30])
    before = state(tmp_path)
    with pytest.raises(ValueError, match=r"toy\.npz is no readable file of networks"):
        run(toy.also(step_size=[0.2]), tmp_path)
    assert state(tmp_path) == before and len(executed(log)) == 4


class Kept(Toy):
    """A run that is content with any row."""

    def complete(self, row, arrays):
        return row


def test_a_record_with_a_word_for_a_number_is_named_and_computed_again(tmp_path, log, here):
    toy = Sweep.grid("toy", Kept(step_size=0.1, log=log), networks={}, seed=range(4))
    run(toy, tmp_path)
    csv, victim = tmp_path / "results/toy.csv", toy.runs[1].hash
    whole = csv.read_text()
    csv.unlink()
    path = tmp_path / f"_runs/toy/{victim}.json"
    path.write_text(re.sub(r'"root": [\d.]+', '"root": "small"', path.read_text()))
    with pytest.warns(
        UserWarning, match=f"{victim}.json is no record .*'small' in the column root"
    ):
        run(toy, tmp_path)
    assert csv.read_text() == whole and executed(log)[4:] == [victim]


@dataclass(frozen=True)
class Long(Toy):
    """A run that takes its seconds by a clock of its own."""

    def execute(self):
        CLOCK[0] += self.seconds
        return super(Long, replace(self, seconds=0.0)).execute()


CLOCK = [0.0]


def test_the_time_left_is_told_by_all_runs_that_have_ended(
    tmp_path, log, here, monkeypatch, capsys
):
    monkeypatch.setattr("stablib.training.bars.monotonic", lambda: CLOCK[0])
    monkeypatch.setattr("tqdm.std.time", lambda: -CLOCK[0])  # the time of day is set back meanwhile
    seconds = [600.0, 5.0, 700.0, 2.0, 1.0, 500.0, 3.0, 4.0]  # as at small and at large step sizes
    runs = [Long(step_size=0.1, log=log, seed=i, seconds=s) for i, s in enumerate(seconds)]
    run(Sweep("toy", tuple(runs[:2])), tmp_path)
    (tmp_path / "results/toy.csv").unlink()
    capsys.readouterr()
    sweep(Sweep("toy", tuple(runs)), root=tmp_path)
    shown = re.findall(r"(\d)/8 \[([\d:]+)<([\d:?]+),", capsys.readouterr().err)

    def clock(text):
        return sum(60**i * int(part) for i, part in enumerate(reversed(text.split(":"))))

    assert shown[0] == ("2", "00:00", "?") and shown[-1][0] == "8"
    for done, gone, left in shown[1:]:
        fresh = int(done) - 2
        assert abs(clock(left) - clock(gone) / fresh * (6 - fresh)) <= 1 + 6 / fresh
    assert clock(shown[-1][1]) == sum(seconds[2:])


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
    sidecar = tmp_path / "results/toy.json"
    said = json.loads(sidecar.read_text())
    said["digest"] = hashlib.sha256(theirs.encode()).hexdigest()[:16]
    sidecar.write_text(json.dumps(said))
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
    names = ("_runs/toy/.{}.json.7.partial", "results/.toy.csv.{}.partial",
             "results/.toy.json.{}.partial", "results/networks/.toy.npz.{}.partial")  # fmt: skip
    old, new = ([tmp_path / name.format(pid) for name in names] for pid in (1, 2))
    others = tmp_path / "results/.toys.csv.1.partial"
    for path in (*old, *new, others):
        path.write_text('{"ha')
    for path in (*old, others):
        os.utime(path, (time.time() - 3600,) * 2)
    run(toy, tmp_path)
    assert all(path.exists() for path in (*new, others)) and not any(path.exists() for path in old)


def test_a_sweep_is_needed(tmp_path):
    with pytest.raises(ValueError, match="spec is str; a Sweep is needed"):
        sweep("fig5", root=tmp_path)


def test_rows_gain_a_column_and_their_table_is_written_again(tmp_path, monkeypatch):
    """Neither an empty word nor a column that only _runs knows may send a run back to training."""
    from stablib.training import TrainingRun, measure

    run = TrainingRun("gaussian", n=8, k=5, step_size=0.1, d=2)
    spec = Sweep.grid("runs", run, seed=range(2))
    columns = measure.COLUMNS
    with joblib.parallel_config("threading", n_jobs=1):
        monkeypatch.setattr(measure, "COLUMNS", columns[:-1])
        sweep(spec, root=tmp_path, progress=False)
        monkeypatch.setattr(measure, "COLUMNS", columns)
        monkeypatch.setattr(TrainingRun, "train", None)
        whole = sweep(spec, root=tmp_path, progress=False)
        (tmp_path / "results/runs.csv").unlink()
        (tmp_path / "results/runs.json").unlink()
        assert [*sweep(spec, root=tmp_path, progress=False)] == [*whole]
    header = (tmp_path / "results/runs.csv").read_text().splitlines()[0].split(",")
    assert header[-1] == columns[-1].name
