"""Execute one chapter in a process of its own: `python -m stablib.book.execute TEXT RESULT`.

Papermill runs the notebook made from the text in a scratch file; only a run without errors is
tidied and moved to its place. What goes wrong is said on standard output; standard error belongs
to the kernel, which has its own things to say when it is stopped.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path

import nbformat

from stablib.book.environment import ends_with_the_caller, in_words
from stablib.book.notebooks import name_of, read_text, tidy, write

TIMEOUT = 1800  # seconds for one cell; none of the book's needs a tenth of it


class ChapterError(Exception):
    """A chapter did not run to its end; the message names the cell and the error."""


def execute(text: Path, result: Path) -> None:
    """Run a chapter from its text and write the tidy notebook.

    Args:
        text: the chapter, `NN_slug.md`; its folder is the working directory of its code.
        result: where the notebook goes, replaced atomically and only after a run without errors.

    Raises:
        ChapterError: if a cell fails.
    """
    import papermill

    text, result = Path(text).resolve(), Path(result)
    source = read_text(text)
    with tempfile.TemporaryDirectory() as folder:
        start, scratch = Path(folder) / "start.ipynb", Path(folder) / "scratch.ipynb"
        write(source, start)
        try:
            executed = papermill.execute_notebook(
                start,
                scratch,
                kernel_name="python3",
                cwd=text.parent,
                progress_bar=False,
                execution_timeout=TIMEOUT,
            )
        except Exception as error:
            raise ChapterError(_explain(error, source, scratch)) from error
    write(tidy(executed, source), result)


def _explain(error: Exception, source: object, scratch: Path) -> str:
    """Name the cell that was running, and the error in it."""
    from papermill.exceptions import PapermillExecutionError

    index = _running(scratch)
    where = name_of(source, index) if index is not None else "before its first cell"
    if isinstance(error, PapermillExecutionError):
        trace = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error.traceback)).splitlines()
        tail = "\n".join(f"    {line}" for line in trace[-12:])
        return f"{where}: {error.ename}: {error.evalue}\n{tail}"
    return f"{where}: {type(error).__name__}: {error}"


def _running(scratch: Path) -> int | None:
    # Papermill notes when a cell starts, and goes on with no other after one that fails.
    if not scratch.exists():
        return None
    cells = nbformat.read(scratch, as_version=4).cells
    # It also puts banners among the cells; they are tagged.
    cells = [c for c in cells if "papermill-error-cell-tag" not in c.metadata.get("tags", [])]
    started = [
        index
        for index, cell in enumerate(cells)
        if cell.cell_type == "code" and cell.metadata.get("papermill", {}).get("start_time")
    ]
    return started[-1] if started else None


if __name__ == "__main__":
    ends_with_the_caller()
    try:
        execute(Path(sys.argv[1]), Path(sys.argv[2]))
    except ChapterError as failure:
        print(failure, flush=True)
        sys.exit(1)
    except OSError as error:
        print(f"its last step: {in_words(error) or error}", flush=True)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
