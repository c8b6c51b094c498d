"""A browser that reaches nothing but the book, and the book: shared by the tests of the pages.

The book is looked for in the folder named by STABLIB_HTML, else in _build/html.
"""

import os
from collections.abc import Iterator
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
