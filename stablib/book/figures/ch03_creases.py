"""Figures of chapter 03: a function and its sinogram, creases that cross, and the saddle."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.figure import Figure

from ... import palette
from ...network import ShallowReLU
from ...norms import stability_norm
from ...radon.density import isotropic, uniform_disc
from ...radon.harmonic import saddle, saddle_norm, two_ridges
from ...radon.measures import laplacian
from ...weights import IsotropicWeight
from ..claims.ch03_harmonic import saddle_error
from ..widgets import PictureSlider
from . import style
from .ch03 import PRICES

_DPI = 100
_SECOND = {"color": palette.FURTHER, "marker": "s"}  # of two lines
_BUMPS = ((1.0, (-0.8, 0.5), 0.35), (0.7, (0.9, -0.2), 0.2))  # height, centre, width
_DISC = 0.55, (0.1, -0.9)  # radius and centre


def sinogram() -> Figure:
    """A function of the plane, and its integrals over all lines, with two lines marked in both."""
    side = np.linspace(-2, 2, 201)
    x = np.stack(np.meshgrid(side, side), axis=-1)
    radius, centre = _DISC
    f = 0.8 * (((x - centre) ** 2).sum(axis=-1) < radius**2)
    turn, b = np.linspace(0, 2 * np.pi, 241), np.linspace(-2, 2, 201)
    v = np.stack([np.cos(turn), np.sin(turn)], axis=-1)
    offset = b[:, None] - v @ centre  # (offsets, angles)
    rf = 0.8 * 2 * np.sqrt(np.maximum(0, radius**2 - offset**2))
    for height, centre, width in _BUMPS:
        f = f + height * np.exp(-((x - centre) ** 2).sum(axis=-1) / (2 * width**2))
        offset = b[:, None] - v @ centre
        rf = rf + height * np.sqrt(2 * np.pi) * width * np.exp(-(offset**2) / (2 * width**2))
    figure, (left, right) = style.figure(8.0, 3.7, ncols=2, width_ratios=[1, 1.25])
    left.pcolormesh(side, side, f, cmap=PRICES, rasterized=True)
    left.set(aspect="equal", xticks=[-2, 0, 2], yticks=[-2, 0, 2], xlabel="$x_1$")
    left.set_ylabel("$x_2$", labelpad=-4)
    left.set_title("$f$")
    right.pcolormesh(np.degrees(turn), b, rf, cmap=PRICES, rasterized=True)
    right.set(xticks=[0, 90, 180, 270, 360], yticks=[-2, 0, 2], xlabel="angle of $v$ in degrees")
    right.set_ylabel("offset $b$", labelpad=-4)
    right.set_title(r"$\mathcal{R}f$")
    for angle, offset, look in ((60.0, 0.1, style.OTHER), (150.0, 0.95, _SECOND)):
        v = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        along = 6 * np.array([-v[1], v[0]])
        ends = np.array([offset * v - along, offset * v + along])
        left.plot(*ends.T, color=look["color"], linewidth=2)
        right.plot([angle], [offset], look["marker"], color=look["color"], markersize=10)
        right.plot(
            [angle + 180], [-offset], look["marker"], mfc="white", mec=look["color"], mew=2, ms=9
        )
    left.set(xlim=(-2, 2), ylim=(-2, 2))
    for ax in (left, right):
        ax.grid(False)
    return figure


def crossing_slider() -> PictureSlider:
    """Sharpen the smoothing: what creases of opposite sign lose at their crossings shrinks to nothing."""
    return PictureSlider(
        _crossing,
        [0.4, 0.25, 0.15, 0.1, 0.06, 0.035, 0.02],
        name="smoothing",
        between="log",
        dpi=_DPI,
        start=4,
        alt="Two maps of four creases; in the left one pale gaps at the crossings, smaller as smoothing ends",
    )


def _crossing(eps: float) -> Figure:
    net = ShallowReLU(
        [[1, 0.3], [-0.2, 1], [0.7, -0.7], [0.5, 0.9]], [0.1, -0.2, 0.25, 0.5], [1.0, -1, 0.8, -0.9]
    )
    lines = laplacian(net)
    side = np.linspace(-1.2, 1.2, 241)
    x = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    signed, gross = np.abs(lines.mollified(x, eps)), lines.absolute().mollified(x, eps)
    figure, axes = style.figure(6.4, 3.7, ncols=2, sharey=True)
    titles = (r"$|\Delta f_\epsilon|$", r"$|\Delta f|$, smoothed")
    for ax, values, title in zip(axes, (signed, gross), titles, strict=True):
        ax.pcolormesh(
            side, side, values.reshape(len(side), -1), cmap="Greys", vmin=0, vmax=1.3 * gross.max()
        )
        ax.set(aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1], title=title)
        ax.grid(False)
    figure.supxlabel(f"lost at the crossings: {100 * (1 - signed.sum() / gross.sum()):.1f} %")
    return figure


def saddle_slider() -> PictureSlider:
    """Smooth the Laplacian of 96 creases that make a saddle: it vanishes, the norm does not."""
    return PictureSlider(
        _smoothed_saddle,
        [0.01, 0.02, 0.04, 0.06, 0.08, 0.11, 0.15],
        name="smoothing",
        between="log",
        dpi=_DPI,
        alt="Left, creases on a disc, fading as they are smoothed; right, one bar falls, two stay",
    )


@cache
def _coarse_saddle() -> ShallowReLU:
    return saddle(8, 12)


def _smoothed_saddle(eps: float) -> Figure:
    net, nodes = _coarse_saddle(), 240
    axis = (np.arange(nodes) + 0.5) * 2 / nodes - 1
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    inside = (x**2).sum(axis=1) < 1
    density = np.zeros(len(x))
    density[inside] = np.abs(laplacian(net).mollified(x[inside], eps))
    seen = float(density[inside] @ _disc_rho(nodes)) * (2 / nodes) ** 2
    weight = IsotropicWeight(uniform_disc())
    figure, (left, right) = style.figure(6.6, 3.7, ncols=2, width_ratios=[1.5, 1])
    left.pcolormesh(axis, axis, density.reshape(nodes, -1), cmap="Greys", vmin=0, vmax=2)
    turn = np.linspace(0, 2 * np.pi, 121)
    left.plot(np.cos(turn), np.sin(turn), color=style.QUIET, linewidth=1)
    left.set(aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    left.set_title(r"$|\Delta f_\epsilon|$ on the disc")
    left.grid(False)
    bars = (seen, stability_norm(net, weight), saddle_norm(weight)[1])
    right.bar([0, 1, 2], bars, color=[style.OTHER["color"], style.BOUND["color"], style.QUIET])
    for place, value in enumerate(bars):
        right.text(place, value + 0.004, f"{value:.3f}", ha="center", fontsize=12)
    right.set_xticks([0, 1, 2], [r"$\int|\Delta f_\epsilon|\rho$", "norm", "least"], fontsize=12)
    right.set(ylim=(0, 0.25), yticks=[])
    right.grid(False)
    return figure


@cache
def _disc_rho(nodes: int) -> np.ndarray:
    axis = (np.arange(nodes) + 0.5) * 2 / nodes - 1
    r = np.linalg.norm(np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2), axis=1)
    return isotropic(r[r < 1], uniform_disc())


def saddles() -> str:
    """Two networks that make the same saddle on the disc: neurons, largest error, norm."""
    weight = IsotropicWeight(uniform_disc())
    rows = ["network           neurons   largest error   norm"]
    for name, net in (("all directions", saddle()), ("two directions", two_ridges())):
        norm = stability_norm(net, weight)
        rows.append(f"{name:16} {net.k:8,} {saddle_error(net):15.1e} {norm:9.4f}")
    dense, least = saddle_norm(weight)
    rows.append(f"4 int g = {dense:.4f}, pi int g = {least:.4f}")
    return "\n".join(rows)
