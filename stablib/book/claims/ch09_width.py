"""Claims of chapter 09 on all implementations of a function, of any width."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np

from ...anywidth import affine_aware_bound, implementation_free_bound, least_sharpness
from ...bounds import sharpness_lower_bound
from ...curvature import sharpness
from ...equivalents import equivalent_implementation
from ...flattest import flattest_implementation
from ...network import ShallowReLU
from . import cases
from .cases import Case
from .ch02_definitions import slack
from .registry import Verdict, claim

MEET = 1e-6  # how far apart an optimum found from both sides may be, relative
MANY = 40  # points, beyond which equivalent implementations are not tried out


def costs(X: np.ndarray, P: np.ndarray, v: np.ndarray, b: float) -> tuple[float, float]:
    """What a unit ridge costs on the two sides of a hyperplane, sqrt(tr(P A) tr(P B)), written out.

    Args:
        X: data points, shape (n, d).
        P: density matrix, shape (n, n).
        v: unit normal, shape (d,).
        b: offset.
    """
    both, XX = [], X @ X.T + 1
    for z in (X @ v - b, b - X @ v):
        on, height = (z > 0) * 1.0, np.maximum(z, 0)
        both.append(
            np.sqrt(max((P * XX * np.outer(on, on)).sum(), 0) * max(height @ P @ height, 0))
        )
    return both[0], both[1]


def proven(net: ShallowReLU, X: np.ndarray, P: np.ndarray, mu: np.ndarray) -> float:
    """(1/n)[1'P1 + 2 sum_h min(|a_h| s_front, |a_h| s_back + a_h mu.v_h) + 2 mu.beta], written out.

    Args:
        net: the network.
        X: data points, shape (n, d).
        P: density matrix, shape (n, n).
        mu: multiplier, shape (d,); zero for the bound that lets the affine part go free.
    """
    form, total = net.canonical(), P.sum()
    for a, v, b in zip(form.a, form.v, form.b, strict=True):
        front, back = costs(X, P, v, b)
        total += 2 * min(abs(a) * front, abs(a) * back + a * mu @ v)
    return float((total + 2 * mu @ form.beta) / len(X))


def _flatter(net: ShallowReLU, X: np.ndarray, number: int) -> Iterator[float]:
    """Sharpness of random implementations of the same function, as they come and at their flattest scale."""
    for seed in range(4):
        other = equivalent_implementation(net, seed=1000 * number + seed)
        yield sharpness(other, X)
        yield flattest_implementation(other, X).sharpness


@claim(
    "new-implementation-free",
    kind="theorem",
    says="for every P, sharpness >= (1/n)[1'P1 + 2 sum |a_h| min s_o(h)] for all implementations, any width",
    where="new",
    cases=lambda: chain(
        [*cases.adversarial(), *cases.random(80)],
        cases.stored("overview")[::3],
        cases.descended(),
        cases.stored("fig5")[6:7],
    ),
)
def implementation_free(cases: Iterable[Case]) -> Verdict:
    """Between 1 + 2 norm and every implementation; equal to what its density gives; best density to 1e-6.

    On small data the sharpness of eight equivalent implementations (rescaled, split, turned round, padded;
    each also at its flattest scale) is compared, and a random density must give no more. Relative margins.
    """

    def margins() -> Iterator[float]:
        for number, (net, X, *_) in enumerate(cases):
            bound, n = implementation_free_bound(net, X), len(X)
            yield slack(1 - sharpness_lower_bound(net, X) / bound.value, MEET)
            yield 1 - bound.gap / MEET
            flat = flattest_implementation(net, X).sharpness
            yield slack(1 - bound.value / min(flat, sharpness(net, X)), MEET)
            if n > MANY or number % 5:
                continue
            yield 1 - abs(proven(net, X, bound.density, bound.multiplier) / bound.value - 1) / 1e-9
            U = np.random.default_rng(number).normal(size=(n, 2))
            anyone = proven(net, X, U @ U.T / (U**2).sum(), bound.multiplier)
            yield slack(1 - anyone / bound.upper, MEET)
            for other in _flatter(net, X, number):
                yield slack(1 - bound.value / other, MEET)

    return Verdict.of(margins())


def on_a_line(count: int, seed: int = 9, n: int = 12, k: int = 5) -> list[Case]:
    """Random networks of k neurons on n points of the line, all numbers standard normal.

    Args:
        count: of networks.
        seed: of the first one's random numbers.
        n: points.
        k: neurons.
    """
    found = []
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        X, W1 = rng.normal(size=(n, 1)), rng.normal(size=(k, 1))
        net = ShallowReLU(W1, rng.normal(size=k), rng.normal(size=k), rng.normal())
        found.append(Case(net, X, net(X), f"random network {number}"))
    return found


class Shares(NamedTuple):
    """Which share of (least sharpness - 1) each bound recovers; all for one network on its data.

    Attributes:
        uniform: 1 + 2 norm, the uniform density without a multiplier.
        density: the best density without a multiplier.
        multiplier: the uniform density with its best multiplier.
        both: the best of both.
    """

    uniform: float
    density: float
    multiplier: float
    both: float


def shares(net: ShallowReLU, X: np.ndarray) -> Shares:
    """The shares of the excess of one network, for data where the least sharpness is known from both sides.

    Args:
        net: the network.
        X: data points, shape (n, d).
    """
    least = least_sharpness(net, X)
    values = [
        sharpness_lower_bound(net, X),
        implementation_free_bound(net, X).value,
        affine_aware_bound(net, X, "uniform").value,
        least.value,
    ]
    return Shares(*((value - 1) / (least.upper - 1) for value in values))


@claim(
    "new-affine-aware",
    kind="theorem",
    says="with |mu.v| <= s(v, b) + s(-v, -b) for all (v, b), the bound may count 2 mu.beta as well",
    where="new",
    cases=lambda: chain(
        on_a_line(40), cases.random(12, seed=4, n_max=9)[:6], cases.stored("overview")[:1]
    ),
)
def affine_aware(cases: Iterable[Case]) -> Verdict:
    """Below every implementation, above the bound without a multiplier, whose pairs are tried out.

    Where every split of the data can be visited. Pairs are tried on 60 hyperplanes, half of them close to as
    many points as a hyperplane can meet; margins there are relative to the pair's cost, all others to the
    sharpness. On the line the uniform density recovers more than half of the excess, in the median.
    """
    recovered = []

    def margins() -> Iterator[float]:
        for number, (net, X, *_) in enumerate(cases):
            rng, (n, d) = np.random.default_rng([number, 4]), X.shape
            uniform, best = affine_aware_bound(net, X, "uniform"), affine_aware_bound(net, X)
            if not best.certified:
                continue
            flat = flattest_implementation(net, X).sharpness
            yield slack(1 - uniform.value / best.upper, MEET)
            yield slack(1 - implementation_free_bound(net, X).value / best.upper, MEET)
            yield slack(1 - best.value / flat, MEET)
            for bound in (uniform, best):
                value = proven(net, X, bound.density, bound.multiplier)
                yield 1 - abs(value / bound.value - 1) / 1e-9
                for _ in range(30):
                    v, b = rng.normal(size=d), rng.normal()
                    if rng.random() < 0.5 and n > d:
                        some = X[rng.choice(n, d, replace=False)]
                        v = np.linalg.svd(some[1:] - some[0])[2][-1] + 1e-5 * rng.normal(size=d)
                        b = some[0] @ v + 1e-5 * rng.normal()
                    size = np.linalg.norm(v)
                    pair = sum(costs(X, bound.density, v / size, b / size))
                    paid = abs(bound.multiplier @ v) / size
                    yield slack(1 - paid / pair if pair > 1e-12 else -float(paid > 1e-9), MEET)
            for other in _flatter(net, X, number) if number % 5 == 0 else ():
                yield slack(1 - best.value / other, MEET)
            if d == 1 and best.upper > 1 + 1e-6:
                recovered.append((uniform.value - 1) / (best.upper - 1))

    found = list(margins())
    return Verdict.of([*found, np.median(recovered) - 0.5] if recovered else found)


@claim(
    "new-any-width",
    kind="theorem",
    says="the least sharpness over all widths is a convex program whose dual is the affine-aware bound",
    where="new",
    cases=lambda: chain(
        on_a_line(40), cases.random(8, seed=5, n_max=8), cases.stored("overview")[::4]
    ),
)
def any_width(cases: Iterable[Case]) -> Verdict:
    """The order of all bounds holds, and on data whose splits can all be visited both sides meet to 1e-6.

    1 + 2 norm <= implementation-free <= least sharpness <= flattest rescaling <= sharpness; and the network
    that attains the least computes the same function, on the data and far from it. Both sides are asked to
    meet where some splits are impossible, n > d + 1; else a best density may be singular, some pairs cost
    nothing under it, and the search can end with a gap.
    """

    def margins() -> Iterator[float]:
        for number, (net, X, *_) in enumerate(cases):
            least = least_sharpness(net, X)
            if X.shape[1] == 1 or len(X) > X.shape[1] + 1:
                yield 1 - least.gap / MEET
            order = [
                sharpness_lower_bound(net, X),
                implementation_free_bound(net, X).value,
                least.upper,
                flattest_implementation(net, X).sharpness,
                sharpness(net, X),
            ]
            yield from (slack(1 - a / b, MEET) for a, b in pairwise(order))
            Z = 10 * np.random.default_rng(number).normal(size=(30, X.shape[1]))
            size = 1 + np.abs(net(Z)).max()
            yield 1 - np.abs(least.net(Z) - net(Z)).max() / size / 1e-9
            yield 1 - abs(sharpness(least.net, X) / least.upper - 1) / 1e-9

    return Verdict.of(margins())
