"""Figures of chapter 03: the density rho, lines over it, and a network's creases."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from ... import palette
from ...norms import stability_norm
from ...radon.density import empirical, smoothed_weight
from ...radon.measures import laplacian
from ...radon.primal import line_integrals, primal_norm
from ...weights import EmpiricalWeight
from ..claims.ch03_norm import at_a_jump, fitted
from ..widgets import PictureSlider
from . import style

EPS = 0.06  # width to which rho is smoothed in pictures
_REACH = 2.2  # half the side of the window that is shown
_NODES = 161
_DPI = 100
# White is zero, purple positive (where a crease costs), orange negative; the ends are kept readable.
SIGNED = LinearSegmentedColormap.from_list("signed", palette.SIGNED)
PRICES = LinearSegmentedColormap.from_list("prices", palette.SIGNED[2:])
LINE = palette.OTHER


def turning_line() -> PictureSlider:
    """Turn a line over the map of rho: its running integral ends at the height g of the line."""
    return PictureSlider(
        _turned,
        np.arange(0, 180, 15).tolist(),
        name="angle of v",
        between=True,
        form="{:g}°",
        start=10,
        dpi=_DPI,
        alt="Above, a line over the map of rho; below, the integral along it rises and falls to the level of "
        "a dot on the curve of g",
    )


def directions() -> PictureSlider:
    """Build rho from g: more and more directions, each smeared along its lines."""
    return PictureSlider(
        _from_directions,
        [1, 2, 3, 5, 10, 20, 60, 360],
        name="directions",
        dpi=_DPI,
        start=3,
        alt="The map of rho made of a number of directions: few give a star of stripes, many the map",
    )


def moving_knot() -> PictureSlider:
    """Move one crease over the map of rho, and see what it costs."""
    return PictureSlider(
        _moved,
        np.linspace(-1.5, 1.5, 11).round(2).tolist(),
        name="offset b",
        between=True,
        dpi=_DPI,
        start=4,
        alt="Above, one crease over the map of rho; below, its price over the offset, with a dot",
    )


def figure_2() -> Figure:
    """A fitted network, its absolute Laplacian and rho, side by side."""
    net, X, *_ = fitted()
    lines = laplacian(net)
    figure, axes = style.figure(9.6, 3.5, ncols=3)
    side, x = _window()
    height = net(x).reshape(len(side), -1)
    top = np.abs(height).max()
    axes[0].contourf(side, side, height, np.linspace(-top, top, 17), cmap="PuOr_r", alpha=0.6)
    axes[0].set_title("(a)  $f$")
    most = np.abs(lines.a).max()
    for a, v, b in sorted(zip(np.abs(lines.a), lines.v, lines.b, strict=True), key=lambda h: h[0]):
        _line(axes[1], v, b, color=_grey(a / most), linewidth=1 + 3 * a / most)
    axes[1].set_title(r"(b)  $|\Delta f|$")
    _map(axes[2], X)
    axes[2].set_title(r"(c)  $\rho_\epsilon$")
    for ax in axes:
        _frame(ax, X)
        ax.set_ylabel("")
    return figure


def costs() -> np.ndarray:
    """What the creases of the fitted network cost, |a| g, the dearest first."""
    net, X, *_ = fitted()
    lines = laplacian(net)
    return np.sort(np.abs(lines.a) * EmpiricalWeight(X).g(lines.v, lines.b))[::-1]


def sum_of_lines(eps: float = 0.03) -> str:
    """The dearest creases, one row each: slope, line integral of rho_eps, and price g; and the sums."""
    net, X, *_ = fitted()
    lines = laplacian(net)
    slope, g = np.abs(lines.a), EmpiricalWeight(X).g(lines.v, lines.b)
    centre = X.mean(axis=0)
    along = line_integrals(
        lambda x: empirical(X, x + centre, eps),
        lines.v,
        lines.b - lines.v @ centre,
        reach=30,
        nodes=140,
    )
    rows = ["slope   integral of rho   product   price g   slope g"]
    for h in np.argsort(-slope * g)[:6]:
        a, found, price = slope[h], along[h], g[h]
        rows.append(f"{a:5.3f} {found:17.4f} {a * found:9.4f} {price:9.4f} {a * price:9.4f}")
    total = f"sums over all {len(g)} creases:"
    rows.append(f"{total:23} {slope @ along:9.4f} {slope @ g:19.4f}")
    return "\n".join(rows)


def nobody_sees_it() -> Figure:
    """The most negative place of rho, and the integrals over all lines through it."""
    X = fitted().X
    side, rho, worst = _window()[0], _density(), _most_negative()
    figure, (left, right) = style.figure(7.6, 3.6, ncols=2, width_ratios=[1, 1.15])
    _map(left, X)
    left.contour(side, side, rho.reshape(len(side), -1), [0], colors=style.QUIET, linewidths=0.7)
    turns = np.linspace(0, 180, 91)
    v = _normal(turns)
    for k in range(0, 90, 15):
        _line(left, v[k], v[k] @ worst, color=LINE, linewidth=1.0)
    left.plot(*worst, "x", color=palette.INK, markersize=9, markeredgewidth=2)
    _frame(left, X)
    left.set_title(rf"$\rho_\epsilon$ = {rho.min():.2f} at the cross")
    right.plot(turns, smoothed_weight(X, v, v @ worst, EPS), color=style.BOUND["color"], lw=2.2)
    right.axhline(0, color=style.QUIET, linewidth=1)
    right.set(xlabel="angle of $v$ in degrees", xticks=[0, 45, 90, 135, 180])
    right.set_title("integral along the line through it")
    right.set_ylim(bottom=-0.01)
    return figure


def limit() -> Figure:
    """The primal integral over the norm as smoothing ends: lines clear of the data, and one on a point."""
    net, X, *_ = fitted()
    eps = np.geomspace(1e-3, 0.5, 40)
    lines, norm = laplacian(net), stability_norm(net, X)
    figure, axes = style.figure(6.4, 3.4)
    clear = [np.abs(lines.a) @ smoothed_weight(X, lines.v, lines.b, e) / norm for e in eps]
    axes.plot(eps, clear, color=style.BOUND["color"], linewidth=2.2)
    some = [0.5, 0.2, 0.1, 0.05, 0.03]
    found = [primal_norm(net, X, e) / norm for e in some]
    axes.plot(some, found, "o", mfc="white", mec=style.BOUND["color"], mew=2)
    jump = [at_a_jump(e)[2] / at_a_jump(e)[0] for e in eps]
    axes.plot(eps, jump, color=style.OTHER["color"], linewidth=2.2, linestyle="--")
    axes.axhline(1, color=style.QUIET, linewidth=1)
    axes.set(xscale="log", xlabel=r"smoothing $\epsilon$", ylim=(0, 1.35))
    axes.set_ylabel(r"$\int|\Delta f|\,\rho_\epsilon$ / norm")
    axes.text(1.2e-3, 1.05, "no line on a data point", color=style.BOUND["color"])
    axes.text(1.2e-3, 0.77, "a line on a data point", color=style.OTHER["color"])
    return figure


def _window() -> tuple[np.ndarray, np.ndarray]:
    side = np.linspace(-_REACH, _REACH, _NODES)
    return side, np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)


@cache
def _density(angles: int | None = None) -> np.ndarray:
    return empirical(fitted().X, _window()[1], EPS, angles=angles)


def _most_negative() -> np.ndarray:
    return _window()[1][np.argmin(_density())]


def _normal(degrees: Any) -> np.ndarray:
    turn = np.radians(degrees)
    return np.stack([np.cos(turn), np.sin(turn)], axis=-1)


def _line(axes: Axes, v: np.ndarray, b: float, **look: Any) -> None:
    along = 9 * np.array([-v[1], v[0]])
    axes.plot(*np.array([b * v - along, b * v + along]).T, **look)


def _grey(share: float) -> tuple[float, float, float]:
    """From light to dark as the share goes from 0 to 1."""
    return tuple(0.86 - share * (0.86 - np.array([0.11, 0.17, 0.19])))


def _map(axes: Axes, X: np.ndarray, angles: int | None = None) -> Any:
    rho = _density(angles).reshape(_NODES, _NODES)
    rho = np.sign(rho) * np.sqrt(np.abs(rho))  # else the peak hides the negative parts
    top = np.sqrt(_density().max())
    window = (-_REACH, _REACH, -_REACH, _REACH)
    return axes.imshow(rho, extent=window, origin="lower", cmap=SIGNED, vmin=-top, vmax=top)


def _frame(axes: Axes, X: np.ndarray) -> None:
    axes.scatter(*X.T, s=34, zorder=3, **style.DATA)
    axes.set(aspect="equal", xlim=(-_REACH, _REACH), ylim=(-_REACH, _REACH))
    axes.set(xticks=[-2, 0, 2], yticks=[-2, 0, 2], xlabel="$x_1$")
    axes.set_ylabel("$x_2$", labelpad=-4)
    axes.grid(False)


_FAR = 30.0  # length of the line to either side; beyond it, the density falls like 1 / t^2


def _turned(angle: float) -> Figure:
    X, v = fitted().X, _normal(angle)
    worst = _most_negative()
    b = float(v @ worst)
    figure, axes = style.mosaic("MM;WP", 5.2, 6.2, height_ratios=[1.75, 1], width_ratios=[1.5, 1])
    top, walk, price = axes["M"], axes["W"], axes["P"]
    _map(top, X)
    _line(top, v, b, color=LINE, linewidth=2)
    along = np.array([-v[1], v[0]])
    top.annotate(
        "",
        worst + 1.0 * along,
        worst + 0.6 * along,
        arrowprops={"arrowstyle": "-|>", "color": LINE, "mutation_scale": 26, "lw": 2},
    )
    _frame(top, X)
    t, running = _walk(b * v, along)
    walk.plot(t, running, color=LINE, linewidth=2.2)
    walk.set_xscale("asinh", linear_width=1.0)
    walk.set_xticks([-30, -3, 0, 3, 30], ["-30", "-3", "0", "3", "30"])
    walk.minorticks_off()
    walk.set(xlim=(-_FAR, _FAR), xlabel="way along the line")
    walk.set_title("collected so far", fontsize=13)
    turns, prices = _prices_through(tuple(worst))
    here = float(smoothed_weight(X, v, b, EPS))
    price.plot(turns, prices, color=style.BOUND["color"], linewidth=2.2)
    price.plot([angle], [here], "o", color=LINE, markersize=10, clip_on=False, zorder=3)
    price.set(xlim=(0, 180), xticks=[0, 90, 180], xlabel="angle of $v$")
    price.set_title(f"price $g$ = {here:.3f}", fontsize=13)
    price.tick_params(labelleft=False)
    for ax in (walk, price):
        ax.axhline(here, color=style.BOUND["color"], linestyle="--", linewidth=1.4)
        ax.axhline(0, color=style.QUIET, linewidth=1)
        ax.set_ylim(-0.03, 0.14)
    return figure


def _walk(start: np.ndarray, along: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Ways t along a line, and the integral of the density up to each."""
    t = np.sinh(np.linspace(-np.arcsinh(_FAR), np.arcsinh(_FAR), 241))
    x, rho = start + t[:, None] * along, np.empty(len(t))
    # Far out neighbouring directions lie further apart: more of them are needed.
    for part, angles in ((np.abs(t) <= 5, 480), (np.abs(t) > 5, 2400)):
        rho[part] = empirical(fitted().X, x[part], EPS, angles=angles)
    steps = np.diff(t) * (rho[1:] + rho[:-1]) / 2
    return t, _FAR * rho[0] + np.concatenate([[0.0], np.cumsum(steps)])


