"""Chapters: from their text to a notebook, and whether a committed notebook still is that text.

The text (MyST) is the only source. A notebook is made from it, executed, and tidied of everything
that differs from run to run, so that it changes only when the text, the code beneath it, or a
result does. It carries one hash for each code cell: of the code that produced the outputs.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from stablib.training.files import write_atomically

# What front ends and tools leave in a cell's metadata; none of it is source.
NOT_SOURCE = ("execution", "papermill", "trusted", "collapsed", "ExecuteTime", "editable")
CURE = "run `make notebooks`"


def texts(folder: Path) -> list[Path]:
    """All chapters' texts in a folder, in order."""
    return sorted(Path(folder).glob("[0-9]*.md"))


def read_text(path: Path) -> Any:
    """Read a chapter's text as a notebook without outputs, with ids that depend on its content.

    Args:
        path: a MyST text, `NN_slug.md`.
    """
    notebook = jupytext.reads(Path(path).read_text("utf-8"), fmt="md:myst")
    number_cells(notebook)
    return notebook


def number_cells(notebook: Any) -> None:
    """Give every cell an id made of its content, since jupytext's are drawn at random."""
    seen = Counter()
    for cell in notebook.cells:
        digest = _hash(f"{cell.cell_type}\n{cell.source}")[:12]
        seen[digest] += 1
        cell.id = digest if seen[digest] == 1 else f"{digest}-{seen[digest]}"


def tidy(notebook: Any, source: Any) -> Any:
    """Remove from an executed notebook all that differs from one run to the next.

    Args:
        notebook: the executed notebook.
        source: the notebook that was executed, as `read_text` returned it; its metadata is kept.

    Returns:
        A new notebook: the source's cells, the outputs, and the hashes of the code that ran.
    """
    result = nbformat.from_dict(source)
    result.nbformat, result.nbformat_minor = 4, 5
    for cell, executed in zip(result.cells, notebook.cells, strict=True):
        if cell.cell_type == "code":
            cell.execution_count = executed.execution_count
            cell.outputs = _merge_streams(executed.outputs)
    name = source.metadata.get("kernelspec", {})
    result.metadata = nbformat.from_dict(
        {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}
            | dict(name),
            # The interpreter's version is left out: it says nothing about the outputs' source.
            "language_info": {"name": "python", "file_extension": ".py"},
            "stablib": {"executed": code_hashes(result)},
        }
    )
    widgets = notebook.metadata.get("widgets")
    if widgets:
        result.metadata["widgets"] = widgets
        result = _rename_widgets(result)
    return result


def _merge_streams(outputs: list[Any]) -> list[Any]:
    # The kernel sends what is printed whenever its clock says so, in one piece or in several.
    merged = []
    for output in outputs:
        last = merged[-1] if merged else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            merged.append(nbformat.from_dict(output))
    return merged


def _rename_widgets(notebook: Any) -> Any:
    """Number widgets in the order in which the kernel made them; their own ids are random."""
    text = nbformat.writes(notebook, version=4)
    for states in notebook.metadata["widgets"].values():
        for number, identifier in enumerate(states.get("state", {}), 1):
            text = text.replace(identifier, _hash(f"widget {number}")[:32])
    return nbformat.reads(text, as_version=4)


def write(notebook: Any, path: Path) -> None:
    """Write a notebook beside its place, then move it there: readers see the old or the new one."""
    text = nbformat.writes(notebook, version=4) + "\n"
    write_atomically(Path(path), text.encode("utf-8"))


def code_hashes(notebook: Any) -> list[str]:
    """One hash for the source of each code cell."""
    return [_hash(cell.source)[:16] for cell in notebook.cells if cell.cell_type == "code"]


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def name_of(notebook: Any, index: int) -> str:
    """Name a cell as its reader sees it: `code cell 3 (x = np.arange(4))`.

    Code cells are counted as Jupyter counts them, In [3]; texts among texts.
    """
    cell = notebook.cells[index]
    kind = cell.cell_type
    number = sum(other.cell_type == kind for other in notebook.cells[: index + 1])
    lines = [line.strip() for line in cell.source.splitlines() if line.strip()]
    first = lines[0] if lines else "empty"
    return f"{'text' if kind == 'markdown' else kind} cell {number} ({_cut(first)})"


