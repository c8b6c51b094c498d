"""Figures of chapter 01: three notions of stability on a parabola made of sample parabolas."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import palette
from ..moments import Linearised
from ..widgets import PictureSlider
from . import style

MEAN_SQUARE = {"color": palette.OTHER, "linestyle": "-", "linewidth": 2.2}
MEAN = {"color": palette.INK, "linestyle": "--", "linewidth": 2.2}
ALMOST_SURE = {"color": palette.FURTHER, "linestyle": ":", "linewidth": 3.0}

_LAMPS = (("mean square", MEAN_SQUARE), ("mean", MEAN), ("almost surely", ALMOST_SURE))
_FLOOR, _TOP = 1e-7, 1e7  # what the picture of the paths shows
_STEPS = 30


def rates(curvatures: tuple[float, ...], step_size: float) -> tuple[float, float, float]:
    """Growth per step of the distance: root mean square, mean, and along almost every path.

    Args:
        curvatures: h of the sample losses h theta^2/2, of which one is drawn at each step.
        step_size: eta.

    Example:
        >>> [round(rate, 6) for rate in rates((1.0, 3.0), 1.2)]
        [1.843909, 1.4, 0.72111]
    """
    dynamics = Linearised.scalar(curvatures)
    square, mean, typical = (dynamics.moment_growth(power, step_size, 1) for power in (2, 1, 0))
    return square**0.5, mean, typical


def step_size_slider(curvatures: tuple[float, ...], step_sizes: list[float]) -> PictureSlider:
    """A slider over step sizes: paths of SGD on the sample parabolas, and which lamps are lit."""
    return PictureSlider(
        lambda eta: paths(curvatures, eta),
        step_sizes,
        name="step size",
        between=True,
        alt="Left, two sample parabolas and their mean; right, the distance of forty paths of SGD and its "
        "three averages over the steps, with a lamp for each notion of stability",
    )


def paths(curvatures: tuple[float, ...], step_size: float, seed: int = 2) -> Figure:
    """Sample parabolas with one path of SGD, many paths on a logarithmic scale, and three lamps.

    Args:
        curvatures: h of every sample.
        step_size: eta.
        seed: of the paths; the same draws of samples at every step size.
    """
    figure, (left, right) = style.figure(7.4, 3.9, ncols=2, width_ratios=[1, 1.75])
    drawn = np.random.default_rng(seed).choice(curvatures, size=(_STEPS, 40))
    factors = np.cumprod(1 - step_size * drawn, axis=0)
    theta = np.vstack([np.ones(40), factors])
    _parabolas(left, curvatures, theta[:7, 0], top=9)
    right.plot(
        np.clip(np.abs(theta), _FLOOR / 10, None), color=palette.GREY, linewidth=0.7, alpha=0.7
    )
    right.axhline(1, color=style.QUIET, linewidth=1.0)
    steps = np.arange(_STEPS + 1)
    grown = rates(curvatures, step_size)
    for place, ((name, look), rate) in enumerate(zip(_LAMPS, grown, strict=True)):
        right.plot(steps, np.clip(rate**steps, _FLOOR / 10, None), **look)
        _lamp(right, -0.46 + 0.5 * place, name, rate <= 1 + 1e-12, look["color"])
    right.set_yscale("log")
    right.set(xlim=(0, _STEPS), ylim=(_FLOOR, _TOP), xlabel="step", ylabel=r"$|\theta_t|$")
    right.set_yticks([1e-6, 1e-3, 1, 1e3, 1e6])
    right.minorticks_off()
    return figure


def _parabolas(axes: Axes, curvatures: tuple[float, ...], theta: np.ndarray, top: float) -> None:
    """Every sample's parabola, their mean, and the first steps of a path on the mean."""
    reach = 2.2
    side = np.linspace(-reach, reach, 81)
    for h in curvatures:
        axes.plot(side, h * side**2 / 2, color=style.QUIET, linewidth=1.2, linestyle="--")
    mean = float(np.mean(curvatures))
    axes.plot(side, mean * side**2 / 2, color=style.EDGE["color"], linewidth=2.0)
    axes.plot(theta, mean * theta**2 / 2, "o-", color=palette.INK, linewidth=0.9, markersize=4.5)
    for h, name, color in (
        (max(curvatures), f"$h={max(curvatures):g}$", style.QUIET),
        (mean, "mean", style.EDGE["color"]),
        (min(curvatures), f"$h={min(curvatures):g}$", style.QUIET),
    ):
        axes.annotate(
            name,
            (reach, h * reach**2 / 2),
            xytext=(3, 0),
            textcoords="offset points",
            color=color,
            fontsize=12,
            va="center",
            annotation_clip=False,
        )
    axes.set(xlim=(-reach, reach), ylim=(-top / 30, top), xlabel=r"$\theta$", ylabel="loss")
    axes.set_yticks([0, 2, 4] if top < 8 else [0, 4, 8])