@cache
def _prices_through(place: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Angles in degrees, and the smoothed price of the line through a place at each."""
    turns = np.linspace(0, 180, 181)
    v = _normal(turns)
    return turns, smoothed_weight(fitted().X, v, v @ np.array(place), EPS)


def _from_directions(count: int) -> Figure:
    X = fitted().X
    figure, axes = style.figure(4.6, 4.4)
    _map(axes, X, count)
    _frame(axes, X)
    axes.set_title(f"{count} direction{'s' * (count > 1)}")
    return figure


def _moved(b: float) -> Figure:
    X, v = fitted().X, _normal(60.0)
    offsets = np.linspace(-2, 2, 401)
    figure, (top, bottom) = style.figure(5.0, 6.2, nrows=2, height_ratios=[1.6, 1])
    _map(top, X)
    _line(top, v, b, color=LINE, linewidth=2.5)
    _frame(top, X)
    bottom.plot(offsets, EmpiricalWeight(X).g(v, offsets), color=palette.BOUND_LIGHT, linewidth=1.4)
    bottom.plot(offsets, smoothed_weight(X, v, offsets, EPS), color=style.BOUND["color"], lw=2.2)
    for place in X @ v:
        bottom.axvline(place, ymax=0.06, color=style.DATA["color"], linewidth=1.2)
    price = float(smoothed_weight(X, v, b, EPS))
    bottom.plot([b], [price], "o", color=LINE, markersize=10)
    bottom.set(xlim=(-2, 2), ylim=(0, 0.38), xlabel="offset $b$")
    bottom.set_title(rf"price of one unit of slope: {price:.3f}", fontsize=13)
    return figure
