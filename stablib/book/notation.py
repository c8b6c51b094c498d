"""The letters of the book: one list, symbols.toml, from which the page of notation is made and checked.

As a Sphinx extension: ```` ```{symbols} ```` on a page is the table; its third column is found in the
chapters, where each symbol stands first in a formula.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from docutils import nodes
from sphinx.util import logging

from stablib.book import names

if TYPE_CHECKING:
    from sphinx.application import Sphinx


class Symbol(NamedTuple):
    """A row of the table.

    Attributes:
        tex: the symbols, as they are shown.
        seen: a pattern that finds the first of them in a formula.
        letters: the letters that this row explains, in the words of `letters_of`.
        code: what stands for them in the code, as shown and as it is found: a name in full, or a name
            and its argument, "stablib.sgd:batch_size".
        meaning: in words.
    """

    tex: str
    seen: str
    letters: str
    code: tuple[tuple[str, str], ...]
    meaning: str


def _read() -> Iterator[Symbol]:
    rows = tomllib.loads(Path(__file__).with_name("symbols.toml").read_text("utf-8"))["symbol"]
    for row in rows:
        yield Symbol(**{**row, "code": tuple(row.get("code", {}).items())})


SYMBOLS = tuple(_read())

# Letters that a page introduces where it needs them, for one formula or one proof.
LOCAL = tuple("elmotuACILM")

_HEADING = re.compile(r"^#{1,6} ", re.MULTILINE)
_FENCE = re.compile(r"(`{3,}|:{3,})(.*)")
_WORD = re.compile(r"\\(?:tilde|hat|bar|mathcal|mathbb) \w|\S+")
_FORMULA = re.compile(r"\$\$.*?\$\$|(?<![\\$])\$[^$]+\$", re.DOTALL)
_LETTER = re.compile(
    r"\\(?:tilde|hat|bar|mathcal|mathbb)\s*\{?\s*[A-Za-z]|\\[A-Za-z]+|(?<![A-Za-z])[A-Za-z](?![A-Za-z])"
)
# Commands that are letters.
_GREEK = re.compile(
    "alpha|beta|gamma|delta|(?:var)?epsilon|eta|theta|kappa|lambda|mu|nu|xi|pi|rho|sigma|tau|(?:var)?phi|chi|psi"
    "|omega|ell|nabla|partial|Gamma|Delta|Theta|Lambda|Sigma|Phi|Psi|Omega"
)


def explained() -> set[str]:
    """The letters that the table explains."""
    return {letter for symbol in SYMBOLS for letter in _WORD.findall(symbol.letters)}


class Place(NamedTuple):
    """Where a symbol stands first: the chapter, how many headings come before it, and how many there are."""

    chapter: str
    headings: int
    all_headings: int


def formulas(prose: str) -> Iterator[re.Match[str]]:
    """The formulas of a text, code aside."""
    bare = re.sub(r"`[^`\n]*`", lambda code: " " * len(code.group()), without_code(prose))
    return _FORMULA.finditer(bare)


def without_code(prose: str) -> str:
    """The text with fenced code blanked out, every other character at its place.

    Example:
        >>> without_code("a\\n```{note}\\nb\\n```\\n```python\\n# c\\n```\\nd").split()
        ['a', '```{note}', 'b', '```', 'd']
    """
    open_fences: list[tuple[str, bool]] = []  # what closes it, and whether it holds code
    lines = []
    for line in prose.split("\n"):
        in_code = bool(open_fences) and open_fences[-1][1]
        fence = _FENCE.match(line)
        if fence and open_fences and not fence[2].strip() and fence[1] == open_fences[-1][0]:
            open_fences.pop()
        elif fence and not in_code:
            in_code = not fence[2].startswith("{")
            open_fences.append((fence[1], in_code))
        lines.append(" " * len(line) if in_code else line)
    return "\n".join(lines)


def letters_of(prose: str) -> set[str]:
    r"""The letters in a text's formulas: Latin and Greek ones, and those with an accent or a face.

    Example:
        >>> sorted(letters_of(r"the norm $\|f\|_{\mathcal R,g} \le \frac1\eta$ in `x`"))
        ['\\eta', '\\mathcal R', 'f', 'g']
    """
    found = set()
    for formula in formulas(prose):
        bare = re.sub(
            r"\\(?:text|operatorname|mathrm)\s*\{[^}]*\}|\\mathrm\s*\w", " ", formula.group()
        )
        for letter in _LETTER.findall(re.sub(r"\\(?:begin|end)\{\w+\}", " ", bare)):
            if not letter.startswith("\\") or _GREEK.fullmatch(letter[1:]):
                found.add(letter)
            elif re.match(r"\\(?:tilde|hat|bar|mathcal|mathbb)", letter):
                found.add(re.sub(r"\s*\{?\s*([A-Za-z])$", r" \1", letter))
    return found


def first_use(pattern: str, prose: dict[str, str]) -> Place | None:
    """Where a pattern is first met in a formula.

    Args:
        pattern: what `Symbol.seen` says.
        prose: the chapters' texts by their names, in reading order.
    """
    for chapter, text in prose.items():
        for formula in formulas(text):
            if re.search(pattern, formula.group()):
                bare = without_code(text)
                before = _HEADING.findall(bare[: formula.start()])
                return Place(chapter, len(before), len(_HEADING.findall(bare)))
    return None


def table(prose: dict[str, str]) -> str:
    """The table in Markdown; its third column is a role that the builder turns into links."""
    lines = ["| symbol | meaning | first used | code |", "|---|---|---|---|"]
    for symbol in SYMBOLS:
        place = first_use(symbol.seen, prose)
        where = "{first-use}`" + " ".join(map(str, place)) + "`" if place else ""
        code = ", ".join(_code(shown, full) for shown, full in symbol.code)
        lines.append(f"| {symbol.tex} | {symbol.meaning} | {where} | {code} |")
    return "\n".join(lines)


def _code(shown: str, full: str) -> str:
    if ":" in full or full.endswith("__call__"):
        return f"`{shown}`"
    # A field has no entry of its own everywhere; its class has.
    goal = full if names.home(full) else full.rpartition(".")[0]
    return f"{{py:obj}}`{shown} <{goal}>`"


# The extension


class _Pending(nodes.Inline, nodes.TextElement):
    """A first use whose chapter may not have been read yet."""


def _role(name: str, raw: str, text: str, line: int, inliner: Any, *rest: Any) -> tuple[Any, Any]:
    chapter, headings, total = text.split()
    return [_Pending("", place=Place(chapter, int(headings), int(total)))], []


def _on_source(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname.startswith("pages/") and "```{symbols}" in source[0]:
        chapters = sorted((Path(app.srcdir) / "chapters").glob("[0-9]*.ipynb"))
        prose = {path.stem: names.prose_of(path) for path in chapters}
        text = table(prose)
        source[0] = re.sub(r"^```\{symbols\}\n```$", lambda _: text, source[0], flags=re.MULTILINE)


def _on_resolved(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    for pending in list(doctree.findall(_Pending)):
        pending.replace_self(_link(app, docname, pending["place"]))


def _link(app: Sphinx, docname: str, place: Place) -> nodes.reference:
    goal, chapter = f"chapters/{place.chapter}", int(place.chapter[:2])
    sections = [
        section
        for section in app.env.get_doctree(goal).findall(nodes.section)
        if isinstance(section.parent, nodes.section | nodes.document)  # a theorem holds one, too
    ]
    if len(sections) != place.all_headings:
        said = "%s has %d sections, but %d headings: first uses cannot be found"
        logging.getLogger(__name__).warning(said, goal, len(sections), place.all_headings)
        sections *= place.all_headings
    section = sections[max(place.headings - 1, 0)]
    link = nodes.reference("", f"chapter {chapter}", internal=True)
    link["refuri"] = f"{app.builder.get_relative_uri(docname, goal)}#{section['ids'][0]}"
    link["reftitle"] = section[0].astext()
    return link


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the table, the role of its third column, and the step that turns it into links."""
    app.connect("source-read", _on_source)
    app.add_role("first-use", _role)
    app.connect("doctree-resolved", _on_resolved)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
