"""Figures of chapter 04: the price g over the plane of lines, the two examples, and where neurons go."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import palette
from ...radon.density import gaussian, two_points
from ...weights import EmpiricalWeight, IsotropicWeight
from ..claims.cases import stored
from ..claims.ch04 import by_step_size, clusters, price_share, price_shares, turned_neurons
from ..widgets import PictureSlider
from . import style
from .ch02_neuron import twenty_points
from .ch03 import PRICES, SIGNED

_DPI = 100
_FIVE = np.array([[-1.2, -0.5], [0.4, 1.1], [1.0, -0.8], [-0.3, 0.4], [0.9, 0.5]])
LINE = palette.OTHER
_SLOPES = {"color": palette.INK, "linestyle": "-", "marker": "s", "linewidth": 2.2}
_SHARE = {"color": palette.FURTHER, "linestyle": "--", "marker": "o", "linewidth": 2.2}


def direction_slider() -> PictureSlider:
    """Turn the direction v: the points project onto it, and g(v, .) stands over the projections."""
    return PictureSlider(
        _profile,
        np.arange(0, 180, 15).tolist(),
        name="angle of v",
        between=True,
        form="{:g}°",
        start=2,
        dpi=_DPI,
        alt="Above, points and an axis with projections; below, the price over the offset, 0 at both ends",
    )


def one_line(
    angle: float = 60.0, b: float = 0.3, moved: tuple[float, float] = (-1.2, 0.4)
) -> Figure:
    """A line among six points, and as a dot of the strip, on the section of g along its direction.

    Args:
        angle: of v, in degrees.
        b: offset of the line.
        moved: where the sixth point is, whose wave is drawn bold.
    """
    X, v = np.vstack([_FIVE, moved]), _normal(angle)
    figure, (plane, strip, section) = style.figure(
        8.0, 3.5, ncols=3, width_ratios=[1.25, 1.25, 0.45]
    )
    along = 9 * np.array([-v[1], v[0]])
    plane.plot(*np.array([b * v - along, b * v + along]).T, color=LINE, linewidth=2.5)
    front = X @ v > b
    red = style.DATA["color"]
    plane.plot(*X[front].T, "o", color=red, markersize=8)
    plane.plot(*X[~front].T, "o", mfc="white", mec=red, mew=1.8, markersize=8)
    plane.plot(*moved, "o", mfc="none", mec=red, mew=1.2, markersize=14)
    plane.plot(0, 0, "+", color=palette.INK, markersize=9)
    plane.set(aspect="equal", xlim=(-2.1, 2.1), ylim=(-2.1, 2.1), xlabel="$x_1$")
    plane.set(xticks=[-2, 0, 2], yticks=[-2, 0, 2])
    plane.set_ylabel("$x_2$", labelpad=-4)
    plane.grid(False)
    turn, offsets = np.linspace(0, 180, 91), np.linspace(-2.1, 2.1, 841)
    _strip(strip, X, 2.1, 0.3)
    for x in _FIVE:
        strip.plot(turn, _normal(turn) @ x, color=red, linewidth=0.8)
    strip.plot(turn, _normal(turn) @ np.array(moved), color=red, linewidth=2.6)
    strip.axvline(angle, color=LINE, linewidth=1)
    strip.plot([angle], [b], "o", color=LINE, markersize=10)
    g = EmpiricalWeight(X).g(v, offsets)
    section.plot(g, offsets, color=style.BOUND["color"], linewidth=2.2)
    section.plot(np.zeros(len(X)), X @ v, "_", color=red, markersize=12, mew=2, clip_on=False)
    section.plot([EmpiricalWeight(X).g(v, b)], [b], "o", color=LINE, markersize=10)
    section.set(xlim=(0, 0.34), ylim=(-2.1, 2.1), xticks=[0, 0.3], xlabel="$g(v, b)$")
    section.tick_params(labelleft=False)
    return figure


def neurons_slider() -> PictureSlider:
    """The trained creases of chapter 00 as dots over g, at eight step sizes."""
    cases = sorted(stored("overview"), key=lambda case: case.step_size)
    return PictureSlider(
        lambda eta: _neurons(next(c for c in cases if c.step_size == eta)),
        [case.step_size for case in cases],
        name="step size",
        dpi=_DPI,
        alt="The strip of lines shaded by g, a dot for each crease; at large step sizes they leave the dark",
    )


def figure_3() -> Figure:
    """Panels (a) to (d): g and rho of two points, g and rho of normal data."""
    figure, axes = style.figure(7.6, 6.8, nrows=2, ncols=2)
    angle, b = np.linspace(0, 360, 181), np.linspace(-2, 2, 161)
    v = _normal(angle)
    weights = (EmpiricalWeight([[1.0, 0.0], [-1.0, 0.0]]), IsotropicWeight())
    side = (np.arange(200) + 0.5) / 50 - 2
    x = np.stack(np.meshgrid(side, side), axis=-1)
    densities = (two_points(x), gaussian(np.linalg.norm(x, axis=-1)))
    names = (("(a)", "(b)", "two points"), ("(c)", "(d)", "normal data"))
    for row, weight, rho, (first, second, data) in zip(
        axes, weights, densities, names, strict=True
    ):
        g = np.stack([weight.g(u, b) for u in v], axis=1)
        row[0].pcolormesh(angle, b, g, cmap=PRICES, vmin=0, rasterized=True)
        row[0].set(xticks=[0, 90, 180, 270, 360], yticks=[-2, 0, 2])
        row[0].set(xlabel="angle of $v$ in degrees", title=f"{first}  $g$, {data}")
        row[0].set_ylabel("offset $b$", labelpad=-4)
        # Both ends of the scale are cut: rho is infinite at the poles. The root keeps the tails visible.
        shown = np.sign(rho) * np.sqrt(np.minimum(np.abs(rho), 0.3))
        row[1].pcolormesh(side, side, shown, cmap=SIGNED, vmin=-(0.3**0.5), vmax=0.3**0.5)
        row[1].set(aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2])
        row[1].set(xlabel="$x_1$", title=rf"{second}  $\rho$, {data}")
        row[1].set_ylabel("$x_2$", labelpad=-4)
    axes[0, 1].scatter([-1, 1], [0, 0], s=46, **style.DATA)
    for ax in axes.flat:
        ax.grid(False)
    return figure


def outwards() -> Figure:
    """Slopes, price share and offsets of the runs of Fig. 4 over the step size, relative to the smallest."""
    rows = by_step_size()
    eta = np.array(list(rows))
    shares = price_shares("fig4")
    share = np.array(list(shares.values()))
    figure, axes = style.figure(6.4, 3.8)
    lines = (
        (eta, _relative(rows, "offset_median"), "median offset", style.OTHER),
        (eta, _relative(rows, "r_norm"), "sum of slopes", _SLOPES),
        (list(shares), share / share[0], "price share", _SHARE),
        (eta, _relative(rows, "stability_norm"), "stability norm", style.BOUND),
    )
    for x, y, name, look in lines:
        axes.plot(x, y, **look)
        dy = -12 if look is _SHARE else 6
        style.label_end(axes, np.asarray(x), np.asarray(y), name, look["color"], dx=6, dy=dy)
    axes.axhline(1, color=style.QUIET, linewidth=1)
    axes.set_yscale("log")
    axes.set_yticks([0.1, 0.3, 1, 3], ["0.1", "0.3", "1", "3"])
    axes.minorticks_off()
    axes.set_ylim(0.07, 5)
    axes.set_ylabel("relative to the smallest step")
    style.step_size_axis(axes, eta)
    axes.set_xlim(right=3.2)
    return figure


def digits_profiles() -> Figure:
    """The price of digits over the offset: in random directions, and in those of trained neurons."""
    case = max(stored("fig5"), key=lambda case: case.step_size)
    form = case.net.canonical()
    trained = form.v[np.argsort(-np.abs(form.a))[:4]]
    random = np.random.default_rng(0).normal(size=(4, case.X.shape[1]))
    random /= np.linalg.norm(random, axis=1)[:, None]
    weight = EmpiricalWeight(case.X)
    figure, axes = style.figure(7.6, 3.3, ncols=2, sharey=True)
    for ax, directions, title in zip(
        axes, (random, trained), ("random directions", "directions of trained neurons"), strict=True
    ):
        for v in directions:
            z = case.X @ v
            b = np.linspace(z.min(), z.max(), 401)
            g = weight.g(v, b)
            ax.plot((b - z.mean()) / z.std(), g / g.max(), color=style.BOUND["color"], alpha=0.7)
        ax.set(title=title, xlabel="offset, in standard deviations", xlim=(-4, 4))
    axes[0].set_ylabel("$g(v, b)$ / its maximum")
    return figure


def two_clusters() -> Figure:
    """The price of two clusters along their axis, off the origin and centred."""
    figure, axes = style.figure(6.0, 3.2)
    for shift, name, look in (
        (5.0, "at 0 and 10", style.BOUND),
        (0.0, "at -5 and 5", style.OTHER),
    ):
        b = np.linspace(-5, 5, 401)
        g = EmpiricalWeight(clusters(shift)).g([1.0, 0.0], b + shift)
        axes.plot(b, g, **look | {"marker": ""})
        top = int(np.argmax(g))
        style.label_end(
            axes,
            b,
            g,
            name,
            look["color"],
            at=top,
            dx=-100 if shift else 12,
            dy=-26 if shift else 6,
        )
    axes.plot([-5, 5], [0, 0], "o", color=style.DATA["color"], markersize=9, clip_on=False)
    axes.set(xlabel="offset from the middle of the two", ylabel="$g(e_1, b)$", ylim=(0, None))
    return figure


def both_ends() -> Figure:
    """The density of normal data over the radius, with what it tends to at 0 and at infinity."""
    r = np.geomspace(1e-3, 5, 200)
    bell = 1 / np.sqrt(2 * np.pi)
    size = np.hypot(bell, 0.5)
    c0 = (0.5 * size + bell * bell * 0.5 / size) / np.pi
    c1 = float(gaussian(1e-7) + c0 * np.log(1e-7))
    figure, (left, right) = style.figure(7.6, 3.4, ncols=2)
    left.plot(r, gaussian(r), color=style.BOUND["color"], linewidth=2.4)
    left.plot(r, c0 * np.log(1 / r) + c1, "--", color=style.OTHER["color"], linewidth=1.6)
    left.set(xscale="log", xlabel="radius", ylim=(-0.05, 1), title="near the centre")
    left.text(0.012, 0.66, r"$c_0\,\log(1/r) + c_1$", color=style.OTHER["color"])
    far = np.linspace(0.5, 5, 200)
    right.plot(far, gaussian(far), color=style.BOUND["color"], linewidth=2.4)
    tail = np.exp(-(far**2)) / (2 * np.pi**1.5 * far**2)
    right.plot(far, tail, "--", color=style.OTHER["color"], linewidth=1.6)
    right.plot(far, gaussian(1.0) / far, ":", color=style.QUIET, linewidth=1.6)
    right.set(yscale="log", xlabel="radius", title="far away")
    right.text(
        2.1, 2e-7, r"$e^{-r^2}\!/\,(2\pi^{3/2} r^2)$", color=style.OTHER["color"], ha="right"
    )
    right.text(3.2, 1.2e-2, r"$\propto 1/r$", color=style.QUIET)
    return figure


def _relative(rows: dict[float, dict[str, float]], name: str) -> np.ndarray:
    values = np.array([row[name] for row in rows.values()])
    return values / values[0]


def _normal(degrees: np.ndarray | float) -> np.ndarray:
    turn = np.radians(degrees)
    return np.stack([np.cos(turn), np.sin(turn)], axis=-1)


def _profile(angle: float) -> Figure:
    X, v = twenty_points(), _normal(angle)
    z = X @ v
    figure, (top, bottom) = style.figure(5.0, 6.0, nrows=2, height_ratios=[1.4, 1])
    top.plot(*np.array([-4 * v, 4 * v]).T, color=LINE, linewidth=1.6)
    for x, height in zip(X, z, strict=True):
        top.plot(*np.array([x, height * v]).T, color=palette.PALE, linewidth=0.8, zorder=0)
    top.plot(*(z[:, None] * v).T, "|", color=LINE, markersize=9)
    top.scatter(*X.T, s=40, zorder=3, **style.DATA)
    top.set(
        aspect="equal", xlim=(-3.4, 3.4), ylim=(-3.1, 2.3), xticks=[-2, 0, 2], yticks=[-2, 0, 2]
    )
    top.grid(False)
    b = np.linspace(-3, 3, 601)
    bottom.plot(b, EmpiricalWeight(X).g(v, b), color=style.BOUND["color"], linewidth=2.2)
    bottom.plot(z, np.zeros(len(z)), "|", color=LINE, markersize=12, clip_on=False)
    bottom.set(xlim=(-3, 3), ylim=(0, 0.45), xlabel="offset $b$")
    bottom.set_ylabel("$g(v, b)$")
    return figure


def _strip(axes: Axes, X: np.ndarray, reach: float, top: float) -> None:
    angle, b = np.linspace(0, 180, 121), np.linspace(-reach, reach, 121)
    weight = EmpiricalWeight(X)
    g = np.stack([weight.g(v, b) for v in _normal(angle)], axis=1)
    axes.pcolormesh(angle, b, g, cmap=PRICES, vmin=0, vmax=top, rasterized=True)
    axes.set(xlim=(0, 180), ylim=(-reach, reach), xlabel="angle of $v$ in degrees")
    axes.set_xticks([0, 45, 90, 135, 180])
    axes.set_ylabel("offset $b$", labelpad=-2)
    axes.grid(False)


@cache
def _most() -> float:
    return max(turned_neurons(case)[2].max() for case in stored("overview"))


def _neurons(case: object) -> Figure:
    angle, b, a = turned_neurons(case)
    figure, axes = style.figure(5.0, 4.4)
    _strip(axes, case.X, 2.6, 0.45)
    turn = np.linspace(0, 180, 91)
    for x in case.X:
        axes.plot(turn, _normal(turn) @ x, color=style.DATA["color"], linewidth=0.5, alpha=0.5)
    axes.scatter(angle, b, s=260 * a / _most() + 4, color=LINE, edgecolor="white", linewidth=0.5)
    axes.set_title(rf"$\eta$ = {case.step_size:g}, price share {price_share(case):.2f}")
    return figure
