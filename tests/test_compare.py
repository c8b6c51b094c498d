"""The comparison of outputs, kind by kind."""

import base64
import io
import itertools

import numpy as np
import pytest
from PIL import Image

from stablib.book.compare import (
    Tolerance,
    image_difference,
    outputs_difference,
    text_difference,
)


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("loss 1.23456789", "loss 1.23456790"),
        ("loss 1.0e-8", "loss 0.00000001"),
        ("[1.  2.  3.]", "[0.9999999 2.        3.       ]"),
        ("gap 3.1e-15", "gap 0.0"),
        ("-0.0", "0.0"),
        ("nan inf -inf", "nan inf -inf"),
        ("eta=0.5, B=16", "eta=0.5000000001, B=16"),
        ("3.25x faster", "3.2500000001x faster"),
    ],
)
def test_numbers_agree_within_the_tolerance(stored, fresh):
    assert text_difference(stored, fresh) is None
    assert text_difference(fresh, stored) is None


@pytest.mark.parametrize(
    ("stored", "fresh"),
    [
        ("loss 1.2345", "loss 1.2346"),
        ("steps 1000000", "steps 1000001"),
        ("nan", "1.0"),
        ("inf", "-inf"),
        ("1e-3", "1e-4"),
        ("1.5", "-1.5"),
        ("fig5a", "fig5b"),
        ("fig5", "fig6"),
        ("version 1.2.3", "version 1.2.4"),
        ("holds", "fails"),
        ("one\ntwo", "one two"),
        ("one", "one more"),
        ("one more", "one"),
        ("", "1.0"),
    ],
)
def test_what_differs_is_told(stored, fresh):
    assert text_difference(stored, fresh)
    assert text_difference(fresh, stored)


def test_a_tag_widens_the_tolerance_of_its_cell_only():
    wide = Tolerance.from_tags(["remove-input", "rtol=1e-2"])
    assert text_difference("sharpness 100.0 after 1000", "sharpness 100.9 after 1001", wide) is None
    assert text_difference("sharpness 100.0", "sharpness 102.0", wide)
    assert text_difference("sharpness 100.0", "sharpness 100.9")


@pytest.mark.parametrize("tag", ["rtol=", "rtol=much", "pixels=-1", "atol=nan"])
def test_a_tag_that_is_no_tolerance_is_refused(tag):
    with pytest.raises(ValueError, match=tag):
        Tolerance.from_tags([tag])


def picture(mark: bool = False, height: int = 200, grey: int = 255) -> str:
    pixels = np.full((height, 300, 3), grey, dtype=np.uint8)
    pixels[100, :] = 0
    if mark:
        pixels[40:46, 200:206] = 60
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


def test_images_are_compared_by_their_pixels():
    assert image_difference(picture(), picture()) is None
    assert image_difference(picture(), picture(grey=254)) is None
    assert image_difference(picture(), picture(grey=250))
    assert "300 x 201" in image_difference(picture(), picture(height=201))


def test_a_small_marker_that_is_missing_is_seen():
    assert image_difference(picture(mark=True), picture())
    assert image_difference(picture(), picture(mark=True))


def shown(**data) -> dict:
    return {
        "output_type": "display_data",
        "data": {k.replace("_", "/"): v for k, v in data.items()},
    }


def printed(text: str, name: str = "stdout") -> dict:
    return {"output_type": "stream", "name": name, "text": text}


FULL = [printed("loss 1.5\n"), shown(image_png=picture(), text_plain="<Figure>")]


@pytest.mark.parametrize(
    "fresh",
    [
        [],
        FULL[:1],
        FULL[1:],
        [*FULL, shown(text_plain="more")],
        [*FULL, printed("a warning", "stderr")],
        [FULL[0], shown(text_plain="<Figure>")],
        [FULL[0], shown(image_png=picture(mark=True), text_plain="<Figure>")],
    ],
)
def test_outputs_that_are_missing_or_new_are_told(fresh):
    assert outputs_difference(FULL, fresh)
    assert outputs_difference(fresh, FULL)


def test_how_printed_text_is_cut_into_pieces_does_not_matter():
    pieces = [printed("loss "), FULL[1], printed("1.5\n")]
    for order in itertools.permutations([FULL[0], FULL[1]]):
        assert outputs_difference(pieces, order) is None


def test_errors_are_compared_by_name_and_message():
    error = {"output_type": "error", "ename": "ValueError", "evalue": "y has shape (3,)"}
    assert outputs_difference([error], [error]) is None
    assert outputs_difference([error], [error | {"evalue": "y has shape (4,)"}])


def test_a_widget_must_be_there_whatever_its_random_name():
    view = "application/vnd.jupyter.widget-view+json"
    one, other = ({"output_type": "display_data", "data": {view: {"model_id": i}}} for i in "ab")
    assert outputs_difference([one], [other]) is None
    assert outputs_difference([one], [])
