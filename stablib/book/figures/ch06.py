"""Figures of chapter 06: a hill made of ridges, errors against width, and the bounds of Lemma 2."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import palette
from ...anywidth import implementation_free_bound
from ...bounds import (
    _printed_upper_bound,
    sharpness_lower_bound,
    sharpness_upper_bound,
)
from ...flattest import flattest_implementation
from ...radon.pyramid import mollified_norm
from ...weights import IsotropicWeight
from ..approximation import WIDTHS, hill, network
from ..claims import cases
from ..claims.cases import Case
from ..claims.ch06_lemma2 import narrow, sloped
from ..claims.ch06_sobolev import rates, stored
from ..claims.ch06_stable import room
from ..widgets import PictureSlider
from . import style

_FRAMES = (16, 64, 256, 1024, 4096)
_ALONG = np.linspace(-2.5, 2.5, 201)
_DARK = palette.INK


def ball_mass(d: int = 3, radius: float = 2.0) -> float:
    """The integral of the Gaussian hill over the ball of errors: the L1 error of the function 0.

    Args:
        d: dimension, 1 or 3.
        radius: of the ball.
    """
    node, share = np.polynomial.legendre.leggauss(60)
    r, weight = radius * (1 + node) / 2, radius * share / 2
    area = 2.0 if d == 1 else 4 * np.pi * r**2
    return float((weight * area) @ np.exp(-(r**2) / 2))


def atoms_slider() -> PictureSlider:
    """Add ridges: the hill takes shape, its norm stands still; the pyramid's does not."""
    return PictureSlider(
        _atoms,
        _FRAMES,
        name="k",
        start=2,
        dpi=110,
        alt="A section through the hill and its network, the ridges as dots, and two bars of norms",
    )


def row(how: str, k: int, d: int = 3) -> dict:
    """The stored row of one network f_k.

    Args:
        how: as for `approximation.network`.
        k: neurons.
        d: dimension.
    """
    return next(r for r in stored() if (r["d"], r["how"], r["k"], r["seed"]) == (d, how, k, 0))


@cache
def _pyramid_norm(share: float) -> float:
    """Norm of the pyramid, smoothed until its L1 error is that share of its integral, 12 eps^2."""
    return mollified_norm(IsotropicWeight(), np.sqrt(share / 12), nodes=6)


def _atoms(k: int) -> Figure:
    net, measured = network(3, "sobol", k), row("sobol", k)
    figure, panels = style.figure(6.4, 5.6, nrows=2, ncols=2, height_ratios=[1.6, 1])
    left, right = panels[0]
    x = np.zeros((len(_ALONG), 3))
    x[:, 0] = _ALONG
    left.plot(_ALONG, np.exp(-(_ALONG**2) / 2), color=style.QUIET, linewidth=4, alpha=0.4)
    left.plot(_ALONG, net(x), color=style.FLATTEST["color"], linewidth=1.8)
    left.set(ylim=(-1.2, 1.8), xlabel="$x_1$", title="a section")
    a, v, b = net.ridges()
    angle = np.degrees(np.arccos(np.clip(v[:, 0], -1, 1)))
    size = np.clip(3000 / k, 2, 40)
    for sign, colour in ((1, style.BOUND["color"]), (-1, style.SHARPNESS["color"])):
        on = a * sign > 0
        right.scatter(angle[on], b[on], s=size, color=colour, linewidth=0)
    right.set(xlim=(0, 180), ylim=(-4.5, 4.5), xticks=[0, 90, 180], yticks=[-4, -2, 0, 2, 4])
    right.set_xlabel("angle of $v$ with $x_1$")
    right.set_title("its ridges")
    right.set_ylabel("offset $b$", labelpad=-2)
    for axes in panels[1]:
        axes.remove()
    _gauges(figure.add_subplot(panels[0, 0].get_gridspec()[1, :]), measured)
    return figure


