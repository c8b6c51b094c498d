"""Sphinx extension: how long a page takes to read, below its title, and its sources to take away, at its end.

Both are HTML only. A chapter's text and its executed notebook lie in _sources/ of the built book, so that
the links work without a network and from a folder.
"""

from __future__ import annotations

import math
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# A guess, and the page says "about": words as in a textbook; a formula is looked at, a cell skimmed.
SECONDS = {"word": 60 / 200, "formula": 1.5, "display": 15.0, "code line": 1.5, "picture": 15.0}


def counts(page: nodes.Node) -> dict[str, int]:
    """How many words, formulas, displayed formulas, lines of code and pictures a page holds."""
    found = dict.fromkeys(SECONDS, 0)
    for node in page.findall():
        if isinstance(node, nodes.math_block):
            found["display"] += 1
        elif isinstance(node, nodes.math):
            found["formula"] += 1
        elif isinstance(node, nodes.literal_block):
            found["code line"] += len(node.astext().splitlines())
        elif isinstance(node, nodes.image):
            found["picture"] += 1
        elif isinstance(node, nodes.Text) and not isinstance(
            node.parent, nodes.math | nodes.math_block | nodes.literal_block | nodes.raw
        ):
            found["word"] += len(node.astext().split())
    return found


def minutes(found: dict[str, int]) -> int:
    """The time to read that much, in minutes; above ten in steps of five.

    Example:
        >>> minutes({"word": 600, "formula": 40}), minutes({"word": 2000, "display": 20})
        (4, 15)
    """
    exact = sum(SECONDS[kind] * number for kind, number in found.items()) / 60
    return max(1, round(exact)) if exact <= 10 else 5 * math.ceil(exact / 5)


def sentence(found: dict[str, int]) -> str:
    """What the page says below its title."""
    time = minutes(found)
    return f"About {time} minute{'s' if time > 1 else ''} to read"


def _on_page(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    body = context.get("body")
    if not body or doctree is None:
        return
    # A page of signatures is looked things up in, not read.
    if not any(node.tagname == "desc" for node in doctree.findall(nodes.Element)):
        line = f'</h1>\n<p class="reading-time">{sentence(counts(doctree))}</p>'
        body = body.replace("</h1>", line, 1)
    context["body"] = body + _sources(app, pagename, context["pathto"])


def _sources(app: Sphinx, pagename: str, pathto: Any) -> str:
    source = Path(app.srcdir)
    kinds = [("text", ".md"), ("executed notebook", ".ipynb")]
    links = [
        f'<a href="{pathto(f"_sources/{pagename}{suffix}", 1)}" download>{kind} ({suffix})</a>'
        for kind, suffix in kinds
        if (source / f"{pagename}{suffix}").is_file()
    ]
    return f'<p class="page-sources">This page as {" and ".join(links)}</p>\n' if links else ""


def _on_finished(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        # Sphinx copies what it built from, the notebooks; the texts are what they were made from.
        for text in sorted((Path(app.srcdir) / "chapters").glob("[0-9]*.md")):
            shutil.copy2(text, Path(app.outdir) / "_sources" / "chapters" / text.name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the two steps."""
    app.connect("html-page-context", _on_page)
    app.connect("build-finished", _on_finished)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