def _cut(line: str, width: int = 60) -> str:
    return line if len(line) <= width else line[: width - 4] + " ..."


def check_folder(folder: Path) -> Iterator[str]:
    """Yield a sentence for everything in which texts and committed notebooks disagree.

    Nothing is executed, and no time stamp is looked at.

    Args:
        folder: the chapters, `NN_slug.md` and `NN_slug.ipynb`.
    """
    folder = Path(folder)
    paths = texts(folder)
    for path in paths:
        yield from check(path)
    for path in sorted(folder.glob("*.ipynb")):
        if path.with_suffix(".md") not in paths:
            yield f"{path.name} has no text {path.stem}.md: delete it, or restore the text"


def check(path: Path) -> Iterator[str]:
    """Yield a sentence for everything in which one chapter's notebook is not its text, executed."""
    path = Path(path)
    committed = path.with_suffix(".ipynb")
    if not committed.exists():
        yield f"{path.name} has no notebook {committed.name}: {CURE}"
        return
    try:
        notebook = nbformat.read(committed, as_version=4)
    except (ValueError, nbformat.ValidationError) as error:
        yield f"{committed.name} is no notebook that can be read ({error}): {CURE}"
        return
    source = read_text(path)
    said = _first_difference(source, notebook)
    if said:
        yield f"{committed.name}: {said}: {CURE}"
        return
    yield from (f"{committed.name}: {said}" for said in _faults(notebook))


def _first_difference(source: Any, notebook: Any) -> str | None:
    for index, (new, old) in enumerate(zip_longest(source.cells, notebook.cells)):
        if old is None:
            return f"{name_of(source, index)} of the text is not in the notebook"
        if new is None:
            return f"{name_of(notebook, index)} of the notebook is not in the text"
        if new.cell_type != old.cell_type or new.source.rstrip() != old.source.rstrip():
            return f"{name_of(source, index)} differs; the notebook has {name_of(notebook, index)}"
        keys = sorted({*new.metadata, *old.metadata} - set(NOT_SOURCE))
        for key in keys:
            a, b = new.metadata.get(key), old.metadata.get(key)
            if a != b and (a or b):
                return f"{name_of(source, index)} has {key} {b!r}, but {a!r} in the text"
    return None


def _faults(notebook: Any) -> Iterator[str]:
    """What is wrong with a notebook whose cells are those of its text."""
    code = [(i, cell) for i, cell in enumerate(notebook.cells) if cell.cell_type == "code"]
    stored = notebook.metadata.get("stablib", {}).get("executed", [])
    now = code_hashes(notebook)
    for (index, _), old, new in zip_longest(code, stored, now, fillvalue=None):
        if old != new:
            yield f"the outputs of {name_of(notebook, index)} come from other code: {CURE}"
            return
    for number, (index, cell) in enumerate(code, 1):
        name = name_of(notebook, index)
        if cell.execution_count is None:
            yield f"{name} was not run: {CURE}"
            return
        if cell.execution_count != number:
            yield f"{name} was run as number {cell.execution_count}, out of order: {CURE}"
            return
        for output in cell.outputs:
            if output.output_type == "error":
                yield f"{name} ends in {output.ename}: {output.evalue}"
            elif output.get("name") == "stderr":
                yield f"{name} prints to standard error: {_cut(output.text.strip())}"
            elif re.search(r" at 0x[0-9a-f]{6,}", str(output.get("data", output.get("text")))):
                yield f"{name} prints a memory address, which no other run will print"
    parameters = [i for i, cell in code if "parameters" in cell.metadata.get("tags", [])]
    if len(parameters) > 1:
        yield f"{name_of(notebook, parameters[1])} is a second cell tagged parameters: keep one"
