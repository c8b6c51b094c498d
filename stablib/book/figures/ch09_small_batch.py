"""Figure of chapter 09 on small batches: the thresholds of all minima, in units of B*."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.figure import Figure

from ..claims import cases
from ..claims.cases import Case
from ..claims.ch09_small_batch import ceilings
from . import style

# By number of points: the plane's 12, the Gaussian data's 100, the digits' 512.
_FAMILIES = {
    12: ("plane", style.OTHER, range(1, 13)),
    100: ("Gaussian", style.FLATTEST, (1, 2, 3, 4, 6, 8, 11, 16, 23, 32, 45, 64, 100)),
    512: ("digits", style.SHARPNESS, (1, 8, 64)),
}


def threshold_curves(minima: Iterable[Case] | None = None) -> Figure:
    """Thresholds of SGD over 2/lambda, over B/B*, between the curves that are proven for all minima.

    Batches are drawn with replacement, so that q = 1/B, and both ceilings are one curve, min(1, B/B*). The
    other curve is where the largest kappa of these minima would leave the threshold.

    Args:
        minima: with 12, 100 or 512 points; by default the stored ones, of the digits' every third.
    """
    if minima is None:
        minima = [
            *cases.stored("overview"),
            *cases.descended(),
            *cases.stored("fig5")[3::3],
        ]
    figure, axes = style.figure(6.0, 4.4)
    worst, named = 1.0, set()
    for case in minima:
        name, look, sizes = _FAMILIES[len(case.X)]
        rows = ceilings(case, sizes, replacement=True)
        # At B = 1 the ceiling is lambda/trace, that is 1/B*.
        scaled = np.array([row.batch_size for row in rows]) * rows[0].ceiling
        share = np.array([row.share for row in rows])
        thin = {"linewidth": 1.0, "linestyle": "-", "markersize": 4.5, "alpha": 0.85}
        axes.plot(scaled, share, **look | thin)
        worst = max(worst, rows[0].spread)
        named.add(name)
    x = np.geomspace(0.06, 100, 200)
    top, floor = np.minimum(1, x), 1 / (1 + worst / x)
    axes.fill_between(x, floor, top, color=style.QUIET, alpha=0.13, linewidth=0)
    axes.plot(x, top, color=style.EDGE["color"], linewidth=2)
    axes.plot(x, floor, color=style.QUIET, linewidth=1.2, linestyle="--")
    axes.text(
        *(0.2, 0.285),
        r"$2\,/\,(q\,\mathrm{tr}\,H)$",
        color=style.EDGE["color"],
        fontsize=13,
        ha="center",
        va="center",
        rotation=58,
        rotation_mode="anchor",
    )
    axes.text(9, 1.1, r"$2/\lambda_{\max}$", color=style.EDGE["color"], fontsize=13)
    axes.text(0.3, 0.052, "proven from below", color=style.QUIET, fontsize=12)
    for row, (name, look, _) in enumerate(_FAMILIES.values()):
        if name in named:
            axes.text(12, 0.3 * 0.72**row, name, color=look["color"], fontsize=13)
    axes.set(xscale="log", yscale="log", xlim=(0.06, 100), ylim=(0.04, 1.35), xlabel=r"$B\,/\,B^*$")
    axes.set_ylabel(r"SGD's threshold over $2/\lambda_{\max}$")
    axes.set_xticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    axes.set_yticks([0.05, 0.1, 0.2, 0.5, 1], ["0.05", "0.1", "0.2", "0.5", "1"])
    axes.minorticks_off()
    return figure
