"""A browser that reaches nothing but the book, and the book: shared by the tests of the pages.

The book is looked for in the folder named by STABLIB_HTML, else in _build/html.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from stablib.book import browser

ROOT = Path(__file__).resolve().parents[2]
HTML = Path(os.environ.get("STABLIB_HTML") or ROOT / "_build" / "html").resolve()
CI = os.environ.get("CI", "").lower() in ("1", "true")


def missing(reason):
    """A machine that lacks something skips and says so; CI must not lack anything."""
    if CI:
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def book() -> Path:
    if not (HTML / "index.html").is_file():
        missing(f"no built book in {HTML}; make book builds it")
    return HTML


@pytest.fixture(scope="session")
def address(book) -> Iterator[str]:
    """Where the book is served over http."""
    with browser.served(book) as root:
        yield root


@pytest.fixture(scope="session")
def chromium() -> Iterator:
    executable = browser.find_chromium()
    if executable is None:
        missing("no Chromium found: the pages were not opened in a browser")
    with browser.chromium(executable) as running:
        yield running


# Formulas are thousands of boxes that are hidden from screen readers, beside MathML that is not; they
# have the colour of the words around them. A word in their place leaves all else to look at.
_WITHOUT_FORMULAS = """() => {
  for (const formula of document.querySelectorAll("mjx-container")) formula.replaceChildren("formula");
}"""
_AXE = """async () => {
  const options = { resultTypes: ["violations"], iframes: false, preload: false };
  const { violations } = await axe.run(document, options);
  const grave = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  return grave.flatMap((v) => v.nodes.map((n) => `${v.id} ${n.target.join(" ")}: `
    + [...n.any, ...n.all, ...n.none].map((check) => check.message).join("; ")));
}"""


@pytest.fixture(scope="session")
def barriers() -> Callable:
    """What shuts readers out of the page as it stands: axe-core's serious and critical findings."""
    script = (Path(__file__).parent / "axe" / "axe.min.js").read_text("utf-8")

    def find(page) -> list[str]:
        if not page.evaluate("'axe' in window"):
            page.evaluate(_WITHOUT_FORMULAS)
            page.evaluate(script)
        return page.evaluate(_AXE)

    return find
