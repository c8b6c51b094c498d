"""Claim of chapter 09 on minima that are hardly differentiable: hyperplanes that slide onto data points."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from ...bounds import sharpness_lower_bound
from ...curvature import Interval, sharpness_interval
from ...data import gaussian
from ...network import ShallowReLU
from ...training.descent import gradient_descent
from .registry import Verdict, claim

LOSSES = (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12, 1e-14)
ON_DATA = 1e-6  # distance of a point from a hyperplane that counts as none, at the end of the run


class Slide(NamedTuple):
    """Distances of data points from hyperplanes while one run of gradient descent lowers its loss.

    Attributes:
        step_size: eta.
        losses: at which the run was stopped to look, falling, (m,).
        distances: of the pairs (point, neuron) that end within `ON_DATA`, (m, pairs).
        control: number of pairs within `ON_DATA` before training.
        sides: range of the sharpness over the choice of sides for these pairs, at the end.
        bound: 1 + 2 norm at the end.
    """

    step_size: float
    losses: np.ndarray
    distances: np.ndarray
    control: int
    sides: Interval
    bound: float


def away(net: ShallowReLU, X: np.ndarray) -> np.ndarray:
    """Distances |w.x + b|/|w| of points from hyperplanes, shape (n, k)."""
    return np.abs(net.preactivations(X)) / np.linalg.norm(net.W1, axis=1)


def slide(step_size: float, seed: int = 1, losses: Sequence[float] = LOSSES) -> Slide:
    """Train at the paper's synthetic size (n = 100, d = 20, k = 40), with a look at every tenfold loss.

    Args:
        step_size: eta, reached after 2,000 steps of warm-up.
        seed: of the start, which is three times PyTorch's default.
        losses: falling; the run is continued from each to the next.
    """
    X, y = gaussian(100, 20, seed=0)
    net = start = ShallowReLU.initial(20, 40, scale=3.0, seed=seed)
    seen = []
    for number, tol in enumerate(losses):
        warmup = 2000 if number == 0 else 0
        net = gradient_descent(net, X, y, step_size, tol=tol, warmup=warmup).net
        seen.append(away(net, X))
    ends = seen[-1] < ON_DATA
    return Slide(
        step_size,
        np.array(losses),
        np.array([distance[ends] for distance in seen]),
        int((away(start, X) < ON_DATA).sum()),
        sharpness_interval(net, X, y, sides=ON_DATA),
        sharpness_lower_bound(net, X),
    )


def slides() -> list[Slide]:
    """Runs below the edge of stability, at it, and well beyond; two starts each."""
    return [slide(eta, seed) for eta in (0.02, 0.1, 0.3) for seed in (1, 2)]


@claim(
    "new-nonsmooth",
    kind="claim",
    says="most minima have knots on data points up to a distance that shrinks with the loss",
    where="new",
    cases=slides,
)
def not_smooth(runs: Iterable[Slide]) -> Verdict:
    """Every run ends with more pairs within 1e-6 than it started with; their distances fall with the loss.

    The median distance of the pairs is at least 30 times less at a loss 1e-6 times as large (a square root
    would be 1,000 times less), from 1e-8 to the end. Over all choices of sides for these pairs the sharpness
    varies by at most 5 %, stays below 2/eta, and 1 + 2 norm is below the least of it.
    """

    def margins() -> Iterator[float]:
        for run in runs:
            count = run.distances.shape[1]
            yield (count - run.control - 0.5) / count if count else -1.0
            if count:
                middle = np.median(run.distances, axis=1)
                yield 1 - 30 * middle[-1] / middle[len(run.losses) // 2]
            low, high = run.sides
            yield 1 - (high / low - 1) / 0.05
            yield 1 - high * run.step_size / 2
            yield 1 - run.bound / low

    return Verdict.of(margins())
