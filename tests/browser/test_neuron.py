"""The neuron moved by hand in chapter 02: its arithmetic against the library's, and its page in a browser."""

import numpy as np
import pytest

import stablib
from stablib.book import stills
from stablib.book.figures import ch02, ch02_neuron

LOOK = "<style>html { --book-sharpness: #123456 }</style>"
PAGE = f'<!doctype html><meta charset="utf-8">{LOOK}'


@pytest.fixture
def page(chromium):
    opened = chromium.new_page(viewport={"width": 390, "height": 844})
    opened.errors = []
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    yield opened
    assert opened.errors == []
    opened.close()


def words_of(page):
    return page.locator(".one-neuron-words").inner_text()


def bars_of(page):
    return [float(text) for text in page.locator(".one-neuron-bars b").all_inner_texts()]


def test_the_script_computes_what_the_library_computes(page):
    page.set_content(PAGE + ch02.live_neuron().html())
    X, rng = ch02.twenty_points(), np.random.default_rng(0)
    for angle, b, c in [
        (35, -0.3, 1.0),
        (0, 9, 1.0),
        *rng.uniform([0, -3, 0.5], [360, 3, 2], (20, 3)),
    ]:
        call = "([X, angle, b, c]) => window.OneNeuron.numbers(X, angle, b, c)"
        found = page.evaluate(call, [X.tolist(), float(angle), float(b), float(c)])
        net = ch02_neuron.neuron(b, angle, c)
        phi = stablib.tangent_features(net, X)
        mean = phi.mean(axis=1)
        expected = {
            "square": (phi**2).sum() / len(X),
            "sharpness": np.linalg.eigvalsh(phi @ phi.T / len(X))[-1],
            "mean": mean @ mean,
            "into": mean[:3] @ mean[:3],
            "out": mean[3] ** 2,
            "front": stablib.one_sided_norm(net, X) / 2,
            "on": (phi[3] > 0).sum(),
        }
        for name, value in expected.items():
            assert found[name] == pytest.approx(value, rel=1e-9, abs=1e-12), name
        least = min(found["front"], found["back"])
        assert 2 * least == pytest.approx(stablib.stability_norm(net, X), rel=1e-9, abs=1e-12)


def test_the_knobs_move_the_bars_and_a_rescaling_keeps_the_two_lowest(page):
    page.set_content(PAGE + ch02.live_neuron().html())
    first = bars_of(page)
    net = ch02_neuron.neuron(-0.3)
    assert first[1] == pytest.approx(stablib.sharpness(net, ch02.twenty_points()), abs=6e-4)
    assert first == sorted(first, reverse=True)
    offset, angle, factor = page.locator(".one-neuron input").all()
    for _ in range(10):
        factor.press("ArrowRight")
    rescaled = bars_of(page)
    assert rescaled[3:] == first[3:] and rescaled[:3] != first[:3]
    before = words_of(page)
    for knob in (offset, angle):
        for _ in range(10):
            knob.press("ArrowRight")
    assert bars_of(page)[4] != first[4] and words_of(page) != before
    colour = page.locator(".one-neuron-bars i").nth(1).evaluate("e => e.style.background")
    assert colour == "rgb(18, 52, 86)"  # the page's, not its own


def test_a_line_dragged_in_either_picture_moves_in_the_other(page):
    page.set_content(PAGE + ch02.live_strip().html())
    plane, lines = page.locator("canvas").all()
    offset, angle = page.locator(".one-neuron output").all()
    started = words_of(page)
    box = plane.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    assert offset.inner_text() == "0.00"  # the line goes through the origin
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    page.mouse.up()
    assert float(offset.inner_text()) == pytest.approx(2 * np.cos(np.pi / 6), abs=0.02)
    lines.scroll_into_view_if_needed()
    box = lines.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    assert angle.inner_text() == "90°" and abs(float(offset.inner_text())) < 0.02
    X, v = ch02.twenty_points(), np.array([0.0, 1.0])
    g = stablib.EmpiricalWeight(X).g(v, [0.0])[0]
    said = words_of(page)
    assert float(said.rstrip(".").split()[-1]) == pytest.approx(g, abs=0.02) and said != started


def test_half_a_turn_costs_the_same(page):
    page.set_content(PAGE + ch02.live_strip().html())
    turn = page.locator(".one-neuron input").nth(1)
    first = words_of(page).split()[-1]
    for value in ("120", "210"):
        turn.fill(value)
        assert (words_of(page).split()[-1] == first) == (value == "210")


def test_a_page_without_scripts_has_a_picture_and_the_numbers(chromium):
    live = ch02.live_neuron()
    bundle, _ = live._repr_mimebundle_()
    image = {"mystnb": {"image": {"alt": "a line"}}}
    notebook = {"cells": [{"metadata": image, "outputs": [{"data": bundle}]}]}
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.set_content(PAGE + stills.with_stills(live.html(), notebook))
    assert page.get_by_role("img", name="a line").is_visible()
    assert repr(live) in page.locator(".one-neuron p").inner_text()
    context.close()
    assert set(bundle) == {"text/html", "image/png", "text/plain"}
    assert bundle["text/plain"] in bundle["text/html"]
    assert f"{stablib.sharpness(ch02_neuron.neuron(-0.3), ch02.twenty_points()):.3f}" in repr(live)
