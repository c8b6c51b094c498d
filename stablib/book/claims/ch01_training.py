"""Claims of chapter 01 on step sizes: the edge of stability, warm-up and decay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ...curvature import sharpness
from ...data import Dataset, gaussian
from ...network import ShallowReLU
from ...training.descent import gradient_descent
from .. import trajectories
from .cases import descended
from .registry import Verdict, claim


def setting(scale: float, seed: int = 1) -> tuple[ShallowReLU, Dataset]:
    """The paper's synthetic size, n = 100, d = 20, k = 40: a start, `scale` times PyTorch's, and the data."""
    return ShallowReLU.initial(20, 40, scale=scale, seed=seed), gaussian(100, 20, seed=0)


class Edge(NamedTuple):
    """A trajectory of gradient descent, its sharpness in units of 2/eta.

    Attributes:
        at_edge: whether the step size is large enough for the edge of stability to be met.
        start: sharpness eta/2 at the start.
        peak: the largest value on the way.
        tail: values over the last half.
    """

    at_edge: bool
    start: float
    peak: float
    tail: np.ndarray


def edge_path(
    step_size: float, seed: int = 1, steps: int = 800, every: int = 10
) -> trajectories.Path:
    """Gradient descent from PyTorch's initialisation, without warm-up, with its sharpness every ten steps.

    At step sizes .4 to .6 the sharpness climbs past 2/eta = 5 to 3.3 and comes back to it.
    """
    start, data = setting(1.0, seed)
    return trajectories.descent_path(start, *data, step_size, steps=steps, every=every)


def edges() -> list[Edge]:
    """Three starts with a large step size; and a small step size, where nothing is met."""
    out = []
    for step_size, seed in ((0.4, 0), (0.4, 1), (0.4, 2), (0.1, 1)):
        share = edge_path(step_size, seed).sharpness * step_size / 2
        half = len(share) // 2
        out.append(Edge(step_size > 0.2, float(share[0]), float(share.max()), share[half:]))
    return out


@claim(
    "text-eos",
    kind="claim",
    says="sharpness rises to 2/eta and hovers there",
    where="App. A",
    cases=edges,
)
def edge_of_stability(runs: Iterable[Edge]) -> Verdict:
    """At the edge: it was passed from below, and over the last half the sharpness is within 5 % of it.

    With a small step size it must stay below three quarters of 2/eta.
    """

    def margins() -> Iterator[float]:
        for run in runs:
            if run.at_edge:
                yield 1 - run.start
                yield float(run.peak >= 1) - 0.5
                yield 0.05 - float(np.abs(run.tail - 1).max())
            else:
                yield 0.75 - run.peak

    return Verdict.of(margins())


class Start(NamedTuple):
    """Shares of runs that diverged, over some seeds."""

    scale: float
    step_size: float
    without: float
    warmed: float


def starts(seeds: int = 4, warmup: int = 2000) -> list[Start]:
    """Large initialisation (10, and 3) with large steps, and the same steps from PyTorch's own scale."""

    def share(scale: float, step_size: float, warm: int) -> float:
        reasons = []
        for seed in range(seeds):
            net, data = setting(scale, seed)
            run = gradient_descent(net, *data, step_size, warmup=warm, max_steps=warmup + 1000)
            reasons.append(run.reason == "diverged")
        return float(np.mean(reasons))

    return [
        Start(scale, eta, share(scale, eta, 0), share(scale, eta, warmup))
        for scale, eta in ((10.0, 0.1), (10.0, 0.2), (3.0, 0.4), (1.0, 0.1), (1.0, 0.4))
    ]


@claim(
    "text-A-warmup",
    kind="claim",
    says="from a large initialisation large steps diverge, and do not with warm-up",
    where="App. A",
    cases=starts,
)
def warmup(rows: Iterable[Start]) -> Verdict:
    """Distance of the share of diverged runs from one half, on the right side of it."""

    def margins() -> Iterator[float]:
        for row in rows:
            yield row.without - 0.5 if row.scale > 1 else 0.5 - row.without
            yield 0.5 - row.warmed

    return Verdict.of(margins())


