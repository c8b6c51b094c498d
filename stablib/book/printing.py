"""Sphinx extension: the printed book. What HTML folds, links or moves is laid out for paper.

The LaTeX builder gets a tree in which the first page is a chapter like the others, numbers are
those of the HTML pages (`stablib.book.numbering`), statements, checks, exercises and solutions are
boxes of assets/print/bookpage.sty, and HTML tables are LaTeX tables. Other builders see nothing of it.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from docutils import nodes
from PIL import Image
from sphinx import addnodes
from sphinx.builders.latex.nodes import thebibliography
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.writers.latex import LaTeXTranslator

from stablib.book import pictures
from stablib.book.html_to_latex import Untranslatable, to_latex

if TYPE_CHECKING:
    from sphinx.application import Sphinx

# Page-to-page links that are written as HTML, in the ledger and to it.
_PAGE_LINK = re.compile(
    r"(?:\.\./)?(?:(?P<folder>chapters|pages)/)?(?P<page>\w+)\.html(?:#(?P<id>.+))?"
)
SHRINK = 0.78  # of a figure, from a screen to paper
REFERENCE = "pages/api"  # the first letters of pages set in small type
UNBROKEN = 16  # lines of code that stay on one page
LONG_TABLE = 12  # rows of a table that stay on one page
_NAMED = (
    "note",
    "tip",
    "hint",
    "important",
    "seealso",
    "warning",
    "caution",
    "danger",
    "attention",
)


class box(nodes.Admonition, nodes.Element):
    """Something set apart, by its `style`: statement, proof, check, exercise, solution, note."""


class PaperTransform(SphinxPostTransform):
    """Bring the one tree of the whole book into the order and the shapes of a printed book."""

    default_priority = 950  # after references are resolved and notebook outputs chosen
    formats = ("latex",)

    def run(self, **kwargs: Any) -> None:
        """Do all of it; the tree is changed in place."""
        self._places: set[tuple[str, str]] = set()  # ids of a page that boxes have taken
        for node in list(self.document.findall(nodes.Element)):
            if node.parent is not None:
                self._box(node)
        for image in list(self.document.findall(nodes.image)):
            if image["uri"].endswith(".svg"):  # pdf.py makes a PDF of every drawing in assets/
                name = PurePosixPath(image["uri"]).stem
                image.replace_self(_latex(rf"\bookdrawing{{{name}.pdf}}"))
        for table in self.document.findall(nodes.table):
            _let_break(table)
        if "docname" in self.document:
            self._arrange()

    def _box(self, node: nodes.Element) -> None:
        kind = type(node).__module__.partition(".")[0]
        if kind == "sphinx_proof":
            self._box_statement(node)
        elif kind == "sphinx_exercise" and isinstance(node, nodes.Admonition):
            title = node[0].astext().strip() if node.children else "Exercise"
            made = self._replace(node, "exercise", title, skip=1)
            made["target"] = f"exercise:{node['label']}"
        elif node.get("design_component") == "dropdown":
            title = node[0].astext() if isinstance(node[0], nodes.rubric) else "Aside"
            self._replace(node, "solution", title, skip=int(isinstance(node[0], nodes.rubric)))
        elif type(node) is nodes.admonition:
            style = "check" if "check" in node["classes"] else "note"
            self._replace(node, style, node[0].astext(), skip=1)
        elif type(node).__name__ in _NAMED and isinstance(node, nodes.Admonition):
            self._replace(node, "note", type(node).__name__.title(), skip=0)

    def _box_statement(self, node: nodes.Element) -> None:
        if type(node).__name__ == "proof_node":
            inner = node[0]  # an admonition without a title
            node.replace_self(inner)
            self._replace(inner, "proof", "", skip=0)
            inner.parent = None  # done; not an admonition of its own
            return
        kind = node.get("realtype", "statement").title()
        numbers = self.env.toc_fignumbers.get(self._docname(node), {})
        number = numbers.get(node.get("countertype"), {}).get((node.get("ids") or [""])[0], ())
        heading = " ".join([kind, ".".join(map(str, number))]).strip()
        # The name of a statement may hold formulas: it stays a node.
        title = nodes.title("", "", nodes.Text(heading), *node[0].children)
        self._replace(node, "statement", title, skip=1)

    def _replace(
        self, node: nodes.Element, style: str, title: str | nodes.title, *, skip: int
    ) -> box:
        heading = nodes.title("", title) if isinstance(title, str) else title
        # All proofs of a page have one id, which no link leads to.
        ids = [] if style == "proof" else list(node.get("ids", []))
        content = []
        for child in node.children[skip:]:
            if isinstance(child, nodes.section):  # inside of a box, without a title
                content += child.children
                places = [(self._docname(node), identifier) for identifier in child["ids"]]
                ids += [place[1] for place in places if place not in self._places]
                self._places.update(places)
            else:
                content.append(child)
        made = box("", heading, *content, style=style, ids=ids)
        node.replace_self(made)
        made["ids"] = ids  # docutils hands over those of the node
        node.parent = None
        return made

    def _docname(self, node: nodes.Node) -> str:
        """The page that a node came from: pages are joined by their sections, which know it."""
        while node is not None:
            if isinstance(node, nodes.section | nodes.document) and "docname" in node:
                return node["docname"]
            node = node.parent
        return self.document["docname"]

    def _arrange(self) -> None:
        """Chapters follow each other, and each part has its heading."""
        root = self.document["docname"]
        captions = [
            toctree.get("caption")
            for toctree in self.env.get_doctree(root).findall(addnodes.toctree)
        ]
        wrappers = [
            node
            for node in self.document.findall(nodes.compound)
            if "toctree-wrapper" in node["classes"]
        ]
        for wrapper, caption in zip(wrappers, captions, strict=True):
            wrapper.parent.remove(wrapper)
            if caption:
                self.document += _latex(rf"\bookpart{{{caption}}}")
            self.document += wrapper
        self.document.insert(0, _latex(chapter_number(root)))
        pages = {page["docname"]: page for page in self.document.findall(addnodes.start_of_file)}
        for docname, page in pages.items():
            small = r"\bookreference" if docname.startswith(REFERENCE) else ""
            page.insert(0, _latex(chapter_number(docname) + small))
            page.append(_latex(r"\bookordinary" if small else ""))
        # Sphinx puts the list of references behind the first page; it belongs to its own.
        for entries in list(self.document.findall(thebibliography)):
            entries.parent.remove(entries)
            pages[next(entries.findall(nodes.citation))["docname"]].append(entries)


def _let_break(table: nodes.table) -> None:
    """A long table may run over pages; its columns then need widths, by what stands in them."""
    rows = [row.children for row in table.findall(nodes.row)]
    columns = list(table.findall(nodes.colspec))
    if len(rows) > LONG_TABLE and all(len(row) == len(columns) for row in rows):
        table["classes"] += ["longtable", "colwidths-given"]
        for spec, cells in zip(columns, zip(*rows, strict=True), strict=True):
            longest = max(map(_length, cells))
            spec["colwidth"] = max(24, min(60, longest))  # links may be filled in later


def _length(cell: nodes.Element) -> int:
    """Letters of a cell, a formula counted for a third of its source."""
    formulas = sum(len(formula.astext()) for formula in cell.findall(nodes.math))
    return len(cell.astext()) - 2 * formulas // 3


def chapter_number(docname: str) -> str:
    r"""The LaTeX that gives the next chapter its number, or none to a page without one.

    Example:
        >>> print(chapter_number("chapters/08_mnist_experiments"))
        \booknumbered{8}
        >>> print(chapter_number("pages/notation"))
        \bookunnumbered
    """
    digits = re.match(r"[0-9]+", PurePosixPath(docname).name)
    return rf"\booknumbered{{{int(digits.group())}}}" if digits else r"\bookunnumbered"


def page_label(href: str, docname: str) -> str | None:
    """The LaTeX label that a link from HTML page to HTML page stands for; None for other links.

    Example:
        >>> page_label("10_ledger.html#ledger-lem-3", "chapters/02_stability_theorem")
        'chapters/10_ledger:ledger-lem-3'
        >>> page_label("https://example.org/a.html", "chapters/02_stability_theorem")
    """
    match = _PAGE_LINK.fullmatch(href)
    if match is None:
        return None
    folder = match["folder"] or docname.rpartition("/")[0]
    return f"{folder}/{match['page']}:{match['id'] or ':doc'}"


def _latex(text: str) -> nodes.raw:
    return nodes.raw("", f"\n{text}\n", format="latex")


class PaperWriter(LaTeXTranslator):
    """Sphinx's LaTeX writer with the book's numbers, boxes and tables."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.this_is_the_title = 0  # the first page is a chapter; the book's title is the config's

    def visit_box(self, node: box) -> None:
        """Open the environment of the box's style; its title follows as an argument."""
        style = node["style"]
        target = node.get("target")
        labels = self.hypertarget_to(node) + (rf"\label{{{target}}}" if target else "")
        if labels:
            self.body.append(rf"\phantomsection{labels}")
        self.body.append(f"\n\\begin{{book{style}}}")
        self.no_latex_floats += 1

    def depart_box(self, node: box) -> None:
        """Close it."""
        self.body.append(f"\\end{{book{node['style']}}}\n")
        self.no_latex_floats -= 1

    def visit_literal_block(self, node: nodes.literal_block) -> None:
        """Code; a short cell, or what it prints, is not torn apart by the end of a page."""
        lines = node.astext().count("\n") + 1
        if lines <= UNBROKEN and node.parent.get("nb_element"):
            self.body.append(f"\n\\bookneed{{{lines + 2}}}\n")
        super().visit_literal_block(node)

    def visit_math_block(self, node: nodes.math_block) -> None:
        """A displayed formula; a labelled one carries the number that it has in HTML."""
        start = len(self.body)
        try:
            super().visit_math_block(node)
        finally:
            label = rf"\label{{equation:{node.get('docname')}:{node.get('label')}}}"
            if node.get("label"):
                tag = rf"\tag{{{node['number']}}}"
                self.body[start:] = [part.replace(label, tag + label) for part in self.body[start:]]

    def visit_figure(self, node: nodes.figure) -> None:
        """A figure under the number that it has in HTML."""
        self._number(node, "figure")
        super().visit_figure(node)

    def visit_table(self, node: nodes.table) -> None:
        """A table under the number that it has in HTML."""
        self._number(node, "table")
        super().visit_table(node)

    def _number(self, node: nodes.Element, kind: str) -> None:
        numbers = self.builder.env.toc_fignumbers.get(self.curfilestack[-1], {}).get(kind, {})
        for identifier in node["ids"]:
            if identifier in numbers:
                number = ".".join(map(str, numbers[identifier]))
                self.body.append(f"\n\\renewcommand{{\\the{kind}}}{{{number}}}\n")

    def visit_image(self, node: nodes.image) -> None:
        """A picture; that of a cell in inches, by its dots, with letters no larger than those of the text."""
        path = Path(self.builder.srcdir) / node["uri"]
        if path.suffix == ".png" and path.is_file():
            with Image.open(path) as picture:
                node["width"] = f"{SHRINK * picture.width / pictures.DOTS / pictures.DPI:.3f}in"
            for name in ("height", "scale"):
                node.attributes.pop(name, None)
        super().visit_image(node)

    def visit_reference(self, node: nodes.reference) -> None:
        """A link; one to another HTML page leads to its place in this book."""
        label = page_label(node.get("refuri", ""), self.curfilestack[-1])
        if label is None:
            super().visit_reference(node)
        else:
            self.body.append(self.hyperlink(label))
            self.context.append("}}")

    def visit_raw(self, node: nodes.raw) -> None:
        """LaTeX as it is; of HTML what paper can show."""
        if "html" in node.get("format", "").split():
            try:
                self.body.append(to_latex(node.astext(), link=self._link, label=self._label))
            except Untranslatable as error:
                logging.getLogger(__name__).warning("%s", error, location=node)
            raise nodes.SkipNode
        super().visit_raw(node)

    def _link(self, href: str) -> str:
        label = page_label(href, self.curfilestack[-1])
        if label is None:
            return rf"\href{{{self.encode_uri(href)}}}"
        return rf"\hyperref[{self.idescape(label)}]"

    def _label(self, identifier: str) -> str:
        return self.hypertarget(identifier)


def _set_writer(app: Sphinx) -> None:
    # Not for other builders: where any writer is set, the theme does not set its own.
    if app.builder.name == "latex":
        app.set_translator("latex", PaperWriter)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register transform and writer with Sphinx."""
    app.add_node(box)
    app.add_post_transform(PaperTransform)
    app.connect("builder-inited", _set_writer)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
