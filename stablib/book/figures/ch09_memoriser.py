"""Figures of chapter 09 on memorising: one ridge per point, and how many points have room for one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from ... import palette
from ...bounds import sharpness_lower_bound
from ...curvature import sharpness
from ...memorising import extreme_points, memoriser
from ...network import ShallowReLU
from ...training.descent import gradient_descent
from ..claims.ch09_memoriser import circle, memoriser_bound
from . import style

LABELS = (1.5, -1.0, 0.5, 1.0, -2.0, -0.5)  # of the six points, in the order of their angles
_WINDOW = 1.75


def six_points(labels: Sequence[float] = LABELS, step_size: float = 0.2) -> Figure:
    """The memoriser of six points on a circle, beside what gradient descent finds for the same labels.

    Args:
        labels: six numbers.
        step_size: of gradient descent.
    """
    X, y = circle(6), np.array(labels)
    flat = memoriser(X, y)
    found = gradient_descent(ShallowReLU.initial(2, 12, scale=3.0, seed=0), X, y, step_size).net
    figure, panels = style.figure(6.0, 5.6, nrows=2, ncols=2, height_ratios=[1.5, 1])
    top = max(1.0, np.abs(y).max())
    for axes, net, title in zip(panels[0], (flat, found), ("memoriser", "descent"), strict=True):
        _surface(axes, net, X, y, top)
        axes.set_title(title)
    for axes in panels[1]:
        axes.remove()
    _bars(figure.add_subplot(panels[0, 0].get_gridspec()[1, :]), flat, found, X, y)
    return figure


def _surface(axes: Axes, net: ShallowReLU, X: np.ndarray, y: np.ndarray, top: float) -> None:
    """The function as contours, its lines, and the points with their labels."""
    side = np.linspace(-_WINDOW, _WINDOW, 161)
    grid = np.stack(np.meshgrid(side, side), axis=-1)
    values = net(grid.reshape(-1, 2)).reshape(161, 161)
    levels = np.linspace(-1.6 * top, 1.6 * top, 17)
    axes.contourf(side, side, values, levels, cmap="PuOr_r", extend="both")
    _, v, b = net.ridges()
    along = np.stack([-v[:, 1], v[:, 0]], axis=1)
    for normal, offset, direction in zip(v, b, along, strict=True):
        ends = np.array([offset * normal - 9 * direction, offset * normal + 9 * direction])
        axes.plot(*ends.T, color=palette.INK, linewidth=1.1)
    axes.scatter(*X.T, s=60, color=palette.INK, edgecolor="white", linewidth=1.2, zorder=3)
    for x, label in zip(X, y, strict=True):
        text = axes.annotate(
            f"{label:+g}".replace("-", "−"),
            1.36 * x,
            ha="center",
            va="center",
            fontsize=12,
            weight="bold",
            color="white",
        )
        text.set_path_effects([withStroke(linewidth=2.5, foreground=palette.INK)])
    axes.set(aspect="equal", xlim=(-_WINDOW, _WINDOW), ylim=(-_WINDOW, _WINDOW))
    axes.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1])
    axes.grid(False)


def _bars(axes: Axes, flat: ShallowReLU, found: ShallowReLU, X: np.ndarray, y: np.ndarray) -> None:
    """Sharpness of both, with what bounds the memoriser's from above and below."""
    rows = [
        ("descent", sharpness(found, X, y), style.SHARPNESS["color"]),
        ("bound of the memoriser", memoriser_bound(X, y), style.QUIET),
        ("memoriser", sharpness(flat, X, y), style.SHARPNESS["color"]),
        (
            r"its $1+2\,\Vert f\Vert_{\mathcal{R},g}$",
            sharpness_lower_bound(flat, X),
            style.BOUND["color"],
        ),
    ]
    for place, (name, length, colour) in zip(range(len(rows))[::-1], rows, strict=True):
        axes.barh(place, length, height=0.62, color=colour)
        axes.annotate(
            f"{length:.2f}  {name}",
            (length, place),
            xytext=(4, 0),
            textcoords="offset points",
            va="center",
            fontsize=13,
        )
    axes.set(yticks=[], xlabel="sharpness", xlim=(0, 1.5 * max(length for _, length, _ in rows)))
    axes.xaxis.label.set_size(13)
    axes.tick_params(labelsize=13)
    axes.spines[["top", "right", "left"]].set_visible(False)


def extreme_share(dimensions: Sequence[int] = (2, 5, 10, 20), repeats: int = 3) -> Figure:
    """How many Gaussian points are extreme, and how sharp the memoriser is where all of them are.

    Args:
        dimensions: of the points; the memoriser is built in the last.
        repeats: data sets per size, of which the mean is drawn.
    """
    sizes = np.array([4, 8, 16, 32, 64, 128, 256, 512])
    figure, (above, below) = style.figure(6.0, 5.6, nrows=2, sharex=True)
    colours = [
        style.EDGE["color"],
        style.SHARPNESS["color"],
        style.OTHER["color"],
        style.FLATTEST["color"],
    ]
    for d, colour, dash in zip(dimensions, colours, ("-", "--", "-.", ":"), strict=False):
        share = [
            np.mean([extreme_points(_points(n, d, seed)).mean() for seed in range(repeats)])
            for n in sizes
        ]
        above.plot(sizes, share, marker="o", color=colour, linestyle=dash, linewidth=2.2)
        style.label_end(above, sizes, np.array(share), f"$d={d}$", colour)
    d = dimensions[-1]
    sharp, bound = [], []
    for n in sizes:
        X, y = _points(n, d, 0), np.random.default_rng([n, d]).normal(size=n)
        sharp.append(sharpness(memoriser(X, y), X) - 1)
        bound.append(memoriser_bound(X, y) - 1)
    below.plot(sizes, bound, color=style.QUIET, linewidth=1.6, linestyle="--")
    below.plot(sizes, sharp, **style.SHARPNESS)
    style.label_end(below, sizes, np.array(bound), "bound", style.QUIET, at=4, dy=12)
    style.label_end(
        below, sizes, np.array(sharp), "memoriser", style.SHARPNESS["color"], at=3, dx=-92, dy=-12
    )
    above.set(ylim=(0, 1.08), ylabel="share of extreme points")
    below.set(xscale="log", yscale="log", xlabel="number of points $n$")
    below.set_ylabel(f"sharpness $-$ 1,  $d={d}$")
    below.set_xticks(sizes, [str(n) for n in sizes])
    below.set_yticks([0.01, 0.1, 1], ["0.01", "0.1", "1"])
    below.minorticks_off()
    return figure


def _points(n: int, d: int, seed: int) -> np.ndarray:
    return np.random.default_rng([seed, n, d]).normal(size=(n, d))
