"""Sphinx extension: docstrings are written for `help()`; this makes them safe to typeset.

In reStructuredText a bar opens a substitution and a trailing underscore a link, so that |a_i|, an
absolute value, would be an error. Bars and such underscores are escaped outside of the examples.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def escape_line(line: str) -> str:
    r"""One line of prose with its bars, stars and trailing underscores taken literally.

    Text between backticks is code and stays as it is.

    Example:
        >>> print(escape_line("the sum of |a_i| over `a|b`, and x_ * y"))
        the sum of \|a_i\| over `a|b`, and x\_ \* y
    """
    parts = line.split("`")
    for i in range(0, len(parts), 2):
        part = re.sub(r"(?<![\\*])\*(?!\*)|(?<!\\)\|", lambda m: "\\" + m.group(), parts[i])
        parts[i] = re.sub(r"(?<=\w)_(?!\w)", r"\\_", part)
    return "`".join(parts)


def escape_docstring(lines: list[str]) -> list[str]:
    """All lines of a docstring, examples (from `>>>` to the next blank line) left alone."""
    escaped, in_example = [], False
    for line in lines:
        in_example = line.lstrip().startswith(">>>") or (in_example and bool(line.strip()))
        escaped.append(line if in_example else escape_line(line))
    return escaped


def _on_docstring(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    lines[:] = escape_docstring(lines)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with autodoc, before napoleon reads the sections."""
    app.connect("autodoc-process-docstring", _on_docstring, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
