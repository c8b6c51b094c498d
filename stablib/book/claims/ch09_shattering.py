"""Claims of chapter 09 on noise: stability keeps it out on a line, and lets it in in many dimensions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy import stats

from ...bounds import max_stability_norm
from ...curvature import sharpness
from ...network import ShallowReLU
from ...norms import stability_norm
from ...training.descent import gradient_descent
from ...univariate import least_interpolating_norm
from ...weights import IsotropicWeight
from .registry import Verdict, claim

STEP_SIZES = (0.05, 0.2)
POINTS = 60
SIZES = (10, 20, 40, 80, 160)  # numbers of points over which noise is fitted on a line and in space


def in_the_ball(n: int, d: int, rng: np.random.Generator) -> np.ndarray:
    """Points drawn uniformly from the unit ball, shape (n, d).

    Args:
        n: number of points.
        d: dimension.
        rng: the generator.
    """
    v = rng.normal(size=(n, d))
    return v / np.linalg.norm(v, axis=1)[:, None] * rng.random((n, 1)) ** (1 / d)


class Fit(NamedTuple):
    """Descent on labels that are nothing but noise, on points of the unit ball.

    Attributes:
        d: dimension.
        step_size: eta.
        loss: at the end; `start` is that of the function 0.
        start: half the mean square of the labels.
        reason: why training ended.
        norm: stability norm at the end.
        least: the least norm of any function through the labels (d = 1), else NaN.
        sharpness: at the end.
        activity: share of the points at which a unit of slope is on.
        offset: mean distance of the ridges from the origin, weighted by their slopes.
        error: mean of f^2 over new points, where the truth is 0; the noise has 1.
        ridges: unit slopes, offsets and shares of active points of all neurons, each (k,).
    """

    d: int
    step_size: float
    loss: float
    start: float
    reason: str
    norm: float
    least: float
    sharpness: float
    activity: float
    offset: float
    error: float
    ridges: tuple[np.ndarray, np.ndarray, np.ndarray]


@cache
def fit(
    d: int,
    step_size: float,
    seed: int = 0,
    steps: int = 40_000,
    k: int = 200,
    n: int = POINTS,
    draw: int = 0,
) -> Fit:
    """Train on points of the unit ball with standard normal labels.

    Args:
        d: dimension.
        step_size: eta.
        seed: of the initial network.
        steps: greatest number of steps.
        k: neurons.
        n: points.
        draw: of the data, which depend on n, d and this number alone.
    """
    rng = np.random.default_rng([n, d, draw] if draw else [n, d])
    X = in_the_ball(n, d, rng)
    y = rng.normal(size=n)
    start = ShallowReLU.initial(d, k, scale=3.0, seed=seed)
    run = gradient_descent(start, X, y, step_size, tol=1e-6, max_steps=steps, warmup=2000)
    net = run.net
    a, v, b = net.ridges()
    share = (b < X @ v.T).mean(axis=0)
    size = np.abs(a) / np.abs(a).sum()
    return Fit(
        d,
        step_size,
        run.loss,
        float((y**2).mean() / 2),
        run.reason,
        stability_norm(net, X),
        least_interpolating_norm(X, y).norm if d == 1 else np.nan,
        sharpness(net, X),
        float(size @ share),
        float(size @ np.abs(b)),
        float((net(in_the_ball(4000, d, rng)) ** 2).mean()),
        (a, b, share),
    )


class Growth(NamedTuple):
    """What descent makes of noise as the number of points grows, medians over draws of the data.

    Attributes:
        left: loss at the end over that of the function 0, one per size.
        error: mean of f^2 over new points, where the noise has 1, one per size.
    """

    left: np.ndarray
    error: np.ndarray


def growing(d: int, step_size: float = 0.2, draws: int = 3) -> Growth:
    """Train 100 neurons on noise at each of the `SIZES`, for at most 10,000 steps.

    Args:
        d: dimension.
        step_size: eta.
        draws: of the data.
    """
    runs = [
        [fit(d, step_size, steps=10_000, k=100, n=n, draw=draw) for draw in range(draws)]
        for n in SIZES
    ]
    return Growth(
        np.array([np.median([run.loss / run.start for run in row]) for row in runs]),
        np.array([np.median([run.error for run in row]) for row in runs]),
    )


def ball_weight(d: int) -> IsotropicWeight:
    """The weight of the uniform distribution on the unit ball.

    Args:
        d: dimension.
    """
    return IsotropicWeight(stats.beta((d + 1) / 2, (d + 1) / 2, loc=-1, scale=2))


def border_exponent(d: int, near: float = 1e-3) -> float:
    """Exponent with which g falls towards the border of the ball, from two places near it.

    Args:
        d: dimension.
        near: distance of the outer one.
    """
    g = ball_weight(d).g(np.eye(1, d)[0], 1 - np.array([2 * near, near]))
    return float(np.log2(g[0] / g[1]))


def regular(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Equally spaced points of [-1, 1] with standard normal labels.

    Args:
        n: number of points.
        seed: of the labels.
    """
    y = np.random.default_rng([seed, n]).normal(size=n)
    return np.linspace(-1, 1, n)[:, None], y


