"""Sliders: what travels with the page is complete, small, and the same every time."""

import base64
import io

import matplotlib.pyplot as plt
import pytest
from matplotlib.figure import Figure
from PIL import Image

from stablib.book.widgets import PictureSlider, png

VALUES = [0.01, 0.1, 1.0]


def draw(value):
    figure = Figure(figsize=(4, 3))
    axes = figure.subplots()
    axes.plot([0, 1], [0, value], color="#12808a")
    axes.set(ylim=(0, 1), xlabel="x", ylabel="f(x)")
    return figure


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
    assert base64.b64decode(bundle["image/png"]) == made.frames[1]
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


def test_frames_leave_no_open_figure_behind():
    def with_pyplot(value):
        figure, axes = plt.subplots()
        axes.plot([0, value])
        return figure

    before = plt.get_fignums()
    PictureSlider(with_pyplot, VALUES, name="eta", alt="A line")
    assert plt.get_fignums() == before


def test_a_png_has_the_size_that_was_asked_for():
    assert Image.open(io.BytesIO(png(draw(1.0), dpi=50))).size == (200, 150)


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
        ({"colours": 257}, "colours is 257; a palette holds at most 256"),
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
