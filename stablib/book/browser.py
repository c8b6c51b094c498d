"""The built pages in a real browser that can reach nothing but them.

A page may look right in its source and still be broken for a reader: a formula that was not
typeset, a picture that is missing, a line that runs off a phone. Only a browser knows.
"""

from __future__ import annotations

import contextlib
import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

DESKTOP, PHONE = (1280, 900), (390, 844)
PATIENCE = 10.0  # seconds for widgets to appear
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

# A browser asks home for updates and lists of its own; none of that belongs to a page.
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)

# What only the finished page can tell. Run in the page; returns plain data.
_INSPECT = r"""() => {
  const main = document.querySelector("main") || document.body;
  const name = (e) => e.tagName.toLowerCase() + (e.id ? "#" + e.id : "")
    + [...e.classList].map((c) => "." + c).join("");
  const formulas = [...document.querySelectorAll(".math.notranslate")];
  const untypeset = formulas.filter((e) => !e.querySelector("mjx-container"))
    .map((e) => e.textContent.trim().slice(0, 120));
  for (const e of document.querySelectorAll("mjx-merror, [data-mjx-error]"))
    untypeset.push("TeX error: " + (e.getAttribute("data-mjx-error") || e.title || e.textContent));

  // An unknown macro is no error to MathJax: it is set in red, as it was written.
  for (const e of document.querySelectorAll("mjx-assistive-mml mtext[mathcolor='red']"))
    if (e.textContent.startsWith("\\")) untypeset.push("unknown macro: " + e.textContent);

  const walker = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  for (let node; (node = walker.nextNode());) {
    if (node.parentElement.closest("pre, code, script, style, mjx-container")) continue;
    if (/\$\$|\\\(|\\\[|\\begin\{/.test(node.data)) untypeset.push(node.data.trim().slice(0, 120));
  }

  const width = document.documentElement.clientWidth;
  // Scrolled inside its own box, or a drawer that waits beside the window: no fault.
  const contained = (e) => {
    if (getComputedStyle(e).position === "fixed") return true;
    for (let p = e.parentElement; p && p !== document.body; p = p.parentElement) {
      const style = getComputedStyle(p);
      if (style.overflowX !== "visible" || style.position === "fixed") return true;
    }
    return false;
  };
  const wide = [];
  if (document.documentElement.scrollWidth > width + 1)
    wide.push(`the page is ${document.documentElement.scrollWidth} wide, the window ${width}`);
  for (const e of main.querySelectorAll("*")) {
    const box = e.getBoundingClientRect();
    if (box.width > 0 && box.right > width + 1 && !contained(e)
        && !e.closest("mjx-assistive-mml, .sr-only, .visually-hidden"))
      wide.push(`${name(e)} ends at ${Math.round(box.right)}`);
  }

  const images = [...document.images];
  const shown = images.filter((e) => e.offsetParent !== null);
  const address = (e) => e.getAttribute("src").slice(0, 120);
  const isPath = /^\S+\.(png|svg|jpe?g|gif)$/;
  return {
    untypeset, formulas: formulas.length, wide,
    broken: shown.filter((e) => !e.complete || e.naturalWidth === 0).map(address),
    nameless: images.filter((e) => !e.alt.trim() || isPath.test(e.alt)).map(address),
    dead: [...document.querySelectorAll('script[type="application/vnd.jupyter.widget-view+json"]')]
      .filter((e) => !e.parentElement.querySelector(".jupyter-widgets")).length,
  };
}"""


_AT_ONCE = """() => {
  if (!document.getElementById("at-once")) {
    const style = document.createElement("style");
    style.id = "at-once";
    style.textContent = "*, ::before, ::after { transition: none !important }";
    document.head.append(style);
  }
  return new Promise((done) => requestAnimationFrame(() => setTimeout(done, 60)));
}"""


@dataclass
class Report:
    """What a browser found on one page; every list is empty on a good one."""

    outside: list[str] = field(default_factory=list)  # requests to another host, blocked
    failed: list[str] = field(default_factory=list)  # requests that came back with nothing
    errors: list[str] = field(default_factory=list)  # what the console calls an error
    untypeset: list[str] = field(default_factory=list)  # formulas left as TeX, or wrong TeX
    wide: list[str] = field(default_factory=list)  # what sticks out of the window
    broken: list[str] = field(default_factory=list)  # images without a picture
    nameless: list[str] = field(default_factory=list)  # images without a text
    dead: int = 0  # widgets that did not appear
    formulas: int = 0  # how many formulas there are

    @property
    def faults(self) -> list[str]:
        """Every fault in one line each."""
        kinds = ("outside", "failed", "errors", "untypeset", "wide", "broken", "nameless")
        found = [f"{kind}: {what}" for kind in kinds for what in getattr(self, kind)]
        return found + ([f"dead: {self.dead} widget(s)"] if self.dead else [])

    def look(self, page: Page) -> None:
        """See what the page shows now; what it asked for since it was opened stays noted."""
        for name, value in page.evaluate(_INSPECT).items():
            setattr(self, name, value)


