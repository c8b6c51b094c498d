"""A formula stays on one line with what touches it."""

import pytest
from docutils import nodes
from docutils.utils import new_document

from stablib.book.formulas import CLASS, Unbroken


def lines(*parts):
    """The pieces of a paragraph that a browser may not break, after the transform."""
    document = new_document("a page")
    paragraph = nodes.paragraph("", "", *parts)
    document += paragraph
    whole = paragraph.astext()
    Unbroken(document).run()
    assert paragraph.astext() == whole
    return [node.astext() for node in paragraph.findall(nodes.inline) if CLASS in node["classes"]]


def x(name="x"):
    return nodes.math("", name)


@pytest.mark.parametrize(
    ("before", "after", "kept"),
    [
        ("where ", ", and", ["x,"]),
        ("(see ", ").", ["x)."]),
        ("also (", " alone", ["(x"]),
        ("of “", "”, say", ["“x”,"]),
        ("all of ", " is", []),
        ("the ", "-axis", ["x-"]),
        ("either ", "—or", []),
        ("a ", "th", []),
    ],
)
def test_what_touches_a_formula_stays_with_it(before, after, kept):
    assert lines(nodes.Text(before), x(), nodes.Text(after)) == kept


def test_two_formulas_share_what_stands_between_them_once():
    assert lines(x("a"), nodes.Text(", "), x("b"), nodes.Text("; "), x("c")) == ["a,", "b;"]


def test_a_formula_alone_or_beside_something_else_than_text_stays_as_it_is():
    assert lines(x()) == lines(nodes.emphasis("", "(", nodes.Text("(")), x()) == []
