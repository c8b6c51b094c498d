"""Claims of chapter 06 on stability: Theorems 2 and 3 in action, and the room between two conditions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from ...bounds import (
    _printed_upper_bound,
    sharpness_lower_bound,
    sharpness_upper_bound,
    sufficient_stability,
    upper_bound_implementation,
)
from ...curvature import sharpness, tangent_features, tangent_gram
from ...flattest import flattest_implementation
from ...linearized import linearized_sgd
from ...network import ShallowReLU
from ..approximation import hill, network, points
from . import cases
from .cases import Case
from .ch02_definitions import slack, smooth
from .ch06_lemma2 import narrow, sloped
from .ch06_sobolev import stored
from .ch09_memoriser import growth
from .registry import Verdict, claim


def _some() -> list[Case]:
    """Random, mostly affine and trained networks of moderate weights, with labels on their function."""
    return [*smooth([*cases.random(30, seed=3), *sloped()]), *cases.stored("overview")]


@claim(
    "thm-3",
    kind="theorem",
    says="if the left side of (20) is at most 1/eta - 1/2, then f is a stable solution for step size eta",
    where="Theorem 3, (20)",
    cases=_some,
)
def theorem_3(cases: Iterable[Case]) -> Verdict:
    """At the largest step size that the corrected condition grants, descent stays near the implementation.

    Printed: in width k, the step size of (20) against 2 over the flattest implementation. Corrected: the
    implementation of k + 2 neurons, at 0.999 of 2 over the corrected bound: linearised descent does not
    leave, by more than rounding; and real descent from 1e-7 away is within twice that after 300 steps.
    """
    printed = []
    for distance in (10.0, 1000.0):
        net, X, *_ = narrow(distance)
        allowed = 2 / _printed_upper_bound(net, X, "larger")
        printed.append(2 / flattest_implementation(net, X).lower_bound / allowed - 1)

    def margins() -> Iterator[float]:
        for net, X, *_ in [*cases, narrow(10.0)]:
            step = 0.999 * 2 / sharpness_upper_bound(net, X)
            yield float(sufficient_stability(net, X, step)) - 0.5
            wide = upper_bound_implementation(net, X)
            y = wide(X)
            path = linearized_sgd(wide, X, y, step, len(X), radius=1e-3, steps=200, seed=3)
            yield 1e-9 + 1 - path.inside[-1] / path.inside[0]
            if wide.knots_on_data(X, 1e-4) == 0 and np.abs(wide.parameters()).max() < 1e3:
                yield 2 - growth(wide, X, y, step)

    return Verdict.corrected(printed, margins(), "relu(x + D) - .999 relu(-x - D) in two neurons")


class Stay(NamedTuple):
    """A network f_k and what gradient descent does beside it, at the one step size.

    Attributes:
        k: its neurons.
        net: its flattest rescaling.
        sharpness: of that.
        growth: largest distance over the first, from 1e-7 away.
    """

    k: int
    net: ShallowReLU
    sharpness: float
    growth: float


def one_step_size(d: int = 3) -> float:
    """0.95 times 2 over the largest sharpness of a flattest rescaling, over all k of the stored table.

    Args:
        d: dimension.
    """
    return 0.95 * 2 / max(row["flattest"] for row in stored() if _ours(row, d))


def _ours(row: dict, d: int) -> bool:
    return row["d"] == d and row["how"] == "sobol" and row["k"] >= 64


@cache
def stays(d: int = 3, widths: tuple[int, ...] = (64, 256, 1024)) -> tuple[Stay, ...]:
    """Descent beside f_k with labels f_k(x_j), at `one_step_size`.

    Args:
        d: dimension.
        widths: k.
    """
    X, step = points(d), one_step_size(d)
    found = []
    for k in widths:
        flat = flattest_implementation(network(d, "sobol", k), X)
        found.append(Stay(k, flat.net, flat.sharpness, growth(flat.net, X, flat.net(X), step)))
    return tuple(found)


class Corrected(NamedTuple):
    """f_k with a correction, so that it meets labels that do not depend on k.

    Attributes:
        k: neurons of f_k.
        missed: largest error of f_k on the data.
        added: R-norm of the correction.
        left: largest error of both together.
        sharpness: of the flattest rescaling of both together.
        growth: as for `Stay`.
    """

    k: int
    missed: float
    added: float
    left: float
    sharpness: float
    growth: float


@cache
def corrected(
    d: int = 3, widths: tuple[int, ...] = (64, 256, 1024), extra: int = 400
) -> tuple[Corrected, ...]:
    """f_k plus a combination of fixed random neurons, of least squares, that meets the labels f(x_j).

    Args:
        d: dimension.
        widths: k.
        extra: fixed neurons.
    """
    X, target = points(d), hill(d)
    y, rng = target(X), np.random.default_rng(7)
    V = rng.normal(size=(extra, d))
    V /= np.linalg.norm(V, axis=1)[:, None]
    offset = rng.uniform(-2, 2, extra)
    ridge = np.maximum(X @ V.T - offset, 0)
    step = one_step_size(d)
    found = []
    for k in widths:
        net = network(d, "sobol", k)
        error = y - net(X)
        slopes = np.linalg.lstsq(ridge, error, rcond=None)[0]
        both = ShallowReLU(
            np.vstack([net.W1, V]), np.r_[net.b1, -offset], np.r_[net.w2, slopes], net.b2
        )
        flat = flattest_implementation(both, X)
        found.append(
            Corrected(
                k,
                float(np.abs(error).max()),
                float(np.abs(slopes).sum()),
                float(np.abs(both(X) - y).max()),
                flat.sharpness,
                growth(flat.net, X, both(X), step) if k == widths[-1] else np.nan,
            )
        )
    return tuple(found)


@claim(
    "thm-2",
    kind="theorem",
    says="there is one step size at which every f_k of a converging sequence is stable",
    where="Theorem 2",
)
def theorem_2() -> Verdict:
    """Sharpness bounded in k, from 64 to 4,096; descent at one step size stays; and fixed labels, repaired.

    The flattest rescaling of f_k, labels f_k(x_j): at most 1.1 times that of the largest k, and so is the
    bound of k + 2 neurons. Descent from 1e-7 away stays within twice that. With labels f(x_j): the R-norm of
    the correction falls by 2 or more each time that k is multiplied by 4, it meets the labels to 1e-10, and
    at the largest k descent stays at the same step size. At 1.2 times a network's own threshold it does not.
    """

    def margins() -> Iterator[float]:
        for d in (1, 3):
            rows = sorted((row for row in stored() if _ours(row, d)), key=lambda row: row["k"])
            for row in rows:
                yield 1.1 - row["flattest"] / rows[-1]["flattest"]
                yield 1.1 - row["upper"] / rows[-1]["upper"]
            for stay in stays(d):
                yield 2 - stay.growth
        found = corrected()
        for before, after in pairwise(found):
            yield before.added / after.added / 2 - 1
        for each in found:
            yield 1 - each.left / 1e-10
        yield 2 - found[-1].growth
        stay, X = stays()[-1], points(3)
        yield growth(stay.net, X, stay.net(X), 1.2 * 2 / stay.sharpness) / 2 - 1

    return Verdict.of(margins())


class Room(NamedTuple):
    """Step sizes at a network's function, from surely stable to surely not.

    Attributes:
        printed: 2 over the right side of (19).
        sufficient: 2 over the corrected bound of k + 2 neurons.
        rescaled: 2 over the flattest rescaling.
        own: 2 over the sharpness as it is.
        necessary: 2/(1 + 2 norm): no implementation is stable beyond.
    """

    printed: float
    sufficient: float
    rescaled: float
    own: float
    necessary: float


def room(net: ShallowReLU, X: np.ndarray) -> Room:
    """The step sizes between (20) and (10) for one network.

    Args:
        net: the network.
        X: data points, shape (n, d).
    """
    return Room(
        2 / _printed_upper_bound(net, X),
        2 / sharpness_upper_bound(net, X),
        2 / flattest_implementation(net, X).sharpness,
        2 / sharpness(net, X),
        2 / sharpness_lower_bound(net, X),
    )


@claim(
    "text-5-gap",
    kind="claim",
    says="Theorem 3 complements Theorem 1: one condition is sufficient, the other necessary",
    where="Sec. 5, (10), (20)",
    cases=lambda: [*_some(), *cases.descended()],
)
def complements(cases: Iterable[Case]) -> Verdict:
    """The sufficient step size is at most the necessary one; between them lies a variance.

    For a network with balanced neurons E|phi|^2 - |E phi|^2 is the difference of the two means whose square
    roots, neuron by neuron, are the two conditions before the affine part and before the two sides; it is the
    total variance of phi, to 1e-9. Relative to the necessary one.
    """

    def margins() -> Iterator[float]:
        for net, X, *_ in cases:
            at = room(net, X)
            yield slack(1 - at.sufficient / at.necessary, 1e-9)
            yield slack(1 - at.rescaled / at.necessary, 1e-9)
            phi = tangent_features(net, X)
            spread = np.trace(tangent_gram(net, X)) / len(X) - (phi.mean(axis=1) ** 2).sum()
            known = phi.var(axis=1).sum()
            yield 1 - abs(spread - known) / (np.trace(tangent_gram(net, X)) / len(X)) / 1e-9

    return Verdict.of(margins())
