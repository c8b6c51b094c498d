"""Claims of chapter 01 on Lemma 1, its proof, and the three notions of stability."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ..moments import Linearised
from .cases import Case
from .ch01 import small_minima
from .registry import Verdict, claim

SIDES = [
    (B, replacement)
    for B in range(1, 7)
    for replacement in (False, True)
    if B < 4 or not replacement
]


@claim(
    "lem-1",
    kind="theorem",
    says="the mean of (5) over all batches is gradient descent, so stability needs sharpness <= 2/eta; "
    "at equality the distance stays as it is",
    where="Lemma 1, (6)",
    cases=small_minima,
)
def lemma_1(minima: Iterable[Case]) -> Verdict:
    """Margins of the three steps, for every batch size, with and without replacement inside a batch.

    Every batch enumerated, the mean of I - eta H_batch is I - eta H up to 1e-12; 1 % above 2/lambda the
    mean grows (by more than a millionth: flat directions, which stay, are no growth); and at 2/lambda no
    start leaves the ball (which is why (6) is not strict).
    """

    def margins() -> Iterable[float]:
        for case in minima:
            dynamics = Linearised.at(case.net, case.X, case.y)
            H = dynamics.hessian
            edge, identity = dynamics.gd_threshold(), np.eye(len(H))
            for B, replacement in SIDES:
                for eta in (0.5 * edge, edge, 1.5 * edge):
                    A, c = dynamics.factors(eta, B, replacement)
                    off = np.abs(A.mean(axis=0) - (identity - eta * H)).max()
                    yield 1 - (off + np.abs(c.mean(axis=0)).max()) / (1e-12 * eta * 2 / edge)
                yield dynamics.mean_growth(1.01 * edge, B, replacement) - 1 - 1e-6
            power = np.linalg.matrix_power(identity - edge * H, 1000)
            yield 1 - (np.linalg.norm(power, 2) - 1) / 1e-9

    return Verdict.of(margins())


def jensen_sides() -> list[tuple[float, float, float]]:
    """Distance of the mean, mean distance, GD's distance: 1 to 5 steps, all sequences of batches."""
    out = []
    for case in small_minima():
        dynamics = Linearised.on_range(case.net, case.X)
        m = dynamics.slopes.shape[1]
        start = np.full(m, m**-0.5)
        for share in (0.3, 0.8, 1.1):
            eta = share * dynamics.gd_threshold()
            for steps in range(1, 6):
                ends = dynamics.every_end(start, eta, 1, steps)
                down = np.linalg.matrix_power(np.eye(m) - eta * dynamics.hessian, steps) @ start
                out.append(
                    (
                        float(np.linalg.norm(ends.mean(axis=0))),
                        float(np.linalg.norm(ends, axis=1).mean()),
                        float(np.linalg.norm(down)),
                    )
                )
    return out


@claim(
    "eq-22",
    kind="theorem",
    says="the distance of the mean, which is gradient descent's, is at most the mean distance",
    where="(22)",
    cases=jensen_sides,
)
def jensen(sides: Iterable[tuple[float, float, float]]) -> Verdict:
    """Relative gap of the inequality; the mean must be gradient descent to 1e-10."""

    def margins() -> Iterable[float]:
        for of_mean, mean, descent in sides:
            yield 1 - of_mean / mean
            yield 1 - abs(of_mean / descent - 1) / 1e-10

    return Verdict.of(margins())


class Notions(NamedTuple):
    """Step sizes up to which a minimum is stable, each in its sense; `expected` where it is known exactly."""

    mean_square: float
    mean: float
    almost_sure: float
    gd: float
    expected: tuple[float, float, float] | None = None


def notions(dynamics: Linearised, batch_size: int = 1, expected: Any = None) -> Notions:
    """The three thresholds of SGD and that of gradient descent; the range of H has dimension 1 or 2."""
    square, mean, sure = (dynamics.threshold(power, batch_size) for power in (2, 1, 0))
    return Notions(square, mean, sure, dynamics.gd_threshold(), expected)


def three_notions() -> list[Notions]:
    """Two parabolas, for which all is known; three parabolas; networks on two points."""
    two = notions(Linearised.scalar([1.0, 3.0]), expected=(0.8, 1.0, 4 / 3))
    three = [notions(Linearised.scalar([1.0, 2.0, 9.0]), B) for B in (1, 2)]
    nets = [notions(Linearised.on_range(c.net, c.X)) for c in small_minima(2, n=2)]
    return [two, *three, *nets]


@claim(
    "new-three-notions",
    kind="theorem",
    says="mean-square, mean and almost-sure stability of SGD end at different step sizes, in this order "
    "(h = (1, 3): .8, 1, 4/3); that of the mean is at most 2/lambda",
    where="new",
    cases=three_notions,
)
def notions_differ(rows: Iterable[Notions]) -> Verdict:
    """Relative gaps between the thresholds, and the closed forms where there are some."""

    def margins() -> Iterable[float]:
        for row in rows:
            yield 1 - row.mean_square / row.mean
            yield 1 - row.mean / row.almost_sure
            if row.expected is None:  # for h = (1, 3) it is an equality, and checked below
                yield 1 - row.mean / row.gd
            for seen, exact in zip(row[:3], row.expected or (), strict=False):
                yield 1 - abs(seen / exact - 1) / 1e-9

    return Verdict.of(margins())


def thresholds() -> list[tuple[float, float]]:
    """(sgd_threshold, brute force) at up to six points, every batch size, with and without replacement."""
    from ...stability import sgd_threshold

    out = []
    for n in (2, 3, 6):
        for case in small_minima(3, n=n):
            dynamics = Linearised.on_range(case.net, case.X)
            for B in range(1, n + 1):
                for replacement in (False, True) if B < 4 else (False,):
                    fast = sgd_threshold(case.net, case.X, B, replacement=replacement)
                    out.append((fast, dynamics.square_threshold(B, replacement)))
    return out


@claim(
    "new-sgd-threshold",
    kind="theorem",
    says="the exact mean-square threshold of SGD without a matrix larger than n x n",
    where="new",
    cases=thresholds,
)
def threshold_by_brute_force(pairs: Iterable[tuple[float, float]]) -> Verdict:
    """Relative error against the spectral radius of the mean of A (x) A over all batches."""
    return Verdict.equal((fast / slow - 1 for fast, slow in pairs), 1e-6)