def _gauges(axes: Axes, row: dict) -> None:
    share = row["l1"] / ball_mass()
    bars = [
        (
            f"{row['stability_norm']:.2f}  hill; steps up to {2 / row['upper']:.2f} are safe",
            row["stability_norm"],
            style.FLATTEST["color"],
        )
    ]
    if share < 0.5:
        norm = _pyramid_norm(share)
        text = f"{norm:.2f}  pyramid, as near; none above {1 / (norm + 0.5):.2f}"
        bars.append((text, norm, style.EDGE["color"]))
    for place, (text, length, colour) in zip((1, 0), bars, strict=False):
        axes.barh(place, length, height=0.4, color=colour)
        axes.text(0, place + 0.33, text, va="center", fontsize=13)
    axes.set(xlim=(0, 4.2), ylim=(-0.4, 1.6), yticks=[])
    axes.set_xlabel("stability norm", fontsize=13)
    axes.set_title(f"error {100 * share:.0f} % of the whole" if share < 1 else "worse than zero")
    axes.title.set_fontsize(13)
    axes.spines[["left", "top", "right"]].set_visible(False)
    axes.grid(False)


def errors() -> Figure:
    """L1 errors on the ball against width, on the line and in space."""
    figure, panels = style.figure(7.8, 4.0, ncols=2)
    looks = {"random": style.SHARPNESS, "sobol": style.FLATTEST, "fitted": style.BOUND}
    for axes, d in zip(panels, (1, 3), strict=True):
        for how, look in looks.items():
            k, found = rates(d, how)
            axes.plot(k, found, **look, label=how)
        axes.axhline(ball_mass(d), color=style.QUIET, linestyle=":", linewidth=2)
        axes.text(WIDTHS[-1], 1.15 * ball_mass(d), "the function 0", color=style.QUIET, ha="right")
        axes.set(xscale="log", yscale="log", xlabel="neurons $k$")
        axes.set_xticks([16, 64, 256, 1024, 4096], ["16", "64", "256", "1,024", "4,096"])
        axes.minorticks_off()
        axes.set_title("on the line" if d == 1 else "in space")
    panels[0].set_ylabel("$L^1$ error on the ball")
    panels[0].legend(loc="lower left")
    return figure


def counterexample() -> Figure:
    """The flattest network of two neurons, and of three, against the bound (19), over the distance D."""
    figure, axes = style.figure(6.0, 4.2)
    D = np.geomspace(3, 1000, 11)
    two, three, printed = [], [], []
    for distance in D:
        net, X, *_ = narrow(float(distance))
        two.append(flattest_implementation(net, X).sharpness)
        three.append(sharpness_upper_bound(net, X))
        printed.append(_printed_upper_bound(net, X, "larger"))
    axes.plot(D, two, **style.SHARPNESS)
    axes.plot(D, printed, color=style.EDGE["color"], linewidth=2.2)
    axes.plot(D, three, **style.FLATTEST)
    style.label_end(
        axes, D, np.array(two), "two neurons", style.SHARPNESS["color"], at=6, dx=-104, dy=4
    )
    style.label_end(axes, D, np.array(printed), "(19)", style.EDGE["color"], at=5, dy=12, dx=0)
    style.label_end(
        axes, D, np.array(three), "k + 2 neurons", style.FLATTEST["color"], at=5, dx=0, dy=-14
    )
    axes.set_ylim(1.5, None)
    axes.set(xscale="log", yscale="log", xlabel="distance $D$ of the knot", ylabel="sharpness")
    return figure


def shown() -> list[tuple[str, Case]]:
    """Five functions by name: random, mostly affine, the counterexample, and two trained networks."""
    tiny = cases.random(40, seed=3)
    overview = cases.stored("overview")
    return [
        ("random", next(case for case in tiny if case.net.k > 4 and len(case.X) > 8)),
        ("mostly affine", sloped()[1]),
        ("two neurons, $D = 10$", narrow(10.0)),
        ("trained, $d = 2$", overview[2]),
        ("trained, $d = 20$", cases.descended()[1]),
    ]


