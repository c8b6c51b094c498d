"""Kills, company, no permission, no network, wrong clocks, full disks: the book says what it does."""

import contextlib
import errno
import json
import os
import re
import signal
import subprocess
import sys
import time

import psutil
import pytest
from sample_chapters import HEADER, SMALL

from stablib.book import commands, notebooks
from stablib.training.turns import Busy, turn

from . import checkouts

FULL = bool(os.environ.get("STABLIB_FULL"))
posix = pytest.mark.skipif(os.name != "posix", reason="sends signals, takes permissions away")
QUICK = HEADER + "# Quick\n\n```{code-cell} python\nprint(1)\n```\n"
# A chapter that goes on when a file appears.
WAITS = """\
# Waits

```{code-cell} python
import pathlib, time

while not pathlib.Path("%s").exists():
    time.sleep(0.05)
```
"""


def until(true, *given, seconds=90):
    stop = time.monotonic() + seconds
    while not (found := true(*given)):
        assert time.monotonic() < stop, "waited in vain"
        time.sleep(0.1)
    return found


def alive(processes):
    return [p for p in processes if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]


def all_gone(family):
    return not alive(family)


def family_of(process, kernels):
    """A process and all beneath it, if so many kernels are among them."""
    with contextlib.suppress(psutil.NoSuchProcess):
        family = [p := psutil.Process(process.pid), *p.children(recursive=True)]
        if sum("ipykernel" in " ".join(p.cmdline()) for p in alive(family)) == kernels:
            return family
    return None


@posix
def test_notebooks_that_are_stopped_go_on_where_they_were_and_leave_no_process(tmp_path):
    texts = {"00_quick": QUICK, "01_one": HEADER + WAITS % "one", "02_two": HEADER + WAITS % "two"}
    root = checkouts.make(tmp_path, texts)
    places = {name: root / "chapters" / f"{name}.ipynb" for name in texts}
    for path in places.values():
        path.write_bytes(b"the notebook of yesterday")
    done = []

    def is_new(name):
        return places[name].read_bytes() != b"the notebook of yesterday"

    def is_noted(name):
        record = root / "_build/unfinished-notebooks.json"
        return record.exists() and f"{name}.md" in record.read_text()

    # What ends it, to whom it is sent, the chapter that is done by then, and how many others run.
    plan = [
        (signal.SIGKILL, os.kill, "00_quick", 2),
        (signal.SIGINT, os.killpg, "01_one", 1),
        (signal.SIGTERM, os.kill, None, 1),
    ]
    for sent, to, ended, running in plan if FULL else plan[:2]:
        process = checkouts.start(root, "notebooks")
        if ended == "01_one":
            (root / "chapters/one").touch()
        if ended:
            until(is_noted, ended)
        family = until(family_of, process, running)
        to(process.pid, sent)
        said = process.communicate(timeout=30)[0]
        until(all_gone, family)
        assert process.returncode == {signal.SIGKILL: -9}.get(sent, 130)
        assert "FAILED" not in said and "Traceback" not in said
        if sent != signal.SIGKILL:
            assert "chapters that have ended are kept: the same command goes on" in said
        assert all(f"{name} ..." not in said for name in done)
        assert not done or f"was interrupted after {', '.join(done)}: it goes on" in said
        done += [ended] if ended else []
        assert [name for name in texts if is_new(name)] == done
        for name in done:
            assert not list(notebooks.check(root / "chapters" / f"{name}.md"))
        others = {path.name for path in root.glob("chapters/*")} - {"one"}
        assert others == {f"{name}{end}" for name in texts for end in (".md", ".ipynb")}

    # A text that has changed since is run again; the others are not.
    places["00_quick"].with_suffix(".md").write_text(QUICK.replace("(1)", "(2)"), "utf-8")
    (root / "chapters/two").touch()
    said = checkouts.start(root, "notebooks").communicate(timeout=120)[0]
    assert "was interrupted after 01_one: it goes on" in said
    assert "00_quick: done" in said and "02_two: done" in said and "01_one: done" not in said
    assert not (root / "_build/unfinished-notebooks.json").exists()
    assert list(notebooks.check_folder(root / "chapters")) == []


def test_a_second_call_of_the_same_command_is_told_who_is_at_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(commands, "ROOT", tmp_path)
    for name in ("pipeline.make_book", "pdf.make_pdf", "pipeline.make_notebooks", "ledger.main"):
        monkeypatch.setattr(f"stablib.book.{name}", lambda *given: 0)
    for command in ("book", "pdf", "notebooks", "ledger"):
        with turn(tmp_path / "_build/turns" / command, "it"):
            assert commands.run(command, []) == 1
        said = capsys.readouterr().out
        assert f"Process {os.getpid()} is at work on the " in said and said.count("\n") == 1
        assert commands.run(command, []) == 0
    assert list(json.loads((tmp_path / commands.SECONDS).read_text())) == ["book"]  # noted there


