"""The logo: what is committed is what the code draws, and what it draws is g."""

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from stablib import palette
from stablib.book import logo
from stablib.book.environment import ROOT

FILES = {"logo.svg": logo.logo, "favicon.svg": logo.favicon}


@pytest.mark.parametrize("name", FILES)
def test_the_committed_picture_is_what_the_code_draws(name):
    assert (ROOT / "assets" / name).read_bytes() == FILES[name]().encode()


@pytest.mark.parametrize("name", FILES)
def test_it_is_small_flat_and_in_the_palette(name):
    text = FILES[name]()
    assert len(text) < 5_000
    assert "gradient" not in text.lower()
    known = {*palette.BOUND_SHADES, palette.AMBER, palette.PAPER}
    assert set(re.findall(r"#[0-9a-f]{6}", text)) <= known
    assert ElementTree.fromstring(text).get("aria-label") == logo.WORDS


def test_the_bright_ridge_is_where_the_price_is_high():
    """The price from its definition, point by point; the curve from the file."""
    ridge = ElementTree.fromstring(logo.logo()).findall(".//{*}path[@fill]")[-2]
    assert ridge.get("fill") == palette.AMBER
    drawn = np.array(
        [[float(c) for c in pair.split()] for pair in re.findall(r"[\d.]+ [\d.]+", ridge.get("d"))]
    )
    angle, offset = drawn[:, 0] / 96 * np.pi, (1 - drawn[:, 1] / 32) * logo.REACH

    def price(angle, offset):
        z = logo.POINTS @ [np.cos(angle), np.sin(angle)]
        sides = []
        for sign in (1, -1):
            on = sign * (z - offset) > 0
            if not on.any():
                return 0.0
            depth = sign * (z[on] - offset)
            mean = np.append(logo.POINTS[on].mean(axis=0), 1.0)
            sides.append(on.mean() ** 2 * depth.mean() * np.linalg.norm(mean))
        return min(sides)

    inside = (drawn[:, 0] > 1) & (drawn[:, 0] < 95)
    found = np.array([price(a, b) for a, b in zip(angle[inside], offset[inside], strict=True)])
    most = max(price(a, b) for a in np.linspace(0, np.pi, 91) for b in np.linspace(-1, 1, 101))
    # A jump of g where the offset passes a point leaves corners of the curve on either side of it.
    assert np.mean(np.abs(found / most - 0.78) < 0.06) > 0.6
    assert found.min() > 0.3 * most
