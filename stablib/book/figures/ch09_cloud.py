"""Figure of chapter 09: one function, hundreds of its implementations, and how flat each kind can get."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ... import checks
from ...curvature import sharpness
from ...equivalents import equivalent_implementation
from ...flattest import flattest_implementation
from ...network import ShallowReLU
from . import style

KINDS = {
    "rescaled": {"split": False, "turned": False, "padded": False},
    "split": {"turned": False, "padded": False},
    "turned": {"split": False, "padded": False},
    "all": {},
}
_LINE = 0.062  # height of a line of a name, as a share of the axes'


class Cloud(NamedTuple):
    """Sharpness of implementations of one kind, (count,), and of their flattest rescalings, (count,)."""

    drawn: np.ndarray
    flattest: np.ndarray


def sample(
    net: ShallowReLU, X: Any, count: int = 150, *, spread: float = 0.6, seed: int = 0
) -> dict[str, Cloud]:
    """Random implementations of a network's function, by kind.

    Args:
        net: the network.
        X: data points, shape (n, d).
        count: how many of each kind.
        spread: of the rescaling, which every kind goes through.
        seed: equal seeds give equal samples.

    Raises:
        ValueError: if an argument does not fit.
    """
    rng = checks.generator(checks.count(seed, "seed", minimum=0))
    count = checks.count(count, "count")
    found = {}
    for name, steps in KINDS.items():
        others = [
            equivalent_implementation(net, seed=rng, spread=spread, **steps) for _ in range(count)
        ]
        found[name] = Cloud(
            np.array([sharpness(other, X) for other in others]),
            np.array([flattest_implementation(other, X).sharpness for other in others]),
        )
    return found


def cloud(
    net: ShallowReLU,
    X: Any,
    count: int = 150,
    *,
    levels: Mapping[str, float],
    spread: float = 0.6,
    seed: int = 0,
) -> Figure:
    """The sharpness of many implementations of one function, each next to its flattest rescaling.

    Args:
        net: the network.
        X: data points, shape (n, d).
        count: how many implementations of each of the four kinds.
        levels: lines to draw, by name (which may have two lines). Names with "flattest" or "least" in them
            are of networks, and dashed in their colour; the others are of bounds.
        spread: standard deviation of the logarithms of the rescaling.
        seed: of the sample.
    """
    found = sample(net, X, count, spread=spread, seed=seed)
    figure, axes = style.figure(6.4, 4.6)
    rng = np.random.default_rng(1)
    for place, seen in enumerate(found.values()):
        for values, look, side in (
            (seen.drawn, style.SHARPNESS, -0.2),
            (seen.flattest, style.FLATTEST, 0.2),
        ):
            axes.plot(
                place + side + rng.uniform(-0.15, 0.15, count),
                values,
                linestyle="",
                marker=look["marker"],
                color=look["color"],
                markersize=3.5,
                markeredgewidth=0,
                alpha=0.55,
            )
    everything = np.concatenate([*(np.concatenate(seen) for seen in found.values())])
    low, high = min([*levels.values(), everything.min()]), everything.max()
    axes.set_yscale("log")
    axes.set(ylim=(low * (high / low) ** -0.06, high * (high / low) ** 0.08), xlim=(-0.5, 3.5))
    axes.set_xticks(range(len(found)), list(found))
    axes.tick_params(axis="x", length=0)
    axes.grid(axis="x", visible=False)
    axes.set_ylabel("sharpness")
    for x, text, look in (
        (0.0, "\u25cf as drawn", style.SHARPNESS),
        (0.32, "\u25a0 its flattest rescaling", style.FLATTEST),
    ):
        axes.text(x, 1.03, text, color=look["color"], fontsize=12, transform=axes.transAxes)
    _lines(axes, levels)
    return figure


def _lines(axes: Axes, levels: Mapping[str, float]) -> None:
    """A line for each level, its name beside its end, and names apart where lines are not."""
    names = sorted(levels, key=levels.__getitem__)
    low, high = np.log(axes.get_ylim())
    share = (np.log([levels[name] for name in names]) - low) / (high - low)
    sizes = _LINE * (1 + np.array([name.count("\n") for name in names]))
    for name, at, spot in zip(names, share, _apart(share, sizes), strict=True):
        # Dashes over a full line: two levels that coincide are both seen.
        attained = "flattest" in name or "least" in name
        color = (style.FLATTEST if attained else style.BOUND)["color"]
        axes.axhline(
            levels[name],
            color=color,
            linestyle=(0, (4, 2.5)) if attained else "-",
            linewidth=1.8,
            zorder=2.2 if attained else 2.1,
        )
        beside = {"color": color, "transform": axes.transAxes, "clip_on": False}
        axes.plot([1.0, 1.035], [at, spot], linewidth=0.9, **beside)
        axes.text(1.045, spot, name, fontsize=12, va="center", linespacing=1.0, **beside)


def _apart(places: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Where names of these sizes, (m,), fit in a row between 0 and 1 nearest to sorted places, (m,)."""
    step = np.cumsum(sizes) - sizes[:1] / 2 - sizes / 2
    # With the steps taken off, "apart" is "increasing": pool neighbours that are not.
    pools: list[list[float]] = []
    for value in places - step:
        pools.append([value])
        while len(pools) > 1 and np.mean(pools[-2]) > np.mean(pools[-1]):
            pools[-2:] = [pools[-2] + pools[-1]]
    loose = np.array([np.mean(pool) for pool in pools for _ in pool])
    return np.clip(loose, 0.0, max(0.0, 1.0 - step[-1])) + step if len(step) else step
