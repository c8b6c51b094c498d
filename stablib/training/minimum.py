"""Everything about the network where training ended that more than one column of a table may need."""

from __future__ import annotations

from functools import cached_property
from math import gamma, pi
from typing import Any

import numpy as np

from ..anywidth import Bound, implementation_free_bound
from ..curvature import Interval, sharpness_interval, tangent_gram
from ..data import Dataset
from ..flattest import Flattest, flattest_implementation
from ..network import ShallowReLU
from ..stability import gd_threshold, sgd_threshold

SIDES = 1e-5  # how close to a knot a point lies on either side


class Minimum:
    """A trained network with its data and its start; what several columns need is computed once.

    Args:
        run: the spec, which knows its data sets and its start.
        stored: parameters W1, b1, w2, b2 and data X, y, as they are stored.
        steps: gradient steps taken.
        reason: why training ended.
    """

    def __init__(self, run: Any, stored: dict[str, np.ndarray], steps: int, reason: str) -> None:
        self.run, self.steps, self.reason = run, steps, reason
        self.net = ShallowReLU(*(stored[name] for name in ("W1", "b1", "w2", "b2")))
        self.train = Dataset(stored["X"], stored["y"])
        self.X, self.y = self.train

    @cached_property
    def validation(self) -> Dataset | None:
        """Points that were not trained on, if the data set has some."""
        return self.run.datasets()[1]

    @cached_property
    def start(self) -> ShallowReLU:
        """The network from which training started."""
        return self.run.start(self.net.d)

    @cached_property
    def gram(self) -> np.ndarray:
        """Phi' Phi, shape (n, n)."""
        return tangent_gram(self.net, self.X)

    @cached_property
    def active(self) -> np.ndarray:
        """Which point makes which neuron fire, shape (n, k)."""
        return self.net.preactivations(self.X) > 0

    @cached_property
    def flattest(self) -> Flattest | None:
        """The flattest rescaling; it takes interpolation for granted, so a stuck run has none."""
        return None if self.reason == "stuck" else flattest_implementation(self.net, self.X)

    @cached_property
    def free(self) -> Bound | None:
        """The bound for every implementation of any width; it takes interpolation for granted, too."""
        return None if self.reason == "stuck" else implementation_free_bound(self.net, self.X)

    @cached_property
    def sides(self) -> Interval:
        """The sharpness over all choices of side of the points that lie on a knot."""
        return sharpness_interval(self.net, self.X, self.y, sides=SIDES)

    @property
    def threshold(self) -> float | None:
        """The step size up to which the run's own algorithm is stable at this minimum."""
        if self.reason != "tolerance":
            return None
        if self.run.batch_size is None:
            return gd_threshold(self.net, self.X)
        return sgd_threshold(self.net, self.X, self.run.batch_size)

    @cached_property
    def kernel_change(self) -> float:
        """|Phi'Phi - its initial value| / |its initial value|, Frobenius norms."""
        initial = tangent_gram(self.start, self.X)
        return float(np.linalg.norm(self.gram - initial) / np.linalg.norm(initial))

    @property
    def weighted_offset(self) -> float | None:
        """Mean distance of the hyperplanes from 0, by slope; None for a constant."""
        a, _, b = self.net.ridges()
        return float(np.average(np.abs(b), weights=np.abs(a))) if np.any(a) else None

    @property
    def balanced_bias(self) -> float:
        """|b1| of the rescaling with |W1_i| = |w2_i|: the root of the sum of |a_i| b_i^2."""
        a, _, b = self.net.ridges()
        return float(np.sqrt(np.sum(np.abs(a) * b**2)))

    @property
    def laplacian(self) -> float | None:
        """Integral of |Delta f| over the ball around 0 that reaches the farthest point, for d up to 3.

        A ridge of slope a spreads |a| over its hyperplane, whose part in the ball is a ball again, of one
        dimension less.
        """
        d = self.net.d
        if d > 3:
            return None
        form, radius = self.net.canonical(), np.linalg.norm(self.X, axis=1).max()
        unit = pi ** ((d - 1) / 2) / gamma((d + 1) / 2)
        cut = (
            np.maximum(radius**2 - form.b**2, 0.0) ** ((d - 1) / 2)
            if d > 1
            else abs(form.b) < radius
        )
        return float(unit * np.sum(np.abs(form.a) * cut))

    def error(self, data: Dataset | None) -> float | None:
        """Share of points on the wrong side of 0; None where labels are no classes."""
        if data is None or not (np.abs(data.y) == 1).all():
            return None
        return float(np.mean(np.where(self.net(data.X) > 0, 1, -1) != data.y))

    def margin(self, data: Dataset | None) -> float | None:
        """What y_j f(x_j) exceeds at nine tenths of the points; None where labels are no classes."""
        if data is None or not (np.abs(data.y) == 1).all():
            return None
        return float(np.quantile(data.y * self.net(data.X), 0.1))

    def loss(self, data: Dataset | None) -> float | None:
        """(1/2n) sum (f(x_j) - y_j)^2."""
        return None if data is None else float(np.mean((self.net(data.X) - data.y) ** 2) / 2)
