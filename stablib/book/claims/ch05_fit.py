"""Claims of chapter 05 on fits: what error a given norm allows, for the pyramid and for a smooth bump."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import numpy as np
from scipy.stats import spearmanr

from ...radon import radial, transforms
from ...radon.pyramid import mollified_norm
from ...weights import IsotropicWeight
from .registry import Verdict, claim


def fitted(target: str) -> list[dict]:
    """Rows of the table of fits for a target, those that ended somewhere."""
    from ...training import sweep
    from ..fits import FITS

    rows = sweep(FITS, progress=False)
    return [row for row in rows if row["target"] == target and row["norm"] is not None]


@cache
def bump_norm(nodes: int = 6001) -> float:
    """The stability norm of the smooth bump for normal data: twice pi times int |alpha| g."""
    b = np.linspace(-6, 6, nodes)

    def profile(r: np.ndarray) -> np.ndarray:
        inside = r < 1
        return np.where(inside, np.exp(1 - 1 / np.where(inside, 1 - r**2, 1.0)), 0.0)

    line = radial.radon_radial(profile, b, 2, reach=1.0, nodes=400)
    second = np.gradient(np.gradient(line, b), b)
    alpha = transforms.gamma(2) * transforms.ramp(second, b[1] - b[0])
    g = IsotropicWeight().g([1.0], b)
    return float(2 * np.pi * (np.abs(alpha) * g).sum() * (b[1] - b[0]))


@claim(
    "text-4-class",
    kind="claim",
    says="the larger the step size, the fewer functions can be approximated stably",
    where="Sec. 4",
)
def shrinking_class() -> Verdict:
    """Best convex fits at eight norms: the dual bound of the error is positive and falls as the norm rises.

    A norm s is what a step size 1/(s + 1/2) allows. The bound is proven for all combinations of the
    dictionary's ridges, on the grid of the fit; relative margins.
    """

    def margins() -> Iterator[float]:
        for name in ("pyramid", "bump"):
            rows = sorted(
                (r for r in fitted(name) if r["kind"] == "convex"), key=lambda r: r["budget"]
            )
            dual = np.array([row["dual"] for row in rows])
            yield from 1 - dual[1:] / dual[:-1]
            yield dual[0]

    return Verdict.of(margins())


@claim(
    "text-4-width",
    kind="claim",
    says="shallow approximations of the pyramid cost unbounded norm",
    where="Sec. 4",
)
def costly() -> Verdict:
    """Among trained networks a smaller error goes with a larger norm; smoothed pyramids cost ever more.

    Rank correlation of norm and L1 error over the descents to the pyramid, below -0.5. For normal data the
    smoothed pyramid's norm more than doubles from a width of 1e-1 to 1e-2, and passes three times that of the
    smooth bump, which is finite.
    """
    rows = [row for row in fitted("pyramid") if row["kind"] == "descent"]
    order = spearmanr([row["norm"] for row in rows], [row["l1"] for row in rows]).statistic
    norms = [mollified_norm(IsotropicWeight(), eps, nodes=8) for eps in (1e-1, 1e-2)]
    return Verdict.of([-0.5 - order, norms[1] / norms[0] / 2 - 1, norms[1] / bump_norm() / 3 - 1])
