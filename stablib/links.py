"""The numbers of a diagnosis, each with what proves it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .bounds import sharpness_upper_bound
from .curvature import OVERFLOW, sharpness, sharpness_interval
from .findings import KNOT, Link
from .flattest import flattest_implementation
from .network import ShallowReLU
from .stability import sgd_threshold_interval

INTERPOLATES = 1e-6  # the loss up to which the noise of SGD is taken to vanish


def sharpness_link(net: ShallowReLU, X: np.ndarray, y: np.ndarray) -> Link:
    """The top eigenvalue of the full Hessian between its certified ends."""
    name, meaning, value = "sharpness", "top eigenvalue of the Hessian", sharpness(net, X, y)
    try:
        low, high = sharpness_interval(net, X, y)
    except ArithmeticError as error:
        return Link(name, value, value, value, "estimate", meaning, str(error))
    proof = f"a Rayleigh quotient below, an inertia test {_apart(low, high)} above it"
    return Link(name, min(max(value, low), high), low, high, "proven", meaning, proof)


def sides_link(net: ShallowReLU, X: np.ndarray, y: np.ndarray, pairs: int) -> Link:
    """The range of the sharpness over the sides of hyperplanes that are as good as on a point."""
    found = sharpness_interval(net, X, y, sides=KNOT)
    (low, high), (least, most) = map(float, found), map(float, found.outer)
    status = "proven"
    if pairs == 0:
        proof = f"no hyperplane is within {KNOT:g} of a data point"
    elif found.certified:
        proof = f"all {2**pairs} choices of sides for {pairs} pairs within {KNOT:g}"
    elif least >= low * (1 - 1e-9) and most <= high * (1 + 1e-9):
        proof = f"a search over {pairs} pairs within {KNOT:g}, met by bounds over all choices"
        low, high = min(least, low), max(most, high)
    else:
        status = "estimate"
        proof = (
            f"a search over {pairs} pairs within {KNOT:g}; all that is proven is that no choice "
            f"of sides leaves {least:#.7g} to {most:#.7g}"
        )
    meaning = f"for the worst sides of {pairs} (neuron, point) pairs"
    return Link("over the sides", high, low, high, status, meaning, proof)


def lower_link(bound: float) -> Link:
    """1 + 2 stability norm."""
    proof = "Lemma 3, at every smooth local minimum; a closed form"
    meaning = "no implementation of f is flatter"
    return Link("1 + 2 norm", bound, bound, bound, "proven", meaning, proof)


def own_side_link(bound: float) -> Link:
    """1 + 2 one-sided norm."""
    proof = "the proof of Lemma 3 before it takes the cheaper side, eq. (52); a closed form"
    meaning = "no rescaling of this network is flatter"
    return Link("1 + 2 one-sided norm", bound, bound, bound, "proven", meaning, proof)


def flattest_link(net: ShallowReLU, X: np.ndarray) -> Link:
    """The least sharpness over rescalings between its two certified ends."""
    flat = flattest_implementation(net, X)
    proof = f"a rescaled network above, a density matrix below, gap {flat.gap:.0e}; labels f(X)"
    meaning = "least of its rescalings, at labels f(X)"
    low = min(flat.lower_bound, flat.sharpness)
    return Link("flattest rescaling", flat.sharpness, low, flat.sharpness, "proven", meaning, proof)


def upper_link(net: ShallowReLU, X: np.ndarray) -> Link:
    """What Lemma 2 promises."""
    bound = sharpness_upper_bound(net, X)
    proof = "Lemma 2 with the width corrected and the constants sharpened; labels f(X)"
    meaning = f"some implementation of {net.k + 2} neurons is as flat"
    return Link("upper bound", bound, bound, bound, "proven", meaning, proof)


def gd_link(sharp: Link) -> Link:
    """2/sharpness."""
    proof = "Lemma 1, and for GD the converse; 2 over the ends of the sharpness"
    meaning = "2/sharpness: stable up to this step size"
    ends = 2 / sharp.value, 2 / sharp.high, 2 / sharp.low
    return Link("GD", *ends, "proven", meaning, proof)


def sgd_link(net: ShallowReLU, X: np.ndarray, loss: float, size: int) -> Link:
    """The exact threshold of mean-square stability."""
    name, meaning = f"SGD, batch size {size}", "the same, in mean square"
    if loss > INTERPOLATES:
        why = f"the loss is {loss:#.7g}, so SGD does not come to rest (taken to: at most {INTERPOLATES:g})"
        return _empty(name, why)
    low, high = map(float, sgd_threshold_interval(net, X, size))
    proof = f"a positive operator's spectral radius between ends {_apart(low, high)}"
    return Link(name, high, low, high, "proven", meaning, proof)


def batch_link(
    net: ShallowReLU, X: np.ndarray, step_size: float, sharp: Link, known: tuple[Link, ...]
) -> Link:
    """The smallest batch size at which SGD with this step size is stable.

    Args:
        net: the network.
        X: data points, shape (n, d).
        step_size: eta.
        sharp: the sharpness, which decides for batches of all n points.
        known: SGD's thresholds for batches of 1, 16, ... points, as far as these are fewer than n.
    """
    name, meaning = "smallest batch", "with which SGD is stable at this step size"
    if step_size > 2 / sharp.value:
        return _empty(name, "the step size is above 2/sharpness: no batch is large enough")
    if any(link.value is None for link in known):
        return _empty(name, "as for SGD")
    n, excess = len(X), {}  # batch size: 1/threshold - sharpness/2; about a power of the size

    def looked_at(size: int, threshold: float) -> None:
        excess[size] = 1 / threshold - sharp.value / 2

    for size, link in zip((1, 16), known, strict=False):
        looked_at(size, link.value)
    asked = 1 / step_size - sharp.value / 2
    while True:
        below = max((size for size in excess if excess[size] > asked), default=0)
        above = min((size for size in excess if excess[size] <= asked), default=n)
        if above - below <= 1:
            break
        size = min(max(_between(below, above, excess, asked), below + 1), above - 1)
        looked_at(size, float(sgd_threshold_interval(net, X, size)[1]))
    proof = "thresholds of SGD at this size and one below; they rise with the batch size"
    return Link(name, above, above, above, "proven", meaning, proof)


def _between(below: int, above: int, excess: dict[int, float], asked: float) -> int:
    """A guess at the size whose excess is `asked`: by a power law, and the middle once that was tried."""
    ends = sorted(size for size in excess if size in (below, above))
    if len(ends) < 2:
        ends = sorted(excess)[-2:]
    values = [excess[size] for size in ends]
    if len(excess) > 5 or len(ends) < 2 or min(*values, asked) <= 0 or values[0] <= values[1]:
        return math.isqrt(below * above)
    power = math.log(values[0] / values[1]) / math.log(ends[1] / ends[0])
    return math.ceil(ends[1] * min((values[1] / asked) ** (1 / power), above / ends[1]))


def or_reason(name: str, find: Callable[..., Link], *arguments: Any) -> Link:
    """A link, or an empty one that says why: what overflows takes only its own line with it."""
    try:
        link = find(*arguments)
    except (ValueError, ArithmeticError) as error:
        return _empty(name, str(error))
    overflown = link.value is not None and not np.isfinite(link[1:4]).all()
    return _empty(name, OVERFLOW) if overflown else link


def _empty(name: str, why: str) -> Link:
    return Link(name, None, None, None, f"empty: {why}", "", "")


def _apart(low: float, high: float) -> str:
    return f"{(high - low) / abs(high):.0e} apart"
