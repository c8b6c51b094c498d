"""Other implementations of a function: networks that no input can tell apart, and yet of other sharpness.

Four moves change the neurons and leave the function: padding with what adds up to nothing, turning neurons
round, splitting them, and rescaling them. With their inverses they lead from any implementation to any other.
All of them but the last are exact in the input weights, and that one costs a rounding: so neurons that share
a hyperplane go on sharing it.
"""

from __future__ import annotations

import numpy as np

from . import checks
from .network import ShallowReLU

STREAM = 5  # of the generator: apart from data that are drawn with the same seed
WIDEST = 10.0  # largest spread: five times it is a factor of 5e21
UNDONE = 1e-14  # an affine part is taken for rounding below this share of what was added up

_Neuron = tuple[np.ndarray, float, float]  # W1_i, b1_i, w2_i


def equivalent_implementation(
    net: ShallowReLU,
    *,
    seed: int | np.random.Generator = 0,
    rescaled: bool = True,
    split: bool = True,
    turned: bool = True,
    padded: bool = True,
    spread: float = 1.0,
) -> ShallowReLU:
    """A random network with the same function on all of R^d, in random order of its neurons.

    Each step that is left on is done to some neurons at least, if there are any, in this order: pad, turn,
    split, rescale. With all of them off, the neurons only change places.

    Args:
        net: the network, of k neurons.
        seed: an integer or a NumPy Generator; equal integers give equal networks.
        rescaled: multiply all neurons' (W1_i, b1_i) by 1/c_i and w2_i by c_i, where log c_i is normal.
        split: divide neurons into two to four on the same hyperplane. In one case of four a share is
            negative: two neurons then work against each other, which costs sharpness.
        turned: let neurons fire on the other side, w2 relu(z) = w2 relu(-z) + w2 z. What the terms w2 z add
            up to, beta.x + c, is given back by b2 and one to three antipodal pairs
            relu(beta.x + t) - relu(-beta.x - t) = beta.x + t with random knots; none where beta is zero.
        padded: add neurons that change nothing: without output weight, two that cancel on one hyperplane, or
            without input weights, a constant that b2 gives back.
        spread: standard deviation of log c_i, from 0 to 10.

    Returns:
        ShallowReLU: its values differ by rounding, some 1e-15 of the sum of the terms' sizes. New hyperplanes
        are as far from the origin, and new slopes as steep, as those of the network are (1 if it has none).

    Raises:
        ValueError: if `net` is no ShallowReLU, the seed is no seed, the spread is negative or above 10, or
            the weights are too large or too small to be multiplied.

    Example:
        >>> from stablib import sharpness, stability_norm
        >>> kink, X = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0]), [[-1.0], [1.0]]     # |x|
        >>> other = equivalent_implementation(kink, seed=1)
        >>> other.k > 2, bool(abs(other([[-3.0]])[0] - 3) < 1e-12)
        (True, True)
        >>> round(stability_norm(other, X) / stability_norm(kink, X), 9), bool(sharpness(other, X) > 2.4)
        (1.0, True)

    Source: Sec. 2 and App. A, where rescaling is the example, eq. (100); the other moves undo (57) and (58).
    """
    net = checks.network(net)
    spread = checks.nonnegative(spread, "spread")
    if spread > WIDEST:
        raise ValueError(f"spread is {spread:g}; at most {WIDEST:g} is possible")
    rng = checks.generator(seed, STREAM)
    try:
        with np.errstate(over="raise", invalid="raise"):
            if padded:
                net = _padded(net, rng)
            if turned:
                net = _turned(net, rng)
            if split:
                net = _split(net, rng)
            if rescaled:
                net = _rescaled(net, rng, spread)
    except FloatingPointError:
        raise ValueError(
            "products of the weights exceed what float64 holds; weights of moderate size are needed"
        ) from None
    order = rng.permutation(net.k)
    return ShallowReLU(net.W1[order], net.b1[order], net.w2[order], net.b2)


