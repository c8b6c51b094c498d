"""The playground's arithmetic against the library's, and its page in a browser."""

from pathlib import Path

import numpy as np
import pytest

import stablib
from stablib.book import browser

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = (ROOT / "assets" / "playground.js").read_text("utf-8")
X = [-1.2, -0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9, 1.2]
Y = [0.0, 0.05, 0.25, 0.8, 1.1, 0.8, 0.25, 0.05, 0.0]


def page_of(body):
    look = "<style>canvas { height: 200px; width: 300px }</style>"
    return f'<!doctype html><meta charset="utf-8">{look}{body}<script>{SCRIPT}</script>'


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
    yield opened
    opened.close()


def test_it_is_small_and_needs_nothing_else():
    assert len(SCRIPT.splitlines()) < 400
    assert "import " not in SCRIPT and "fetch(" not in SCRIPT and "http" not in SCRIPT


@pytest.mark.parametrize(("k", "scale", "step_size"), [(12, 2.0, 0.05), (30, 1.0, 0.2)])
def test_after_a_thousand_steps_it_agrees_with_the_library(page, k, scale, step_size):
    page.set_content(page_of(""))
    found = page.evaluate(
        """([X, y, k, scale, eta]) => {
          const P = window.Playground, net = P.initial(k, scale, 5);
          const copy = (n) => ({ w1: [...n.w1], b1: [...n.b1], w2: [...n.w2], b2: n.b2 });
          const start = copy(net);
          for (let t = 0; t < 1000; t++) P.descend(net, X, y, eta * Math.min(1, (t + 1) / 300));
          return { start, end: copy(net), loss: P.loss(net, X, y), sharpness: P.sharpness(net, X, y),
                   norm: P.norm(net, X), first: P.sharpness(P.initial(k, scale, 5), X, y) };
        }""",
        [X, Y, k, scale, step_size],
    )

    def network(part):
        return stablib.ShallowReLU(
            np.array(part["w1"])[:, None], part["b1"], part["w2"], part["b2"]
        )

    points, start = np.array(X)[:, None], network(found["start"])
    run = stablib.gradient_descent(start, points, Y, step_size, tol=0, max_steps=1000, warmup=300)
    assert run.steps == 1000
    assert np.abs(start.b1).max() <= scale and np.abs(start.w2).max() <= scale / k**0.5
    for name in ("w1", "b1", "w2"):
        ours = getattr(run.net, name.replace("w1", "W1")).ravel()
        assert np.abs(ours - found["end"][name]).max() < 1e-9
    assert found["loss"] == pytest.approx(run.loss, rel=1e-9)
    assert found["sharpness"] == pytest.approx(stablib.sharpness(run.net, points, Y), rel=1e-9)
    assert found["first"] == pytest.approx(stablib.sharpness(start, points, Y), rel=1e-9)
    assert found["norm"] == pytest.approx(stablib.stability_norm(run.net, points), rel=1e-9)


def test_neurons_on_one_knot_count_once(page):
    page.set_content(page_of(""))
    net = {"w1": [1.0, -1.0, 2.0], "b1": [0.0, 0.0, 1.0], "w2": [1.0, 1.0, 0.5], "b2": 0.0}
    found = page.evaluate("([net, X]) => window.Playground.norm(net, X)", [net, [-1.0, 0.2, 1.0]])
    same = stablib.ShallowReLU(np.array(net["w1"])[:, None], net["b1"], net["w2"])
    assert found == pytest.approx(stablib.stability_norm(same, [[-1.0], [0.2], [1.0]]), rel=1e-12)


def test_the_ceiling_of_the_step_size_is_that_of_joining_the_dots(page):
    page.set_content(page_of(""))
    rng = np.random.default_rng(0)
    for n in (2, 3, 8):
        x, y = rng.normal(size=n), rng.normal(size=n)
        found = page.evaluate(
            "([X, y]) => window.Playground.ceiling(X, y)", [x.tolist(), y.tolist()]
        )
        norm = stablib.least_interpolating_norm(x[:, None], y).norm
        assert found == pytest.approx(1 / (norm + 0.5), rel=1e-12)


def test_the_page_runs_by_keyboard_and_takes_points(page):
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(page_of('<div class="playground"><p>still</p></div>'))
    words = page.locator(".playground-words")
    before = words.inner_text()
    assert "2/η" not in before and "sharpness" in before
    run = page.get_by_role("button", name="Run")
    run.focus()
    page.keyboard.press("Enter")
    page.wait_for_timeout(400)
    page.get_by_role("button", name="Pause").click()
    assert words.inner_text() != before
    canvas = page.locator("canvas").first
    page.locator("select").select_option("your own")
    assert words.inner_text() == "Click into the picture to add points."
    canvas.focus()
    for key in ("ArrowRight", "ArrowUp", "Enter"):
        page.keyboard.press(key)
    assert "loss" in words.inner_text()
    page.keyboard.press("Enter")
    assert words.inner_text() == "Click into the picture to add points."
    box = canvas.bounding_box()
    page.mouse.click(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.4)
    assert "loss" in words.inner_text()
    page.get_by_role("button", name="100 steps").click()
    sliders = page.locator("input[type=range]")
    assert sliders.count() == 4
    for i in range(4):
        sliders.nth(i).focus()
        page.keyboard.press("ArrowRight")
    assert errors == []
    assert page.locator("canvas").count() == 2
