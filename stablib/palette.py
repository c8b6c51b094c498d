"""One palette: each quantity has its colour, on white and on a dark page, wherever it is drawn.

The colours of quantities stay apart for readers who see red and green, or blue and green, alike, and each
is dark enough on white, or light enough on a dark page, to write the quantity's name in.
"""

from __future__ import annotations

# What the book measures.
EDGE = "#a1141e"  # 2/eta, what the step size allows
SHARPNESS = "#b85c00"
FLATTEST = "#1f6fd0"  # the least over rescalings, or over all implementations
BOUND = "#481d76"  # 1 + 2 norm, and whatever else bounds from below
OTHER = "#00875a"  # a line or a neuron that is pointed at
FURTHER = "#a8447c"  # a third thing beside OTHER and INK

# From black to white.
INK = "#1d2b30"
TEXT = "#222222"
QUIET = "#667378"
GREY = "#97a4a8"
PALE = "#b9c2c5"
FAINT = "#d5dcde"
GRID = "#e6eaeb"
PAPER = "#ffffff"

# Lighter shades: of OTHER, of its ground, and of the ground of FURTHER.
OTHER_LIGHT = "#8fc7b3"
OTHER_GROUND = "#e7f1ee"
FURTHER_GROUND = "#f3e3ec"

# A map of signed numbers: most negative to most positive, white for zero.
SIGNED = ("#a85a00", "#f0b45e", PAPER, "#b9a3cf", "#4b2169")
BOUND_LIGHT = SIGNED[3]
AMBER = SIGNED[1]
BOUND_SHADES = (BOUND, "#6a3fa0", "#8257b4", "#a47fd0")  # from dark to light

# What pages use, by the name of the style sheet's variable, --book-NAME.
LIGHT = {
    "accent": "#0f6f79",
    "edge": EDGE,
    "sharpness": SHARPNESS,
    "flattest": FLATTEST,
    "bound": BOUND,
    "other": OTHER,
    "ground": PAPER,
}
DARK = {
    "accent": "#5cc3cd",
    "edge": "#ef6a60",
    "sharpness": "#f2bb45",
    "flattest": "#4c9cf0",
    "bound": "#d8bcf7",
    "other": "#6fdcb0",
    "ground": "#14181e",
}