def _padded(net: ShallowReLU, rng: np.random.Generator) -> ShallowReLU:
    """With dead weight of three kinds: one piece at least, and at most one for two neurons."""
    offset, slope = _scales(net)
    more: list[_Neuron] = []
    b2 = net.b2
    for kind in rng.integers(3, size=rng.integers(1, max(1, net.k // 2) + 1)):
        w, b, a = _neuron(slope * rng.normal(size=net.d) / np.sqrt(net.d), offset, rng)
        if kind == 0:
            more.append((w, b, 0.0))
        elif kind == 1:
            more += [(w, b, a), (w, b, -a)]
        else:
            more.append((0 * w, abs(b), a))
            b2 -= abs(b) * a
    return _with(net, more, b2)


def _turned(net: ShallowReLU, rng: np.random.Generator) -> ShallowReLU:
    """With some neurons firing on the other side, and the affine part that is then missing."""
    some = _some(net.k, rng)
    sign = np.ones(net.k)
    sign[some] = -1.0
    terms = net.w2[some, None] * net.W1[some]
    beta, gross = terms.sum(axis=0), np.abs(terms).sum(axis=0)
    b2 = net.b2 + (net.w2[some] * net.b1[some]).sum()
    pairs: list[_Neuron] = []
    if np.abs(beta).max() > UNDONE * gross.max():
        offset = _scales(net)[0]
        # Each pair but the last may go anywhere: the last one brings their sum back to beta.
        parts = rng.normal(scale=np.abs(beta).max(), size=(rng.choice([0, 0, 1, 2]), net.d))
        for part in (*parts, beta - parts.sum(axis=0)):
            w, b, a = _neuron(part, offset, rng)
            pairs += [(w, b, a), (-w, -b, -a)]
            b2 -= a * b
    flipped = ShallowReLU(sign[:, None] * net.W1 + 0.0, sign * net.b1 + 0.0, net.w2)
    return _with(flipped, pairs, b2)


def _split(net: ShallowReLU, rng: np.random.Generator) -> ShallowReLU:
    """With some neurons in two to four pieces, whose output weights add up."""
    pieces: list[np.ndarray] = [np.ones(1)] * net.k
    for i in _some(net.k, rng):
        shares = rng.dirichlet(np.ones(rng.integers(2, 5)))
        if rng.random() < 0.25:
            against = shares[-1] + rng.exponential()
            shares[0], shares[-1] = shares[0] + against, shares[-1] - against
        shares = np.round(shares * 2.0**20) / 2.0**20  # short numbers have an exact sum
        shares[0] += 1 - shares.sum()
        pieces[i] = shares
    whole = np.repeat(np.arange(net.k), [len(shares) for shares in pieces])
    share = np.concatenate([np.ones(0), *pieces])
    return ShallowReLU(net.W1[whole], net.b1[whole], share * net.w2[whole], net.b2)


def _rescaled(net: ShallowReLU, rng: np.random.Generator, spread: float) -> ShallowReLU:
    """With log c_i normal, c_i rounded to 32 bits: then points that lie on a hyperplane stay on it."""
    mantissa, exponent = np.frexp(np.exp(spread * rng.normal(size=net.k)))
    r = np.ldexp(np.round(mantissa * 2.0**32), exponent - 32)
    with np.errstate(under="raise"):  # a number too small to be normal has lost its last digits
        return ShallowReLU(net.W1 * r[:, None], net.b1 * r, net.w2 / r, net.b2)


def _some(k: int, rng: np.random.Generator) -> np.ndarray:
    """Between one and all of k indices, every number of them as likely; none of none."""
    return rng.permutation(k)[: rng.integers(1, k + 1)] if k else np.zeros(0, dtype=int)


def _scales(net: ShallowReLU) -> tuple[float, float]:
    """How far the network's hyperplanes are from the origin, and how steep its ridges are; 1 if unknown."""
    ridges = net.ridges()
    far, steep = (np.abs(values[values != 0]) for values in (ridges.b, ridges.a))
    offset, slope = (float(np.median(v)) if len(v) else 1.0 for v in (far, steep))
    return offset, slope


def _neuron(slope: np.ndarray, offset: float, rng: np.random.Generator) -> _Neuron:
    """w2 relu(W1.x + b1) with w2 W1 = slope, exactly, about balanced, and a random knot."""
    size = np.frexp(np.abs(slope).max())[1] // 2
    w = np.ldexp(slope, -size)
    return w, float(offset * rng.normal() * np.linalg.norm(w)), float(np.ldexp(1.0, size))


def _with(net: ShallowReLU, neurons: list[_Neuron], b2: float) -> ShallowReLU:
    """The network with more neurons, and with another output bias."""
    W1, b1, w2 = zip(*neurons, strict=True) if neurons else ((), (), ())
    return ShallowReLU(
        np.vstack([net.W1, *W1]), np.append(net.b1, b1), np.append(net.w2, w2), float(b2)
    )
