"""Two sweeps at once, a wrong clock, a full disk, a folder without permission: no run is lost or repeated."""

import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import joblib
import pytest
from toy_runs import Toy, executed

from stablib.book import tables
from stablib.training import Sweep, sweep
from stablib.training.files import write_atomically
from stablib.training.store import Store
from stablib.training.turns import turn

TABLES = ("results/toy.csv", "results/networks/toy.npz")
PRIVILEGES = (
    "import ctypes, os\nif os.geteuid() == 0: [ctypes.CDLL(None).prctl(24, n) for n in (1, 2)]"
)


@pytest.fixture(autouse=True)
def here():
    with joblib.parallel_config("threading", n_jobs=1):
        yield


def toys(log, seeds, seconds=0.0):
    base = Toy(step_size=0.1, log=str(log), seconds=seconds)
    return Sweep.grid("toy", base, networks={}, step_size=[0.1, 0.3], seed=seeds)


def start(root, log, first, last):
    command = [sys.executable, __file__, str(root), str(log), str(first), str(last)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)


def same_tables(root, other):
    return all((root / name).read_bytes() == (other / name).read_bytes() for name in TABLES)


def halves(root):
    return list(Path(root).rglob(".*.partial"))


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_two_sweeps_of_one_table_share_the_work_and_lose_no_row(tmp_path):
    log, root = tmp_path / "log", tmp_path / "shared"
    with turn(Store(root, "toy").turn, "it"):  # until both are there
        pair = [start(root, log, 0, 5), start(root, log, 3, 8)]
        for process in pair:
            said = f"Process {os.getpid()} is at work on the table toy; waiting for it ...\n"
            assert process.stderr.readline() == said
    assert [process.communicate(timeout=120)[1] for process in pair] == ["", ""]
    assert [process.returncode for process in pair] == [0, 0]
    whole = toys(log, range(8), 0.05)
    assert sorted(executed(log)) == sorted(run.hash for run in whole.runs)
    sweep(whole, root=tmp_path / "alone", progress=False)
    assert same_tables(root, tmp_path / "alone")
    sidecar = json.loads((root / "results/toy.json").read_text())
    assert sidecar["runs"].keys() == {run.hash for run in whole.runs}

    # One that is killed while the other waits: the other goes on.
    pair = [start(root, log, 8, 1000)]
    while len(list(root.glob("_runs/toy/*.json"))) < 18:
        time.sleep(0.01)
    pair.append(start(root, log, 8, 12))
    assert "waiting for it" in pair[1].stderr.readline()
    os.killpg(pair[0].pid, signal.SIGKILL)
    for process in pair:
        process.communicate(timeout=120)
    assert [process.returncode for process in pair] == [-9, 0]
    assert len(sweep(toys(log, range(12), 0.05), root=root, progress=False)) == 24


def test_who_only_reads_waits_for_nobody(tmp_path):
    spec = toys(tmp_path / "log", range(2))
    table = sweep(spec, root=tmp_path, progress=False)
    with turn(Store(tmp_path, "toy").turn, "a long sweep"):
        assert list(sweep(spec, root=tmp_path, progress=False)) == list(table)


def test_a_reader_in_the_midst_of_writing_sees_no_table_that_was_edited(tmp_path, monkeypatch):
    """The two files are replaced one after the other; between a reader's two looks both are."""
    log, old = tmp_path / "log", toys(tmp_path / "log", range(2))
    sweep(old, root=tmp_path, progress=False)
    new, looks = toys(log, range(3)), []
    read = Path.read_bytes

    def look(path):
        content = read(path)
        if path.name == "toy.json" and not looks:
            looks.append(path)
            sweep(new, root=tmp_path, progress=False)
        return content

    monkeypatch.setattr(Path, "read_bytes", look)
    assert len(sweep(old, root=tmp_path, progress=False)) == 4 and looks


