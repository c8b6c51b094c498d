"""Sphinx extension: what the paper numbers keeps its number in the book.

A label says which number it stands for: `eq-10` is equation (10), `thm-1` Theorem 1, `lem-3`
Lemma 3, `fig-5a` Figure 5 (a). `eq-10-recall` shows the same number on a second page. Everything
without such a label is ours and is counted chapter by chapter: the first equation of
`08_mnist_experiments` is (8.1), its second figure Figure 8.2.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_PAPER = re.compile(r"(?:eq|thm|lem|prop|def|fig|tab)-([0-9]+)([a-z]?)(?:-.+)?")


def paper_number(label: str) -> str | None:
    """The paper's number that a label stands for, or None for a label of our own.

    Example:
        >>> [paper_number(label) for label in ("eq-10", "eq-10-recall", "fig-5a", "eq-waterfall")]
        ['10', '10', '5 (a)', None]
    """
    match = _PAPER.fullmatch(label)
    if match is None:
        return None
    number, panel = match.groups()
    return f"{number} ({panel})" if panel else number


def chapter_mark(docname: str) -> str:
    """What stands before the point in our own numbers: the chapter's number, or an initial.

    Example:
        >>> chapter_mark("chapters/08_mnist_experiments"), chapter_mark("pages/notation")
        ('8', 'N')
    """
    name = PurePosixPath(docname).name
    digits = re.match(r"[0-9]+", name)
    return str(int(digits.group())) if digits else name[:1].upper()


def _own_numbers(docname: str) -> Iterator[str]:
    count = 0
    while True:
        count += 1
        yield f"{chapter_mark(docname)}.{count}"


def number_equations(app: Sphinx, document: nodes.document) -> None:
    """Give the labelled equations of one page their numbers (on `doctree-read`)."""
    env = app.env
    equations = env.get_domain("math").equations
    own = _own_numbers(env.docname)
    for block in document.findall(nodes.math_block):
        label = block.get("label")
        if label:
            block["number"] = paper_number(label) or next(own)
            equations[label] = (env.docname, block["number"])


def number_the_rest(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Give figures, tables and theorems theirs, once all pages are read (on `env-get-updated`)."""
    proofs = getattr(env, "proof_list", {})
    for docname, kinds in env.toc_fignumbers.items():
        for identifiers in kinds.values():
            own = _own_numbers(docname)
            for identifier in identifiers:
                label = proofs.get(identifier, {}).get("label", identifier)
                identifiers[identifier] = (paper_number(label) or next(own),)
    return []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the two steps with Sphinx."""
    app.connect("doctree-read", number_equations)
    # The late priority lets Sphinx assign its own numbers first.
    app.connect("env-get-updated", number_the_rest, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True, "env_version": 1}
