"""Figures of chapter 09 on noise: what descent does with it on a line and in many dimensions."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ...bounds import max_stability_norm
from ..claims.ch09_shattering import (
    SIZES,
    STEP_SIZES,
    ball_weight,
    fit,
    growing,
    norms_of_noise,
)
from ..widgets import PictureSlider
from . import style

DIMENSIONS = (1, 2, 5, 10, 20)


def noise_slider() -> PictureSlider:
    """More dimensions: the loss vanishes, and the ridges that fit the noise see few points each."""
    return PictureSlider(
        _noise,
        DIMENSIONS,
        name="dimension",
        dpi=110,
        alt="Neurons as dots over offset and activity; bars of loss, error and norm",
    )


def _noise(d: int) -> Figure:
    run = fit(d, STEP_SIZES[1])
    figure, (left, right) = style.figure(7.2, 4.0, ncols=2, width_ratios=[1.5, 1])
    a, b, share = run.ridges
    size = np.abs(a) / np.abs(a).max()
    left.scatter(b, share, s=4 + 120 * size, color=style.FLATTEST["color"], alpha=0.5, linewidth=0)
    left.set(xlim=(-1.6, 1.6), ylim=(-0.03, 1.03), xlabel="offset $b$")
    left.set_ylabel("share of points that fire")
    left.set_title("neurons, larger if steeper")
    rows = [
        ("loss left", run.loss / run.start, style.SHARPNESS["color"]),
        ("error on new points", run.error, style.EDGE["color"]),
        ("norm, of what is allowed", run.norm / (1 / run.step_size - 0.5), style.BOUND["color"]),
    ]
    for place, (name, length, colour) in zip((2, 1, 0), rows, strict=True):
        shown = min(length, 1.25)
        right.barh(place, shown, height=0.45, color=colour)
        right.text(0.02, place + 0.36, f"{name}: {length:.2g}", fontsize=12)
    right.set(xlim=(0, 1.25), ylim=(-0.5, 2.8), yticks=[], xticks=[0, 0.5, 1])
    right.grid(False)
    right.spines["left"].set_visible(False)
    return figure


def norm_of_noise() -> Figure:
    """Over the number of points: the least norm of noise on a line, and what training leaves of it."""
    figure, (left, right) = style.figure(7.8, 4.0, ncols=2)
    sizes = np.array([10, 20, 50, 100, 200, 400, 800])
    norms = norms_of_noise(sizes)
    left.plot(sizes, norms, **style.BOUND)
    left.plot(sizes, norms[-1] * (sizes / sizes[-1]) ** 2, "--", color=style.QUIET)
    left.text(300, 900, "$n^2$", color=style.QUIET)
    for step_size in STEP_SIZES:
        left.axhline(1 / step_size - 0.5, color=style.EDGE["color"], linestyle=":")
        left.text(
            790, 1.2 / step_size, rf"$\eta = {step_size}$", color=style.EDGE["color"], ha="right"
        )
    left.set(xscale="log", yscale="log", xlabel="points $n$", ylabel="least stability norm")
    left.set_xticks([10, 50, 200, 800], ["10", "50", "200", "800"])
    left.minorticks_off()
    for d, look, error, name in (
        (1, style.SHARPNESS, (2, 8, 6), "line"),
        (10, style.FLATTEST, (1, 0, 14), "$d = 10$"),
    ):
        found = growing(d)
        right.plot(SIZES, found.left, **look)
        right.plot(SIZES, found.error, color=look["color"], linestyle=":", linewidth=2.2)
        at, dx, dy = error
        style.label_end(
            right, SIZES, found.error, f"error, {name}", look["color"], at=at, dx=dx, dy=dy
        )
        lift = {"at": 2, "dx": -84, "dy": 16} if d == 1 else {"at": 2, "dx": 0, "dy": 12}
        style.label_end(right, SIZES, found.left, f"loss left, {name}", look["color"], **lift)
    right.set(xscale="log", ylim=(-0.08, 1.5), xlabel="points $n$", ylabel="share of the noise")
    right.set_xticks(SIZES, [str(n) for n in SIZES])
    right.minorticks_off()
    return figure


def most_points(step_size: float) -> int:
    """The largest number of points whose noise a stable network on a line can fit, in the mean over draws.

    Args:
        step_size: eta.
    """
    sizes = np.arange(5, 61)
    return int(sizes[norms_of_noise(sizes) <= max_stability_norm(step_size)].max())


def cheaper(d: int) -> float:
    """How many times cheaper a ridge at half the radius of the unit ball is than one at its centre.

    Args:
        d: dimension.
    """
    g = ball_weight(d).g(np.eye(1, d)[0], np.array([0.0, 0.5]))
    return float(g[0] / g[1])


def noise_table() -> str:
    """What training leaves, by dimension and step size."""
    lines = ["  d  step    loss / start  error    norm  allowed  activity"]
    for d in DIMENSIONS:
        for step_size in STEP_SIZES:
            r = fit(d, step_size)
            loss = f"{r.loss / r.start:12.3f}" if r.reason != "tolerance" else f"{'below 1e-5':>12}"
            lines.append(
                f"{d:3} {step_size:5.2f}  {loss} {r.error:7.2f} {r.norm:7.2f} {1 / step_size - 0.5:7.1f}"
                f" {r.activity:9.2f}"
            )
    return "\n".join(lines)
