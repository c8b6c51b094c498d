"""Numbers that the sentences of chapter 06 tell."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ...bounds import sharpness_upper_bound
from ...radon.transforms import gamma
from ..approximation import WIDTHS
from ..claims import cases
from ..claims.ch06_affine import steps
from ..claims.ch06_sobolev import A, norms, rates, targets
from ..claims.ch06_stable import room
from .ch06 import ball_mass, row, shown


class Overstated(NamedTuple):
    """The Sobolev norm over both norms, gaussian and bump in space, and the largest a_d / C of the table."""

    hill: float
    bump: float
    constant: float


def overstated() -> Overstated:
    """How much larger than both norms the weighted Sobolev norm is, in the units of the table."""
    numbers = (0, 3, 4, 5)
    ratio = {
        i: gamma(targets()[i].d) * norms(i).orders.sum() / (norms(i).r_norm + norms(i).priced)
        for i in numbers
    }
    return Overstated(
        ratio[3], ratio[5], max(A[targets()[i].d] / norms(i).constant for i in numbers)
    )


class Race(NamedTuple):
    """The widest random network worse than the function 0, and the width at which Sobol points are behind.

    Attributes:
        worse_until: largest k whose mean error is above that of the function 0.
        few: the smallest width.
        as_good_as: largest k at which Sobol points err more than a fitted network of that width.
    """

    worse_until: int
    few: int
    as_good_as: int


def race() -> Race:
    """Three ways to place ridges in space."""
    random, sobol, fitted = (rates(3, how)[1] for how in ("random", "sobol", "fitted"))
    k = np.array(WIDTHS)
    worse, behind = k[random > ball_mass()].max(), k[sobol > fitted[0]].max()
    return Race(int(worse), WIDTHS[0], int(behind))


class Lost(NamedTuple):
    """Factors between lines of the proof of Lemma 2, over the four networks of the table.

    Attributes:
        slope_least: (120) over (116) on trained networks, the less.
        slope_most: and the larger.
        sides: (110) over the sharper lemma, mostly affine.
        gain_least: (120) over the sharper lemma, the least.
        gain_most: and the largest.
        over_least: (120) over the flattest rescaling, the least without the counterexample.
        over_most: and the largest.
    """

    slope_least: float
    slope_most: float
    sides: float
    gain_least: float
    gain_most: float
    over_least: float
    over_most: float


def lost() -> Lost:
    """Where the printed bound loses."""
    four = [case for name, case in shown() if not name.startswith("random")]
    chains = [steps(case.net, case.X) for case in four]
    ours = [sharpness_upper_bound(case.net, case.X) for case in four]
    slope = [chain.printed / chain.direction for chain in chains[2:]]
    gain = [chain.printed / our for chain, our in zip(chains, ours, strict=True)]
    over = [chains[i].printed / chains[i].flattest for i in (0, 2, 3)]
    sides = chains[0].implementation / ours[0]
    return Lost(min(slope), max(slope), sides, min(gain), max(gain), min(over), max(over))


class Gap(NamedTuple):
    """Ratios of the two conditions on trained networks.

    Attributes:
        plane: least and largest (10) over (20) in the plane.
        many: the same in 20 dimensions.
        rescaled: largest (10) over the flattest rescaling at large step sizes.
    """

    plane: tuple[float, float]
    many: tuple[float, float]
    rescaled: float


def gap(large: float) -> Gap:
    """How far apart the necessary and the sufficient condition are.

    Args:
        large: step sizes from this one on are large.
    """
    trained = [*cases.stored("overview"), *cases.descended()]
    at = [(case, room(case.net, case.X)) for case in trained]
    plane, many = (
        [r.necessary / r.sufficient for case, r in at if (case.net.d == 2) is flat]
        for flat in (True, False)
    )
    rescaled = max(r.necessary / r.rescaled for case, r in at if case.step_size >= large)
    return Gap((min(plane), max(plane)), (min(many), max(many)), rescaled)


class Level(NamedTuple):
    """Sharpness of f_k over all k of the table: least and most of the flattest rescaling, most in k + 2."""

    least: float
    most: float
    wide: float


def level() -> Level:
    """How level the sharpness is while k grows."""
    rows = [row("priced", k) for k in WIDTHS[2:]]
    flat = [r["flattest"] for r in rows]
    return Level(min(flat), max(flat), max(r["upper"] for r in rows))
