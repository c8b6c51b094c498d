"""Whatever ends a sweep, no finished run is lost, no file is broken, and the table comes out the same."""

from __future__ import annotations

import contextlib
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

from stablib.training import Sweep, TrainingRun, sweep

FULL = bool(os.environ.get("STABLIB_FULL"))
TABLES = ("results/toy.csv", "results/networks/toy.npz")
posix = pytest.mark.skipif(os.name != "posix", reason="kills processes and their groups")


def toys(log, runs):
    """Runs of unequal length, none of them instant."""
    base = Toy(step_size=1.0, log=str(log), seconds=0.03)
    return Sweep.grid("toy", base, networks={}, seconds=[0.03, 0.15], seed=range(runs // 2))


def trained(log, runs):
    base = TrainingRun("gaussian", n=12, k=8, step_size=0.1, d=3, limit=20_000)
    return Sweep.grid("toy", base, networks={}, step_size=[0.05, 0.1], seed=range(runs // 2))


def start(root, log, kind, runs):
    command = [sys.executable, __file__, str(root), str(log), kind, str(runs)]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)


def finished(root):
    """What stands in _runs of runs that have ended: content and time by name."""
    folder = Path(root) / "_runs/toy"
    names = {path.stem for path in folder.glob("[0-9a-f]*.json")}
    files = [path for path in folder.glob("[0-9a-f]*.*") if path.stem in names]
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


def check_whole(root):
    """Every file but the halves that have names of their own can be read, to its end."""
    for path in Path(root).rglob("*.*"):
        if path.name.endswith(".partial") or not path.is_file():
            continue
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".npz":
            with np.load(path) as file:
                assert all(np.isfinite(file[key]).all() for key in file.files)
        elif path.suffix == ".csv":
            text = path.read_text()
            assert text.endswith("\n") and len({line.count(",") for line in text.splitlines()}) == 1


def end_of_group(process):
    """Wait until no process of the group lives: its children went with it."""
    until = time.monotonic() + 30
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < until:
            os.killpg(process.pid, 0)
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail(
            "processes of the sweep were still alive half a minute after it had been killed"
        )


# Three kills of toys in short; the long version has twenty, and kills training as well.
PLANS = [("toys", 20, 40), ("trained", 5, 16)] if FULL else [("toys", 3, 14)]


@posix
@pytest.mark.parametrize(("kind", "kills", "runs"), PLANS)
def test_a_killed_sweep_goes_on_and_ends_as_if_nothing_had_happened(tmp_path, kind, kills, runs):
    rng = np.random.default_rng(kills)
    signals = [signal.SIGINT, signal.SIGTERM] + [signal.SIGKILL] * kills
    root, log = tmp_path / "killed", tmp_path / "log"
    interrupted = 0
    for number, sent in enumerate(signals):
        before, begun = finished(root), len(executed(log))
        process = start(root, log, kind, runs)
        if number % 4 == 3:  # at its start, wherever it may be
            time.sleep(rng.uniform(0, 1.5))
        else:  # among its runs, each time some further on
            more = 2 * rng.integers(1, max(2, runs // len(signals) + 1))  # each has two files
            while process.poll() is None and len(finished(root)) < len(before) + more:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.1))
        with contextlib.suppress(ProcessLookupError):  # it may have ended just before
            if sent == signal.SIGKILL and number % 2:
                os.killpg(process.pid, sent)
            else:  # to the process alone: its children have to notice
                os.kill(process.pid, sent)
        process.wait(timeout=60)
        end_of_group(process)
        message = process.communicate()[1]
        interrupted += process.returncode != 0
        if sent == signal.SIGINT and process.returncode:
            assert "KeyboardInterrupt" in message and message.count("Traceback") <= 1
        check_whole(root)
        after = finished(root)
        assert before.items() <= after.items()
        assert not {path.split(".")[0] for path in before} & set(executed(log)[begun:])
    assert interrupted > kills // 2 and finished(root)

    last = start(root, log, kind, runs)
    assert last.communicate() and last.returncode == 0
    whole = start(tmp_path / "whole", log if kind == "toys" else tmp_path / "log2", kind, runs)
    assert whole.communicate() and whole.returncode == 0
    check_whole(root)
    for name in TABLES:
        assert (root / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def die_at(step, spec, root):
    """Run a sweep in a child that dies at the given step of its writing; did it live that long?"""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    steps = 0

    def count(file=None):
        nonlocal steps
        steps += 1
        if steps == step:
            if file is not None:
                os.ftruncate(file, os.fstat(file).st_size // 2)
            os._exit(9)

    def fsync(file, flush=os.fsync):
        count(file)
        flush(file)

    def replace(source, target, move=os.replace):
        count()
        move(source, target)
        count()

    code = 1
    try:
        os.fsync, os.replace = fsync, replace
        with joblib.parallel_config("threading", n_jobs=1):
            sweep(spec, root=root, progress=False)
        code = 0
    finally:
        os._exit(code)


@posix
def test_a_sweep_may_die_at_any_step_of_its_writing(tmp_path):
    log = tmp_path / "log"
    old = Sweep.grid("toy", Toy(step_size=0.1, log=str(log)), networks={}, seed=[0, 1])
    new = old.also(step_size=[0.3])
    with joblib.parallel_config("threading", n_jobs=1):
        for name in ("start", "whole"):
            sweep(old, root=tmp_path / name, progress=False)
        sweep(new, root=tmp_path / "whole", progress=False)
        for step in range(1, 100):
            root = tmp_path / f"died at {step}"
            subprocess.run(["cp", "-a", tmp_path / "start", root], check=True)
            table = (root / TABLES[0]).read_bytes()
            code = die_at(step, new, root)
            check_whole(root)
            kept = finished(root)
            assert kept.items() >= finished(tmp_path / "start").items()
            assert (root / TABLES[0]).read_bytes() in (
                table,
                (tmp_path / "whole" / TABLES[0]).read_bytes(),
            )
            begun = len(executed(log))
            sweep(new, root=root, progress=False)
            assert kept.items() <= finished(root).items()
            assert len(executed(log)) == begun + 4 - len(kept) // 2
            for name in TABLES:
                assert (root / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
            runs, written = (
                json.loads((place / "results/toy.json").read_text())
                for place in (root, tmp_path / "whole")
            )
            assert runs["runs"].keys() == written["runs"].keys()
            assert runs["digest"] == written["digest"]
            assert not (root / "_runs/toy/.writing").exists()
            if code == 0:
                break
    # Two runs of two files each, a table, its sidecar, its networks: three steps for each file.
    assert code == 0 and step == 1 + 3 * (2 * 2 + 3)


if __name__ == "__main__":
    # A job in a shell's background is born deaf to Ctrl-C, and so are its children.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    where, log, kind, runs = sys.argv[1:]
    sweep({"toys": toys, "trained": trained}[kind](log, int(runs)), root=where, progress=False)
