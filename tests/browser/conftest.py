"""A browser that reaches nothing but the book, and the book: shared by the tests of the pages.

The book is looked for in the folder named by STABLIB_HTML, else in _build/html.
"""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from contents import names_of_pages

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


# Pages are opened twice, and all that is asked of an open page is asked of it then: over http on
# a desktop, and as a file on a phone that takes fingers.
PAGES = names_of_pages()
# In the short run, of the pages without a script of their own one of each kind is opened as a file.
FULL = bool(os.environ.get("STABLIB_FULL"))
KINDS = ("pages/notation", "pages/api", "pages/errata", "genindex", "search")
AS_FILES = [name for name in PAGES if name.startswith("chapters/") or name in KINDS]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Of several processes, one does all tests of a page, since it has the page open."""
    from xdist.scheduler import LoadScopeScheduling

    class PageByPage(LoadScopeScheduling):
        def _split_scope(self, nodeid):
            name = nodeid.partition("[")[2].removesuffix("]")
            return name if name in PAGES else nodeid

    return PageByPage(config, log)


@pytest.fixture(scope="module", params=PAGES)
def served_page(request, address, chromium) -> Iterator:
    with browser.opened(chromium, f"{address}{request.param}.html") as (page, report):
        yield page, report


@pytest.fixture(scope="module", params=PAGES if FULL else AS_FILES)
def page_of_file(request, book, chromium) -> Iterator:
    path = (book / f"{request.param}.html").as_uri()
    phone = {"window": browser.PHONE, "dark": True, "touch": True}
    with browser.opened(chromium, path, **phone) as (page, report):
        yield page, report


# Formulas are thousands of boxes that are hidden from screen readers, beside MathML that is not; they
# have the colour of the words around them. A word in their place leaves all else to look at. The words
# of a code, too, are thousands of boxes of a few looks: of those with the same classes all the way up,
# and no other attribute, two stay boxes and the others become bare text.
_WITHOUT_REPETITIONS = """() => {
  for (const formula of document.querySelectorAll("mjx-container")) formula.replaceChildren("formula");
  const look = (e) => (e ? `${look(e.parentElement)}>${e.tagName}.${e.className}` : "");
  const seen = new Map();
  for (const e of [...document.querySelectorAll("span")].reverse()) {
    if (e.children.length || [...e.attributes].some((a) => a.name !== "class")) continue;
    const count = (seen.get(look(e)) || 0) + 1;
    seen.set(look(e), count);
    if (count > 2 && e.textContent.trim()) e.replaceWith(e.textContent);
  }
  document.body.normalize();
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
            page.evaluate(_WITHOUT_REPETITIONS)
            page.evaluate(script)
        return page.evaluate(_AXE)

    return find
