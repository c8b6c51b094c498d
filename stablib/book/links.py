"""Every link of the built book, followed in the files: no browser, no network."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# Where an address makes the browser load something, rather than offer it to the reader.
_LOADED = {
    "script": "src",
    "img": "src",
    "iframe": "src",
    "source": "src",
    "video": "src",
    "audio": "src",
    "embed": "src",
    "object": "data",
    "link": "href",
}
# <link> of these kinds are read by machines, and load nothing.
_METADATA = {"canonical", "index", "search", "next", "prev", "author", "license", "alternate"}


@dataclass
class _Page(HTMLParser):
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)
    redirect: str | None = None

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.anchors.update(values[name] for name in ("id", "name") if values.get(name))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if tag == "meta" and values.get("http-equiv", "").lower() == "refresh":
            self.redirect = values["content"].partition("url=")[2]
        machine = tag == "link" and set(values.get("rel", "").lower().split()) & _METADATA
        if tag in _LOADED and values.get(_LOADED[tag]) and not machine:
            self.loads.append(values[_LOADED[tag]])


def _read(path: Path) -> _Page:
    page = _Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page


def pages(html: Path) -> list[Path]:
    """The pages of a book, sorted; a page that only sends the reader on is left out."""
    found = (p for p in sorted(html.rglob("*.html")) if "_static" not in p.relative_to(html).parts)
    return [path for path in found if _read(path).redirect is None]


def broken_links(html: Path) -> list[str]:
    """Links between pages, to files and to anchors that lead nowhere; "page: address" each.

    Args:
        html: folder of the built book.
    """
    html = html.resolve()
    read = {path: _read(path) for path in sorted(html.rglob("*.html"))}
    broken = []
    for path, page in read.items():
        if "_static" in path.relative_to(html).parts:
            continue
        for address in [*page.links, *page.loads, *([page.redirect] if page.redirect else [])]:
            parts = urlsplit(address)
            if parts.scheme or parts.netloc:
                continue
            goal = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if goal.is_dir():
                goal = goal / "index.html"
            anchor = unquote(parts.fragment)
            lost = not goal.is_file() or not goal.is_relative_to(html)
            if not lost and anchor and goal in read:
                lost = anchor not in read[goal].anchors
            if lost:
                broken.append(f"{path.relative_to(html)}: {address}")
    return broken


def outside_loads(html: Path) -> list[str]:
    """What the pages would load from another host; "page: address" each. Plain links are no load."""
    return [
        f"{path.relative_to(html)}: {address}"
        for path in pages(html)
        for address in _read(path).loads
        if urlsplit(address).netloc
    ]


def weights(html: Path) -> dict[str, int]:
    """Bytes of each page with what it loads of its own: pictures and frames in it, and beside it.

    What several pages load (the theme, MathJax, the widget manager) is fetched once for the whole
    book, and not counted.

    Args:
        html: folder of the built book.
    """
    loads = {}
    for path in pages(html):
        local = (urlsplit(a) for a in _read(path).loads if not a.startswith("data:"))
        loads[path] = {(path.parent / unquote(a.path)).resolve() for a in local if not a.netloc}
    times = Counter(file for files in loads.values() for file in files)
    shared = {file for file, count in times.items() if count > 1}
    return {
        path.relative_to(html).as_posix(): sum(
            file.stat().st_size for file in {path} | (files - shared) if file.is_file()
        )
        for path, files in loads.items()
    }
