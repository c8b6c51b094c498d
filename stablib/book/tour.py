"""The README's tour: screenshots of the built book, taken by `python -m stablib.book tour`."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import browser
from .environment import ROOT
from .pipeline import HTML

if TYPE_CHECKING:
    from playwright.sync_api import Page

FOLDER = ROOT / "tour"
MARGIN = 10  # pixels of the page around what is shown
WINDOW = (1000, 900)


@dataclass(frozen=True)
class Stop:
    """One screenshot.

    Args:
        name: of its file, without .png.
        page: of the book, relative to its folder.
        shows: selectors of the elements on the picture, from the first to the last.
        alt: what it shows, in words.
        seconds: that it is in sight before, for what moves by itself.
    """

    name: str
    page: str
    shows: tuple[str, ...]
    alt: str
    seconds: float = 0.0


STOPS = (
    Stop(
        "playground",
        "chapters/00_overview.html",
        (".playground",),
        "A network fitted to nine points, and its sharpness over the steps, below the line 2/eta",
        seconds=12.0,
    ),
    Stop(
        "theorem",
        "chapters/02_stability_theorem.html",
        ("#lem-3", "#lem-3 ~ .admonition.check"),
        "Lemma 3 in a box, and under it a box titled Check",
    ),
    Stop(
        "waterfall",
        "chapters/02_stability_theorem.html",
        ("#fig-waterfall-large img",),
        "A waterfall of bars from 2/eta down to the lower bound",
    ),
    Stop(
        "ledger",
        "chapters/10_ledger.html",
        ("table.ledger thead", "table.ledger tbody tr:nth-child(4)"),
        "Rows of the ledger: statement, verdict, smallest margin, number of cases",
    ),
)


def take(html: Path = HTML, folder: Path = FOLDER, say: Callable[[str], object] = print) -> int:
    """Take all screenshots; return the exit code.

    Args:
        html: folder of the built book.
        folder: where the pictures go.
        say: where progress goes.
    """
    executable = browser.find_chromium()
    if executable is None:
        say("The tour needs a Chromium or Chrome, and there is none.")
        return 1
    if not (html / "index.html").is_file():
        say(f"There is no book in {html}; `make book` builds it.")
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with browser.chromium(executable) as running:
        for stop in STOPS:
            picture = folder / f"{stop.name}.png"
            address = (html / stop.page).as_uri()
            with browser.opened(running, address, window=WINDOW, scale=2) as (page, _):
                picture.write_bytes(screenshot(page, stop))
            say(f"  {picture.name}: {picture.stat().st_size / 1000:.0f} kB")
    return 0


def screenshot(page: Page, stop: Stop) -> bytes:
    """What a stop shows, as a small PNG of two dots a pixel.

    Args:
        page: the page of the stop, loaded.
        stop: which.

    Raises:
        ValueError: if the page has lost what the stop shows.
    """
    from PIL import Image

    from .pictures import few_colours, png

    frame(page, stop)
    if stop.seconds:
        page.locator(stop.shows[0]).first.scroll_into_view_if_needed()
        page.wait_for_timeout(1000 * stop.seconds)
    # What stays in sight while a reader scrolls would lie over the picture.
    page.add_style_tag(
        content=".bd-header-article, .skip-link, #pst-skip-link { display: none !important }"
    )
    raw = page.screenshot(full_page=True, clip=frame(page, stop), animations="disabled")
    return png(few_colours(Image.open(io.BytesIO(raw)), levels=12))


def frame(page: Page, stop: Stop) -> dict[str, float]:
    """Where on its page a stop is, in pixels: x, y, width and height.

    Args:
        page: the page of the stop, loaded; it is scrolled to its top.
        stop: which.

    Raises:
        ValueError: if the page has lost what the stop shows.
    """
    found = [page.locator(shown).first for shown in stop.shows]
    for shown, place in zip(stop.shows, found, strict=True):
        if place.count() == 0:
            raise ValueError(f"{stop.page} has no {shown}; the tour shows it as {stop.name}.png")
    page.evaluate("window.scrollTo(0, 0)")
    boxes = [place.bounding_box() for place in found]
    left = min(box["x"] for box in boxes)
    top = min(box["y"] for box in boxes)
    right = max(box["x"] + box["width"] for box in boxes)
    bottom = max(box["y"] + box["height"] for box in boxes)
    return {
        "x": left - MARGIN,
        "y": top - MARGIN,
        "width": right - left + 2 * MARGIN,
        "height": bottom - top + 2 * MARGIN,
    }
