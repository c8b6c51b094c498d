"""Claims of chapter 06 on the affine part of Lemma 2, and every line of App. K as a number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ...bounds import sharpness_upper_bound
from ...curvature import sharpness, tangent_gram
from ...flattest import flattest_implementation
from ...network import ShallowReLU
from ...weights import EmpiricalWeight
from .cases import Case
from .ch02_definitions import slack
from .ch06_lemma2 import frozen, gathered
from .registry import Verdict, claim


class Pair(NamedTuple):
    """What the two neurons that carry beta.x cost, and what the proof allows them.

    Attributes:
        exact: 2 |beta| (sqrt(A+ B+) + sqrt(A- B-)) at the mean of the data.
        allowed: 4 |beta| sd(h.X) sqrt(1 + E|X|^2), the last term of (110) and (113).
    """

    exact: float
    allowed: float


def affine_pair(X: np.ndarray, beta: np.ndarray) -> Pair:
    """The pair for a slope, its hyperplane through the mean.

    Args:
        X: data points, shape (n, d).
        beta: the slope, shape (d,), not zero.
    """
    size = float(np.linalg.norm(beta))
    h = beta / size
    t = X @ h
    t = t - t.mean()
    weight = 1 + (X**2).sum(axis=1)
    sides = [
        np.sqrt((np.maximum(s * t, 0) ** 2).mean() * (weight * (s * t > 0)).mean()) for s in (1, -1)
    ]
    return Pair(2 * size * sum(sides), 4 * size * float(t.std() * np.sqrt(weight.mean())))


class Steps(NamedTuple):
    """The proof of Lemma 2 in numbers, from the sharpness to the right side of (19).

    From `implementation` on each is at least as large as the one before. Those above are of the network; the
    eigenvector q is its own.

    Attributes:
        as_it_is: (99), its sharpness.
        first_term: (101), the same with n in place of (sum q)^2.
        frozen: (103), the least of (101) over all factors with q held fixed; no bound from above.
        cauchy_schwarz: (104), the trace.
        flattest: of its flattest rescaling.
        trace: (105), the least trace of its rescalings.
        implementation: (110), the least trace of the implementation (107) to (109).
        halves: the same with each of the two affine neurons bounded by both together, (110) to (113).
        direction: the variance along the slope bounded by the largest one, (116).
        printed: (120), the slope bounded by (119).
    """

    as_it_is: float
    first_term: float
    frozen: float
    cauchy_schwarz: float
    flattest: float
    trace: float
    implementation: float
    halves: float
    direction: float
    printed: float


def steps(net: ShallowReLU, X: np.ndarray) -> Steps:
    """Every step of App. K for one network, with the sides of the canonical form.

    Args:
        net: the network.
        X: data points, shape (n, d), not all equal.
    """
    a, v, b, beta, *_ = net.canonical()
    ridges = 1 + 2 * np.abs(a) @ EmpiricalWeight(X).g_hat(v, b)
    pair = affine_pair(X, beta) if beta.any() else Pair(0.0, 0.0)
    largest = np.linalg.norm(X - X.mean(axis=0), ord=2) / len(X) ** 0.5
    rest = 4 * largest * np.sqrt(1 + (X**2).sum(axis=1).mean())
    slopes = beta + (b < X @ v.T) @ (a[:, None] * v)
    least = np.linalg.norm(slopes, axis=1).min()
    form = frozen(net, X)
    return Steps(
        sharpness(net, X),
        form.value(np.ones(net.k), form.n),
        form.least(form.n),
        float(np.trace(tangent_gram(net, X))) / len(X),
        flattest_implementation(net, X).sharpness,
        sharpness_upper_bound(net, X, own_side=True),
        ridges + pair.exact,
        ridges + pair.allowed,
        ridges + rest * np.linalg.norm(beta),
        ridges + rest * (np.abs(a).sum() + least),
    )


@claim(
    "eq-110",
    kind="theorem",
    says="the two neurons of the affine part cost at most 4 |beta| sd(h.X) sqrt(1 + E|X|^2)",
    where="(106)-(116)",
    cases=gathered,
)
def affine_part(cases: Iterable[Case]) -> Verdict:
    """Half of that is enough, since no point sees both neurons; the margin is to the half.

    And from the implementation on, each line of the proof, (110) to (120), is at least the one before; so
    are, from the sharpness on, (101) and the trace (104), for the network as it is.
    """

    def margins() -> Iterator[float]:
        rng = np.random.default_rng(110)
        for net, X, *_ in cases:
            if np.ptp(X, axis=0).max() == 0:
                continue
            beta = net.canonical().beta
            beta = beta if beta.any() else rng.normal(size=net.d)
            exact, allowed = affine_pair(X, beta)
            yield slack(1 - exact / (allowed / 2), 1e-9)
            found = steps(net, X)
            yield slack(1 - found.as_it_is / found.first_term, 1e-9)
            yield slack(1 - found.first_term / found.cauchy_schwarz, 1e-9)
            chain = found[6:]
            for less, more in pairwise(chain):
                yield slack(1 - less / more, 1e-9)

    return Verdict.of(margins())


@claim(
    "eq-119",
    kind="theorem",
    says="the slope of the affine part is at most ||f||_R + inf |grad f|",
    where="(117)-(119)",
    cases=gathered,
)
def affine_slope(cases: Iterable[Case]) -> Verdict:
    """At every data point, for random sides of all hyperplanes; with all neurons off there, equality.

    The bound holds for every choice of sides. Where every ridge is turned so that it is off at the point, the
    slope is the gradient itself, to 1e-9.
    """

    def margins() -> Iterator[float]:
        rng = np.random.default_rng(119)
        for net, X, *_ in cases:
            a, v, b, beta, *_ = net.canonical()
            total = np.abs(a).sum()
            for x in X[:5]:
                active = v @ x > b
                slope = beta + (a * active) @ v
                size = np.linalg.norm(slope)
                turned = rng.random(len(a)) < 0.5
                carried = np.linalg.norm(beta + (a * turned) @ v)
                scale = size + total or 1.0
                yield slack((size + total - carried) / scale, 1e-9)
                # The gradient from the neurons of the network, for the sides that are off at x.
                true = (net.w2 * (net.W1 @ x + net.b1 > 0)) @ net.W1
                yield 1 - np.linalg.norm(true - slope) / scale / 1e-9

    return Verdict.of(margins())
