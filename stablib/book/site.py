"""The executed notebooks and the pages, made into HTML that needs no network, or into LaTeX."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_COMPLAINT = re.compile(r"\b(WARNING|ERROR|CRITICAL|SEVERE)\b|^\S*Error\b|^Exception\b")


class BookError(RuntimeError):
    """The book did not build without a warning; the message names every one."""


def build(source: Path, html: Path) -> None:
    """Build the book in the folder `source` and put its pages into the folder `html`.

    The strictest build there is: every warning is an error, every missing reference a warning,
    every page is built anew. An older book in `html` is replaced only when the new one is whole.

    Args:
        source: folder with _config.yml, _toc.yml, references.bib, assets/, vendor/, pages/ and the
            executed notebooks of chapters/.
        html: folder to write; its parents are created.

    Raises:
        ValueError: if `source` holds no book.
        BookError: if anything was warned about.
    """
    _build(source, html, [], "html", "index.html")


def build_latex(source: Path, latex: Path) -> None:
    """Build the book's LaTeX sources, as strictly, and put them into the folder `latex`.

    No LaTeX is needed for that. The main file is book.tex.

    Args:
        source: folder of the book, as for `build`.
        latex: folder to write; its parents are created.

    Raises:
        ValueError: if `source` holds no book.
        BookError: if anything was warned about.
    """
    _build(source, latex, ["--builder", "custom", "--custom-builder", "latex"], "latex", "book.tex")


def _build(source: Path, goal: Path, builder: list[str], folder: str, first: str) -> None:
    source, goal = Path(source).resolve(), Path(goal).resolve()
    for name in ("_config.yml", "_toc.yml"):
        if not (source / name).is_file():
            raise ValueError(f"source is {source}, which has no {name}: a book's folder is needed")
    program = shutil.which("jupyter-book", path=str(Path(sys.executable).parent))
    if program is None:
        raise BookError(f"jupyter-book is not installed beside {sys.executable}")
    goal.parent.mkdir(parents=True, exist_ok=True)
    # On the file system of the goal, so that the last step is a rename.
    with tempfile.TemporaryDirectory(prefix=".book-", dir=goal.parent) as work:
        command = [program, "build", str(source), "-W", "-n", "--keep-going", "--all", "-q"]
        done = subprocess.run(
            [*command, *builder, "--path-output", work],
            cwd=source,
            env={**os.environ, "PYTHONHASHSEED": "0", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
        output = _COLOUR.sub("", done.stdout + done.stderr)
        made = Path(work) / "_build" / folder
        found = complaints(output, source)
        if done.returncode or found or not (made / first).is_file():
            raise BookError(_explain(found, output))
        if goal.exists():
            goal.rename(Path(work) / "old")
        made.rename(goal)


def complaints(output: str, source: Path) -> list[str]:
    """The warnings and errors in what the builder printed, each once, paths relative to the book.

    Example:
        >>> complaints("/b/pages/a.md:3: WARNING: no such label\\nreading ...", Path("/b"))
        ['pages/a.md:3: WARNING: no such label']
    """
    lines = [line.strip().replace(f"{source}{os.sep}", "") for line in output.splitlines()]
    return list(dict.fromkeys(line for line in lines if _COMPLAINT.search(line)))


def _explain(found: list[str], output: str) -> str:
    if found:
        return f"the book has {len(found)} warning(s):\n  " + "\n  ".join(found)
    return "the book was not built; the last lines of the builder were:\n" + output[-3000:]