def norms_of_noise(sizes: Iterable[int], seeds: int = 5) -> np.ndarray:
    """Least norm of a function through noise at equally spaced points, means over draws, one per size.

    Args:
        sizes: numbers of points.
        seeds: draws.
    """
    return np.array(
        [
            np.mean([least_interpolating_norm(*regular(n, seed)).norm for seed in range(seeds)])
            for n in sizes
        ]
    )


@claim(
    "new-shattering",
    kind="claim",
    says="stable minima fit noise in many dimensions, by ridges that few points see; on a line they cannot",
    where="new; after Qiao et al. (2024), Liang et al. (2025)",
)
def shattering() -> Verdict:
    """Noise at points of a ball, step sizes .05 and .2, 200 neurons.

    On a line: no function through the labels is stable, by the least norm; training stays at a loss above a
    quarter of where it started, at the edge of stability. The least norm grows like n^2 (exponent within .1,
    equally spaced points). In 5 and 10 dimensions: loss 1e-6, an error on new points of more than a third of
    the noise, and the larger step size has the lower activity. From 10 to 160 points, at the larger step
    size: on a line the share of the loss that is left grows by half or more, to two thirds at least, and the
    error falls below a half; in 10 dimensions a thousandth of the loss is left at most, and the error stays
    above two thirds.
    Towards the border of the ball g falls like (1 - |b|)^(d+2), within 1 %.
    """

    def margins() -> Iterator[float]:
        for step_size in STEP_SIZES:
            line = fit(1, step_size)
            yield line.least / max_stability_norm(step_size) - 1
            yield line.loss / line.start / 0.25 - 1
            yield 0.05 - abs(line.sharpness * step_size / 2 - 1)
            for d in (5, 10):
                many = fit(d, step_size)
                yield 1 - many.loss / 1.001e-6
                yield 3 * many.error - 1
                yield 1 - many.norm / max_stability_norm(step_size)
        for d in (5, 10):
            slow, fast = (fit(d, step_size).activity for step_size in STEP_SIZES)
            yield slow / fast - 1
        line, many = growing(1), growing(10)
        yield line.left[-1] / line.left[0] / 1.5 - 1
        yield 1.5 * line.left[-1] - 1
        yield 1 - line.error[-1] / 0.5
        yield from 1 - many.left / 1e-3
        yield from 1.5 * many.error - 1
        sizes = np.array([50, 100, 200, 400, 800])
        exponent = np.polyfit(np.log(sizes), np.log(norms_of_noise(sizes)), 1)[0]
        yield 0.1 - abs(exponent - 2)
        for d in (1, 2, 5, 10):
            yield 1 - abs(border_exponent(d) / (d + 2) - 1) / 0.01

    return Verdict.of(margins())
