"""A network whose limit has no Laplacian on the data and still has a norm: the harmonic saddle."""

from __future__ import annotations

import numpy as np
from scipy.integrate import quad

from .. import checks
from ..network import ShallowReLU
from ..weights import IsotropicWeight


def saddle(directions: int = 64, offsets: int = 200) -> ShallowReLU:
    """Ridges of slope cos(2 theta) at every angle and offset: a network close to (pi/4)(x1^2 - x2^2).

    On the unit disc its function tends to the saddle as the ridges become dense, and the Laplacian of the
    saddle is 0. The bends do not vanish, they only cancel.

    Args:
        directions: angles over the whole circle, a multiple of 4.
        offsets: over [-1, 1], at each angle.

    Raises:
        ValueError: if the directions are no multiple of 4, or there are no offsets.

    Example:
        >>> net = saddle()
        >>> x = np.array([[0.3, 0.4], [-0.5, 0.1]])
        >>> net(x).round(4), (np.pi / 4 * (x[:, 0]**2 - x[:, 1]**2)).round(4)
        (array([-0.055 ,  0.1885]), array([-0.055 ,  0.1885]))

    Source: the book's own; the paper's (2) and (13) are about finite networks.
    """
    directions = checks.count(directions, "directions", minimum=4)
    offsets = checks.count(offsets, "offsets")
    if directions % 4:
        raise ValueError(f"directions is {directions}; a multiple of 4 is needed, for the symmetry")
    # A quarter of a step off the axes: opposite directions then carry different hyperplanes.
    angle = 2 * np.pi * (np.arange(directions) + 0.25) / directions
    b = (np.arange(offsets) + 0.5) * 2 / offsets - 1
    v = np.column_stack([np.cos(angle), np.sin(angle)])
    slope = np.cos(2 * angle) * (2 * np.pi / directions) * (2 / offsets)
    W1 = np.repeat(v, offsets, axis=0)
    net = ShallowReLU(W1, -np.tile(b, directions), np.repeat(slope, offsets))
    return ShallowReLU(net.W1, net.b1, net.w2, -float(net(np.zeros((1, 2)))[0]))


def two_ridges(offsets: int = 200) -> ShallowReLU:
    """The same saddle from two directions: (pi/4) x1^2 and -(pi/4) x2^2, each a sum of parallel ridges.

    Among all measures on hyperplanes that make the saddle on the disc, it has the least norm.

    Args:
        offsets: over [-1, 1], in each direction.

    Raises:
        ValueError: if there are no offsets.

    Example:
        >>> two_ridges(400)([[0.3, 0.4]]).round(4)
        array([-0.055])
    """
    offsets = checks.count(offsets, "offsets")
    b = (np.arange(offsets) + 0.5) * 2 / offsets - 1
    # Each line is made by two neurons that face each other: |x - b| leaves no linear part behind.
    W1 = np.repeat([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]], offsets, axis=0)
    slope = np.repeat([1.0, 1.0, -1.0, -1.0], offsets) * np.pi / (2 * offsets)
    return ShallowReLU(W1, np.concatenate([-b, b, -b, b]), slope)


def saddle_norm(weight: IsotropicWeight) -> tuple[float, float]:
    """Norms of the saddle under a rotation-invariant law on the unit disc: of its dense form, and the least.

    Args:
        weight: of the law; its coordinate lives on [-1, 1].

    Returns:
        4 int g and pi int g over [-1, 1]. No sequence of networks that tends to the saddle on the disc has
        norms that stay below the second.

    Raises:
        ValueError: if `weight` is no IsotropicWeight.
    """
    if not isinstance(weight, IsotropicWeight):
        raise ValueError(f"weight is {type(weight).__name__}; an IsotropicWeight is needed")
    area = 2 * quad(lambda b: float(weight.g([1.0, 0.0], b)), 0, 1, epsabs=1e-12, limit=200)[0]
    return 4 * area, np.pi * area
