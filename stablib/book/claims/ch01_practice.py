"""Claims of chapter 01 on initialisation and on minima that are not twice differentiable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ...curvature import sharpness_interval, tangent_gram
from ...network import ShallowReLU
from ...training.descent import gradient_descent
from .. import trajectories
from .cases import Case, descended, stored
from .ch01_training import setting
from .registry import Verdict, claim


class Flow(NamedTuple):
    """Gradient descent against gradient flow, and how far either changes the tangent kernel.

    Attributes:
        step_sizes: below the edge of stability, and last one beyond it.
        distances: parameters of GD from those of the flow at the same time, over how far the flow went.
        angles: (scale, change of the normalised kernel by small steps, by large steps), loss 1e-8.
    """

    step_sizes: np.ndarray
    distances: np.ndarray
    angles: list[tuple[float, float, float]]


def kernel_angle(net: ShallowReLU, start: ShallowReLU, X: np.ndarray) -> float:
    """Frobenius distance of two tangent kernels, each divided by its norm: their change at equal scale."""
    now, then = tangent_gram(net, X), tangent_gram(start, X)
    return float(np.linalg.norm(now / np.linalg.norm(now) - then / np.linalg.norm(then)))


def flows(time: float = 9.6) -> Flow:
    """Distances from the flow at one time; kernels at the ends of runs from larger starts, with warm-up."""
    start, data = setting(1.0)
    end = trajectories.flow(start, *data, time).parameters()
    went = np.linalg.norm(end - start.parameters())
    step_sizes = np.array([0.02, 0.04, 0.08, 0.16, 0.8])
    distances = []
    for eta in step_sizes:
        run = gradient_descent(start, *data, eta, tol=0, max_steps=round(time / eta))
        distances.append(np.linalg.norm(run.net.parameters() - end) / went)
    angles = []
    for seed in (0, 1):
        start, data = setting(3.0, seed)
        small, large = (
            kernel_angle(gradient_descent(start, *data, eta, warmup=2000).net, start, data.X)
            for eta in (0.02, 0.4)
        )
        angles.append((3.0, small, large))
    return Flow(step_sizes, np.array(distances), angles)


@claim(
    "text-A-init",
    kind="claim",
    says="small steps follow gradient flow; beyond the edge of stability gradient descent leaves it and "
    "the kernel regime",
    where="App. A",
    cases=flows,
)
def leaves_the_flow(seen: Flow) -> Verdict:
    """Distances proportional to eta to 15 %, beyond the edge five times that; kernels turn twice as far."""

    def margins() -> Iterator[float]:
        slope = seen.distances / seen.step_sizes
        for share in slope[1:-1] / slope[0]:
            yield 1 - abs(share - 1) / 0.15
        yield 1 - 5 * slope[0] / slope[-1]
        for _, small, large in seen.angles:
            yield 1 - 2 * small / large

    return Verdict.of(margins())


class Knots(NamedTuple):
    """Knots on data at a trained minimum.

    Attributes:
        name: of the minimum.
        points: share of the points with a knot within 1e-3, 1e-5 and 1e-7.
        neurons: share of the neurons with a point within 1e-5 of their knot.
        high: largest sharpness over the choice of sides at 1e-5, times eta/2.
    """

    name: str
    points: tuple[float, float, float]
    neurons: float
    high: float


def knots(minima: Iterable[Case] | None = None) -> list[Knots]:
    """Counts and sides, by default at the three synthetic minima and at four on MNIST."""
    out = []
    for net, X, y, name, eta in [*descended(), *stored("fig5")[6:]] if minima is None else minima:
        away = np.abs(net.preactivations(X)) / np.linalg.norm(net.W1, axis=1)
        points = tuple(float((away < tol).any(axis=1).mean()) for tol in (1e-3, 1e-5, 1e-7))
        _, high = sharpness_interval(net, X, y, sides=1e-5)
        out.append(Knots(name, points, float((away < 1e-5).any(axis=0).mean()), high * eta / 2))
    return out


@claim(
    "text-A-nondiff",
    kind="claim",
    says="only a small share of the points lies on knots, and there, too, the sharpness is at most 2/eta",
    where="App. A",
    cases=knots,
)
def not_differentiable(rows: Iterable[Knots]) -> Verdict:
    """The share of points within 1e-5 of a knot against .1; the sharpness, on any side, against 2/eta."""

    def margins() -> Iterator[float]:
        for row in rows:
            yield 1 - row.points[1] / 0.1
            yield 1 - row.high

    return Verdict.of(margins())
