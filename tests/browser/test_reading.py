"""What a reader does on a page: moving sliders, searching, waiting for it, and reading it without scripts."""

import pytest

from stablib.book import browser, links


@pytest.fixture(scope="module")
def sliding(book):
    """The pages that have sliders."""
    found = [p for p in links.pages(book) if "picture-slider" in p.read_text(encoding="utf-8")]
    assert len(found) > 3
    return found


def seen(slider):
    """The picture on show, its text, the value beside it, and what a screen reader says of it."""
    picture, handle = slider.locator("img:visible"), slider.locator(".noUi-handle:visible")
    assert picture.count() == 1
    readout = slider.locator(".widget-readout:visible").inner_text()
    assert readout in picture.get_attribute("alt")
    assert handle.get_attribute("aria-valuetext") == readout
    assert (
        handle.get_attribute("aria-label") == slider.locator(".widget-label:visible").inner_text()
    )
    return picture.get_attribute("src"), readout


def test_every_slider_moves_by_keyboard_and_changes_its_picture(sliding, chromium):
    for path in sliding:
        with browser.opened(chromium, path.as_uri()) as (page, _):
            sliders = page.locator(".picture-slider")
            assert sliders.count() > 0
            for i in range(sliders.count()):
                before = seen(sliders.nth(i))
                handle = sliders.nth(i).locator(".noUi-handle:visible")
                last = handle.get_attribute("aria-valuemax")
                at_end = handle.get_attribute("aria-valuenow") == last
                handle.press("ArrowLeft" if at_end else "ArrowRight")
                after = seen(sliders.nth(i))
                assert before[0] != after[0]
                assert before[1] != after[1]


def test_every_slider_moves_under_a_finger(sliding, chromium):
    for path in sliding:
        opened = browser.opened(chromium, path.as_uri(), window=browser.PHONE, touch=True)
        with opened as (page, _):
            sliders = page.locator(".picture-slider")
            for i in range(sliders.count()):
                before = seen(sliders.nth(i))
                track = sliders.nth(i).locator(".noUi-target:visible")
                now, last = (
                    float(
                        sliders.nth(i)
                        .locator(".noUi-handle:visible")
                        .get_attribute(f"aria-value{which}")
                    )
                    for which in ("now", "max")
                )
                box = track.bounding_box()
                far = 0.02 if now > last / 2 else 0.98
                track.tap(position={"x": far * box["width"], "y": box["height"] / 2})
                page.wait_for_timeout(400)  # the handle glides there
                assert seen(sliders.nth(i)) != before


def test_without_scripts_every_slider_shows_its_first_frame(sliding, chromium):
    for path in sliding:
        with browser.opened(chromium, path.as_uri(), scripts=False) as (page, report):
            views = path.read_text("utf-8").count("widget-view+json")
            stills = page.locator("noscript img")
            assert stills.count() == views
            assert all(stills.nth(i).bounding_box()["width"] > 300 for i in range(views))
            assert report.outside == []


def test_without_scripts_the_playground_is_a_picture(book, chromium):
    path = (book / "chapters" / "00_overview.html").as_uri()
    with browser.opened(chromium, path, scripts=False) as (page, _):
        assert page.locator(".tag_playground img").bounding_box()["width"] > 300
        assert page.locator(".playground").inner_text() == ""
    with browser.opened(chromium, path) as (page, _):
        assert page.locator(".tag_playground").count() == 0
        assert page.locator(".playground canvas").count() == 3


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_search_finds_the_stability_norm(book, address, chromium, scheme):
    root = address if scheme == "http" else f"{book.as_uri()}/"
    with browser.opened(chromium, f"{root}pages/notation.html") as (page, report):
        page.locator(".search-button-field").click()
        box = page.locator("#pst-search-dialog input[type=search]")
        box.fill("stability norm")
        box.press("Enter")
        page.wait_for_url("**/search.html?*")
        page.wait_for_load_state("networkidle")  # the excerpts, too
        page.wait_for_selector("#search-results li a")
        found = page.locator("#search-results ul.search > li > a")
        places = [found.nth(i).get_attribute("href") for i in range(found.count())]
        assert any("02_stability_theorem" in place for place in places)
        assert report.errors == [] and report.failed == [] and report.outside == []
        page.goto(page.url.partition("search.html")[0] + places[0])
        assert "stability norm" in page.locator("main").inner_text().lower()


def test_no_page_weighs_more_than_three_megabytes(book):
    weights = links.weights(book)
    for name, size in sorted(weights.items(), key=lambda item: -item[1]):
        print(f"{size / 1e6:6.2f} MB  {name}")
    assert len(weights) > 8
    assert max(weights.values()) < 3e6


def test_a_page_weighs_what_it_loads_alone(tmp_path):
    (tmp_path / "shared.js").write_bytes(b"s" * 1000)
    (tmp_path / "own.png").write_bytes(b"p" * 100)
    one = '<script src="shared.js"></script><img src="own.png" alt="">'
    (tmp_path / "one.html").write_text(one)
    (tmp_path / "two.html").write_text('<script src="shared.js"></script>')
    assert links.weights(tmp_path) == {"one.html": len(one) + 100, "two.html": 33}
