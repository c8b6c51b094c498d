"""Figures of chapter 05: the pyramid, its creases among the lines, and what it costs to come near it."""

from __future__ import annotations

from functools import cache

import numpy as np
from matplotlib.figure import Figure

from ... import palette
from ...norms import stability_norm
from ...radon import pyramid
from ...radon.local import harmonic_spike
from ...weights import EmpiricalWeight, IsotropicWeight
from ..claims.ch05_deep import ends
from ..claims.ch05_fit import bump_norm, fitted
from ..claims.ch05_prop1 import WIDTHS, example, hat
from ..claims.ch05_pyramid import diamond, truncated
from ..widgets import PictureSlider
from . import style
from .ch03 import SIGNED

_DPI = 128


def figure_6() -> Figure:
    """The pyramid as a surface of levels, and its Laplacian on eight edges."""
    figure, (left, right) = style.figure(7.6, 3.7, ncols=2)
    side = np.linspace(-1.3, 1.3, 201)
    x = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    height = pyramid.pyramid(x).reshape(201, 201)
    left.contourf(side, side, height, np.linspace(0, 1, 11), cmap="Purples")
    left.contour(side, side, height, np.linspace(0.1, 0.9, 9), colors="white", linewidths=0.6)
    left.set_title("$p$")
    start, end, c = diamond().creases()
    for a, b, slope in zip(start, end, c, strict=True):
        colour = style.BOUND["color"] if slope > 0 else style.SHARPNESS["color"]
        dash = "-" if slope > 0 else "--"
        right.plot(*np.array([a, b]).T, dash, color=colour, linewidth=2 + abs(slope))
    right.text(0.62, 0.62, r"$+\sqrt{2}$", color=style.BOUND["color"], fontsize=14)
    right.text(0.1, 0.38, r"$-2$", color=style.SHARPNESS["color"], fontsize=14)
    right.set_title(r"$\Delta p$")
    for ax in (left, right):
        ax.set(
            aspect="equal", xlim=(-1.3, 1.3), ylim=(-1.3, 1.3), xticks=[-1, 0, 1], yticks=[-1, 0, 1]
        )
        ax.set(xlabel="$x_1$")
        ax.grid(False)
    return figure


def figure_7() -> Figure:
    """R and (R*)^-1 of the pyramid's Laplacian over the strip, with the curves of the four corners."""
    figure, axes = style.figure(8.2, 3.7, ncols=2, sharey=True)
    angle, b = np.linspace(0, 360, 241) + 0.01, np.linspace(-1.5, 1.5, 241)
    theta = np.radians(angle)
    values = (
        diamond().radon_laplacian(theta[None], b[:, None]) / 4,
        diamond().density(theta[None], b[:, None], 0.02),
    )
    titles = (r"$\mathcal{R}\Delta p$", r"$(\mathcal{R}^*)^{-1}\Delta p$")
    for ax, value, title in zip(axes, values, titles, strict=True):
        shown = np.sign(value) * np.sqrt(np.minimum(np.abs(value), 1.0))
        ax.pcolormesh(angle, b, shown, cmap=SIGNED, vmin=-1, vmax=1, rasterized=True)
        ax.set(xticks=[0, 90, 180, 270, 360], yticks=[-1, 0, 1], title=title)
        ax.set_xlabel("angle of $v$ in degrees")
        ax.grid(False)
    for curve in (np.cos, np.sin):
        for sign in (1, -1):
            axes[1].plot(angle, sign * curve(theta), color=palette.INK, linewidth=0.7, alpha=0.6)
    axes[0].set_ylabel("offset $b$", labelpad=-4)
    axes[1].set(xlim=(0, 360), ylim=(-1.5, 1.5))
    return figure


def divergence_slider() -> PictureSlider:
    """Shrink the strips left out about the curves of the corners, and see the norm bend up."""
    return PictureSlider(
        _diverging,
        [2, 3, 4, 5, 6, 7, 8],
        name="digits of eps",
        dpi=_DPI,
        alt="The truncated norm over log(1/eps): dots on a parabola that leave a straight line",
    )


