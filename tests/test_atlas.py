"""The map of the book: complete, its places exist, and its picture can be read."""

import re
from itertools import combinations
from pathlib import Path

import pytest

from stablib.book import atlas, ledger
from stablib.book.atlas_picture import BOXES, USES, AtlasPicture

CHAPTERS = Path(__file__).resolve().parents[1] / "chapters"
RESULTS = list(atlas.results())
VERDICTS = {entry["id"]: entry["verdict"] for entry in ledger.read()}


def places_of(number):
    """Anchors of statements, figures and checks, read off a chapter's text."""
    text = (CHAPTERS / f"{ledger.chapter(number)}.md").read_text("utf-8")
    checks = {"check-" + ledger.anchor(id) for id in re.findall(r"\{ledger\}`([^`]+)`", text)}
    return checks | set(re.findall(r"^(?::label:|    name:) ([\w-]+)$", text, re.MULTILINE))


@pytest.mark.parametrize("result", RESULTS, ids=lambda r: r.name)
def test_every_result_stands_where_the_map_says(result):
    assert result.anchor in places_of(result.chapter)
    assert result.claim is None or result.claim in VERDICTS


def test_every_statement_and_every_figure_of_the_paper_is_on_the_map():
    on_the_map = {(r.chapter, r.anchor) for r in RESULTS}
    for path in CHAPTERS.glob("*.md"):
        text = path.read_text("utf-8")
        blocks = r"^`+\{prf:(?!proof)\w+\}[^\n]*\n:label: ([\w-]+)$"
        stands = set(re.findall(blocks, text, re.MULTILINE))
        stands |= set(re.findall(r"^    name: (fig-[0-9]+[a-z]?)$", text, re.MULTILINE))
        missing = {(path.stem[:2], s) for s in stands if "-recall" not in s} - on_the_map
        assert not missing, f"stablib/book/atlas.py has no row for {sorted(missing)}"


def test_names_are_unique():
    assert len({r.name for r in RESULTS}) == len(RESULTS)


def test_a_row_leads_to_its_place_and_its_verdict_to_the_ledger():
    page = atlas.Atlas(atlas.PAPER)._repr_html_()
    assert '<a href="05_depth_separation.html#prop-2">Proposition 2</a>' in page
    assert f'<a href="10_ledger.html#ledger-lem-2">{VERDICTS["lem-2"]}</a>' in page
    assert page.count("<tr>") == 1 + len(atlas.PAPER) + sum(map(len, atlas.PAPER.values()))


def test_without_a_page_the_map_is_text():
    said = repr(atlas.Atlas(atlas.OURS))
    assert re.search(r"Side by side .* chapter 09, proved", said)
    assert f"chapter 09, {VERDICTS['new-any-width']}" in said
    assert "Lemma 3 is used by Theorem 1" in repr(AtlasPicture())


def test_boxes_lead_to_results_stand_apart_and_hold_their_words():
    assert {box.result for box in BOXES} <= {r.name for r in RESULTS}
    for a, b in combinations(BOXES, 2):
        beside = a.left + a.width <= b.left or b.left + b.width <= a.left
        assert beside or abs(a.top - b.top) >= 50, (a.result, b.result)
    for box in BOXES:
        assert max(map(len, box.lines)) <= 24 * box.columns and len(box.lines) <= 2
        assert len(box.title or box.result) <= 18 * box.columns


def test_arrows_join_neighbours():
    boxes = {box.result: box for box in BOXES}
    for left, right in USES:
        a, b = boxes[left], boxes[right]
        assert abs(a.row - b.row) == 1
        assert max(a.left, b.left) < min(a.left + a.width, b.left + b.width)


def test_the_picture_links_every_box():
    page = AtlasPicture()._repr_html_()
    for box in BOXES:
        (result,) = (r for r in RESULTS if r.name == box.result)
        assert f'<a href="{result.address}"' in page
