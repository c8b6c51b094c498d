"""The built book, file by file and in a real browser that can reach nothing else."""

import hashlib
import io
import re
from pathlib import Path

import pytest
from contents import names_of_pages
from PIL import Image

import stablib
from stablib.book import browser, links, tour

ROOT = Path(__file__).resolve().parents[2]


# The files


def test_every_internal_link_and_anchor_leads_somewhere(book):
    assert links.broken_links(book) == []


def test_no_page_asks_another_host_for_anything(book):
    assert links.outside_loads(book) == []


def test_every_page_of_the_contents_was_built(book):
    built = {p.relative_to(book).with_suffix("").as_posix() for p in links.pages(book)}
    assert len(names_of_pages()) > 8
    assert set(names_of_pages()) == built


def test_the_vendored_files_are_those_that_were_listed():
    vendor = ROOT / "vendor"
    listed = dict(
        reversed(line.split("  ", 1)) for line in (vendor / "SHA256SUMS").read_text().splitlines()
    )
    there = {
        p.relative_to(vendor).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for folder in ("mathjax", "widgets")
        for p in (vendor / folder).rglob("*")
        if p.is_file()
    }
    assert there == listed
    assert {"mathjax/LICENSE", "widgets/LICENSE"} <= set(listed)


def test_the_vendored_checker_is_the_one_that_was_listed():
    folder = Path(__file__).parent / "axe"
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ", 1)
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_every_public_name_is_on_the_api_page():
    page = (ROOT / "pages" / "api.md").read_text()
    shown = set(re.findall(r"auto\w+:: stablib\.(\w+)$", page, re.MULTILINE))
    assert shown == set(stablib.__all__) - {"__version__"}


# The browser


SETTINGS = {
    "desktop, light": (browser.DESKTOP, False),
    "desktop, dark": (browser.DESKTOP, True),
    "phone, dark": (browser.PHONE, True),
    "phone, light": (browser.PHONE, False),
}


def found_at_every_setting(page, report, look):
    """Faults by setting; each page is loaded once, and then turned."""
    found = {}
    for name, (window, dark) in SETTINGS.items():
        browser.turn(page, window, dark)
        report.look(page)
        if faults := look():
            found[name] = faults
    return found


@pytest.mark.parametrize("name", names_of_pages())
def test_a_page_is_whole_and_open_to_all_over_http(address, chromium, barriers, name):
    with browser.opened(chromium, f"{address}{name}.html") as (page, report):
        assert report.faults == []
        assert found_at_every_setting(page, report, lambda: report.faults) == {}
        assert found_at_every_setting(page, report, lambda: barriers(page)) == {}


@pytest.mark.parametrize("name", names_of_pages())
def test_a_page_is_whole_when_opened_as_a_file(book, chromium, name):
    path = (book / f"{name}.html").as_uri()
    with browser.opened(chromium, path, window=browser.PHONE, dark=True) as (page, report):
        assert report.faults == []
        assert found_at_every_setting(page, report, lambda: report.faults) == {}


def test_the_book_still_has_what_the_tour_of_the_readme_shows(book, chromium):
    for stop in tour.STOPS:
        address = (book / stop.page).as_uri()
        with browser.opened(chromium, address, window=tour.WINDOW) as (page, _):
            picture = Image.open(io.BytesIO(tour.screenshot(page, stop)))
            assert picture.width > 300 and 100 < picture.height < 1500


# The tests themselves: each fault, planted, is found


MATHJAX = '<script defer src="mathjax/tex-mml-chtml.js"></script>'
PLANTED_BARRIERS = {
    "color-contrast": '<p style="color:#aaa;background:#fff">pale</p>',
    "select-name": "<select><option>one</option></select>",
    "button-name": "<button></button>",
}
PLANTED = {
    "outside": '<script src="https://example.org/x.js"></script>',
    "failed": '<script src="gone.js"></script>',
    "errors": "<script>throw new Error('planted')</script>",
    "broken": '<img src="gone.png" alt="a picture that is not there">',
    "nameless": '<img src="dot.svg">',
    "wide": '<div style="width:2000px">wide</div>',
    "dead": '<div><script type="application/vnd.jupyter.widget-view+json">{}</script></div>',
}


@pytest.fixture
def planted(tmp_path):
    (tmp_path / "mathjax").symlink_to(ROOT / "vendor" / "mathjax")
    (tmp_path / "dot.svg").write_bytes((ROOT / "assets" / "favicon.svg").read_bytes())

    def write(body):
        page = tmp_path / "page.html"
        head = '<meta charset="utf-8"><title>A page</title><link rel="icon" href="dot.svg">'
        body = f"<main>{body}</main>"
        page.write_text(f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body>')
        return tmp_path

    return write


def look(chromium, folder):
    with (
        browser.served(folder) as root,
        browser.opened(chromium, root + "page.html") as (_, report),
    ):
        return report


def test_a_page_without_a_fault_is_not_blamed(planted, chromium):
    fine = (
        f'{MATHJAX}<span class="math notranslate">\\(x^2\\)</span><img src="dot.svg" alt="a dot">'
    )
    report = look(chromium, planted(fine))
    assert report.faults == []
    assert report.formulas == 1


@pytest.mark.parametrize("rule", PLANTED_BARRIERS)
def test_a_planted_barrier_is_found(planted, chromium, barriers, rule):
    folder = planted(PLANTED_BARRIERS[rule])
    with browser.opened(chromium, (folder / "page.html").as_uri()) as (page, _):
        assert [found.split()[0] for found in barriers(page)] == [rule]


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_fault_is_found(planted, chromium, kind):
    assert getattr(look(chromium, planted(PLANTED[kind])), kind)


@pytest.mark.parametrize(
    "body",
    [
        MATHJAX + r'<span class="math notranslate">\(\frac{1}{\)</span>',
        MATHJAX + r'<span class="math notranslate">\(\nosuchmacro{x}\)</span>',
        r'<span class="math notranslate">\(x^2\)</span>',
        "<p>$$x^2$$</p>",
    ],
    ids=["wrong TeX", "unknown macro", "no MathJax", "raw TeX"],
)
def test_a_formula_that_is_not_typeset_is_found(planted, chromium, body):
    assert look(chromium, planted(body)).untypeset


def test_a_dead_link_and_a_dead_anchor_are_found(planted):
    folder = planted(
        '<h1 id="here"></h1><a href="#here">1</a><a href="#there">2</a><a href="no.html">3</a>'
    )
    assert links.broken_links(folder) == ["page.html: #there", "page.html: no.html"]


def test_an_outside_load_is_found_in_the_file_and_an_outside_link_is_not(planted):
    folder = planted('<a href="https://example.org/">a</a><img src="//example.org/b.png" alt="b">')
    assert links.outside_loads(folder) == ["page.html: //example.org/b.png"]
