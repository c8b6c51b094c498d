"""Reading times, the sources at a page's end, and how to cite the book."""

import re

import pytest
import yaml
from docutils import nodes

import stablib
from stablib.book import reading
from stablib.book.environment import ROOT
from stablib.book.pipeline import gather


def page():
    """Five words, a formula in the line, a displayed one, two lines of code and a picture."""
    body = nodes.section()
    body += nodes.title("", "Two words")
    body += nodes.paragraph(
        "", "", nodes.Text("Here is "), nodes.math("", "x^2"), nodes.Text(" so.")
    )
    body += nodes.math_block("", "a = b c")
    body += nodes.literal_block("", "import numpy\nnumpy.ones(3)")
    body += nodes.image(uri="dot.svg")
    return body


def test_a_page_is_counted_by_kind():
    assert reading.counts(page()) == {
        "word": 5,
        "formula": 1,
        "display": 1,
        "code line": 2,
        "picture": 1,
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (20, "About 1 minute to read"),
        (600, "About 3 minutes to read"),
        (1900, "About 10 minutes to read"),
        (2100, "About 15 minutes to read"),
        (5000, "About 25 minutes to read"),
    ],
)
def test_the_time_is_round(words, said):
    assert reading.sentence({"word": words}) == said


def test_the_builder_gets_the_texts_of_the_notebooks_and_no_others(tmp_path):
    for name in ("chapters", "executed"):
        (tmp_path / name).mkdir()
    for name in ("chapters/01_a.md", "chapters/02_b.md", "executed/01_a.ipynb"):
        (tmp_path / name).write_text(name)
    gather(tmp_path / "executed", tmp_path / "source", root=tmp_path)
    found = sorted(path.name for path in (tmp_path / "source" / "chapters").iterdir())
    assert found == ["01_a.ipynb", "01_a.md"]


def test_the_citation_file_can_be_read_and_names_this_version():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= set(cited)
    assert re.fullmatch(r"1\.\d\.\d", cited["cff-version"])
    assert str(cited["version"]) == stablib.__version__
    assert cited["license"] in (ROOT / "LICENSE").read_text("utf-8")
    assert all({"name", "family-names"} & set(author) for author in cited["authors"])


def test_the_citation_file_cites_the_paper_as_the_references_do():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))["references"][0]
    entry = re.search(
        r"@inproceedings\{nacson2023,.*?\n\}", (ROOT / "references.bib").read_text(), re.S
    )
    assert cited["title"] == re.search(r"title\s+= \{(.*)\}", entry[0])[1].replace("{ReLU}", "ReLU")
    names = [f"{author['family-names']}, {author['given-names']}" for author in cited["authors"]]
    assert " and ".join(names) in entry[0]
    assert f"{{{cited['year']}}}" in entry[0]
