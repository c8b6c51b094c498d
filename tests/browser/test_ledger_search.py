"""The search above the ledger's table, in a browser."""

from pathlib import Path

import pytest

from stablib.book import ledger
from stablib.book.figures import ch10

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ledger.read()


def opened(chromium, entries):
    script = (ROOT / "assets" / "ledger.js").read_text("utf-8")
    body = ledger.LedgerTable(entries)._repr_html_()
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.errors = []
    page.on("pageerror", lambda error: page.errors.append(str(error)))
    page.set_content(f"<!doctype html><html><body>{body}<script>{script}</script></body></html>")
    return page


@pytest.fixture(scope="module")
def page(chromium):
    page = opened(chromium, COMMITTED)
    yield page
    assert page.errors == []
    page.close()


def shown(page):
    rows = page.locator("tr[id]:visible").all()
    return [row.get_attribute("id").removeprefix("ledger-") for row in rows]


def places(entries):
    return [ledger.anchor(e["id"]) for e in entries]


def test_the_table_is_searched_by_words_verdict_chapter_and_kind(page):
    assert shown(page) == places(COMMITTED)
    words, chapter, verdict, kind = (
        page.get_by_label(name) for name in ("words", "chapter", "verdict", "kind")
    )
    verdict.select_option("holds corrected")
    corrected = [e for e in COMMITTED if e["verdict"] == "holds corrected"]
    assert shown(page) == places(corrected)
    assert page.locator("output").inner_text() == f"{len(corrected)} of {len(COMMITTED)} statements"
    words.fill("DATA point")
    there = [e for e in corrected if "data" in str(e) and "point" in str(e)]
    assert "prop-5" in shown(page) and set(shown(page)) <= set(places(there))
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("document.querySelector('form').elements[0].value === ''")
    kind.select_option("figure")
    chapter.select_option(index=2)
    wanted = [e for e in COMMITTED if e["chapter"][:2] == "02" and e["kind"] == "figure"]
    assert shown(page) == places(wanted)
    heads = page.locator("tbody th:visible")
    assert heads.count() == bool(wanted)
    page.get_by_role("button", name="Show all").click()
    page.wait_for_function("!document.querySelector('tr[hidden]')")
    assert shown(page) == places(COMMITTED)


def test_the_table_is_ordered_by_margin_and_put_back(page):
    order = page.get_by_label("order")
    order.select_option("margin")
    by_id = {ledger.anchor(e["id"]): ch10.decisive(e) for e in COMMITTED}
    margins = [float(f"{by_id[id]:.3g}") for id in shown(page)]
    assert margins == sorted(margins) and len(margins) == len(COMMITTED)
    assert page.locator("tbody th:visible").count() == 0
    order.select_option("")
    assert shown(page) == places(COMMITTED)


def test_whoever_is_led_to_a_row_finds_it_though_it_was_searched_away(page):
    page.get_by_label("words").fill("no statement has these words")
    assert shown(page) == []
    page.evaluate("location.hash = '#ledger-lem-3'")
    page.wait_for_function("!document.getElementById('ledger-lem-3').hidden")
    assert shown(page) == places(COMMITTED)


def test_a_short_table_has_no_search(chromium):
    page = opened(chromium, COMMITTED[:3])
    assert page.locator("form").count() == 0 and page.locator("tr[id]:visible").count() == 3
    page.close()
