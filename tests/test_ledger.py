"""The ledger: what it holds, how it is kept, and that every row has its place on a page."""

import json
import re
from pathlib import Path

import pytest

from stablib.book import ledger
from stablib.book.claims import CLAIMS, Verdict, check
from stablib.book.claims.registry import FOUND, Claim, claim
from stablib.book.figures import ch10

ROOT = Path(__file__).resolve().parents[1]
COMMITTED = ledger.read()


def test_the_committed_ledger_has_every_claim_and_nothing_else():
    assert [entry["id"] for entry in COMMITTED] == list(ledger.claims())


def test_no_claim_is_open_and_each_was_searched():
    for entry in COMMITTED:
        assert entry["verdict"] in ledger.WORDS and entry["verdict"] != "open", entry["id"]
        assert entry["cases"] >= 1 and entry["seconds"] >= 0, entry["id"]


def test_a_corrected_statement_has_a_counterexample_and_both_margins():
    for entry in COMMITTED:
        corrected = entry["verdict"] == "holds corrected"
        assert corrected == (entry["corrected_margin"] is not None), entry["id"]
        assert corrected == bool(entry["counterexample"]), entry["id"]
        if corrected:
            assert entry["margin"] < 0 <= entry["corrected_margin"], entry["id"]


def test_every_row_has_its_place_in_its_chapter_once():
    for entry in COMMITTED:
        text = (ROOT / "chapters" / f"{entry['chapter']}.md").read_text("utf-8")
        assert text.count("{ledger}`" + entry["id"] + "`") == 1, entry["id"]


def test_every_place_on_a_page_has_its_row():
    known = {entry["id"] for entry in COMMITTED}
    for path in (ROOT / "chapters").glob("*.md"):
        assert set(re.findall(r"\{ledger\}`([^`]+)`", path.read_text("utf-8"))) <= known, path.name


def test_what_another_machine_may_change_is_no_disagreement():
    (old,) = [dict(e) for e in COMMITTED if e["id"] == "eq-23"]
    new = old | {"margin": old["margin"] * 1.01, "seconds": 99.0}
    assert ledger.disagreements([old], [new]) == []


@pytest.mark.parametrize(
    "change",
    [{"margin": -0.1}, {"verdict": "open"}, {"cases": 1}, {"corrected_margin": 0.2}, {"id": "x"}],
    ids=lambda change: next(iter(change)),
)
def test_any_other_change_is_a_disagreement(change):
    (old,) = [dict(e) for e in COMMITTED if e["id"] == "eq-23"]
    assert ledger.disagreements([old], [old | change])


def test_the_fingerprint_sees_a_changed_result(tmp_path, monkeypatch):
    (tmp_path / "stablib").mkdir()
    (tmp_path / "results").mkdir()
    (tmp_path / "stablib" / "a.py").write_text("1")
    monkeypatch.setattr(ledger, "ROOT", tmp_path)
    first = ledger.fingerprint()
    (tmp_path / "results" / "a.csv").write_text("1")
    assert ledger.fingerprint() != first


def test_a_ledger_is_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "ledger.json"
    ledger.write(COMMITTED, path)
    before = path.read_text()
    with pytest.raises(ValueError):
        ledger.write([{"margin": float("nan")}], path)
    assert path.read_text() == before and json.loads(before) == COMMITTED
    assert [p.name for p in tmp_path.iterdir()] == ["ledger.json"]


@pytest.mark.parametrize("content", [None, "{", "{}", "[1]", '[{"id": "x"}]'])
def test_a_ledger_that_cannot_be_read_is_named_with_the_remedy(tmp_path, content):
    path = tmp_path / "ledger.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ValueError, match=r"ledger\.json.*`python -m stablib\.book ledger`"):
        ledger.read(path)


def test_an_unknown_id_is_refused_with_those_that_exist():
    said = []
    assert ledger.main(["lem-99"], said.append) == 2 and "lem-3" in said[0]
    with pytest.raises(ValueError, match=r"lem-99.*lem-3"):
        check("lem-99")


def test_a_theorem_that_fails_is_open_and_a_picture_that_fails_is_not_reproduced():
    words = {
        kind: Claim("x", "02", kind, "says", "where", lambda: None).word(Verdict.of([-0.1]))
        for kind in ("theorem", "figure", "claim")
    }
    assert words == {"theorem": "open", "figure": "not reproduced", "claim": "not reproduced"}


