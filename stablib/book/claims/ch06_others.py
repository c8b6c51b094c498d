"""Claims of chapter 06 on what others bound: the R-norm, and results that speak of implementations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from ...curvature import sharpness, tangent_gram
from ...equivalents import equivalent_implementation
from ...network import ShallowReLU
from ...norms import r_norm, stability_norm
from ...radon.measures import laplacian
from . import cases
from .cases import Case
from .ch02_definitions import creases, g, slack, smooth
from .registry import Verdict, claim


@claim(
    "text-7-rnorm",
    kind="theorem",
    says="the R-norm of Ongie et al. is the stability norm with weight 1",
    where="Sec. 7",
    cases=lambda: [*smooth([*cases.adversarial(), *cases.random(100, seed=70)])],
)
def weight_one(cases: Iterable[Case]) -> Verdict:
    """Jumps of the gradient, read off the function: with weight 1 the R-norm, with g the stability norm.

    Also the total variation of the Laplacian as a measure on hyperplanes. Relative, to 1e-6.
    """

    def margins() -> Iterator[float]:
        for net, X, *_ in cases:
            found = creases(net)
            # Jumps are differences of gradients: known up to rounding of their size.
            size = np.abs(net.w2) @ np.linalg.norm(net.W1, axis=1) or 1.0
            plain = sum(abs(crease.jump) for crease in found)
            yield 1 - abs(plain - r_norm(net)) / size / 1e-6
            yield 1 - abs(laplacian(net).total - r_norm(net)) / size / 1e-9
            priced = sum(abs(crease.jump) * g(X, crease.v, crease.b) for crease in found)
            top = max([g(X, crease.v, crease.b) for crease in found], default=1.0) or 1.0
            yield 1 - abs(priced - stability_norm(net, X)) / (size * top) / 1e-6

    return Verdict.of(margins())


class Two(NamedTuple):
    """One function, two implementations.

    Attributes:
        first_layer: ratio of their |W1|, the larger over the smaller.
        earlier: the same for |W1|^2 trace H, which bounds the mean of |grad f|^2 (1 + |x|^2).
        sharpness: the same for the sharpness.
        norm: of their stability norms, which should be 1.
        holds: the least of |W1|^2 trace H over that mean.
    """

    first_layer: float
    earlier: float
    sharpness: float
    norm: float
    holds: float


def two_implementations(net: ShallowReLU, X: np.ndarray, seed: int) -> Two:
    """Compare a network with another one of the same function.

    Args:
        net: the network.
        X: data points, shape (n, d).
        seed: of the other one.
    """
    other = equivalent_implementation(net, seed=seed, padded=False)
    on = net.preactivations(X) > 0
    slopes = (on * net.w2) @ net.W1
    mean = ((slopes**2).sum(axis=1) * (1 + (X**2).sum(axis=1))).mean()

    def values(n: ShallowReLU) -> np.ndarray:
        layer = np.linalg.norm(n.W1)
        trace = np.trace(tangent_gram(n, X)) / len(X)
        return np.array([layer, layer**2 * trace, sharpness(n, X)])

    a, b = values(net), values(other)
    norm = stability_norm(other, X) / stability_norm(net, X)
    bounds = min(a[1], b[1]) / mean if mean > 0 else np.inf
    return Two(*np.maximum(a / b, b / a), norm, bounds)


@claim(
    "text-7-mulayoff",
    kind="claim",
    says="earlier results speak of implementations, or bound f by the first layer's norm; (10) does not",
    where="Sec. 7",
    cases=lambda: list(smooth(cases.random(60, seed=71, n_max=12))),
)
def earlier_bounds(cases: Iterable[Case]) -> Verdict:
    """Rewriting a network moves |W1| and the sharpness, by medians of 1.5 or more; the norm stays to 1e-6.

    With |grad f(x)|^2 (1 + |x|^2) <= |W1|^2 |phi(x)|^2 a bound in the manner of Ma and Ying (2021) is true
    for every implementation, and its right side moves by a median factor above 3.
    """
    found = [
        two_implementations(net, X, number)
        for number, (net, X, *_) in enumerate(cases)
        if stability_norm(net, X) > 1e-3
    ]
    layer, earlier, top = (
        np.median([getattr(two, name) for two in found])
        for name in ("first_layer", "earlier", "sharpness")
    )
    return Verdict.of(
        [
            layer / 1.5 - 1,
            earlier / 3 - 1,
            top / 1.5 - 1,
            *(1 - abs(two.norm - 1) / 1e-6 for two in found),
            *(slack(two.holds - 1, 1e-9) for two in found),
        ]
    )
