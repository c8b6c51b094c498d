"""Figures of chapter 02: one neuron on twenty points, and the same line as a point in the plane of lines."""

from __future__ import annotations

import base64
import html
import json
from functools import cache
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import palette
from ...curvature import sharpness, tangent_features
from ...data import gaussian
from ...network import ShallowReLU
from ...norms import one_sided_norm, stability_norm
from ...weights import EmpiricalWeight
from .. import stills
from ..environment import ROOT
from ..pictures import shown
from . import style

_WIDE, _HIGH = 4.0, 2.15  # half the sides of the window that is shown
_REACH = 3.1  # largest offset in the strip of lines
_WIDEST = 8.0  # where the bars' axis ends
_SLOPE = 2.0  # |a| of the neuron
_ANGLE = 35.0  # degrees, of the neuron that is moved and rescaled
_PIVOT = np.array([0.35, 0.25])  # the point about which the line is turned
IN, OUT, BIAS = palette.OTHER, palette.OTHER_LIGHT, palette.PALE


def twenty_points() -> np.ndarray:
    """Twenty Gaussian points in the plane, shape (20, 2)."""
    return gaussian(20, 2, seed=5).X


def neuron(offset: float, angle: float = _ANGLE, c: float = 1.0) -> ShallowReLU:
    """The ridge 2 relu(v.x - offset), v at an angle in degrees; c divides its input weights.

    Args:
        offset: of its line.
        angle: of the unit normal v, in degrees.
        c: what the input weights are divided by and the output weight is multiplied with.
    """
    root = _SLOPE**0.5
    return ShallowReLU([root * _normal(angle) / c], [-root * offset / c], [root * c])


class LiveNeuron:
    """A neuron on the twenty points, moved by hand: in a page and in Jupyter alike, without a kernel.

    The script that draws and computes it (assets/neuron.js) travels with the output; a test holds its
    arithmetic against the library's. A page without scripts shows a still picture, and its numbers in words.

    Args:
        angle: of the unit normal at first, in degrees.
        offset: at first.
        strip: whether the strip of all lines is shown beside the points, in place of the five bars.
    """

    def __init__(self, angle: float, offset: float, *, strip: bool = False) -> None:
        self.angle, self.offset, self.strip = angle, offset, strip

    def __repr__(self) -> str:
        _, numbers = zip(*_rungs(neuron(self.offset, self.angle), twenty_points()), strict=True)
        values = ", ".join(f"{sum(length for length, _ in blocks):.3f}" for blocks in numbers)
        return f"one neuron at angle {self.angle:g}, offset {self.offset:.2f}: {values}"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, str], dict[str, Any]]:
        still = _turned(self.angle) if self.strip else _moved(neuron(self.offset, self.angle))
        plt.close(still)  # else the notebook shows it once more
        picture, size = shown(still)
        bundle = {"text/html": self.html(), "text/plain": repr(self)}
        return bundle | {"image/png": base64.b64encode(picture).decode()}, {"image/png": size}

    def html(self) -> str:
        """The place where the script draws, and the script."""
        script = (ROOT / "assets" / "neuron.js").read_text("utf-8")
        data = {
            "points": json.dumps(twenty_points().round(4).tolist()),
            "show": "strip" if self.strip else "bars",
            "angle": f"{self.angle:g}",
            "b": f"{self.offset:.4f}",
            "pivot": json.dumps(_PIVOT.tolist()),
            "palette": json.dumps(palette.LIGHT),  # where there is no style sheet of the book
        }
        said = " ".join(f'data-{key}="{html.escape(value)}"' for key, value in data.items())
        words = f"<p>Where scripts may run, this moves: {html.escape(repr(self))}.</p>"
        words += stills.place(f"neuron-{data['show']}")
        return f'<div class="one-neuron" {said}>{words}</div>\n<script>\n{script}</script>'


def live_neuron() -> LiveNeuron:
    """Push a neuron's line across the points, turn it, rescale it; five bars say what that costs."""
    return LiveNeuron(_ANGLE, -0.3)


def live_strip() -> LiveNeuron:
    """The same line as a dot in the strip of all lines: drag either, and the other follows."""
    angle = 30.0
    return LiveNeuron(angle, float(_PIVOT @ _normal(angle)), strip=True)


def _normal(angle: float) -> np.ndarray:
    return np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])


def _moved(net: ShallowReLU) -> Figure:
    X = twenty_points()
    figure, (top, bottom) = style.figure(5.0, 5.0, nrows=2, height_ratios=[1.1, 1])
    _line_among_points(top, net, X)
    _ladder(bottom, net, X)
    return figure


