"""The built book, file by file and in a real browser that can reach nothing else."""

import hashlib
import io
import os
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


# A fault of a page at one window and one light alone is rare, and looks take minutes: the short run sees
# every page on a desktop in the light, on a phone in the dark, and turned from one to the other, and two
# pages at all four settings (STABLIB_FULL: every page).
FULL = bool(os.environ.get("STABLIB_FULL"))
AT_ALL = ("chapters/00_overview", "pages/benchmarks")


def faults_at(page, report, look, settings=()):
    """Faults by setting; each page is loaded once, and then turned."""
    faults = {}
    for name in SETTINGS if FULL else settings:
        browser.turn(page, *SETTINGS[name])
        report.look(page)
        if seen := look():
            faults[name] = seen
    return faults


def test_a_page_is_whole_over_http(served_page):
    page, report = served_page  # opened on a desktop, in the light
    assert report.faults == []
    assert faults_at(page, report, lambda: report.faults) == {}


def test_a_page_is_whole_when_opened_as_a_file_on_a_phone(page_of_file):
    page, report = page_of_file  # opened in the dark
    assert report.faults == []
    assert faults_at(page, report, lambda: report.faults) == {}


def test_a_page_fits_320_pixels_which_is_a_desktop_at_four_times_the_size(served_page):
    page, report = served_page
    browser.turn(page, (320, 256), False)
    report.look(page)
    assert report.faults == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_every_slider_moves_by_keyboard_and_changes_its_picture(served_page):
    page, _ = served_page
    browser.turn(page, *SETTINGS["desktop, light"])
    for slider, handle, before in sliders_of(page):
        last = handle.get_attribute("aria-valuemax")
        at_end = handle.get_attribute("aria-valuenow") == last
        handle.press("ArrowLeft" if at_end else "ArrowRight")
        after = seen(slider)
        assert before[0] != after[0]
        assert before[1] != after[1]


def test_every_slider_moves_under_a_finger(page_of_file):
    page, _ = page_of_file
    browser.turn(page, *SETTINGS["phone, dark"])
    for slider, handle, before in sliders_of(page):
        now, last = (float(handle.get_attribute(f"aria-value{which}")) for which in ("now", "max"))
        track = slider.locator(".noUi-target:visible")
        box = track.bounding_box()
        far = 0.02 if now > last / 2 else 0.98
        track.tap(position={"x": far * box["width"], "y": box["height"] / 2})
        picture = slider.locator("img:visible").element_handle()  # the handle glides there
        page.wait_for_function(
            "([e, src]) => !e.checkVisibility() || e.src !== src", arg=[picture, before[0]]
        )
        assert seen(slider) != before


# The last test of an open page: it leaves words in the formulas' places.
def test_a_page_is_open_to_all(request, served_page, barriers):
    page, report = served_page
    name = request.node.callspec.params["served_page"]
    settings = SETTINGS if name in AT_ALL else ["desktop, light", "phone, dark"]
    assert faults_at(page, report, lambda: barriers(page), settings) == {}


def test_the_pages_that_are_looked_at_in_every_setting_are_there():
    assert set(AT_ALL) <= set(names_of_pages())


def sliders_of(page):
    """The sliders of an open page, as many as its source has: each with its handle and what is seen."""
    states = page.locator('script[type="application/vnd.jupyter.widget-state+json"]')
    count = sum(state.text_content().count('"picture-slider"') for state in states.all())
    sliders = page.locator(".picture-slider")
    assert sliders.count() == count
    return ((slider, handle_of(slider), seen(slider)) for slider in sliders.all())


def handle_of(slider):
    return slider.locator(".noUi-handle:visible")


def seen(slider):
    """The picture on show, the value beside it, and that screen readers are told of both."""
    picture, handle = slider.locator("img:visible"), handle_of(slider)
    assert picture.count() == 1
    readout = slider.locator(".widget-readout:visible").inner_text()
    assert readout in picture.get_attribute("alt")
    assert handle.get_attribute("aria-valuetext") == readout
    assert (
        handle.get_attribute("aria-label") == slider.locator(".widget-label:visible").inner_text()
    )
    return picture.get_attribute("src"), readout


@pytest.mark.parametrize("name", sorted({stop.page for stop in tour.STOPS}))
def test_a_page_still_has_what_the_tour_of_the_readme_shows(book, chromium, name):
    with browser.opened(chromium, (book / name).as_uri(), window=tour.WINDOW) as (page, _):
        for stop in tour.STOPS:
            if stop.page == name:
                frame = tour.frame(page, stop)
                assert frame["width"] > 300 and 100 < frame["height"] < 1500


def test_a_picture_of_the_tour_is_taken(book, chromium):
    stop = next(stop for stop in tour.STOPS if stop.name == "ledger")
    with browser.opened(chromium, (book / stop.page).as_uri(), window=tour.WINDOW) as (page, _):
        picture = Image.open(io.BytesIO(tour.screenshot(page, stop)))
        frame = tour.frame(page, stop)
    assert picture.size == pytest.approx((frame["width"], frame["height"]), abs=1)
    assert len(picture.getcolors()) > 3


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


def test_a_barrier_in_one_of_many_words_of_a_code_is_found(planted, chromium, barriers):
    """Words of one look are looked at twice; this one has the look of the others, but for one thing."""
    words = "<span class='k'>def</span> " * 50
    for odd in ("<span class='k' style='color:#aaa'>pale</span>", "<span class='c'>pale</span>"):
        style = "<style>main { background: #fff } .c { color: #aaa }</style>"
        folder = planted(f"{style}<pre tabindex=0>{words}{odd} {words}</pre>")
        with browser.opened(chromium, (folder / "page.html").as_uri()) as (page, _):
            assert [found.split()[0] for found in barriers(page)] == ["color-contrast"]
            assert page.locator("span").count() < 5


@pytest.mark.parametrize("kind", PLANTED)
def test_a_planted_fault_is_found(planted, chromium, monkeypatch, kind):
    monkeypatch.setattr(browser, "PATIENCE", 0.5)  # for the widget that never comes
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