def hat_slider() -> PictureSlider:
    """Make a hat in a gap of the data narrower: its height tends to 0, its norm stays."""
    return PictureSlider(
        _narrowed,
        np.round(0.9 * WIDTHS[:6], 5).tolist(),
        name="share of the gap",
        form="{:.3g}",
        dpi=_DPI,
        alt="Above, a hat between data points that shrinks; below, two bars, of which the second stays",
    )


def spike() -> Figure:
    """The local test function at the corner (1, 0), and the creases that meet there."""
    figure, axes = style.figure(4.6, 4.2)
    side = np.linspace(-0.3, 0.3, 201)
    x = np.array([1.0, 0.0]) + np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    value = harmonic_spike(x, [1.0, 0.0], 0.01).reshape(201, 201)
    shown = np.sign(value) * np.sqrt(np.minimum(np.abs(value), 20) / 20)
    axes.pcolormesh(1 + side, side, shown, cmap=SIGNED, vmin=-1, vmax=1, rasterized=True)
    for end in ((0.0, 1.0), (0.0, -1.0), (0.0, 0.0)):
        dash = "--" if end == (0.0, 0.0) else "-"
        axes.plot([1, end[0]], [0, end[1]], dash, color=palette.INK, linewidth=2)
    axes.set(aspect="equal", xlim=(0.7, 1.3), ylim=(-0.3, 0.3), xlabel="$x_1$")
    axes.set(xticks=[0.8, 1, 1.2], yticks=[-0.2, 0, 0.2])
    axes.grid(False)
    return figure


@cache
def _smoothed(places: int = 6) -> tuple[np.ndarray, np.ndarray]:
    """Norms of smoothed pyramids for normal data, and their L1 distances from the pyramid."""
    eps = np.geomspace(0.3, 1e-3, places)
    norms = [pyramid.mollified_norm(IsotropicWeight(), e, nodes=8) for e in eps]
    # Beside a crease of jump c, |p - p_eps| integrates to |c| eps^2 / 2 per unit of length.
    start, end, c = diamond().creases()
    length = np.linalg.norm(end - start, axis=1)
    return np.array(norms), eps**2 / 2 * float(np.abs(c) @ length)


def error_against_norm() -> Figure:
    """Error over norm: best fits and trained networks, for the pyramid and for the bump."""
    figure, axes = style.figure(7.8, 3.8, ncols=2, sharey=True)
    for ax, name in zip(axes, ("pyramid", "bump"), strict=True):
        rows = fitted(name)
        best = sorted((r for r in rows if r["kind"] == "convex"), key=lambda r: r["norm"])
        runs = [r for r in rows if r["kind"] == "descent"]
        norm = [r["norm"] for r in best]
        ax.plot(norm, [r["l1"] for r in best], **style.FLATTEST, label="best ridges")
        ax.plot(norm, [r["dual"] for r in best], ":", color=style.FLATTEST["color"], label="bound")
        trained = {"color": style.SHARPNESS["color"], "label": "trained"}
        ax.plot([r["norm"] for r in runs], [r["l1"] for r in runs], "o", **trained)
        ax.set(yscale="log", xlabel=r"stability norm", title=name, xlim=(0, 3.6), ylim=(1e-5, 0.3))
    axes[0].set_ylabel("mean error")
    axes[1].legend(loc="lower left", fontsize=11)
    return figure


def descents() -> str:
    """Trained networks for the pyramid, the better of two starts: one row per width and step size."""
    rows = [row for row in fitted("pyramid") if row["kind"] == "descent"]
    lines = [" k  step   mean error  worst   norm  flattest  least  largest step"]
    for k, step in sorted({(row["k"], row["step_size"]) for row in rows}):
        same = [row for row in rows if (row["k"], row["step_size"]) == (k, step)]
        best = min(same, key=lambda row: row["l1"])
        lines.append(
            f"{k:3} {step:5.2f} {best['l1']:11.4f} {best['sup']:7.3f} {best['norm']:6.3f} "
            f"{best['flattest']:9.3f} {best['least']:6.3f} {best['step_size_bound']:13.3f}"
        )
    return "\n".join(lines)


