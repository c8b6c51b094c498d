"""Profiles of radial hills: a function of the squared radius with its derivatives, and how far it reaches."""

from __future__ import annotations

from collections.abc import Callable
from math import factorial
from typing import NamedTuple

import numpy as np

Function = Callable[[np.ndarray], np.ndarray]


class Profile(NamedTuple):
    """A hill phi(r) = F(r^2) of height and width 1.

    Attributes:
        name: in words.
        derivatives: F and its derivatives as functions of s = r^2, as many as there are. A target in
            dimension d needs d + 1 of them, beside F.
        reach: radius beyond which nothing is left.
        heavy: whether it falls like a power, so that panels have to widen with the radius.
    """

    name: str
    derivatives: tuple[Function, ...]
    reach: float
    heavy: bool = False

    def at(self, s: np.ndarray, most: int) -> list[np.ndarray]:
        """F and its derivatives at s, up to an order."""
        return [function(s) for function in self.derivatives[: most + 1]]


def _gaussian(n: int) -> Function:
    return lambda s: (-0.5) ** n * np.exp(-s / 2)


def _rational(n: int) -> Function:
    return lambda s: (-1) ** n * factorial(n + 2) / 2 / (1 + s) ** (3 + n)


# exp(1 - u) with u = 1/(1 - s) has derivatives in s that are polynomials of u times itself.
_POLYNOMIALS = (
    (1,),
    (0, 0, -1),
    (0, 0, 0, -2, 1),
    (0, 0, 0, 0, -6, 6, -1),
    (0, 0, 0, 0, 0, -24, 36, -12, 1),
)


def _bump(n: int) -> Function:
    factor = np.polynomial.Polynomial(_POLYNOMIALS[n])

    def derivative(s: np.ndarray) -> np.ndarray:
        inside = s < 1
        # Beyond u = 600 the value is below 1e-260, and so is any power of u times it.
        u = np.minimum(1 / np.where(inside, 1 - s, 1.0), 600.0)
        return np.where(inside, np.exp(1 - u) * factor(u), 0.0)

    return derivative


PROFILES = {
    "gaussian": Profile("gaussian", tuple(map(_gaussian, range(5))), 12.0),
    "rational": Profile("rational", tuple(map(_rational, range(5))), 1e6, heavy=True),
    "bump": Profile("bump", tuple(map(_bump, range(5))), 1.0),
}
