"""The built book, file by file and in a real browser that can reach nothing else."""

import hashlib
import io
import re
from pathlib import Path

import pytest
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
    wanted = re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text())
    built = {p.relative_to(book).with_suffix("").as_posix() for p in links.pages(book)}
    assert len(wanted) > 5
    assert set(wanted) <= built


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


def test_every_public_name_is_on_the_api_page():
    page = (ROOT / "pages" / "api.md").read_text()
    shown = set(re.findall(r"auto\w+:: stablib\.(\w+)$", page, re.MULTILINE))
    assert shown == set(stablib.__all__) - {"__version__"}


# The browser


@pytest.mark.parametrize("window", [browser.DESKTOP, browser.PHONE], ids=["desktop", "phone"])
def test_every_page_is_whole_over_http(book, chromium, window):
    faults = {}
    formulas = 0
    with browser.served(book) as root:
        for path in links.pages(book):
            name = path.relative_to(book).as_posix()
            with browser.opened(chromium, root + name, window=window) as (_, report):
                formulas += report.formulas
                if report.faults:
                    faults[name] = report.faults
    assert faults == {}
    assert formulas > 0  # the count itself works


def test_every_page_is_whole_when_opened_as_a_file_in_the_dark(book, chromium):
    faults = {}
    for path in links.pages(book):
        with browser.opened(chromium, path.as_uri(), dark=True) as (page, report):
            assert page.evaluate("document.documentElement.dataset.theme") == "dark"
            if report.faults:
                faults[path.relative_to(book).as_posix()] = report.faults
    assert faults == {}


def test_every_slider_moves_and_changes_its_picture(book, chromium):
    sliding = [p for p in links.pages(book) if "picture-slider" in p.read_text(encoding="utf-8")]
    if not sliding:
        pytest.skip("the book has no slider")
    for path in sliding:
        with browser.opened(chromium, path.as_uri()) as (page, _):
            sliders = page.locator(".picture-slider")
            assert sliders.count() > 0
            for i in range(sliders.count()):
                slider = sliders.nth(i)
                picture, readout = (
                    slider.locator("img:visible"),
                    slider.locator(".widget-readout:visible"),
                )
                before = picture.get_attribute("src"), readout.inner_text()
                handle = slider.locator(".noUi-handle:visible")
                handle.focus()
                at_end = handle.get_attribute("aria-valuenow") == handle.get_attribute(
                    "aria-valuemax"
                )
                handle.press("ArrowLeft" if at_end else "ArrowRight")
                assert picture.count() == 1
                after = picture.get_attribute("src"), readout.inner_text()
                assert before[0] != after[0]
                assert before[1] != after[1]
                assert after[1] in picture.get_attribute("alt")


def test_the_book_still_has_what_the_tour_of_the_readme_shows(book, chromium):
    for stop in tour.STOPS:
        address = (book / stop.page).as_uri()
        with browser.opened(chromium, address, window=tour.WINDOW) as (page, _):
            picture = Image.open(io.BytesIO(tour.screenshot(page, stop)))
            assert picture.width > 300 and 100 < picture.height < 1500


# The tests themselves: each fault, planted, is found


MATHJAX = '<script defer src="mathjax/tex-mml-chtml.js"></script>'
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
        head = '<meta charset="utf-8"><link rel="icon" href="dot.svg">'
        page.write_text(f"<!doctype html><html><head>{head}</head><body><main>{body}</main></body>")
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
