"""Networks of k neurons that approximate a smooth hill: errors, norms and sharpness as k grows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from ..bounds import _printed_upper_bound, sharpness_lower_bound, sharpness_upper_bound
from ..flattest import flattest_implementation
from ..network import ShallowReLU
from ..norms import r_norm, stability_norm
from ..radon.atoms import ball_errors, fitted_networks, sampled_network
from ..radon.sobolev import SmoothTarget
from ..training import Sweep
from ..training.specs import Spec
from ..weights import EmpiricalWeight

WIDTHS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096)
RADIUS = 2.0  # of the ball on which errors are measured
_COLUMNS = (
    "l1",
    "sup",
    "r_norm",
    "priced",
    "stability_norm",
    "lower",
    "flattest",
    "upper",
    "printed",
)


def hill(d: int, shape: str = "gaussian") -> SmoothTarget:
    """One hill at the origin, of height and width 1.

    Args:
        d: dimension, 1 or 3.
        shape: as for `SmoothTarget`.
    """
    return SmoothTarget(shape, np.zeros((1, d)))


def points(d: int, n: int = 50, seed: int = 0) -> np.ndarray:
    """Normal data of standard deviation 0.8, shape (n, d): where the hill is.

    Args:
        d: dimension.
        n: number of points.
        seed: of the draw.
    """
    return 0.8 * np.random.default_rng(seed).normal(size=(n, d))


@cache
def mass(d: int) -> tuple[float, float]:
    """The hill's R-norm and its norm with the weight g_hat of `points(d)`.

    Args:
        d: dimension, 1 or 3.
    """
    return hill(d).r_norm(), hill(d).g_hat_norm(points(d))


def network(d: int, how: str, k: int, seed: int = 0) -> ShallowReLU:
    """The network f_k for the Gaussian hill.

    Args:
        d: dimension, 1 or 3.
        how: "sobol" or "random", total slope kept; "priced", Sobol points with the price of the data kept as
            well; "fitted", ridges and slopes chosen to fit.
        k: neurons.
        seed: of what is drawn.
    """
    if how == "fitted":
        return fitted_networks(hill(d), [w for w in WIDTHS if w < k] + [k], RADIUS, seed=seed)[-1]
    if how == "priced":
        return sampled_network(hill(d), k, seed=seed, X=points(d))
    return sampled_network(hill(d), k, how=how, seed=seed)


@dataclass(frozen=True)
class Approximation(Spec):
    """One network f_k for the Gaussian hill in one or three dimensions.

    Args:
        d: dimension.
        how: as for `network`.
        k: neurons.
        seed: of what is drawn.
    """

    d: int
    how: str
    k: int
    seed: int = 0

    def labels(self) -> dict[str, Any]:
        """The columns that say which network it is."""
        return {name: getattr(self, name) for name in ("d", "how", "k", "seed")}

    def columns(self) -> dict[str, type]:
        """Those, and what is measured."""
        return {name: type(value) for name, value in self.labels().items()} | dict.fromkeys(
            _COLUMNS, float
        )

    def execute(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Make the network, and measure it on the ball and on the data."""
        net, X = network(self.d, self.how, self.k, self.seed), points(self.d)
        l1, sup = ball_errors(net, hill(self.d), RADIUS)
        a, v, b = net.ridges()
        row = self.labels() | {
            "l1": l1,
            "sup": sup,
            "r_norm": r_norm(net),
            "priced": float(np.abs(a) @ (1 + EmpiricalWeight(X).g_hat(v, b))),
            "stability_norm": stability_norm(net, X),
            "lower": sharpness_lower_bound(net, X),
            "flattest": flattest_implementation(net, X).sharpness,
            "upper": sharpness_upper_bound(net, X),
            "printed": _printed_upper_bound(net, X),
        }
        return row, {}


APPROXIMATION = Sweep(
    "approximation",
    tuple(
        Approximation(d, how, k, seed)
        for d in (1, 3)
        for how, seeds in (("sobol", 1), ("random", 3), ("priced", 1), ("fitted", 1))
        for k in WIDTHS
        for seed in range(seeds)
    ),
)
