"""Whether two builds from nothing are the same, byte for byte, but for how long things took.

`python -m stablib.book.reproduce` makes in its checkout what a reader gets: executed notebooks, pages, the
ledger, and the tables that take seconds. The long tests do so in two copies of the checkout that share
neither a path nor a number of processes, nor the seed of Python's hashes, nor a time zone.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stablib.book import ledger, notebooks, pipeline
from stablib.book.environment import ROOT

PARTS = ("notebooks", "html", "ledger", "results")
TIMES = ("seconds",)  # what a JSON file says under these names may differ
SMALL = (
    "overview",
    "fig1",
    "fig1_controls",
    "fig4_decay",
    "fig4_stopping",
)  # tables, by gradient descent


def differences(first: Path, second: Path) -> list[str]:
    """In what two folders differ: a line for each file that is in one of them only, or not the same.

    Files are compared byte for byte; of a JSON file, what `TIMES` names is left out.

    Args:
        first: a folder.
        second: the other.
    """
    there = [{path.relative_to(root) for path in _files(root)} for root in (first, second)]
    said = [f"{name}: in the {which} only" for which, name in _alone(*there)]
    for name in there[0] & there[1]:
        if _content(first / name) != _content(second / name):
            said.append(f"{name}: not the same")
    return sorted(said)


def _files(root: Path) -> Iterator[Path]:
    return (path for path in Path(root).rglob("*") if path.is_file())


def _alone(first: set[Path], second: set[Path]) -> Iterator[tuple[str, Path]]:
    yield from (("first", name) for name in first - second)
    yield from (("second", name) for name in second - first)


def _content(path: Path) -> Any:
    data = path.read_bytes()
    return _timeless(json.loads(data)) if path.suffix == ".json" else data


def _timeless(value: Any) -> Any:
    if isinstance(value, dict):
        # In their order, which is part of the file, too.
        return [(key, _timeless(part)) for key, part in value.items() if key not in TIMES]
    return [_timeless(part) for part in value] if isinstance(value, list) else value


def build(together: int, *, backwards: bool = False, say: Callable[[str], object] = print) -> Path:
    """Make everything anew in this checkout, in `_build/anew`; return that folder.

    Args:
        together: how many processes at once.
        backwards: whether chapters and claims are taken from the last to the first.
        say: where progress goes.

    Raises:
        RuntimeError: if a chapter fails.
    """
    from joblib import parallel_config

    from stablib.book import tables
    from stablib.training import sweep

    anew = pipeline.BUILD / "anew"
    shutil.rmtree(anew, ignore_errors=True)
    order = -1 if backwards else 1
    chapters = notebooks.texts(ROOT / "chapters")[::order]
    outcomes = pipeline.run_chapters(chapters, anew / "notebooks", together=together, say=say)
    if failed := pipeline.failures(outcomes):
        raise RuntimeError(failed)
    pipeline.build_html(anew / "notebooks").parent.rename(anew / "html")
    ids = list(ledger.claims())[::order]
    entries = ledger.compute(ids, progress=False, jobs=together)
    ledger.write(sorted(entries, key=lambda e: e["id"]), anew / "ledger" / "ledger.json")
    with parallel_config("loky", n_jobs=together, inner_max_num_threads=1):
        for name in SMALL:
            say(f"  {name} ...")
            sweep(tables.named(name), root=anew, progress=False, anew=True)
    return anew


def build_elsewhere(checkout: Path, environment: Mapping[str, str], *arguments: str) -> Path:
    """Call `build` in another checkout, in a process of its own; return its folder.

    Args:
        checkout: its folder.
        environment: variables that differ from those of this process.
        arguments: of the command, `--together 2 --backwards`.

    Raises:
        ValueError: if it has no library of its own: Python would take the one that is installed.
        RuntimeError: if that failed; its last words are named.
    """
    if not (Path(checkout) / "stablib" / "__init__.py").is_file():
        raise ValueError(f"checkout is {checkout}, which has no stablib/__init__.py")
    done = subprocess.run(
        [sys.executable, "-m", "stablib.book.reproduce", *arguments],
        cwd=checkout,
        # One thread: BLAS rounds otherwise with two, and a single process would use them.
        env=pipeline.quiet_environment() | {"PYTHONPATH": str(checkout), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the build in {checkout} failed: {(done.stdout + done.stderr)[-3000:]}")
    return Path(checkout) / "_build" / "anew"


def main(arguments: list[str]) -> int:
    """`python -m stablib.book.reproduce [--together N] [--backwards]`."""
    parser = argparse.ArgumentParser(prog="python -m stablib.book.reproduce")
    parser.add_argument("--together", type=int, default=pipeline.TOGETHER)
    parser.add_argument("--backwards", action="store_true")
    chosen = parser.parse_args(arguments)
    print(build(chosen.together, backwards=chosen.backwards), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
