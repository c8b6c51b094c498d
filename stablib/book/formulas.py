"""Sphinx extension: a formula in a line keeps what touches it, such as the comma after it, on that line.

Browsers break lines on either side of a formula, as it is no text to them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

if TYPE_CHECKING:
    from sphinx.application import Sphinx

CLASS = "unbroken"  # in book.css
_BEFORE = re.compile(r"[(\[“‘]+\Z")
_AFTER = re.compile(r"\A[^\s\w(\[“‘—–]+")


class Unbroken(SphinxPostTransform):
    """Wrap formulas together with brackets that open before them and punctuation that follows."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: Any) -> None:
        """Change the tree of one page in place."""
        for formula in list(self.document.findall(nodes.math)):
            parent, place = formula.parent, formula.parent.index(formula)
            before = _taken(parent, place - 1, _BEFORE)
            after = _taken(parent, place + 1, _AFTER)
            if before or after:
                parts = [nodes.Text(before), formula.deepcopy(), nodes.Text(after)]
                parent.replace(formula, nodes.inline("", "", *parts, classes=[CLASS]))


def _taken(parent: nodes.Element, place: int, pattern: re.Pattern[str]) -> str:
    """Cut what matches out of the text at that place, and return it."""
    if not 0 <= place < len(parent) or not isinstance(parent[place], nodes.Text):
        return ""
    text = parent[place].astext()
    match = pattern.search(text)
    if match is None:
        return ""
    parent[place] = nodes.Text(text[: match.start()] + text[match.end() :])
    return match.group()


def setup(app: Sphinx) -> dict[str, Any]:
    """Register with Sphinx."""
    app.add_post_transform(Unbroken)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
