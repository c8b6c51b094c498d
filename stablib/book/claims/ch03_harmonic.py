"""Claims of chapter 03 on the saddle: where a vanishing Laplacian no longer means a vanishing norm."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.optimize import linprog

from ...network import ShallowReLU
from ...norms import stability_norm
from ...radon.density import isotropic, uniform_disc
from ...radon.harmonic import saddle, saddle_norm, two_ridges
from ...radon.measures import laplacian
from ...weights import IsotropicWeight
from .registry import Verdict, claim


def disc(nodes: int = 40) -> np.ndarray:
    """Places of a square grid that lie in the unit disc, shape (m, 2)."""
    axis = (np.arange(nodes) + 0.5) * 2 / nodes - 1
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    return x[(x**2).sum(axis=1) < 1]


def primal_reading(net: ShallowReLU, eps: float, nodes: int = 40) -> float:
    """The integral of |Laplacian of f, smoothed| rho over the unit disc, for the uniform law on it.

    Args:
        net: a network of two inputs.
        eps: width of the smoothing.
        nodes: of the grid, along a side.
    """
    x = disc(nodes)
    rho = isotropic(np.linalg.norm(x, axis=1), uniform_disc())
    return float(np.abs(laplacian(net).mollified(x, eps)) @ rho * (2 / nodes) ** 2)


def saddle_error(net: ShallowReLU) -> float:
    """Largest distance from (pi/4)(x1^2 - x2^2) on the unit disc."""
    x = disc()
    return float(np.abs(net(x) - np.pi / 4 * (x[:, 0] ** 2 - x[:, 1] ** 2)).max())


def cheapest_directions(count: int = 180) -> float:
    """Least total slope sum |c_i| of ridges (v_i.x)^2 that add up to x1^2 - x2^2, over many directions.

    Args:
        count: directions in the half circle.
    """
    turn = np.pi * (np.arange(count) + 0.3) / count
    c, s = np.cos(turn), np.sin(turn)
    equal = np.array([c * c, c * s, s * s])
    answer = linprog(
        np.ones(2 * count), A_eq=np.hstack([equal, -equal]), b_eq=[1.0, 0.0, -1.0], method="highs"
    )
    return float(answer.fun)


@claim(
    "new-harmonic",
    kind="theorem",
    says="networks whose limit has no Laplacian on the data can keep a positive norm, pi int g at least",
    where="new, of (2) and (13)",
)
def saddle_costs() -> Verdict:
    """The dense saddle and the saddle of two directions, under the uniform law on the disc.

    Both are within 1e-4 of the saddle; their norms are 4 int g and pi int g, to 1e-3. Smoothed to a width of
    0.15, beyond the distance of the ridges, the dense one's Laplacian is below 1 % of what it was unsmoothed.
    No choice of directions makes the saddle of ridges (v.x)^2 with less total slope than the two axes do; and
    mixtures of both networks, turned copies with the right share of harmonics among them, are never below
    pi int g by more than 1e-3.
    """
    weight = IsotropicWeight(uniform_disc())
    dense, least = saddle_norm(weight)

    def margins() -> Iterator[float]:
        for net, norm in ((saddle(), dense), (two_ridges(), least)):
            yield 1 - saddle_error(net) / 1e-4
            yield 1 - abs(stability_norm(net, weight) / norm - 1) / 1e-3
        sparse = saddle(32, 60)
        yield 1 - primal_reading(saddle(), 0.15) / (0.01 * primal_reading(sparse, 0.005, 200))
        yield cheapest_directions() / 2 - 1 + 1e-9
        for share in (0.0, 0.25, 0.5, 0.9, 1.0):
            mixed = _mixture(saddle(32, 100), two_ridges(), share)
            yield 1 - saddle_error(mixed) / 1e-3
            yield stability_norm(mixed, weight) / least - 1 + 1e-3

    return Verdict.of(margins())


def _mixture(first: ShallowReLU, second: ShallowReLU, share: float) -> ShallowReLU:
    return ShallowReLU(
        np.vstack([first.W1, second.W1]),
        np.concatenate([first.b1, second.b1]),
        np.concatenate([share * first.w2, (1 - share) * second.w2]),
        share * first.b2 + (1 - share) * second.b2,
    )
