"""Format the code cells in a chapter's text, which ruff does not read, and leave the prose alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from stablib.book.notebooks import read_text


def format_chapter(text: Path) -> bool:
    """Format the code of one chapter in place; return whether that changed anything.

    Args:
        text: the chapter, `NN_slug.md`.

    Raises:
        ValueError: if a cell is no Python, with what ruff says about it.
    """
    content = text.read_text("utf-8")
    old = [cell.source for cell in read_text(text).cells if cell.cell_type == "code"]
    for before, after in zip(old, _formatted(old, text), strict=True):
        # A fence ends the line before the code and the line after it: a cell is found whole.
        content = content.replace(f"\n{before}\n```", f"\n{after}\n```", 1)
    if content == text.read_text("utf-8"):
        return False
    temporary = text.with_name(f".{text.name}.tmp")
    temporary.write_text(content, "utf-8", newline="\n")
    os.replace(temporary, text)
    return True


def _formatted(sources: list[str], text: Path) -> list[str]:
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": s}
        for s in sources
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4}
    name = text.with_suffix(".ipynb")
    data = json.dumps(notebook)
    for arguments in (["check", "--fix-only", "--quiet"], ["format"]):
        command = [sys.executable, "-m", "ruff", *arguments, f"--stdin-filename={name}", "-"]
        done = subprocess.run(command, input=data, capture_output=True, text=True, encoding="utf-8")
        if done.returncode:
            raise ValueError(f"{text.name} cannot be formatted: {done.stderr.strip()}")
        data = done.stdout
    return ["".join(cell["source"]) for cell in json.loads(data)["cells"]]