class Decay(NamedTuple):
    """A run whose step size is divided by ten on the way.

    Attributes:
        level: loss at which it is; 0 never, infinity from the beginning.
        share: final sharpness times the *initial* step size / 2.
    """

    level: float
    share: float


class Decays(NamedTuple):
    """Runs of equal length with one decay, and what a decay to zero allows.

    Attributes:
        runs: final sharpness in units of 2/eta for the initial eta, by the loss at which eta fell.
        to_zero: sharpness eta_0/2 of a minimum to which a schedule that decays to zero converged.
    """

    runs: list[Decay]
    to_zero: float


def decayed(level: float, step_size: float = 0.6, seed: int = 0, steps: int = 6000) -> Decay:
    """Gradient descent whose step size falls to a tenth when the loss gets below `level`."""
    net, data = setting(1.0, seed)
    done = 0
    if level < np.inf:
        first = gradient_descent(net, *data, step_size, tol=level, max_steps=steps)
        net, done = first.net, first.steps
    if done < steps:
        net = gradient_descent(net, *data, step_size / 10, tol=1e-13, max_steps=steps - done).net
    return Decay(level, sharpness(net, *data) * step_size / 2)


def decay_to_zero(steps: int = 1500) -> float:
    """Sharpness eta_0/2 where gradient descent with eta_t = eta_0/(1 + t/5) ends.

    It starts next to a minimum that has twice the sharpness that eta_0 allows. Once eta_t has
    fallen to half it is stable, and what the first five steps drove away comes back.
    """
    case = descended()[0]
    eta = 4 / sharpness(case.net, case.X, case.y)
    star = case.net.parameters()
    rng = np.random.default_rng(6)
    direction = rng.normal(size=star.size)
    theta = star + 1e-4 * np.linalg.norm(star) * direction / np.linalg.norm(direction)
    for t in range(steps):
        here = trajectories.with_parameters(case.net, theta)
        theta = theta - eta / (1 + t / 5) * trajectories.gradient(here, case.X, case.y)
    last = trajectories.with_parameters(case.net, theta)
    if trajectories.loss(last, case.X, case.y) > 1e-6:
        return float("nan")  # it did not get there
    return sharpness(last, case.X, case.y) * eta / 2


def decays() -> Decays:
    """Decay at loss 1e-6, 1e-2, .3, never, and from the beginning, from two starts."""
    levels = (0.0, 1e-6, 1e-2, 0.3, np.inf)
    return Decays([decayed(level, seed=s) for s in (0, 1) for level in levels], decay_to_zero())


@claim(
    "text-A-decay",
    kind="claim",
    says="after a late decay the sharpness is still 2 / (the early step size); "
    "a decay to zero excludes no minimum",
    where="App. A",
    cases=decays,
)
def learning_rate_decay(seen: Decays) -> Verdict:
    """Late (loss 1e-6) or never: within 10 % of 2/eta. At loss .3, or from the beginning: 1.3 times or more.

    In between it may rise, but not fall below. The printed form, that a decay "does not affect" what is
    excluded at a fixed step size, is judged by a schedule that decays to zero.
    """

    def margins() -> Iterator[float]:
        for run in seen.runs:
            if run.level <= 1e-6:
                yield 0.1 - abs(run.share - 1)
            elif run.level >= 0.1:
                yield run.share / 1.3 - 1
            else:
                yield run.share - 0.9
        yield seen.to_zero - 1

    return Verdict.corrected(
        [1 - seen.to_zero],
        margins(),
        f"eta_t = eta_0/(1 + t/5): it ends at a sharpness of {seen.to_zero:.3g} times 2/eta_0",
    )