def _line_among_points(axes: Axes, net: ShallowReLU, X: np.ndarray) -> None:
    """The neuron's line, the side on which it fires, and the points it sees."""
    _, v, b = net.ridges()
    v, b = v[0], float(b[0])
    wide, high = np.linspace(-_WIDE, _WIDE, 121), np.linspace(-_HIGH, _HIGH, 121)
    grid = np.stack(np.meshgrid(wide, high), axis=-1)
    axes.contourf(wide, high, grid @ v - b, [0, 99], colors=[palette.OTHER_GROUND])
    along = 9 * np.array([-v[1], v[0]])
    axes.plot(*np.array([b * v - along, b * v + along]).T, color=IN, linewidth=2)
    axes.annotate(
        "",
        b * v + 0.75 * v,
        b * v,
        arrowprops={"arrowstyle": "-|>", "color": IN, "linewidth": 2},
    )
    on = X @ v > b
    axes.scatter(*X[on].T, s=42, zorder=3, **style.DATA)
    axes.scatter(*X[~on].T, s=36, zorder=3, color="white", edgecolor=style.DATA["color"])
    axes.set(aspect="equal", xlim=(-_WIDE, _WIDE), ylim=(-_HIGH, _HIGH))
    axes.set(xticks=[-4, -2, 0, 2, 4], yticks=[-2, 0, 2], xlabel="$x_1$")
    axes.set_ylabel("$x_2$", labelpad=-4)
    axes.grid(False)


def _rungs(net: ShallowReLU, X: np.ndarray) -> list[tuple[str, list[tuple[float, str]]]]:
    """The five numbers, the largest first, each as blocks with their colours; the third has three."""
    features = tangent_features(net, X)
    mean = features.mean(axis=1)
    inner, outer = mean[:-2] @ mean[:-2], mean[-2] ** 2
    own, least = one_sided_norm(net, X), stability_norm(net, X)
    return [
        (r"$\mathbb{E}\,|\phi|^2$", [((features**2).sum(axis=0).mean(), palette.GREY)]),
        (r"$\lambda_{\max}$", [(sharpness(net, X), style.SHARPNESS["color"])]),
        (r"$|\mathbb{E}\,\phi|^2$", [(1.0, BIAS), (inner, IN), (outer, OUT)]),
        (r"$1+2\,|a|\,\tilde{g}$", [(1.0, BIAS), (2 * own, style.FLATTEST["color"])]),
        (r"$1+2\,|a|\,g$", [(1.0, BIAS), (2 * least, style.BOUND["color"])]),
    ]


def _ladder(axes: Axes, net: ShallowReLU, X: np.ndarray) -> None:
    """The five numbers as bars, the largest on top; the middle one with its three blocks."""
    rungs = _rungs(net, X)
    for place, (_, blocks) in zip(range(len(rungs))[::-1], rungs, strict=True):
        start = 0.0
        for length, colour in blocks:
            axes.barh(place, length, left=start, height=0.66, color=colour)
            start += length
        axes.annotate(
            f"{start:.3f}",
            (min(start, _WIDEST - 0.2), place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=12,
        )
    axes.set_yticks(range(len(rungs)), [name for name, _ in rungs][::-1], fontsize=14)
    axes.set(xlim=(0, _WIDEST + 1.8), xticks=[0, 2, 4, 6, 8])
    axes.grid(axis="y", visible=False)
    axes.set_axisbelow(True)


def _turned(angle: float) -> Figure:
    X, v = twenty_points(), _normal(angle)
    b = float(_PIVOT @ v)
    weight = EmpiricalWeight(X)
    front, back = float(weight.g_tilde(v, b)), float(weight.g_tilde(-v, -b))
    figure, (top, bottom) = style.figure(5.0, 5.6, nrows=2, height_ratios=[1, 1.05])
    _line_among_points(top, neuron(b, angle), X)
    top.plot(*_PIVOT, "+", color=palette.INK, markersize=10, markeredgewidth=1.6)
    top.set_title(rf"$\tilde{{g}}$: {front:.3f} in front, {back:.3f} behind", fontsize=13)
    image = _strip(bottom, X)
    turns = np.linspace(0, 360, 181)
    bottom.plot(turns, _normal(turns).T @ _PIVOT, "--", color=IN, linewidth=1.6)
    bottom.plot(
        [(angle + 180) % 360], [-b], "o", mfc="white", mec=IN, mew=2, markersize=8, clip_on=False
    )
    bottom.plot([angle], [b], "o", color=IN, markersize=9, clip_on=False)
    bottom.set_title(f"$g$ = {min(front, back):.3f}", fontsize=13)
    figure.colorbar(image, ax=bottom, ticks=[0, 0.2, 0.4], pad=0.02, aspect=22)
    return figure


@cache
def _prices() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Angles, offsets, and g of the twenty points at each pair, (offsets, angles)."""
    angles, offsets = np.linspace(0, 360, 121), np.linspace(-_REACH, _REACH, 105)
    weight = EmpiricalWeight(twenty_points())
    height = [weight.g(_normal(angle), offsets) for angle in angles]
    return angles, offsets, np.stack(height, axis=1)


def _strip(axes: Axes, X: np.ndarray) -> object:
    """All lines of the plane as points (angle, offset), as dark as g; the data's sinusoids thin."""
    angles, offsets, height = _prices()
    image = axes.pcolormesh(
        angles, offsets, height, cmap="Purples", vmin=0, vmax=0.45, rasterized=True
    )
    for x in X:
        axes.plot(angles, _normal(angles).T @ x, color=palette.EDGE, linewidth=0.5, alpha=0.45)
    axes.set(xlim=(0, 360), ylim=(-_REACH, _REACH), yticks=[-2, 0, 2])
    axes.set_xticks([0, 90, 180, 270, 360], ["0", "90", "180", "270", "360"])
    axes.set(xlabel="angle of $v$ in degrees")
    axes.set_ylabel("offset $b$", labelpad=-4)
    axes.grid(False)
    return image