def test_a_turn_ends_with_its_process_whatever_number_it_had(tmp_path):
    code = (
        "import sys, time; from pathlib import Path; from stablib.training.turns import turn\n"
        "with turn(Path(sys.argv[1]), 'x'): print('mine', flush=True); time.sleep(60)"
    )
    path = tmp_path / "locks" / "turn"
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "mine\n"
        with pytest.raises(Busy, match=f"Process {other.pid} is at work on tea"), turn(path, "tea"):
            pass
        other.kill()
    # Its number now belongs to a process that lives, and knows nothing of it.
    path.write_text(f"{os.getpid()}\n")
    with turn(path, "tea") as waited:
        assert not waited


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left", "a.ipynb"), "a.ipynb .* disk is full; what was "),
        (OSError(errno.EROFS, "Read-only", "a.ipynb"), "a.ipynb cannot be written .*copy the"),
        (PermissionError(errno.EACCES, "Denied", "a.csv"), "a.csv cannot be written .*copy the"),
    ],
)
def test_what_a_command_cannot_help_ends_in_one_sentence(monkeypatch, capsys, error, says):
    def fails(arguments):
        raise error

    monkeypatch.setitem(commands._DO, "book", fails)
    assert commands.run("book", []) == 1
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and re.search(says, said)
    error.errno = errno.EIO
    with pytest.raises(OSError):
        commands.run("book", [])


def test_a_full_disk_leaves_the_old_notebook_and_no_half(tmp_path, monkeypatch):
    def full(file):
        raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "00_quick.md").write_text(QUICK)
    source = notebooks.read_text(tmp_path / "00_quick.md")
    path = tmp_path / "00_quick.ipynb"
    path.write_bytes(b"the notebook of yesterday")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match=r"00_quick\.ipynb"):
        notebooks.write(source, path)
    assert path.read_bytes() == b"the notebook of yesterday"
    assert len(list(tmp_path.iterdir())) == 2


EVERYTHING = """
import importlib, pkgutil, stablib
for module in pkgutil.walk_packages(stablib.__path__, "stablib."):
    if "__main__" not in module.name and not module.name.startswith("stablib.book"):
        importlib.import_module(module.name)
from stablib.radon import pieces
from stablib.training import full_batch
from stablib.book.commands import run
for command in ("book", "notebooks", "results", "ledger"):
    print(command, run(command, []))
"""


@posix
@pytest.mark.skipif(sys.platform != "linux", reason="root writes everywhere")
def test_a_checkout_without_permission_to_write_imports_and_says_so(tmp_path):
    root = checkouts.make(tmp_path / "checkout", {"00_quick": QUICK})
    checkouts.lock_up(root)
    home = {"HOME": str(root), "XDG_CACHE_HOME": str(root), "PYTHONDONTWRITEBYTECODE": "1"}
    options = {"env": home, "preexec_fn": checkouts.without_privileges}
    try:
        first = checkouts.python(root, "-W", "error", "-c", EVERYTHING, **options)
        setup = checkouts.python(root, "-m", "stablib.book", "setup", **options)
        lines, said = (p.communicate(timeout=120)[0].splitlines() for p in (first, setup))
    finally:
        checkouts.unlock(root)
    assert first.returncode == 0 and setup.returncode == 1, (lines, said)
    assert lines[1::2] == [f"{name} 1" for name in ("book", "notebooks", "results", "ledger")]
    for line in lines[::2] + said:
        assert "cannot be written (Permission denied): copy the checkout to a folder" in line


# What Python reads before anything else, in kernels, too: other hosts are out of reach, attempts are
# written down, and the time of day is as the environment says.
SITE = """
import os, sys, time

def guard(event, given):
    where = given[1] if event == "socket.connect" else given[0]
    host = where[0] if isinstance(where, tuple) else where
    if isinstance(where, tuple) or event == "socket.getaddrinfo":
        if host not in ("127.0.0.1", "::1", "localhost", "0.0.0.0", "", None):
            with open(os.environ["ATTEMPTS"], "a") as file:
                file.write(f"{host}\\n")
            raise OSError(101, "Network is unreachable")

sys.addaudithook(lambda e, a: guard(e, a) if e in ("socket.connect", "socket.getaddrinfo") else None)
if "CLOCK" in os.environ:
    state = [float(os.environ["CLOCK"])]
    def wrong():
        state[0] += float(os.environ["STEP"])
        return state[0]
    time.time = wrong
"""


def test_a_chapter_is_the_same_without_network_and_with_a_wrong_clock(tmp_path):
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(SITE)
    text = tmp_path / "00_small.md"
    text.write_text(SMALL, "utf-8")
    attempts = tmp_path / "attempts"

    def start(name, *command, **env):
        path = os.pathsep.join([str(tmp_path / "site"), os.environ.get("PYTHONPATH", "")])
        return subprocess.Popen(
            [sys.executable, *(command or ("-m", "stablib.book.execute", text, tmp_path / name))],
            env={**os.environ, "PYTHONPATH": path, "ATTEMPTS": str(attempts), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    asks = "import socket; socket.create_connection(('example.org', 80))"
    said = start("", "-c", asks).communicate()[0]
    assert "Network is unreachable" in said and attempts.read_text() == "example.org\n"
    attempts.unlink()
    running = [
        start("right.ipynb"),
        start("1970.ipynb", CLOCK="1000", STEP="1e-3"),
    ]
    if FULL:
        running.append(start("2099_backwards.ipynb", CLOCK="4.09e9", STEP="-100"))
    for process in running:
        said = process.communicate(timeout=120)[0]
        assert process.returncode == 0, said
    assert not attempts.exists(), f"the network was asked for: {attempts.read_text()}"
    made = {path.read_bytes() for path in tmp_path.glob("*.ipynb")}
    assert len(made) == 1 and len(list(tmp_path.glob("*.ipynb"))) == len(running)