def test_two_calls_for_all_tables_share_the_work(tmp_path, monkeypatch):
    log = str(tmp_path / "log")
    base = Toy(step_size=1.0, log=log, seconds=0.15)
    one, two = (
        Sweep.grid(name, base, seed=range(k, k + 4)) for name, k in (("one", 0), ("two", 4))
    )
    monkeypatch.setattr(tables, "SWEEPS", (one, two))
    monkeypatch.setattr(tables, "OTHERS", ())
    monkeypatch.setattr(tables, "eta_star", lambda *_, **__: None)
    made = []

    def call():
        with joblib.parallel_config("threading", n_jobs=1):
            made.append(tables.run_all(False, root=tmp_path))

    threads = [threading.Thread(target=call) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [{name: len(table) for name, table in all.items()} for all in made] == [
        {"one": 4, "two": 4}
    ] * 2
    assert len(executed(log)) == 8


@pytest.mark.parametrize("when", ["1970", "2099", "backwards"])
def test_a_wrong_clock_loses_nothing_and_repeats_nothing(tmp_path, monkeypatch, capsys, when):
    log = tmp_path / "log"
    spec, more = toys(log, range(2)), toys(log, range(4))
    sweep(more, root=tmp_path / "right", progress=False)
    now = {"1970": [5.0], "2099": [4.09e9], "backwards": [time.time()]}[when]

    def clock():
        now[0] -= 1000 * (when == "backwards")
        return now[0]

    for name in ("time.time", "tqdm.std.time"):
        monkeypatch.setattr(name, clock)
    root = tmp_path / "wrong"
    sweep(spec, root=root, progress=False)
    begun = len(executed(log))
    for stamp in (1.0, 4.09e9):  # files of long ago, and of a day that has not come
        for path in [*root.rglob("*"), root]:
            os.utime(path, (stamp, stamp))
        sweep(spec, root=root, progress=False)
    assert len(executed(log)) == begun
    capsys.readouterr()
    sweep(more, root=root)
    assert len(executed(log)) == begun + 4
    shown = re.findall(r"\[(\S+)<(\S+), ", capsys.readouterr().err)
    assert shown and not any("-" in time for pair in shown for time in pair)
    assert same_tables(root, tmp_path / "right")


def test_a_half_that_is_taken_away_while_it_is_written_is_written_again(tmp_path, monkeypatch):
    """So does a process whose clock is ahead: it takes the half for an old one."""
    flush, taken = os.fsync, []

    def fsync(file):
        flush(file)
        if not taken:
            taken.extend(halves(tmp_path))
            taken[0].unlink()

    monkeypatch.setattr(os, "fsync", fsync)
    write_atomically(tmp_path / "a.json", b"whole")
    assert taken and (tmp_path / "a.json").read_bytes() == b"whole" and not halves(tmp_path)


def test_a_disk_that_is_full_at_any_step_loses_no_finished_run(tmp_path, monkeypatch):
    log = tmp_path / "log"
    old, new = toys(log, range(1)), toys(log, range(2))
    sweep(new, root=tmp_path / "whole", progress=False)
    flush = os.fsync
    for step in range(1, 100):
        root, count = tmp_path / str(step), [0]
        sweep(old, root=root, progress=False)
        before = {path: path.read_bytes() for path in (root / "_runs").rglob("*.*[!n]")}

        def fsync(file, count=count, step=step):
            count[0] += 1
            if count[0] >= step:
                raise OSError(errno.ENOSPC, "No space left on device")
            flush(file)

        monkeypatch.setattr(os, "fsync", fsync)
        try:
            sweep(new, root=root, progress=False)
        except OSError as error:
            assert error.errno == errno.ENOSPC and str(root) in error.filename
            assert ".partial" not in error.filename
        else:
            break
        finally:
            monkeypatch.setattr(os, "fsync", flush)
        assert not halves(root)
        assert all(path.read_bytes() == content for path, content in before.items())
        done = {path.stem for path in (root / "_runs/toy").glob("[0-9a-f]*.json")}
        begun = len(executed(log))
        sweep(new, root=root, progress=False)
        assert len(executed(log)) == begun + 4 - len(done)
        assert same_tables(root, tmp_path / "whole")
    # Two runs of two files, the table, its sidecar; the networks are those of before.
    assert step == 1 + 2 * 2 + 2


@pytest.mark.skipif(sys.platform != "linux", reason="root writes everywhere")
@pytest.mark.parametrize("folder", [".", "results"])
def test_a_folder_without_permission_is_read_and_refused_before_anything_runs(tmp_path, folder):
    log, root = tmp_path / "log", tmp_path / "root"
    sweep(toys(log, range(2), 0.05), root=root, progress=False)
    begun = len(executed(log))
    for path in [*(root / folder).rglob("*"), root / folder]:
        path.chmod(path.stat().st_mode & ~0o222)
    code = f"{PRIVILEGES}\nimport os, sys; os.execv(sys.executable, sys.argv[1:])"
    try:
        said = []
        for last in (2, 3):
            command = [sys.executable, __file__, str(root), str(log), "0", str(last)]
            done = subprocess.run(
                [sys.executable, "-c", code, *command], capture_output=True, text=True
            )
            said.append((done.returncode, done.stderr.strip().splitlines()[-1:]))
    finally:
        for path in [root, *root.rglob("*")]:
            path.chmod(path.stat().st_mode | 0o200)
    assert said[0] == (0, [])
    assert said[1][0] == 1 and "Permission denied" in said[1][1][0] and str(root) in said[1][1][0]
    assert len(executed(log)) == begun


if __name__ == "__main__":
    where, log, first, last = sys.argv[1:]
    with joblib.parallel_config("threading", n_jobs=1):
        sweep(toys(log, range(int(first), int(last)), 0.05), root=where, progress=False)
