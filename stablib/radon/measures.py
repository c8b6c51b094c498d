"""The Laplacian of a network: mass on hyperplanes, and the same mass as dots in the space of hyperplanes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import checks
from ..network import ShallowReLU


@dataclass(frozen=True)
class HyperplaneMeasure:
    """Masses a_h spread evenly, at density |a_h|, over the hyperplanes v_h . x = b_h, each listed once.

    Attributes:
        a: density on each hyperplane, shape (m,).
        v: unit normals, shape (m, d).
        b: offsets, shape (m,).

    Example:
        >>> kink = ShallowReLU([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0], [1.0, 2.0])
        >>> laplacian(kink)                                  # relu(x) + 2 relu(-x) bends by 3
        HyperplaneMeasure(3 on 1 hyperplane, d=2)
        >>> laplacian(kink).atoms()[0]
        array([1.5, 1.5])

    Source: eqs. (57) and (62) to (65).
    """

    a: np.ndarray
    v: np.ndarray
    b: np.ndarray

    def __repr__(self) -> str:
        m, d = self.v.shape
        return f"HyperplaneMeasure({self.total:g} on {m} hyperplane{'s' * (m != 1)}, d={d})"

    @property
    def total(self) -> float:
        """Total variation of the dots, sum of |a_h|."""
        return float(np.abs(self.a).sum())

    def absolute(self) -> HyperplaneMeasure:
        """The measure's absolute value: two hyperplanes meet in a set without mass, so |a_h| on each."""
        return HyperplaneMeasure(np.abs(self.a), self.v, self.b)

    def atoms(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The even measure (R*)^-1 of this one: weights (2m,), normals (2m, d) and offsets (2m,).

        Half of each mass sits at (v, b), half at (-v, -b): it is one hyperplane.
        """
        a, v, b = self.a / 2, self.v, self.b
        return np.concatenate([a, a]), np.concatenate([v, -v]), np.concatenate([b, -b])

    def pair(self, phi: Callable[[np.ndarray, np.ndarray], Any]) -> float:
        """Integral of a function of hyperplanes against the atoms: only its even part counts.

        Args:
            phi: from normals (m, d) and offsets (m,) to values (m,).

        Raises:
            ValueError: if `phi` returns another shape.
        """
        a, v, b = self.atoms()
        values = checks.array(phi(v, b), "phi(v, b)")
        if values.shape != b.shape:
            raise ValueError(
                f"phi returned shape {values.shape} for {len(b)} hyperplanes; one value each is needed"
            )
        return float(a @ values)

    def mollified(self, points: Any, eps: Any) -> np.ndarray:
        """Density of the measure after convolution with N(0, eps^2 I), at the rows of `points`, shape (m,).

        Args:
            points: places, shape (m, d).
            eps: width of the smoothing, a positive number.

        Raises:
            ValueError: if the places are of another dimension, or eps is not positive.
        """
        x, eps = checks.points(points, "points"), checks.positive(eps, "eps")
        if x.shape[1] != self.v.shape[1]:
            raise ValueError(
                f"points has {x.shape[1]} columns, but the hyperplanes lie in dimension {self.v.shape[1]}"
            )
        with np.errstate(over="ignore"):  # many widths away is as good as infinitely many
            t = (x @ self.v.T - self.b) / eps
            bump = np.exp(-(t**2) / 2)
        return bump @ self.a / (np.sqrt(2 * np.pi) * eps)


def laplacian(net: ShallowReLU) -> HyperplaneMeasure:
    """The distributional Laplacian of a network's function.

    Neurons on one hyperplane count once, with their signed slopes added, from whichever side they fire.

    Args:
        net: the network.

    Raises:
        ValueError: if `net` is no ShallowReLU.

    Example:
        >>> laplacian(ShallowReLU([[3.0, 4.0]], [-5.0], [2.0])).atoms()
        (array([5., 5.]), array([[ 0.6,  0.8],
               [-0.6, -0.8]]), array([ 1., -1.]))

    Source: eqs. (14), (29) and (57), with the dots made even.
    """
    form = checks.network(net).canonical()
    return HyperplaneMeasure(form.a, form.v, form.b)
