"""HTML that code cells show, as LaTeX: tables that fit a page, and the words of what needs a browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

from sphinx.util import texescape

texescape.init()  # Sphinx fills its tables when a builder starts; here there may be none
CAPACITY = 98  # characters of a table's type across the page
_INLINE = {
    "b": r"\textbf{",
    "strong": r"\textbf{",
    "em": r"\emph{",
    "i": r"\emph{",
    "code": r"\texttt{",
    "small": r"{\booksmall ",
    "sub": r"\textsubscript{",
    "sup": r"\textsuperscript{",
}
_SILENT = {"script", "style", "template"}


class Untranslatable(ValueError):
    """HTML in which there is nothing that paper can show."""


@dataclass
class Cell:
    """One cell of a table: its LaTeX, its words, and how it stands."""

    latex: str = ""
    words: str = ""
    align: str = "l"
    head: bool = False

    @property
    def width(self) -> int:
        """Characters of its longest line."""
        return max(map(len, self.words.split("\n")))

    @property
    def longest_word(self) -> int:
        """Characters of its longest word, below which no column may shrink."""
        return max(map(len, self.words.split()), default=0)


@dataclass
class _Read(HTMLParser):
    link: Callable[[str], str]
    label: Callable[[str], str]
    rows: list[list[Cell]] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    loose: str = ""
    name: str = ""
    cell: Cell | None = None
    silent: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _SILENT:
            self.silent += 1
        elif tag == "tr":
            self.rows.append([])
            self.targets.append(self.label(given["id"]) if "id" in given else "")
        elif tag in ("td", "th"):
            align = re.search(r"text-align:\s*(\w)", given.get("style", ""))
            self.cell = Cell(align=align.group(1) if align else "l", head=tag == "th")
            self.rows[-1].append(self.cell)
        elif tag == "br":
            self._add(r"\newline ", "\n")
        elif tag == "wbr":
            self._add(r"\allowbreak{}", "")
        elif tag == "a":
            self._add(self.link(given.get("href", "")) + "{", "")
        elif tag in _INLINE:
            self._add(_INLINE[tag], "")
        elif tag == "div" and not self.name:
            self.name = given.get("id", "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self.silent -= 1
        elif tag in ("td", "th"):
            self.cell = None
        elif tag in _INLINE or tag == "a":
            self._add("}", "")
        elif tag == "p":
            self._add("\n\n", "\n")

    def handle_data(self, data: str) -> None:
        if not self.silent:
            text = re.sub(r"\s+", " ", data)
            self._add(texescape.escape(text, "xelatex"), text)

    def _add(self, latex: str, words: str) -> None:
        if self.cell is not None:
            self.cell.latex += latex
            self.cell.words += words
        else:
            self.loose += latex


def to_latex(
    html: str,
    *,
    link: Callable[[str], str] = lambda href: rf"\href{{{href}}}",
    label: Callable[[str], str] = lambda identifier: rf"\label{{{identifier}}}",
) -> str:
    """What paper can show of a piece of HTML: its table, or else its words.

    A part of the page that runs in a browser holds a paragraph for those without scripts; that
    paragraph is printed, and a picture of it where assets/print has one under its id.

    Args:
        html: the piece.
        link: the LaTeX before the braces of a link's text, from its address.
        label: the LaTeX that marks a place, from its id.

    Raises:
        Untranslatable: if there is neither.

    Example:
        >>> print(to_latex("<div id='toy'><p>A toy.</p></div>").strip())
        \\begin{booklive}{toy}
        A toy.
        \\end{booklive}
    """
    read = _Read(link, label)
    read.feed(html)
    read.close()
    rows = [(row, target) for row, target in zip(read.rows, read.targets, strict=True) if row]
    if rows:
        return _table([row for row, _ in rows], [target for _, target in rows])
    words = read.loose.strip()
    if words:
        return f"\n\\begin{{booklive}}{{{read.name}}}\n{words}\n\\end{{booklive}}\n"
    if re.fullmatch(
        r"\s*<div[^>]*></div>\s*", html
    ):  # room for a script, whose still picture is printed
        return ""
    if "data-replaces" in html:  # it takes the place of a figure, and that is printed
        return ""
    if re.sub(r"<(script|style)\b.*?</\1>|<!--.*?-->", "", html, flags=re.DOTALL).strip():
        raise Untranslatable(f"nothing of this HTML can be printed: {html.strip()[:80]}")
    return ""


def _table(rows: list[list[Cell]], targets: list[str]) -> str:
    heads = [row for row in rows if all(cell.head for cell in row)]
    body = [(row, target) for row, target in zip(rows, targets, strict=True) if row not in heads]
    columns = list(zip(*[row for row in rows if len(row) == len(rows[0])], strict=True))
    widths = column_widths(columns)
    align = [column[-1].align for column in columns]
    spec = "".join(
        side if width is None else rf"{'L' if side == 'l' else 'R'}{{{width:.3f}\linewidth}}"
        for side, width in zip(align, widths, strict=True)
    )
    head = "".join(_row(row, widths, columns) for row in heads)
    lines = "".join(
        _row(row, widths, columns, target, end=r"\\[2pt]" if any(widths) else r"\\")
        for row, target in body
    )
    return (
        f"\n\\begin{{booktable}}{{{spec}}}\n\\toprule\n{head}\\midrule\n\\endhead\n"
        f"\\bottomrule\n\\endfoot\n{lines}\\end{{booktable}}\n"
    )


def _row(
    row: list[Cell],
    widths: list[float | None],
    columns: list[tuple[Cell, ...]],
    target: str = "",
    end: str = r"\\",
) -> str:
    parts = []
    for cell, width, column in zip(row, widths, columns, strict=False):
        text = cell.latex.strip()
        if cell.head and width is None:
            room = max(9, max((other.width for other in column if not other.head), default=0))
            text = _stacked(cell, room)
        parts.append(text)
    return f"{target}{' & '.join(parts)} {end}\n"


def _stacked(cell: Cell, room: int) -> str:
    """A heading broken over lines, so that it makes its column no wider than need be."""
    lines: list[str] = []
    for word in cell.words.split():
        if lines and len(lines[-1]) + 1 + len(word) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    text = r"\\".join(rf"\textbf{{{texescape.escape(line, 'xelatex')}}}" for line in lines)
    side = "l" if cell.align == "l" else "r"
    return rf"\begin{{tabular}}[b]{{@{{}}{side}@{{}}}}{text}\end{{tabular}}"


def column_widths(columns: list[tuple[Cell, ...]]) -> list[float | None]:
    """For each column None, if it may be as wide as it is, or its share of the line.

    Where the table is wider than the page, its columns of sentences share what the others leave,
    in proportion to the roots of their lengths.

    Example:
        >>> number, words = Cell("1.25", "1.25"), Cell("a" * 300, " ".join(["aaaa"] * 60))
        >>> column_widths([(number,), (words,)])
        [None, 0.929]
    """
    natural = [_natural(column) for column in columns]
    broken = [any("\n" in cell.words for cell in column) for column in columns]
    if sum(natural) + 2 * len(columns) <= CAPACITY and not any(broken):
        return [None] * len(columns)
    wraps = [width > 16 or lines for width, lines in zip(natural, broken, strict=True)]
    left = CAPACITY - sum(w for w, long in zip(natural, wraps, strict=True) if not long)
    left -= 2 * len(columns) - 1
    roots = sum(w**0.5 for w, long in zip(natural, wraps, strict=True) if long)
    return [
        round(left * width**0.5 / roots / CAPACITY, 3) if long else None
        for width, long in zip(natural, wraps, strict=True)
    ]


def _natural(column: tuple[Cell, ...]) -> int:
    body = max((cell.width for cell in column if not cell.head), default=0)
    return max(body, *(max(9, cell.longest_word) if cell.head else 0 for cell in column))
