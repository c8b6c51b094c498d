"""Sliders: what travels with the page is complete, small, and the same every time."""

import base64
import io

import matplotlib.pyplot as plt
import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from jupyter_client.manager import start_new_kernel
from matplotlib.figure import Figure
from PIL import Image

from stablib.book.environment import ROOT
from stablib.book.figures import style
from stablib.book.pictures import DOTS, Picture, drawn, few_colours, png, shown, webp
from stablib.book.widgets import PictureSlider

VALUES = [0.01, 0.1, 1.0]


def draw(value):
    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    axes.plot([0, 1], [0, value], color="#12808a")
    axes.set(ylim=(0, 1), xlabel="x", ylabel="f(x)")
    return figure


def pixels(file):
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), dtype=int)


def slider(**changes):
    return PictureSlider(draw, **{"values": VALUES, "name": "eta", "alt": "A line", **changes})


def test_the_picture_follows_the_slider_without_a_browser():
    made = slider(start=1)
    assert (made.position, made.shown) == (1, 1)
    made.position = 2
    assert made.shown == 2


def test_a_browser_without_a_kernel_finds_the_link_in_the_state():
    made = slider()
    assert made._link.source == (made._slider, "index")
    assert made._link.target == (made._stack, "selected_index")
    assert {"index"} <= set(made._slider.keys)
    assert {"selected_index"} <= set(made._stack.keys)


def test_readers_without_scripts_see_the_first_frame_and_its_words():
    made = slider(start=1)
    bundle = made._repr_mimebundle_()
    still, frame = (pixels(f) for f in (base64.b64decode(bundle["image/png"]), made.frames[1]))
    assert still.shape == frame.shape
    assert np.abs(still - frame).max() == 0
    assert bundle["text/plain"] == "PictureSlider(eta: 0.01, 0.1, 1)"
    assert "application/vnd.jupyter.widget-view+json" in bundle


def test_every_frame_has_a_text_that_names_its_value_and_cannot_break_the_page():
    made = slider(alt='A "line" & more')
    pages = [picture.value for picture in made._stack.children]
    for page, label in zip(pages, ("0.01", "0.1", "1"), strict=True):
        assert f'alt="A &quot;line&quot; &amp; more; eta {label}"' in page


def test_frames_are_small_equal_each_time_and_keep_their_colours():
    first, second = slider(), slider()
    assert first.frames == second.frames
    assert max(map(len, first.frames)) < 20_000
    assert len(set(first.frames)) == len(VALUES)
    colours = Image.open(io.BytesIO(first.frames[1])).convert("RGB").getcolors(1 << 20)
    nearest = min(
        sum((a - b) ** 2 for a, b in zip(c, (0x12, 0x80, 0x8A), strict=True)) for _, c in colours
    )
    assert nearest < 300
    assert max(colours)[1] == (255, 255, 255)
    assert pixels(first.frames[1]).shape == (3 * 90 * DOTS, 4 * 90 * DOTS, 3)


def test_frames_leave_no_open_figure_behind():
    def with_pyplot(value):
        figure, axes = plt.subplots()
        axes.plot([0, value])
        return figure

    before = plt.get_fignums()
    PictureSlider(with_pyplot, VALUES, name="eta", alt="A line")
    assert plt.get_fignums() == before


def test_a_kernel_draws_what_lies_between_the_frames():
    drawings = []

    def watched(value):
        drawings.append(value)
        return draw(value)

    made = PictureSlider(watched, VALUES, name="eta", alt="A line", start=1, between="log")
    assert made.exact.value == pytest.approx(0.1)
    made.exact.value = 0.5
    assert drawings == [*VALUES, 0.5]
    assert made.shown is None and made._stack.layout.display == "none"
    assert 'alt="A line; eta 0.5"' in made._computed.value
    again = made._computed.value.split("base64,")[1].split('"')[0]
    assert base64.b64decode(again) == webp(drawn(draw(0.5), 90))
    made.position = 2
    assert made.shown == 2 and made._computed.layout.display == "none"
    assert len(drawings) == 4


def test_a_number_that_cannot_be_drawn_says_why():
    def only_small(value):
        if value not in VALUES:
            raise ValueError(f"{value} < nothing")
        return draw(value)

    made = PictureSlider(only_small, VALUES, name="eta", alt="A line", between=True)
    made.exact.value = 0.7
    assert made._computed.value == "<p>0.7 &lt; nothing</p>"


def test_a_page_without_a_kernel_hides_what_only_a_kernel_can_move():
    made = slider(between=True)
    assert "kernel-only" in made.exact._dom_classes
    sheet = (ROOT / "assets" / "book.css").read_text("utf-8")
    assert ".picture-slider .kernel-only { display: none; }" in sheet
    assert slider().exact is None


