"""The commands of `python -m stablib.book`, inside the environment."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from stablib.book.environment import ROOT, ends_with_the_caller, in_words, interruptible
from stablib.book.unfinished import record
from stablib.training.files import write_atomically
from stablib.training.turns import Busy, turn

SECONDS = Path("_build", "seconds.json")  # how long whole commands took here; read by `bench`


def run(command: str, arguments: list[str]) -> int:
    """Do one command; return the exit code.

    What stops it, and what it cannot help, ends in one sentence: an interruption, another process at the
    same work, a full disk, a place where nothing can be written.
    """
    ends_with_the_caller()
    try:
        with interruptible():
            # One that goes on where another stopped does not take as long as the whole.
            whole = not arguments and not record(command).exists()
            started = time.monotonic()
            code = _DO[command](arguments)
            if command in ("book", "test") and whole and code == 0:
                note_seconds(command, time.monotonic() - started)
            return code
    except KeyboardInterrupt:
        say(_INTERRUPTED.get(command, "Interrupted."))
        return 130
    except Busy as error:
        say(f"{error}.")
        return 1
    except OSError as error:
        if not in_words(error):
            raise
        say(f"{in_words(error)}.")
        return 1


_KEPT = "Interrupted. {} that have ended are kept: the same command goes on from there."
_INTERRUPTED = {
    "results": "\n" + _KEPT.format("The runs"),
    "notebooks": _KEPT.format("The chapters"),
    "book": _KEPT.format("The chapters"),
}


def _alone(name: str, what: str) -> AbstractContextManager[bool]:
    """A turn at something in this checkout; not to be waited for, since it takes minutes."""
    return turn(ROOT / "_build" / "turns" / name, what)


def note_seconds(command: str, seconds: float, path: Path | None = None) -> None:
    """Keep how long a command took that did all its work.

    Args:
        command: its name.
        seconds: by the clock on the wall.
        path: the file, by default that of the checkout; what it says of other commands stays.
    """
    path = path or ROOT / SECONDS
    known = json.loads(path.read_text("utf-8")) if path.exists() else {}
    known[command] = {"seconds": round(seconds, 1), "cores": os.cpu_count()}
    write_atomically(path, (json.dumps(known, indent=1) + "\n").encode())


def say(text: str) -> None:
    """Print a line at once, so that a log shows how far things are."""
    print(text, flush=True)


def _setup(arguments: list[str]) -> int:
    say(f"The environment is ready: {ROOT / '.venv'}")
    return 0


def _book(arguments: list[str]) -> int:
    from stablib.book.pipeline import make_book

    with _alone("book", "the book"):
        return make_book(say)


def _pdf(arguments: list[str]) -> int:
    from stablib.book.pdf import make_pdf

    with _alone("pdf", "the PDF"):
        return make_pdf(arguments, say)


def _notebooks(arguments: list[str]) -> int:
    from stablib.book.pipeline import make_notebooks

    with _alone("notebooks", "the notebooks"):
        return make_notebooks(arguments, say)


def _check(arguments: list[str]) -> int:
    from stablib.book.notebooks import check_folder

    folder = Path(arguments[0]) if arguments else ROOT / "chapters"
    if not folder.is_dir():
        say(
            f"There is no folder {folder}; check looks at all notebooks of a folder, chapters/ by default."
        )
        return 2
    said = list(check_folder(folder))
    say("\n".join(said) if said else "Every notebook is its text, executed.")
    return 1 if said else 0


def _test(arguments: list[str]) -> int:
    from stablib.book.suite import run_suite

    return run_suite(arguments, say)


def _test_full(arguments: list[str]) -> int:
    os.environ["STABLIB_FULL"] = "1"
    return _test(arguments)


def _format(arguments: list[str]) -> int:
    from stablib.book.formatting import format_chapter
    from stablib.book.notebooks import texts

    for text in texts(ROOT / "chapters"):
        if format_chapter(text):
            say(f"{text.name} formatted: its notebook needs `make notebooks`")
    paths = ["stablib", "tests", *(["benchmarks"] if (ROOT / "benchmarks").exists() else [])]
    fixed = subprocess.call([sys.executable, "-m", "ruff", "check", "--fix", *paths], cwd=ROOT)
    return fixed | subprocess.call([sys.executable, "-m", "ruff", "format", *paths], cwd=ROOT)


def _results(arguments: list[str]) -> int:
    from stablib.book.tables import run_all

    try:
        run_all()
    except RuntimeError as error:  # one run failed; which one and why is all there is to say
        say(str(error))
        return 1
    return 0


def _ledger(arguments: list[str]) -> int:
    from stablib.book.ledger import main

    if arguments:  # some claims are printed, and nothing is written
        return main(arguments, say)
    with _alone("ledger", "the ledger"):
        return main(arguments, say)


def _bench(arguments: list[str]) -> int:
    from stablib.book.bench import measure

    return measure(arguments, say)


def _lab(arguments: list[str]) -> int:
    return subprocess.call([sys.executable, "-m", "jupyterlab", *arguments], cwd=ROOT / "chapters")


def _tour(arguments: list[str]) -> int:
    from stablib.book.tour import take

    return take(say=say)


def _lock(arguments: list[str]) -> int:
    from stablib.book.lock import lock

    return lock(ROOT, arguments, say)


def _release(arguments: list[str]) -> int:
    from stablib.book.release import release

    return release(say)


def _clean(arguments: list[str]) -> int:
    with _alone("book", "the book"), _alone("pdf", "the PDF"):
        shutil.rmtree(ROOT / "_build", ignore_errors=True)
    return 0


_DO: dict[str, Callable[[list[str]], int]] = {
    "setup": _setup,
    "book": _book,
    "pdf": _pdf,
    "notebooks": _notebooks,
    "check": _check,
    "test": _test,
    "test-full": _test_full,
    "format": _format,
    "results": _results,
    "ledger": _ledger,
    "bench": _bench,
    "lab": _lab,
    "tour": _tour,
    "lock": _lock,
    "release": _release,
    "clean": _clean,
}
