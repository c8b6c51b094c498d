"""Every check of the book, in order: `python -m stablib.book test`.

A step that fails does not stop those after it. At the end stands a table of the steps, and one last
line with what passed and what failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from stablib.book import pipeline
from stablib.book.environment import ROOT

BROWSER_TESTS = "tests/browser"
_QUICK = ["-p", "no:nbval", "-n", "2"]  # whose imports take seconds
_UNIT = ["tests", f"--ignore={BROWSER_TESTS}", *_QUICK]


@dataclass(frozen=True)
class Result:
    """What came of a step: counts of its tests (a step without tests counts as one), and a note."""

    passed: int
    failed: int
    skipped: int = 0
    note: str = ""


Say = Callable[[str], object]
Step = Callable[[list[str], Say], Result]


def run_suite(arguments: list[str], say: Say = print) -> int:
    """Run the steps that the command line asks for; return 0 if nothing failed, else 1.

    Args:
        arguments: of the command line; `--only STEP[,STEP]`, and what else goes to pytest.
        say: where progress goes.
    """
    parser = argparse.ArgumentParser(
        prog="python -m stablib.book test",
        description="Every check that CI runs.",
        epilog="Any further argument goes to pytest: --only unit -k sharpness.",
    )
    steps = STEPS | (LONG_STEPS if os.environ.get("STABLIB_FULL") else {})
    parser.add_argument("--only", metavar="STEP[,STEP]", help=f"of: {', '.join(steps)}")
    chosen, extra = parser.parse_known_args(arguments)
    names = chosen.only.split(",") if chosen.only else list(steps)
    unknown = [name for name in names if name not in steps]
    if unknown:
        say(f"There is no step {unknown[0]}; there are {', '.join(steps)}.")
        return 2
    return run_steps({name: steps[name] for name in steps if name in names}, extra, say)


def run_steps(steps: Mapping[str, Step], extra: list[str], say: Say = print) -> int:
    """Run steps one after another, whatever becomes of them, and sum up; return 0 or 1."""
    rows = []
    for number, (name, step) in enumerate(steps.items(), 1):
        say(f"\n=== {number}/{len(steps)} {name} " + "=" * (60 - len(name)))
        started = time.monotonic()
        try:
            result = step(extra, say)
        except Exception as error:  # a step that breaks down is one that failed
            result = Result(0, 1, note=f"{type(error).__name__}: {error}")
            say(result.note)
        seconds = time.monotonic() - started
        say(f"--- {name}: {_verdict(result)} after {seconds:.1f} s")
        rows.append((name, result, seconds))
    for line in _table(rows):
        say(line)
    passed = sum(result.passed for _, result, _ in rows)
    failed = sum(result.failed for _, result, _ in rows)
    say(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


def _verdict(result: Result) -> str:
    if result.failed:
        return "FAIL"
    return "PASS" if result.passed else "SKIP"


def _table(rows: list[tuple[str, Result, float]]) -> list[str]:
    lines = [
        "",
        f"{'step':10}  {'':4}  {'passed':>6}  {'failed':>6}  {'skipped':>7}  {'seconds':>7}",
    ]
    for name, result, seconds in rows:
        note = f"  {result.note.splitlines()[0]}" if result.note else ""
        lines.append(
            f"{name:10}  {_verdict(result):4}  {result.passed:6}  {result.failed:6}  "
            f"{result.skipped:7}  {seconds:7.1f}{note}"
        )
    total = sum(seconds for _, _, seconds in rows)
    return [*lines, f"{'':10}  {'':4}  {'':6}  {'':6}  {'':7}  {total:7.1f}", ""]


# The steps.


def lint(extra: list[str], say: Say) -> Result:
    """Ruff over modules, tests and notebooks: the rules, then the layout."""
    codes = []
    for arguments in (["check"], ["format", "--check"]):
        say(f"ruff {' '.join(arguments)}")
        codes.append(subprocess.call([sys.executable, "-m", "ruff", *arguments, "."], cwd=ROOT))
    failed = sum(code != 0 for code in codes)
    return Result(len(codes) - failed, failed)


def unit(extra: list[str], say: Say) -> Result:
    """All tests but those that need a browser."""
    return run_pytest("unit", [*_UNIT, *extra])


def ledger(extra: list[str], say: Say) -> Result:
    """Check every claim again and compare with the committed ledger."""
    from stablib.book import ledger

    committed, computed = ledger.read(), ledger.recomputed()
    say(ledger.text_table(computed))
    said = ledger.disagreements(committed, computed)
    said += [f"{e['id']} is open: {e['says']}" for e in computed if e["verdict"] == "open"]
    for line in said:
        say(line)
    return Result(len(computed) - len(said), len(said), note=f"first: {said[0]}" if said else "")


def sources(extra: list[str], say: Say) -> Result:
    """Whether every committed notebook is its text, executed; nothing is run."""
    from stablib.book.notebooks import check_folder, texts

    said = list(check_folder(ROOT / "chapters"))
    for line in said:
        say(line)
    if said:
        return Result(0, 1, note=said[0])
    count = len(texts(ROOT / "chapters"))
    say(f"{count} notebooks are their texts, executed.")
    return Result(1, 0) if count else Result(0, 1, note="there are no chapters")


def notebooks(extra: list[str], say: Say) -> Result:
    """Run the committed notebooks again and compare what they show.

    Claims are not searched a second time in the short run: the ledger's step has just done so.
    """
    from stablib.book import ledger
    from stablib.book.claims.registry import FOUND

    paths = list((ROOT / "chapters").glob("*.ipynb"))
    if not paths:
        return Result(0, 1, note="there are no notebooks")
    pipeline.warm_up()
    # Those of the longest texts first, so that the last does not run alone for long.
    paths.sort(key=lambda path: -path.with_suffix(".md").stat().st_size)
    compare = ["--nbval", "--nbval-current-env", "--nbval-cell-timeout=600"]
    workers = ["-n", "2", "--dist", "loadscope", "--no-loadscope-reorder"]
    files = [str(path.relative_to(ROOT)) for path in paths]
    known = ledger.kept().exists() and not os.environ.get("STABLIB_FULL")
    found = {FOUND: str(ledger.kept())} if known else {}
    return run_pytest("notebooks", [*compare, *workers, "--durations=5", *files], **found)


def book(extra: list[str], say: Say) -> Result:
    """Build the pages from the committed notebooks, every warning an error."""
    from stablib.book import site

    try:
        page = pipeline.build_html(ROOT / "chapters")
    except (site.BookError, ValueError) as error:
        say(str(error))
        return Result(0, 1, note=str(error))
    say(f"The book is at {page}")
    return Result(1, 0)


def browser(extra: list[str], say: Say) -> Result:
    """Open every page in a headless browser that reaches no other host."""
    from stablib.book.browser import NAMES, find_chromium

    if find_chromium() is None:
        note = f"no browser found: none of {', '.join(NAMES)} is installed"
        say(note)
        return Result(0, 1, note=note) if in_ci() else Result(0, 0, 1, note=note)
    return run_pytest("browser", [BROWSER_TESTS, *_QUICK, "--durations=5"])


def pythons(extra: list[str], say: Say) -> Result:
    """The unit tests under the other versions of Python that there are."""
    from stablib.book.pythons import environment, others

    found = others()
    if not found:
        return Result(0, 0, 1, note="no other supported Python found")
    results = []
    for version, program in found.items():
        say(f"Python {version}")
        python = environment(version, program, say)
        results.append(run_pytest(f"unit-{version}", _UNIT, python=python, CI=""))
    notes = [result.note for result in results if result.note]
    counts = (sum(getattr(r, name) for r in results) for name in ("passed", "failed", "skipped"))
    return Result(*counts, note="; ".join(notes) or f"Python {', '.join(found)}")


STEPS: dict[str, Step] = {
    "lint": lint,
    "ledger": ledger,  # whose verdicts the tests of the claims take over
    "unit": unit,
    "sources": sources,
    "notebooks": notebooks,
    "book": book,
    "browser": browser,
}
LONG_STEPS: dict[str, Step] = {"pythons": pythons}  # of `test-full`


def in_ci() -> bool:
    """Whether this is a run of CI, where nothing may be left out."""
    return os.environ.get("CI", "").lower() not in ("", "0", "false")


def run_pytest(
    name: str,
    arguments: list[str],
    root: Path = ROOT,
    python: str | Path = sys.executable,
    **variables: str,
) -> Result:
    """Run pytest in a process of its own, its output on the screen; return its counts.

    Args:
        name: of its report.
        arguments: of pytest.
        root: the folder it runs in.
        python: the interpreter.
        variables: of its environment, beside those of this process.
    """
    report = pipeline.BUILD / "test" / f"{name}.xml"
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)
    command = [str(python), "-m", "pytest", "-q", f"--junitxml={report}", *arguments]
    code = subprocess.call(command, cwd=root, env=pipeline.quiet_environment() | variables)
    result = read_report(report)
    if code and not result.failed:
        # Nothing collected, a usage error, a crash: no test failed, and yet nothing is proven.
        return Result(result.passed, 1, result.skipped, f"pytest ended with exit code {code}")
    return result


def read_report(path: Path) -> Result:
    """Read the counts in a JUnit file, as pytest writes it; a file that is missing has none."""
    if not path.exists():
        return Result(0, 0)
    passed = failed = skipped = 0
    first = ""
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        kinds = {child.tag for child in case}
        if kinds & {"failure", "error"}:
            failed += 1
            first = first or f"{case.get('classname', '')} {case.get('name', '')}".strip()
        elif "skipped" in kinds:
            skipped += 1
        else:
            passed += 1
    return Result(passed, failed, skipped, f"first: {first}" if first else "")
