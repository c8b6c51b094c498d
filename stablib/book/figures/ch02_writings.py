"""One function written as a network in many ways: rescaled, split, turned round."""

from __future__ import annotations

import numpy as np

from ...network import ShallowReLU


def rescaled(net: ShallowReLU, seed: int, spread: float) -> ShallowReLU:
    """The network with each neuron rescaled by a random factor.

    Args:
        net: the network.
        seed: of the draw.
        spread: standard deviation of log c_i.
    """
    rng = np.random.default_rng([seed, 1])
    return net.rescale(np.exp(spread * rng.standard_normal(net.k)))


def split(net: ShallowReLU, seed: int, opposed: bool = False) -> ShallowReLU:
    """The network with each neuron divided into two parallel copies whose slopes add up to its own.

    Args:
        net: the network.
        seed: of the draw.
        opposed: whether the copies' slopes have opposite signs.
    """
    share = np.random.default_rng([seed, 2]).uniform(0.1, 0.9, net.k)
    share = 1 + share if opposed else share
    parts = [
        (np.sqrt(abs(s))[:, None] * net.W1, np.sqrt(abs(s)) * net.b1, np.sign(s) * np.sqrt(abs(s)))
        for s in (share, 1 - share)
    ]
    W1, b1, sign = (np.concatenate(part) for part in zip(*parts, strict=True))
    return ShallowReLU(W1, b1, np.tile(net.w2, 2) * sign, net.b2)


def turned(net: ShallowReLU, X: np.ndarray, chosen: np.ndarray) -> ShallowReLU:
    """The network with some neurons firing on the other side, and two more that repair the linear part.

    a relu(z) = a relu(-z) + a z; the two carry the sum of all a z, in the form s relu(t) - s relu(-t) with t
    centred on the data.

    Args:
        net: the network.
        X: data points, shape (n, d); only their mean is used.
        chosen: which neurons are turned, (k,) booleans.
    """
    sign = np.where(chosen, -1.0, 1.0)
    slope = (net.w2[chosen, None] * net.W1[chosen]).sum(axis=0)
    constant = (net.w2[chosen] * net.b1[chosen]).sum()
    centre = slope @ X.mean(axis=0)
    root = max(np.linalg.norm(slope), 1e-300) ** 0.5
    return ShallowReLU(
        np.vstack([sign[:, None] * net.W1, slope / root, -slope / root]),
        np.concatenate([sign * net.b1, [-centre / root, centre / root]]),
        np.concatenate([net.w2, [root, -root]]),
        net.b2 + constant + centre,
    )