def test_in_a_real_kernel_the_slider_computes_when_a_front_end_moves_it():
    """The front end is this test: it reads the widgets' messages and sends one of its own."""
    code = f"""
import matplotlib
matplotlib.use("agg")
from matplotlib.figure import Figure
from stablib.book.widgets import PictureSlider
def draw(value):
    figure = Figure(figsize=(1, 1))
    figure.subplots().plot([0, value])
    return figure
made = PictureSlider(draw, {VALUES}, name="eta", alt="A line", between=True)
"""
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(ROOT))
    try:
        opened = []
        client.execute_interactive(code, timeout=60, output_hook=opened.append)
        states = {
            message["content"]["comm_id"]: message["content"]["data"]["state"]
            for message in opened
            if message["msg_type"] == "comm_open"
        }
        names = {state["_model_name"]: name for name, state in states.items()}
        move = {"method": "update", "state": {"value": 0.42}, "buffer_paths": []}
        message = client.session.msg(
            "comm_msg", {"comm_id": names["FloatSliderModel"], "data": move}
        )
        client.shell_channel.send(message)
        said = ""
        while "alt=" not in said:
            reply = client.get_iopub_msg(timeout=30)
            if reply["msg_type"] == "comm_msg" and reply["content"]["data"]["method"] == "update":
                said = str(reply["content"]["data"]["state"].get("value", ""))
        assert 'alt="A line; eta 0.42"' in said
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_pictures_have_two_dots_a_pixel_few_colours_and_the_width_of_one_dot():
    figure = draw(1.0)
    plain = drawn(figure, 50)
    assert plain.size == (200 * DOTS, 150 * DOTS)
    assert plain.mode == "P"
    assert pixels(png(plain)).tolist() == np.asarray(plain.convert("RGB")).tolist()
    file, told = shown(figure)
    assert Image.open(io.BytesIO(file)).width == pytest.approx(DOTS * told["width"], abs=1)
    assert told["width"] <= 400


def test_a_figure_drawn_once_is_what_savefig_draws_twice():
    def make():
        figure = Figure(figsize=(4, 3), layout="constrained", facecolor="pink", dpi=70)
        figure.subplots().set(title="laid out", xlabel="by its words")
        return figure

    buffer, figure = io.BytesIO(), make()
    make().savefig(buffer, format="png", dpi=DOTS * 80, facecolor="white")
    assert png(drawn(figure, 80)) == png(few_colours(Image.open(buffer)))
    assert (figure.dpi, figure.get_facecolor()) == (70, make().get_facecolor())


def test_rounding_colours_moves_none_by_more_than_an_eye_sees():
    figure = Figure(figsize=(2, 1))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(np.linspace(0, 1, 600)[None], cmap="viridis", aspect="auto")
    axes.axis("off")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200, facecolor="white")
    rounded = np.asarray(drawn(figure, 100).convert("RGB"), dtype=int)
    assert np.abs(rounded - pixels(buffer.getvalue())).max() <= 5
    assert len(np.unique(rounded.reshape(-1, 3), axis=0)) > 40


def test_notebooks_show_figures_of_the_book_sharp():
    shell = InteractiveShell()
    try:
        InteractiveShell._instance = shell
        figure = style.figure(3.0, 2.0)[0]
        assert isinstance(figure, Picture)
        data, told = shell.display_formatter.format(figure, include={"image/png"})
        assert told["image/png"]["width"] <= 330
        assert pixels(data["image/png"]).shape[1] >= 2 * told["image/png"]["width"] - 1
    finally:
        InteractiveShell._instance = None
        plt.close(figure)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": [1.0]}, "values has 1 entries; a slider needs at least two"),
        ({"values": []}, "values has 0 entries"),
        ({"name": ""}, "name is ''; words are needed"),
        ({"alt": None}, "alt is None; words are needed"),
        ({"start": 3}, "start is 3, but values has 3 entries"),
        ({"start": -1}, "start is -1"),
        ({"dpi": 0}, "dpi is 0"),
        ({"between": "lin"}, "between is 'lin'; True, False or 'log' is needed"),
        (
            {"between": True, "values": [1, 3, 2]},
            "between needs numbers in order, but values are 1",
        ),
        ({"between": True, "values": ["a", "b"]}, "between needs numbers in order"),
        ({"between": "log", "values": [0.0, 1.0]}, "between needs positive numbers in order"),
        ({"form": "{:.0f}"}, "shows two values alike"),
        ({"draw": lambda value: None}, "draw returned NoneType for 0.01"),
    ],
)
def test_bad_input_is_named_in_one_sentence(changes, message):
    arguments = {"draw": draw, "values": VALUES, "name": "eta", "alt": "A line", **changes}
    with pytest.raises(ValueError) as error:
        PictureSlider(arguments.pop("draw"), arguments.pop("values"), **arguments)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
