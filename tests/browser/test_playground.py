"""The playground's arithmetic against the library's, and its page in a browser."""

from pathlib import Path

import numpy as np
import pytest

import stablib

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = (ROOT / "assets" / "playground.js").read_text("utf-8")
X = [-1.2, -0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.9, 1.2]
Y = [0.0, 0.05, 0.25, 0.8, 1.1, 0.8, 0.25, 0.05, 0.0]


def page_of(body):
    look = "<style>canvas { display: block; height: 300px; width: 400px }</style>"
    return f'<!doctype html><meta charset="utf-8">{look}{body}<script>{SCRIPT}</script>'


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


PLAYGROUND = '<div class="playground"></div>'


@pytest.fixture
def playground(chromium, request):
    """The playground alone in a page; the parameter says how its context differs."""
    context = chromium.new_context(
        **{"viewport": {"width": 900, "height": 1100}, **getattr(request, "param", {})}
    )
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.set_content(page_of(PLAYGROUND))
    yield page
    context.close()
    assert errors == []


def steps_of(page):
    return int(page.locator(".playground-count").inner_text().split()[2].replace(",", ""))


def points_said(page):
    return int(page.locator(".playground-spoken").inner_text().rstrip(".").split()[-1])


def paused(page):
    page.wait_for_function("document.querySelector('button').textContent === 'Pause'")
    page.get_by_role("button", name="Pause").click()
    return page


def test_it_starts_when_it_is_seen_and_the_sharpness_meets_the_line(playground):
    sentence = playground.locator(".playground-words")
    playground.wait_for_function(
        "document.querySelector('.playground-words').textContent.startsWith('On the line')"
    )
    assert steps_of(paused(playground)) > 1000
    sharpness = float(playground.locator(".playground-sharp b").inner_text())
    bound = float(playground.locator(".playground-bound b").last.inner_text())
    assert 9 < sharpness < 11 and 1 < bound < sharpness  # 2/eta is 10
    assert "stable above η = 0.397" in sentence.inner_text()
    assert "On the line" in playground.locator(".playground-spoken").inner_text()


@pytest.mark.parametrize("playground", [{"reduced_motion": "reduce"}], indirect=True)
def test_who_wants_no_motion_finds_the_run_at_its_end_and_at_rest(playground):
    assert playground.get_by_role("button", name="Run").is_visible()
    before = steps_of(playground)
    assert before > 10_000
    playground.wait_for_timeout(300)
    assert steps_of(playground) == before


def test_every_control_works_by_keyboard(playground):
    paused(playground).get_by_role("button", name="Restart").focus()
    playground.keyboard.press("Enter")
    assert steps_of(playground) == 0
    playground.get_by_role("button", name="Step", exact=True).press("Enter")
    assert steps_of(playground) == 1
    for name, told in {
        "step size η": "0.22",
        "warm-up": "600",
        "neurons": "21",
        "size of the start": "1.25",
        "steps a picture": "20",
    }.items():
        slider = playground.get_by_role("slider", name=name)
        slider.press("ArrowRight")
        assert slider.get_attribute("aria-valuetext") == told
    assert steps_of(playground) == 0  # another network: the run begins anew
    playground.get_by_role("button", name="Another start").press("Enter")
    assert playground.locator(".playground-count").inner_text().startswith("start 2,")


def test_a_run_that_settled_goes_on_when_the_step_size_grows_past_it(playground):
    paused(playground)
    playground.locator("select").select_option("hill")
    for name, presses in {"neurons": 40, "steps a picture": 11, "step size η": 3}.items():
        for _ in range(presses):
            playground.get_by_role("slider", name=name).press("ArrowRight")
    playground.get_by_role("button", name="Run").click()
    settled = "document.querySelector('.playground-words').textContent.startsWith('Settled')"
    playground.wait_for_function(settled, timeout=90_000)
    before = steps_of(playground)
    playground.get_by_role("slider", name="step size η").press("End")
    playground.wait_for_function(f"!{settled}")
    playground.wait_for_timeout(200)
    assert steps_of(playground) > before


def test_points_come_and_go_by_keyboard(playground):
    paused(playground).locator("select").select_option("points of your own")
    sentence = playground.locator(".playground-words")
    assert "add points" in sentence.inner_text()
    for key in ("ArrowRight", "ArrowUp", "Enter"):
        playground.locator("canvas").first.press(key)
    assert points_said(playground) == 1
    assert "add points" not in sentence.inner_text()
    playground.locator("canvas").first.press("Enter")
    assert points_said(playground) == 0


def test_a_mouse_adds_drags_and_removes_points(playground):
    paused(playground).locator("select").select_option("points of your own")
    box = playground.locator("canvas").first.bounding_box()
    first, second = [(box["x"] + s * box["width"], box["y"] + 100) for s in (0.3, 0.6)]
    playground.mouse.click(*first)
    assert points_said(playground) == 1
    playground.mouse.move(*first)
    playground.mouse.down()
    playground.mouse.move(*second, steps=5)
    playground.mouse.up()
    playground.mouse.click(*first)  # nothing is there any more
    assert points_said(playground) == 2
    playground.mouse.click(*second)
    assert points_said(playground) == 1


@pytest.mark.parametrize(
    "playground", [{"has_touch": True, "viewport": {"width": 390, "height": 844}}], indirect=True
)
def test_a_finger_taps_points_and_buttons(playground):
    button = playground.get_by_role("button", name="Pause")
    button.tap()
    assert playground.get_by_role("button", name="Run").is_visible()
    playground.locator("canvas").first.tap(position={"x": 120, "y": 60})
    assert points_said(playground) == 9  # the eight of the step, and this one


def test_the_pictures_are_as_sharp_as_the_screen(chromium):
    context = chromium.new_context(device_scale_factor=3)
    page = context.new_page()
    page.set_content(page_of(PLAYGROUND))
    assert page.locator("canvas").first.evaluate("e => e.width / e.clientWidth") == 3
    context.close()
