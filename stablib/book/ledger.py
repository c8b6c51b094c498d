"""The ledger: every claim with its verdict, computed by one command and kept in results/ledger.json."""

from __future__ import annotations

import hashlib
import html
import json
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from stablib.book.environment import ROOT
from stablib.training.files import write_atomically
from stablib.training.turns import end_with

LEDGER = ROOT / "results" / "ledger.json"
_CELL = "text-align: left; vertical-align: top; white-space: normal"
WORDS = ("holds", "holds corrected", "not reproduced", "open")

Entry = dict[str, Any]


def claims() -> dict[str, Any]:
    """All registered claims by id, chapter by chapter, as their modules list them."""
    from stablib.book.claims import registry

    registry.check()  # fills the register, in an order that depends on who was imported first

    def place(item: tuple[str, Any]) -> tuple[str, str, int]:
        check = item[1].check
        return item[1].chapter, check.__module__, check.__code__.co_firstlineno

    return dict(sorted(registry.CLAIMS.items(), key=place))


def entry(id: str) -> Entry:
    """Check one claim over its own cases; the ledger's entry for it.

    Args:
        id: of the claim.
    """
    claim = claims()[id]
    began = time.perf_counter()
    verdict = claim()
    return {
        "id": id,
        "chapter": chapter(claim.chapter),
        "kind": claim.kind,
        "says": claim.says,
        "where": claim.where,
        "verdict": claim.word(verdict),
        "margin": _number(verdict.margin),
        "cases": verdict.cases,
        "corrected_margin": _number(verdict.corrected_margin),
        "counterexample": verdict.counterexample,
        "seconds": round(time.perf_counter() - began, 2),
    }


def compute(ids: Iterable[str] = (), *, progress: bool = True, jobs: int = 2) -> list[Entry]:
    """Check claims, two at a time, those that take longest first; entries in the order asked for.

    Args:
        ids: of the claims; if there are none, all, in the order of the chapters.
        progress: whether a bar counts them.
        jobs: processes at a time, of one thread each; 1 is this process, with the threads that it has.
    """
    from joblib import Parallel, delayed, parallel_config

    from stablib.training.bars import SteadyBar

    ids = list(ids) or list(claims())
    guarded = {"initializer": end_with, "initargs": (os.getpid(),)}
    with parallel_config("loky", n_jobs=jobs, inner_max_num_threads=1, **guarded):
        ended = Parallel(batch_size=1, return_as="generator_unordered")(
            delayed(entry)(id) for id in _longest_first(ids)
        )
        bar = SteadyBar(ended, total=len(ids), desc="ledger", unit="claim", disable=not progress)
        return sorted(bar, key=lambda entry: ids.index(entry["id"]))


def _longest_first(ids: list[str]) -> list[str]:
    """So that no long claim is left for the end, with one process at work; new ones count as long."""
    took = {e["id"]: e["seconds"] for e in read()} if LEDGER.exists() else {}
    return sorted(ids, key=lambda id: -took.get(id, math.inf))


def fingerprint() -> str:
    """A hash of all that the ledger depends on: the library's modules and the stored results."""
    digest = hashlib.sha256()
    sources = [*ROOT.glob("stablib/**/*.py"), *ROOT.glob("stablib/**/*.npz")]
    sources += [*ROOT.glob("results/*.csv"), *ROOT.glob("results/networks/*.npz")]
    for path in sorted(sources):
        digest.update(path.relative_to(ROOT).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def kept() -> Path:
    """Where the ledger is kept that was recomputed for this state of the library and the results."""
    return ROOT / "_build" / "test" / f"ledger-{fingerprint()[:16]}.json"


def recomputed(*, progress: bool = True) -> list[Entry]:
    """The ledger as it comes out now; computed once for each state of the library and the results."""
    path = kept()
    if not path.exists():
        write(compute(progress=progress), path)
    return read(path)


def read(path: Path = LEDGER) -> list[Entry]:
    """The entries of a ledger file.

    Args:
        path: of the JSON file.

    Raises:
        ValueError: if there is none, or it is no ledger; the remedy is named.
    """
    cure = "`python -m stablib.book ledger` computes it"
    try:
        entries = json.loads(Path(path).read_text("utf-8"))
    except FileNotFoundError:
        raise ValueError(f"there is no {path}; {cure}") from None
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} cannot be read ({error}); {cure}") from None
    needed = {"id", "chapter", "kind", "verdict", "margin", "cases", "seconds"}
    if not isinstance(entries, list) or not all(
        isinstance(e, dict) and needed <= e.keys() for e in entries
    ):
        raise ValueError(f"{path} is no list of the ledger's entries; {cure}")
    return entries


def write(entries: list[Entry], path: Path = LEDGER) -> None:
    """Write a ledger file, complete or not at all."""
    text = json.dumps(entries, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, text.encode("utf-8"))


def disagreements(committed: list[Entry], computed: list[Entry]) -> list[str]:
    """In what a committed ledger differs from a computed one, other than times.

    Another machine moves margins of trained networks a little; verdicts and cases must be the same.
    """
    said = []
    old, new = ({e["id"]: e for e in entries} for entries in (committed, computed))
    said += [f"{id}: not in the committed ledger" for id in new.keys() - old.keys()]
    said += [f"{id}: in the committed ledger, but no such claim" for id in old.keys() - new.keys()]
    for id in old.keys() & new.keys():
        for key in ("chapter", "kind", "says", "where", "verdict", "cases", "counterexample"):
            if old[id].get(key) != new[id][key]:
                said.append(f"{id}: {key} is {new[id][key]!r}, committed {old[id].get(key)!r}")
        for key in ("margin", "corrected_margin"):
            a, b = old[id].get(key), new[id][key]
            if (a is None) != (b is None) or (
                a is not None and not math.isclose(a, b, rel_tol=0.05, abs_tol=1e-6)
            ):
                said.append(f"{id}: {key} is {b}, committed {a}")
    return sorted(said)