def test_a_corrected_statement_says_both_margins():
    verdict = Verdict.corrected([0.2, -0.5], [0.1, 0.3], "f(x) = x")
    assert verdict.holds and (verdict.margin, verdict.decisive, verdict.cases) == (-0.5, 0.1, 2)
    assert not Verdict.corrected([-0.5], [-0.1], "f(x) = x").holds


def test_rounding_at_equality_is_no_violation_and_more_is():
    assert Verdict.of([-3e-13, 0.2]).margin == 0.0
    assert not Verdict.of([-3e-12, 0.2]).holds
    assert Verdict.equal([0.0, 5e-13], 1e-12).margin == pytest.approx(0.5)
    assert not Verdict.equal([2e-12], 1e-12).holds


def test_a_claim_can_be_registered_once_only_and_needs_a_known_kind():
    with pytest.raises(ValueError, match="registered twice"):
        claim("lem-3", kind="theorem", says="", where="")(lambda: None)
    with pytest.raises(ValueError, match="kind is 'lemma'"):
        claim("lem-4", kind="lemma", says="", where="")
    assert "lem-4" not in CLAIMS


def test_the_table_links_each_row_to_its_check_and_can_be_linked_to():
    shown = ledger.LedgerTable(COMMITTED)._repr_html_()
    for entry in COMMITTED:
        place = entry["id"].replace(".", "-")  # "#a.b" as a selector would be something else
        assert f'<tr id="ledger-{place}" ' in shown
        assert f'href="{entry["chapter"]}.html#check-{place}"' in shown


def test_the_text_of_a_page_holds_no_times_and_the_terminal_tells_short_ones_from_none():
    (entry,) = [dict(e) for e in COMMITTED if e["id"] == "lem-3"]
    terminal = [ledger.text_table([entry | {"seconds": s}]) for s in (0.04, 2.26)]
    assert "seconds" in terminal[0] and "  < 0.1  " in terminal[0] and "  2.3  " in terminal[1]
    pages = {repr(ledger.LedgerTable([entry | {"seconds": s}])) for s in (0.04, 2.26)}
    (page,) = pages
    assert "seconds" not in page and page.endswith(entry["says"])


def test_every_statement_that_did_not_reproduce_is_explained():
    text = (ROOT / "chapters" / "10_ledger.md").read_text("utf-8")
    _, told = text.split("(not-reproduced)=")
    explained = re.findall(r"^`([^`]+)` \*\(", told, re.MULTILINE)
    assert explained == [e["id"] for e in COMMITTED if e["verdict"] == "not reproduced"]


def test_every_dot_of_the_picture_leads_to_its_row():
    margins = ch10.Margins(COMMITTED)
    goals = re.findall(r'<a href="#ledger-([^"]+)"', margins.svg())
    assert goals == [e["id"].replace(".", "-") for e in COMMITTED]
    assert repr(margins).startswith(f"{sum(e['verdict'] == 'holds' for e in COMMITTED)} holds")
    spots = re.findall(r'(?:<circle cx="|<path d="M)([\d.]+)(?:" cy="|,)([\d.]+)', margins.svg())
    assert len(set(spots)) == len(COMMITTED)  # none hides another
    attained = [e for e in COMMITTED if ch10.decisive(e) == 0]
    lefts = {x for (x, _), e in zip(spots, COMMITTED, strict=True) if e in attained}
    assert len(lefts) == 1


def test_what_a_ledger_has_just_found_is_taken_over_where_the_environment_names_it(
    tmp_path, monkeypatch
):
    known, other, unsure = ("eq-22", "eq-24", "eq-29")
    entries = [entry for entry in COMMITTED if entry["id"] in (known, unsure)]
    changed = {known: {"cases": 1_234_567}, unsure: {"margin": None}}
    ledger.write([entry | changed[entry["id"]] for entry in entries], tmp_path / "found.json")
    monkeypatch.setenv(FOUND, str(tmp_path / "found.json"))
    verdicts = {claim.id: verdict for claim, verdict in check(known, unsure).rows}
    assert verdicts[known].cases == 1_234_567 and verdicts[known].holds
    assert not verdicts[unsure].holds
    assert check(other).rows[0][1].cases == CLAIMS[other]().cases  # not in it: searched
    monkeypatch.delenv(FOUND)
    assert check(known).rows[0][1].cases != 1_234_567
