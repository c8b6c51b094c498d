"""The arithmetic of the strip of lines against the library's, and its page in a browser."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from stablib import EmpiricalWeight
from stablib.book import browser

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = (ROOT / "assets" / "lines.js").read_text("utf-8")
LOOK = "<style>canvas { height: 300px; width: 400px }</style>"
STILL = '<figure id="still"><img alt="" src="data:,"><figcaption>words</figcaption></figure>'


@pytest.fixture(scope="module")
def chromium():
    executable = browser.find_chromium()
    if executable is None:
        pytest.skip("no Chromium found")
    with browser.chromium(executable) as running:
        yield running


@pytest.fixture
def page(chromium):
    opened = chromium.new_page(viewport={"width": 900, "height": 700})
    opened.errors = []
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    root = '<div class="lines" data-replaces="still"><p>no scripts</p></div>'
    opened.set_content(
        f'<!doctype html><meta charset="utf-8">{LOOK}{STILL}{root}<script>{SCRIPT}</script>'
    )
    yield opened
    assert opened.errors == []
    opened.close()


def said(page):
    """Angle, offset, points in front, all points, both prices and g, as the page says them."""
    return [
        float(n) for n in re.findall(r"-?\d+(?:\.\d+)?", page.locator(".lines-words").inner_text())
    ]


def middle(box, x, y):
    return box["x"] + x * box["width"], box["y"] + y * box["height"]


def test_it_is_small_and_needs_nothing_else():
    assert len(SCRIPT.splitlines()) < 250
    assert "import " not in SCRIPT and "fetch(" not in SCRIPT and "http" not in SCRIPT


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_its_prices_are_those_of_the_library(page, n):
    rng = np.random.default_rng(n)
    X = rng.normal(size=(n, 2)) + rng.choice([0.0, 3.0])
    angle, b = rng.uniform(0, 7, 50), rng.normal(size=50) * 2
    b[:n] = (X @ [np.cos(angle[:n]), np.sin(angle[:n])]).diagonal() + 1e-9
    found = page.evaluate(
        "([X, t, b]) => t.map((angle, i) => window.Lines.price(X, angle, b[i]))",
        [X.tolist(), angle.tolist(), b.tolist()],
    )
    v = np.column_stack([np.cos(angle), np.sin(angle)])
    weight = EmpiricalWeight(X)
    for name, known in (
        ("g", weight.g(v, b)),
        ("front", weight.g_tilde(v, b)),
        ("behind", weight.g_tilde(-v, -b)),
        ("before", (v @ X.T > b[:, None]).sum(axis=1)),
        ("after", (v @ X.T < b[:, None]).sum(axis=1)),
    ):
        np.testing.assert_allclose([row[name] for row in found], known, rtol=1e-12, atol=1e-15)


def test_half_a_turn_on_it_is_the_same_line(page):
    turned = page.evaluate("() => [190, -10, 360, 179].map((a) => window.Lines.turned(a, 0.5))")
    assert turned == [[10, -0.5], [170, -0.5], [0, 0.5], [179, 0.5]]


def test_it_takes_the_place_of_the_still_picture(page):
    assert page.locator("#still .lines canvas").count() == 2
    assert not page.locator("#still img").is_visible()
    assert page.locator("#still > *").nth(-1).inner_text() == "words"


def test_a_drag_in_the_strip_moves_the_line(page):
    strip = page.locator("canvas").nth(1).bounding_box()
    page.mouse.move(*middle(strip, 0.2, 0.5))
    page.mouse.down()
    page.mouse.move(*middle(strip, 0.375, 0.7), steps=4)
    page.mouse.up()
    page.mouse.move(*middle(strip, 0.1, 0.1))  # let go: nothing follows
    angle, offset, front, points, ahead, _, behind, g = said(page)
    assert angle == 90  # the strip ends at three quarters of the picture
    assert offset == pytest.approx(2.1 * (1 - 2 * 0.7 * 300 / 280), abs=0.01)
    X = np.array([[-1.2, -0.5], [0.4, 1.1], [1, -0.8], [-0.3, 0.4], [0.9, 0.5], [-1.2, 0.4]])
    assert points == 6 and front == (X[:, 1] > offset).sum()
    v = [math.cos(math.radians(90)), math.sin(math.radians(90))]
    assert g == pytest.approx(float(EmpiricalWeight(X).g(v, offset)), abs=0.005)
    assert g == min(ahead, behind)


def test_a_drag_of_a_point_changes_the_price(page):
    plane = page.locator("canvas").first.bounding_box()
    scale = 300 / 4.2
    before = said(page)
    at = lambda x, y: (plane["x"] + 200 + x * scale, plane["y"] + 150 - y * scale)  # noqa: E731
    page.mouse.move(*at(1.0, -0.8))
    page.mouse.down()
    page.mouse.move(*at(1.0, 1.5), steps=4)
    page.mouse.up()
    after = said(page)
    assert after[:2] == before[:2]
    assert after[2] == before[2] + 1
    X = np.array([[-1.2, -0.5], [0.4, 1.1], [1, 1.5], [-0.3, 0.4], [0.9, 0.5], [-1.2, 0.4]])
    v = [math.cos(math.radians(60)), math.sin(math.radians(60))]
    assert after[-1] == pytest.approx(float(EmpiricalWeight(X).g(v, 0.3)), abs=0.01)


@pytest.mark.parametrize(("ground", "shade"), [("#000000", 0), ("#ffffff", 255)])
def test_a_free_line_has_the_colour_of_the_page(page, ground, shade):
    page.evaluate("(ground) => { document.body.style.background = ground }", ground)
    page.locator("select").select_option("two points")
    pixel = """(strip) => [...strip.getContext("2d").getImageData(150, 40, 1, 1).data]"""
    assert page.locator("canvas").nth(1).evaluate(pixel) == [shade] * 3 + [255]


def test_it_runs_by_keyboard_and_has_other_data(page):
    plane, strip = page.locator("canvas").all()
    strip.focus()
    before = said(page)
    for key in ("ArrowRight", "ArrowUp"):
        page.keyboard.press(key)
    assert said(page)[:2] == [before[0] + 2, pytest.approx(before[1] + 0.05)]
    plane.focus()
    before = page.locator(".lines-words").inner_text()
    for key in ("Enter", "Enter", *["ArrowUp"] * 30):
        page.keyboard.press(key)
    assert page.locator(".lines-words").inner_text() != before
    page.locator("select").select_option("two points")
    assert "of 2 points" in page.locator(".lines-words").inner_text()