def chapter(number: str) -> str:
    """The chapter of a number, such as 02_stability_theorem for 02."""
    found = sorted((ROOT / "chapters").glob(f"{number}_*.md"))
    return found[0].stem if found else number


def anchor(id: str) -> str:
    """An id as part of an anchor: scripts of the theme read anchors as selectors, where a dot is no letter.

    Example:
        >>> anchor("text-3.1-negative")
        'text-3-1-negative'
    """
    return id.replace(".", "-")


def text_table(entries: Iterable[Mapping[str, Any]], *, times: bool = True) -> str:
    """Entries as lines of text: id, verdict, margin, cases, seconds, and what is said.

    Args:
        entries: of the ledger.
        times: whether there is a column of seconds.
    """
    rows = [("id", "verdict", "margin", "cases", "seconds", "says")]
    for e in entries:
        margin = _shown(e["margin"])
        if e.get("corrected_margin") is not None:
            margin = f"{_shown(e['corrected_margin'])} (printed {margin})"
        seconds = "< 0.1" if e["seconds"] < 0.1 else f"{e['seconds']:.1f}"
        rows.append((e["id"], e["verdict"], margin, f"{e['cases']:,}", seconds, e["says"]))
    if not times:
        rows = [(*row[:4], row[5]) for row in rows]
    *columns, _ = zip(*rows, strict=True)
    widths = [*(max(map(len, column)) for column in columns), 0]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def main(arguments: list[str], say: Callable[[str], object] = print) -> int:
    """`python -m stablib.book ledger [ID ...]`: check all claims and write the ledger, or print some."""
    known = claims()
    unknown = [id for id in arguments if id not in known]
    if unknown:
        say(f"There is no claim {unknown[0]}; there are {', '.join(known)}.")
        return 2
    entries = compute(arguments)
    say(text_table(entries))
    count = {word: sum(e["verdict"] == word for e in entries) for word in WORDS}
    say(", ".join(f"{number} {word}" for word, number in count.items() if number))
    if not arguments:
        write(entries)
        say(f"The ledger is in {LEDGER.relative_to(ROOT)}.")
    return 1 if count["open"] else 0


def title(chapter: str) -> str:
    """The heading of a chapter, such as "How sharp a minimum must be" for 02_stability_theorem.

    Args:
        chapter: the name of its file, without an ending.
    """
    text = (ROOT / "chapters" / f"{chapter}.md").read_text("utf-8")
    return next(line[2:] for line in text.splitlines() if line.startswith("# "))


class LedgerTable:
    """Entries as a page shows them, chapter by chapter; each id leads to its check, and can be led to.

    A script of the page (assets/ledger.js) puts a search above the table; without it all rows are there.

    Args:
        entries: of the ledger.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]]) -> None:
        self.entries = list(entries)

    def __repr__(self) -> str:
        # A page says the same in every run, and how long a search took is never the same.
        return text_table(self.entries, times=False)

    def _repr_html_(self) -> str:
        names = ("statement", "where", "verdict", "margin", "cases")
        head = "".join(f'<th role="columnheader" style="{_CELL}">{name}</th>' for name in names)
        chapters = dict.fromkeys(e["chapter"] for e in self.entries)
        bodies = "\n".join(map(self._body, chapters))
        return (
            '<table class="ledger" role="table">\n'
            f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>\n{bodies}\n</table>'
        )

    def _body(self, chapter: str) -> str:
        name = f"Chapter {int(chapter[:2])}: {title(chapter)}"
        link = f'<a href="{chapter}.html">{html.escape(name)}</a>'
        rows = [_row(e) for e in self.entries if e["chapter"] == chapter]
        return (
            f'<tbody role="rowgroup" data-chapter="{html.escape(name)}">\n'
            f'<tr role="row"><th role="cell" colspan="5" style="{_CELL}">{link}</th></tr>\n'
            + "\n".join(rows)
            + "\n</tbody>"
        )


def _row(e: Mapping[str, Any]) -> str:
    id, place, word = html.escape(e["id"]), anchor(e["id"]), html.escape(e["verdict"])
    margin = _shown(e["margin"])
    if e.get("corrected_margin") is not None:
        margin = f"{_shown(e['corrected_margin'])}<br><small>printed: {margin}</small>"
    verdict = f'<span class="verdict-{word.replace(" ", "-")}">{word}</span>'
    if e.get("counterexample"):
        verdict += f"<br><small>not for {html.escape(e['counterexample'])}</small>"
    cells = (
        f'<a href="{e["chapter"]}.html#check-{place}">{id}</a><br>'
        f"<small>{html.escape(e['says'])}</small>",
        html.escape(e["where"]),
        verdict,
        margin,
        f"{e['cases']:,}",
    )
    tds = "".join(f'<td role="cell" style="{_CELL}">{cell}</td>' for cell in cells)
    said = (
        f'data-verdict="{word}" data-kind="{html.escape(e["kind"])}" data-margin="{_decisive(e)}"'
    )
    return f'<tr id="ledger-{place}" role="row" {said}>{tds}</tr>'


def _decisive(e: Mapping[str, Any]) -> float:
    margin = e["margin"] if e.get("corrected_margin") is None else e["corrected_margin"]
    return -1.0 if margin is None else float(f"{margin:.3g}")


def _number(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else float(value)


def _shown(margin: float | None) -> str:
    return "not a number" if margin is None else f"{margin:.3g}"
