"""What a reader does on a page: moving sliders, searching, waiting for it, and reading it without scripts."""

import pytest

from stablib.book import browser, links


@pytest.fixture(scope="module")
def sliding(book):
    """The pages that have sliders."""
    found = [p for p in links.pages(book) if "picture-slider" in p.read_text(encoding="utf-8")]
    assert len(found) > 3
    return found


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