def price_of_nearness() -> Figure:
    """Norms of ever less smoothed pyramids over their distance, beside the finite norm of the bump."""
    norms, distance = _smoothed()
    figure, axes = style.figure(6.0, 3.6)
    axes.plot(distance, norms, **style.BOUND)
    axes.axhline(bump_norm(), color=style.OTHER["color"], linestyle="--", linewidth=2)
    axes.text(2e-5, bump_norm() + 0.35, "the bump itself", color=style.OTHER["color"])
    style.label_end(
        axes, distance, norms, "smoothed pyramids", style.BOUND["color"], at=3, dx=12, dy=-8
    )
    axes.set(xscale="log", xlabel="$L^1$ distance from the pyramid", ylabel="stability norm")
    axes.set_ylim(0, None)
    axes.invert_xaxis()
    return figure


def where_descent_ends() -> Figure:
    """Distance from the pyramid on and off the data, over the size of the perturbation."""
    figure, axes = style.figure(6.0, 3.6)
    sizes = (1e-4, 1e-3, 1e-2)
    for share, look in ((0.5, style.FLATTEST), (0.95, style.BOUND)):
        found = ends(share, sizes)
        axes.plot(sizes, [end.off for end in found], **look)
        axes.plot(sizes, [end.on for end in found], **look | {"linestyle": ":", "mfc": "white"})
    axes.text(1.1e-4, 2e-3, "between the data points", color=style.QUIET)
    axes.text(1.1e-4, 5e-11, "on the data points", color=style.QUIET)
    axes.set(xscale="log", yscale="log", xlabel="perturbation of the parameters", ylim=(1e-14, 0.1))
    axes.set_ylabel("distance from $p$ at the end")
    return figure


def _diverging(digits: int) -> Figure:
    L, norm = truncated()
    figure, axes = style.figure(5.2, 3.8)
    fine = np.linspace(0, 20, 200)
    # The parabola with the exact leading constant through the first and the last of the dots.
    slope = (norm[-1] - norm[0] - pyramid.RATE * (L[-1] ** 2 - L[0] ** 2)) / (L[-1] - L[0])
    rest = norm[0] - pyramid.RATE * L[0] ** 2 - slope * L[0]
    axes.plot(fine, pyramid.RATE * fine**2 + slope * fine + rest, "--", color=style.QUIET, lw=1.4)
    axes.plot(
        fine, norm[0] + (norm[1] - norm[0]) / (L[1] - L[0]) * (fine - L[0]), ":", color=style.QUIET
    )
    shown = np.log(10) * digits + 1e-9 >= L
    axes.plot(L[shown], norm[shown], "o", color=style.BOUND["color"], markersize=9)
    axes.set(xlim=(0, 20), ylim=(0, 720), xlabel=r"$\log(1/\epsilon)$")
    axes.set_title(f"truncated norm {norm[shown][-1]:.1f}")
    return figure


def _narrowed(share: float) -> Figure:
    X, v, low, width = example()
    net = hat(v, low + 0.05 * width, share * width)
    t = np.linspace(low - width, low + 2 * width, 1200)
    value = net(t[:, None] * v)
    norm, limit = stability_norm(net, X), 4 * float(EmpiricalWeight(X).g(v, low + 0.05 * width))
    figure, (top, bottom) = style.figure(5.2, 4.6, nrows=2, height_ratios=[1.3, 1])
    top.plot(t, value, color=style.OTHER["color"], linewidth=2.4)
    z = X @ v
    z = z[(z > t[0]) & (z < t[-1])]
    top.plot(z, np.zeros(len(z)), "o", color=style.DATA["color"], markersize=8, clip_on=False)
    top.set(xlim=(t[0], t[-1]), ylim=(-0.005, 0.5 * width), xlabel="$v\\cdot x$")
    bottom.barh([1, 0], [value.max(), norm], color=[style.OTHER["color"], style.BOUND["color"]])
    bottom.axvline(limit, color=style.QUIET, linestyle="--")
    bottom.set_yticks([1, 0], ["height", "norm"])
    bottom.set(xlim=(0, 1.3))
    bottom.text(limit + 0.01, 0.9, "$4\\,g$", color=style.QUIET)
    return figure
