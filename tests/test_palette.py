"""One palette: seen apart by everyone, legible on both grounds, and the only one there is."""

import ast
import re
from itertools import combinations

import numpy as np
import pytest

from stablib import palette
from stablib.book.environment import ROOT
from stablib.book.figures import style

HEX = re.compile(r"#[0-9a-fA-F]{3,8}")
ASKS = re.compile(r"colors?$|^(c|mec|mfc)$")
NO_COLOUR = {"white", "black", "none"}
QUANTITIES = ("edge", "sharpness", "flattest", "bound")
# Machado, Oliveira and Fernandes (2009), severity 1, for linear RGB.
EYES = {
    "most": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
TO_XYZ = np.array(
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)


def linear(colour):
    levels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    x = TO_XYZ @ np.clip(rgb, 0, 1) / [0.95047, 1.0, 1.08883]
    f = np.where(x > (6 / 29) ** 3, np.cbrt(x), x / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(one, other, eye):
    """Delta E (CIE 1976) of two colours to an eye; 2.3 is just noticeable side by side."""
    return float(np.linalg.norm(np.subtract(*(lab(EYES[eye] @ linear(c)) for c in (one, other)))))


def contrast(one, other):
    dark, light = sorted(float(TO_XYZ[1] @ linear(c)) for c in (one, other))
    return (light + 0.05) / (dark + 0.05)


def test_the_measures_know_black_from_white_and_confuse_what_the_colour_blind_confuse():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert apart("#000000", "#ffffff", "most") == pytest.approx(100)
    assert lab(linear("#ff0000")) == pytest.approx([53.24, 80.09, 67.20], abs=0.05)
    assert (
        apart("#0b6fa4", "#7b3f99", "most") > 40 > 5 > apart("#0b6fa4", "#7b3f99", "deuteranopia")
    )


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("shades", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_quantities_stay_apart_for_every_eye(shades, eye):
    for one, other in combinations(QUANTITIES, 2):
        assert apart(shades[one], shades[other], eye) > 20, (one, other)
    for one in QUANTITIES:
        assert apart(shades[one], shades["other"], eye) > 15, one


@pytest.mark.parametrize("eye", EYES)
def test_the_three_lines_of_one_figure_stay_apart_for_every_eye(eye):
    for one, other in combinations((palette.OTHER, palette.FURTHER, palette.INK), 2):
        assert apart(one, other, eye) > 11, (one, other)


@pytest.mark.parametrize("shades", [palette.LIGHT, palette.DARK], ids=["light", "dark"])
def test_a_name_can_be_written_in_its_colour(shades):
    for name in set(shades) - {"ground"}:
        assert contrast(shades[name], shades["ground"]) >= 4.5, name


def test_text_in_figures_is_legible():
    for colour in (palette.INK, palette.TEXT, palette.QUIET, palette.FURTHER):
        assert contrast(colour, palette.PAPER) >= 4.5


def test_looks_carry_the_colours_of_their_quantities_and_differ_without_them():
    for name in QUANTITIES:
        assert getattr(style, name.upper())["color"] == palette.LIGHT[name]
    looks = [getattr(style, name.upper()) for name in QUANTITIES]
    assert len({(look["linestyle"], look.get("marker")) for look in looks}) == len(looks)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_style_sheet_has_the_same_colours(theme):
    sheet = (ROOT / "assets" / "book.css").read_text("utf-8")
    rules = re.search(rf'^html\[data-theme="{theme}"\] {{(.*?)^}}', sheet, re.M | re.S).group(1)
    said = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", rules))
    shades = {"light": palette.LIGHT, "dark": palette.DARK}[theme]
    assert said["pst-color-primary"] == shades["accent"]
    for name in (*QUANTITIES, "other"):
        assert said[f"book-{name}"] == shades[name]


def test_the_playground_takes_its_colours_from_the_style_sheet():
    script = (ROOT / "assets" / "playground.js").read_text("utf-8")
    assert HEX.findall(script) == []
    shades = re.search(r"SHADES = {(.*?)}", script, re.S).group(1)
    used = set(re.findall(r'"(\w+)"', shades))
    assert set(QUANTITIES) <= used <= {*palette.LIGHT, "rule"}


def colours_in(source):
    """Colours written out in a module: hexadecimal anywhere, names where a colour is asked for."""
    nodes = list(ast.walk(ast.parse(source)))
    asked = [n.value for n in nodes if isinstance(n, ast.keyword) and n.arg and ASKS.search(n.arg)]
    texts = [n.value for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    names = [n.value for n in asked if isinstance(n, ast.Constant) and isinstance(n.value, str)]
    return [t for t in texts if HEX.fullmatch(t)] + [
        name for name in names if not HEX.fullmatch(name) and name not in NO_COLOUR
    ]


def test_no_other_module_writes_a_colour_of_its_own():
    assert colours_in('plot(color="red", mec="white"); c = "#123456"') == ["#123456", "red"]
    found = {
        path.relative_to(ROOT).as_posix(): colours_in(path.read_text("utf-8"))
        for path in (ROOT / "stablib").rglob("*.py")
        if path.name != "palette.py"
    }
    assert {path: colours for path, colours in found.items() if colours} == {}