def _lamp(axes: Axes, x: float, name: str, lit: bool, color: str) -> None:
    """A lamp above the axes: filled and named stable, or hollow and named unstable."""
    axes.plot(
        [x], [1.14], "o", transform=axes.transAxes, clip_on=False, markersize=13,
        markerfacecolor=color if lit else "white", markeredgecolor=color, markeredgewidth=1.8,
    )  # fmt: skip
    axes.annotate(
        f"{name}\n{'stable' if lit else 'unstable'}",
        (x, 1.14),
        xycoords="axes fraction",
        xytext=(11, 0),
        textcoords="offset points",
        va="center",
        fontsize=11.5,
        color=color,
    )


def difference_slider(step_size: float, differences: list[float]) -> PictureSlider:
    """A slider over the difference of two curvatures 1 - delta and 1 + delta, at one step size."""
    return PictureSlider(
        lambda delta: notions_at_difference(delta, step_size),
        differences,
        name="difference",
        between=True,
        alt="Left, two sample parabolas and their mean; right, the three thresholds over the difference of "
        "the samples, a dot at this difference and step size, and a lamp for each notion of stability",
    )


def notions_at_difference(delta: float, step_size: float, seed: int = 2) -> Figure:
    """Two sample parabolas, and where step size and difference lie among the three thresholds.

    Args:
        delta: the curvatures are 1 - delta and 1 + delta, 0 <= delta < 1.
        step_size: eta.
        seed: of the path of SGD on the left.
    """
    figure, (left, right) = style.figure(7.4, 4.2, ncols=2, width_ratios=[1, 1.75])
    curvatures = (1 - delta, 1 + delta)
    drawn = np.random.default_rng(seed).choice(2, size=6)
    factors = np.cumprod(1 - step_size * np.array(curvatures)[drawn])
    _parabolas(left, curvatures, np.concatenate([[1.0], factors]), top=5)
    _thresholds(right)
    right.axhline(step_size, color=style.QUIET, linewidth=1.0)
    right.axvline(delta, color=style.QUIET, linewidth=1.0)
    right.plot([delta], [step_size], "o", markersize=10, color=palette.INK)
    grown = rates(curvatures, step_size)
    for place, ((name, look), rate) in enumerate(zip(_LAMPS, grown, strict=True)):
        _lamp(right, -0.46 + 0.5 * place, name, rate <= 1 + 1e-12, look["color"])
    return figure


def _thresholds(axes: Axes) -> None:
    """Largest stable step size of each notion for the curvatures 1 - delta and 1 + delta."""
    delta = np.linspace(0, 0.999, 400)
    eta = np.linspace(0.01, 4, 400)
    product = np.abs((1 - eta[:, None] * (1 - delta)) * (1 - eta[:, None] * (1 + delta)))
    axes.contourf(delta, eta, product, [0, 1], colors=[palette.FURTHER_GROUND])
    axes.contour(
        delta, eta, product, [1], colors=[ALMOST_SURE["color"]], linestyles=":", linewidths=2.6
    )
    axes.plot(delta, 2 / (1 + delta**2), **MEAN_SQUARE)
    axes.plot(delta, np.minimum(2, 1 / np.maximum(delta, 0.5)), **MEAN)
    axes.axhline(2, **style.EDGE)
    for x, y, text, look in (
        (0.02, 2.17, r"$2/\lambda_{\max}$", style.EDGE),
        (0.1, 3.1, "almost surely", ALMOST_SURE),
        (0.84, 1.62, "mean", MEAN),
        (0.06, 1.2, "mean square", MEAN_SQUARE),
    ):
        axes.text(x, y, text, color=look["color"], fontsize=13)
    axes.set(xlim=(0, 1), ylim=(0, 4), yticks=[0, 1, 2, 3, 4])
    axes.set(xlabel=r"difference $\delta$, for $h = 1 \pm \delta$", ylabel=r"step size $\eta$")