def ladder() -> Figure:
    """All bounds of one function on one axis, for five networks."""
    figure, axes = style.figure(7.4, 4.4)
    named = shown()
    for place, (_, (net, X, *_)) in enumerate(named[::-1]):
        marks = [
            (sharpness_lower_bound(net, X), style.BOUND["color"], "^"),
            (implementation_free_bound(net, X).value, style.OTHER["color"], "D"),
            (flattest_implementation(net, X).sharpness, style.FLATTEST["color"], "s"),
            (sharpness_upper_bound(net, X), style.SHARPNESS["color"], "o"),
            (sharpness_upper_bound(net, X, own_side=True), style.QUIET, "P"),
            (_printed_upper_bound(net, X, "mean"), style.EDGE["color"], "X"),
        ]
        values = [value for value, *_ in marks]
        axes.plot(
            [min(values), max(values)], [place, place], color=palette.FAINT, linewidth=3, zorder=1
        )
        for value, colour, marker in marks:
            axes.plot(value, place, marker, color=colour, markersize=9, zorder=2)
    names = (
        "lower bound",
        "any width, at least",
        "flattest rescaling",
        "k + 2 neurons, at most",
        "least trace",
        "(19) as printed",
    )
    for (_, colour, marker), name in zip(marks, names, strict=True):
        axes.plot([], [], marker, color=colour, markersize=9, label=name)
    axes.set_yticks(range(len(named)), [name for name, _ in named[::-1]])
    axes.set(xscale="log", xlabel="sharpness", ylim=(-0.6, len(named) - 0.4))
    figure.legend(loc="outside upper center", ncols=3, fontsize=12)
    return figure


def between() -> Figure:
    """Step sizes for trained networks: surely stable, unsure, surely not."""
    figure, axes = style.figure(7.0, 4.4)
    trained = [*cases.stored("overview"), *cases.descended()]
    for place, case in enumerate(trained[::-1]):
        at = room(case.net, case.X)
        axes.plot([at.printed, at.sufficient], [place] * 2, ":", color=style.FLATTEST["color"])
        axes.plot([at.sufficient, at.necessary], [place] * 2, color=palette.FAINT, linewidth=9)
        axes.plot(at.printed, place, "|", color=style.EDGE["color"], markersize=14, mew=2.5)
        axes.plot(at.sufficient, place, "|", color=style.FLATTEST["color"], markersize=14, mew=2.5)
        axes.plot(at.necessary, place, "|", color=style.BOUND["color"], markersize=14, mew=2.5)
        axes.plot(at.rescaled, place, "s", color=style.FLATTEST["color"], markersize=7)
        axes.plot(case.step_size, place, "o", color=style.SHARPNESS["color"], markersize=7)
    for mark, colour, name in (
        ("|", style.EDGE["color"], "(20) as printed"),
        ("|", style.FLATTEST["color"], "(20) corrected"),
        ("s", style.FLATTEST["color"], "2 / flattest rescaling"),
        ("o", style.SHARPNESS["color"], "trained with"),
        ("|", style.BOUND["color"], "(10)"),
    ):
        axes.plot([], [], mark, color=colour, markersize=11, mew=2.5, label=name)
    sizes = [case.net.d for case in trained[::-1]]
    axes.set_yticks(range(len(trained)), [f"$d = {d}$" for d in sizes])
    axes.set(xscale="log", xlabel=r"step size $\eta$")
    figure.legend(loc="outside upper center", ncols=3, fontsize=12)
    return figure


def sections() -> tuple[np.ndarray, np.ndarray]:
    """Offsets and the slopes of the hill's ridges there, on the line and in space, shape (2, m)."""
    b = np.linspace(-4, 4, 161)
    return b, np.stack([hill(1).density([1.0], b), hill(3).density([1.0, 0.0, 0.0], b)])


def densities() -> Figure:
    """Slopes of the ridges that make the hill, over their offset."""
    figure, axes = style.figure(6.0, 3.4)
    b, (line, space) = sections()
    axes.axhline(0, color=style.QUIET, linewidth=0.8)
    axes.plot(b, line, color=style.SHARPNESS["color"], linewidth=2.2)
    axes.plot(b, space, color=style.FLATTEST["color"], linewidth=2.2, linestyle="--")
    axes.text(1.1, 0.26, "on the line", color=style.SHARPNESS["color"])
    axes.text(0.35, -0.3, "in space", color=style.FLATTEST["color"])
    axes.set(xlabel="offset $b$", ylabel=r"$\alpha(v,b)$", ylim=(-0.55, 0.35))
    return figure
