"""Chapter 09: bounds over all implementations as a waterfall, and what each recovers on many networks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from matplotlib.figure import Figure

from ...anywidth import affine_aware_bound, implementation_free_bound, least_sharpness
from ...bounds import sharpness_lower_bound
from ...curvature import sharpness
from ...findings import Step
from ...flattest import flattest_implementation
from ...network import ShallowReLU
from ...training.table import Shown, Table
from ...waterfall import Level, draw
from ..claims.cases import Case
from ..claims.ch09_width import shares
from ..widgets import PictureSlider
from . import ch09_cloud, style

BOUNDS = ("Lemma 3", "best density", "multiplier", "both")


def _bounds(case: Case) -> dict[str, float]:
    """The four lower bounds, by their names on the slider."""
    values = [
        sharpness_lower_bound(case.net, case.X),
        implementation_free_bound(case.net, case.X).value,
        affine_aware_bound(case.net, case.X, "uniform").value,
        least_sharpness(case.net, case.X).value,
    ]
    return dict(zip(BOUNDS, values, strict=True))


def bounds_slider(case: Case) -> PictureSlider:
    """The way from a network's sharpness down to a lower bound, for a choice of four bounds.

    Args:
        case: a network on data where the least sharpness is known from both sides.
    """
    below = _bounds(case)
    top = sharpness(case.net, case.X)
    flat = flattest_implementation(case.net, case.X).sharpness
    least = least_sharpness(case.net, case.X).upper

    def picture(name: str) -> Figure:
        rows = [
            Level("sharpness", top, style.SHARPNESS["color"], "o"),
            Step("rescaling", top, flat, 0.0, ""),
            Level("flattest rescaling", flat, style.FLATTEST["color"], "s"),
            Step("any width", flat, least, 0.0, ""),
            Level("least sharpness", least, style.OTHER["color"], "D"),
            Step("not seen", least, below[name], 0.0, ""),
            Level("bound", below[name], style.BOUND["color"], "^"),
        ]
        figure, axes = style.figure(6.0, 3.8)
        draw(axes, rows)
        axes.set_xlim(0, 1.12 * top)
        axes.axvline(1, color=style.QUIET, linewidth=1, linestyle=":")
        axes.set_title(f"{name}: {(below[name] - 1) / (least - 1):.0%} of the excess over 1")
        axes.grid(axis="y", visible=False)
        return figure

    return PictureSlider(
        picture,
        BOUNDS,
        name="bound",
        alt="A waterfall from the sharpness of a network down to a lower bound",
    )


def shares_figure(networks: Iterable[Case]) -> Figure:
    """Which share of the excess each bound recovers, a dot per network, with medians.

    Args:
        networks: cases on data where the least sharpness is known from both sides.
    """
    seen = np.array([shares(case.net, case.X) for case in networks])
    figure, axes = style.figure(6.0, 3.6)
    rng = np.random.default_rng(0)
    names = ("Lemma 3", "best density", "multiplier\n(uniform density)", "both")
    for place, values in enumerate(seen.T):
        y = -place + rng.uniform(-0.22, 0.22, len(values))
        axes.plot(values, y, "o", color=style.BOUND["color"], markersize=4.5, alpha=0.55, mew=0)
        middle = float(np.median(values))
        axes.plot([middle] * 2, [-place - 0.34, -place + 0.34], color=style.EDGE["color"], lw=2.5)
        axes.text(1.04, -place, f"{middle:.2f}", color=style.EDGE["color"], va="center")
    axes.text(1.04, 0.62, "median", color=style.EDGE["color"], va="center", fontsize=12)
    axes.set_yticks(range(0, -4, -1), names)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.set(xlim=(-0.03, 1.03), ylim=(-3.5, 0.5), xlabel="share of (least sharpness $-$ 1)")
    return figure


def bounds_table(networks: Iterable[Case], tol: float = 3e-2) -> Shown:
    """The order of all bounds on trained networks.

    Args:
        networks: cases; where pairs are searched for, the search ends at this relative gap.
        tol: of that search.
    """
    rows = []
    for case in networks:
        free = implementation_free_bound(case.net, case.X).value
        least = least_sharpness(case.net, case.X, tol=tol)
        rows.append(
            {
                "network": case.name.replace("step size", "step"),
                "1 + 2 norm": sharpness_lower_bound(case.net, case.X),
                "best density": free,
                "least >=": max(free, least.value),
                "least <=": least.upper,
                "rescaled": flattest_implementation(case.net, case.X).sharpness,
                "sharpness": sharpness(case.net, case.X),
            }
        )
    names = list(rows[0])
    kinds = dict.fromkeys(names, float) | {"network": str}
    return Table(rows, kinds).show(**dict.fromkeys(names[1:], ".1f"))


def cloud(case: Case, count: int = 100) -> Figure:
    """Implementations of one function, drawn at random, above the bounds that hold for all of them.

    Args:
        case: a network on data where the least sharpness is known from both sides.
        count: of implementations, of each kind.
    """
    least = least_sharpness(case.net, case.X)
    levels = {
        "$1+2\\,\\Vert f\\Vert_{\\mathcal{R},g}$": sharpness_lower_bound(case.net, case.X),
        "best density": implementation_free_bound(case.net, case.X).value,
        "least, any width": least.upper,
        "flattest rescaling": flattest_implementation(case.net, case.X).sharpness,
    }
    return ch09_cloud.cloud(case.net, case.X, count, levels=levels)


def ramp(points: Sequence[float], slope: float = 1.0) -> tuple[ShallowReLU, np.ndarray]:
    """f(x) = slope x written with two neurons, and the data.

    Args:
        points: on the line.
        slope: of f.
    """
    return ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [slope, -slope]), np.array(points)[:, None]