def find_chromium() -> str | None:
    """Path of a Chromium, or None; the environment variable CHROMIUM goes first."""
    for name in (os.environ.get("CHROMIUM", ""), *NAMES):
        path = shutil.which(name) if name else None
        if path:
            return path
    return None


@contextlib.contextmanager
def chromium(executable: str) -> Iterator[Browser]:
    """A headless Chromium that resolves no host name."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(_QUIET))
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder over http on a free port of this machine; yields the address, ending in a slash."""
    handler = functools.partial(_Silent, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()


class _Silent(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing: the browser's report names what failed."""


@contextlib.contextmanager
def opened(
    browser: Browser,
    address: str,
    *,
    window: tuple[int, int] = DESKTOP,
    dark: bool = False,
    scale: int = 1,
    touch: bool = False,
    scripts: bool = True,
) -> Iterator[tuple[Page, Report]]:
    """One page, loaded to its end, with what was found on the way.

    Args:
        browser: from `chromium`.
        address: http://127.0.0.1... or file://...; every other host is blocked and reported.
        window: width and height in pixels.
        dark: whether the reader prefers a dark page.
        scale: dots of the screen for one pixel.
        touch: whether the screen takes fingers.
        scripts: whether the browser runs scripts; where it does not, nothing is looked at.

    Yields:
        The page, to move things on it, and its report.
    """
    context: BrowserContext = browser.new_context(
        viewport={"width": window[0], "height": window[1]},
        color_scheme="dark" if dark else "light",
        device_scale_factor=scale,
        service_workers="block",
        has_touch=touch,
        java_script_enabled=scripts,
    )
    try:
        report = Report()
        page = context.new_page()
        # The browser finds no other host; a route that stops every request would slow each of them down.
        page.on("request", lambda r: _is_local(r.url) or report.outside.append(r.url))
        page.on("requestfailed", lambda r: _note_failure(report, r.url, r.failure))
        page.on(
            "response", lambda r: r.status >= 400 and report.failed.append(f"{r.status} {r.url}")
        )
        page.on("pageerror", lambda e: report.errors.append(str(e)))
        page.on(
            "console",
            lambda m: m.type == "error" and report.errors.append(m.text),
        )
        page.goto(address, wait_until="load")
        if scripts:
            _settle(page)
            report.look(page)
        yield page, report
    finally:
        context.close()


def turn(page: Page, window: tuple[int, int], dark: bool) -> None:
    """Another window and another light for a page that is open, as when a reader turns a phone.

    Args:
        page: from `opened`.
        window: width and height in pixels.
        dark: whether the reader now prefers a dark page.
    """
    page.set_viewport_size({"width": window[0], "height": window[1]})
    page.emulate_media(color_scheme="dark" if dark else "light")
    page.wait_for_function(
        "theme => document.documentElement.dataset.theme === theme", arg="dark" if dark else "light"
    )
    # A colour on its way from one light to the other belongs to neither.
    page.evaluate(_AT_ONCE)


def _is_local(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in ("file", "data", "blob", "about") or parts.hostname == "127.0.0.1"


def _note_failure(report: Report, url: str, why: str | None) -> None:
    if _is_local(url):
        report.failed.append(f"{why} {url}")


def _settle(page: Page) -> None:
    from playwright.sync_api import TimeoutError as Late

    page.evaluate("async () => { await window.MathJax?.startup?.promise; }")
    with contextlib.suppress(Late):  # a widget that never comes is counted as dead
        page.wait_for_function(
            """() => [...document.querySelectorAll(
                 'script[type="application/vnd.jupyter.widget-view+json"]')]
               .every((e) => e.parentElement.querySelector(".jupyter-widgets"))""",
            timeout=1000 * PATIENCE,
        )
    page.evaluate("async () => { await document.fonts.ready; }")
    page.wait_for_function("() => [...document.images].every((e) => e.complete)")
