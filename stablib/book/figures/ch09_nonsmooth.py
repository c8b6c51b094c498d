"""Figure of chapter 09 on minima that are hardly differentiable: hyperplanes that slide onto data points."""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from ..claims.ch09_nonsmooth import Slide
from . import style


def distances(run: Slide) -> Figure:
    """Distances of the pairs that end on each other, against the loss.

    Args:
        run: of gradient descent.
    """
    figure, axes = style.figure(6.0, 4.0)
    axes.plot(run.losses, run.distances, color=style.SHARPNESS["color"], linewidth=1, alpha=0.5)
    middle = np.median(run.distances, axis=1)
    axes.plot(run.losses, middle, **(style.SHARPNESS | {"linestyle": "-"}))
    root = np.sqrt(run.losses)
    axes.plot(run.losses, root, color=style.QUIET, linewidth=1.4, linestyle="--")
    axes.text(run.losses[1], 3 * root[1], r"$\sqrt{\rm loss}$", color=style.QUIET, ha="center")
    axes.text(
        *(run.losses[-2], 8 * middle[-2]),
        "median",
        color=style.SHARPNESS["color"],
        ha="center",
    )
    axes.set(xscale="log", yscale="log", xlabel="loss", ylabel="distance of point and hyperplane")
    axes.invert_xaxis()
    axes.minorticks_off()
    return figure
