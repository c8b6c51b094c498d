"""Linearised SGD without a sample: exact moments over all batches, for minima with few points.

What the book's first chapter says about expectations is computed from operators or by going through
every sequence of batches; averages of runs are dominated by rare events near a threshold.
"""

from __future__ import annotations

from itertools import combinations, product
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import brentq

from ..curvature import hessian_operator, tangent_features
from ..network import ShallowReLU


class Linearised(NamedTuple):
    """The dynamics (5) around a minimum at 0: delta <- delta - eta (g_batch + H_batch delta).

    Attributes:
        slopes: gradient of each point's loss at the minimum, (n, m); zero where it interpolates.
        hessians: Hessian of each point's loss at the minimum, (n, m, m).
    """

    slopes: np.ndarray
    hessians: np.ndarray

    @classmethod
    def scalar(cls, h: Any, slopes: Any = 0.0) -> Linearised:
        """One parameter and losses h_j theta^2 / 2 + slope_j theta.

        Example:
            >>> Linearised.scalar([1.0, 3.0]).gd_threshold()
            1.0
        """
        h = np.asarray(h, dtype=float)
        return cls(np.broadcast_to(slopes, h.shape)[:, None] + 0.0 * h[:, None], h[:, None, None])

    @classmethod
    def at(cls, net: ShallowReLU, X: np.ndarray, y: np.ndarray) -> Linearised:
        """All p parameters of a network, every point's Hessian as a dense matrix."""
        features, residual = tangent_features(net, X), net(X) - y
        identity = np.eye(len(features))
        hessians = [
            hessian_operator(net, X[j : j + 1], y[j : j + 1]).matmat(identity)
            for j in range(len(y))
        ]
        return cls((features * residual).T, np.array(hessians))

    @classmethod
    def on_range(cls, net: ShallowReLU, X: np.ndarray) -> Linearised:
        """An interpolating minimum seen in orthonormal coordinates of the range of H, where it moves."""
        _, size, right = np.linalg.svd(tangent_features(net, X), full_matrices=False)
        kept = size > 1e-10 * size[0]
        phi = (size[kept, None] * right[kept]).T  # (n, rank)
        return cls(np.zeros_like(phi), phi[:, :, None] * phi[:, None, :])

    @property
    def hessian(self) -> np.ndarray:
        """H, the mean over the points, (m, m)."""
        return self.hessians.mean(axis=0)

    def gd_threshold(self) -> float:
        """2 / lambda_max(H)."""
        return 2 / float(np.linalg.eigvalsh(self.hessian)[-1])

    def factors(
        self, step_size: float, batch_size: int, replacement: bool = False
    ) -> tuple[np.ndarray, np.ndarray]:
        """I - eta H_batch, (count, m, m), and -eta g_batch, (count, m), for all equally likely batches."""
        batches = all_batches(len(self.slopes), batch_size, replacement)
        identity = np.eye(self.slopes.shape[1])
        return (
            identity - step_size * self.hessians[batches].mean(axis=1),
            -step_size * self.slopes[batches].mean(axis=1),
        )

    def every_end(
        self,
        start: np.ndarray,
        step_size: float,
        batch_size: int,
        steps: int,
        replacement: bool = False,
    ) -> np.ndarray:
        """Where every sequence of `steps` batches ends, (count ** steps, m), all equally likely."""
        A, c = self.factors(step_size, batch_size, replacement)
        ends = np.asarray(start, dtype=float)[None, :]
        for _ in range(steps):
            ends = (np.einsum("bij,rj->rbi", A, ends) + c).reshape(-1, ends.shape[1])
        return ends

    def ensemble(
        self, start: np.ndarray, step_size: float, batch_size: int, steps: int, runs: int, seed: int
    ) -> np.ndarray:
        """Distances |theta_t - theta*| of independent runs, (steps + 1, runs)."""
        rng = np.random.default_rng(seed)
        A, c = self.factors(step_size, batch_size)
        delta = np.tile(np.asarray(start, dtype=float), (runs, 1))
        out = [np.linalg.norm(delta, axis=1)]
        for _ in range(steps):
            b = rng.integers(0, len(A), runs)
            delta = np.einsum("rij,rj->ri", A[b], delta) + c[b]
            out.append(np.linalg.norm(delta, axis=1))
        return np.array(out)

    def mean_growth(self, step_size: float, batch_size: int, replacement: bool = False) -> float:
        """Spectral radius of E[I - eta H_batch]: what E[theta_t] - theta* grows by, each step."""
        A, _ = self.factors(step_size, batch_size, replacement)
        return float(np.abs(np.linalg.eigvals(A.mean(axis=0))).max())

    def square_growth(self, step_size: float, batch_size: int, replacement: bool = False) -> float:
        """Spectral radius of E[A (x) A], (m^2, m^2): what E[|theta_t - theta*|^2] grows by."""
        A, _ = self.factors(step_size, batch_size, replacement)
        m = A.shape[1]
        operator = np.einsum("bij,bkl->ikjl", A, A).reshape(m * m, m * m) / len(A)
        return float(np.abs(np.linalg.eigvals(operator)).max())

    def square_threshold(self, batch_size: int, replacement: bool = False) -> float:
        """The step size at which `square_growth` is 1, by bisection; H must have full rank."""
        edge = self.gd_threshold()  # above it even the mean grows
        return _crossing(
            lambda eta: self.square_growth(eta, batch_size, replacement), 1e-4 * edge, edge / 40
        )

    def moment_growth(
        self, power: float, step_size: float, batch_size: int, points: int = 400
    ) -> float:
        """What E[|theta_t - theta*|^power] grows by for m = 1 or 2; for power 0, exp(E log), almost surely.

        In the plane a direction u goes to A u / |A u|, and the power is multiplied by |A u|^power: an
        operator on functions of the angle, here on a grid with linear interpolation between its points.
        """
        A, _ = self.factors(step_size, batch_size)
        if A.shape[1] == 1:
            size = np.abs(A[:, 0, 0])
            if power == 0:
                return float(np.exp(np.log(size).mean())) if size.all() else 0.0
            return float((size**power).mean())
        if A.shape[1] != 2:
            raise ValueError(f"the range of H has dimension {A.shape[1]}; 1 or 2 is needed")
        angle = np.pi * np.arange(points) / points  # directions without a sign
        u = np.array([np.cos(angle), np.sin(angle)])
        image = np.einsum("bij,ja->bia", A, u)
        size = np.linalg.norm(image, axis=1)  # (batches, points)
        place = np.mod(np.arctan2(image[:, 1], image[:, 0]), np.pi) / np.pi * points
        left = np.floor(place).astype(int)
        transfer = np.zeros((points, points))
        for b in range(len(A)):
            share = place[b] - left[b]
            weight = size[b] ** power / len(A)
            np.add.at(transfer, (np.arange(points), left[b] % points), weight * (1 - share))
            np.add.at(transfer, (np.arange(points), (left[b] + 1) % points), weight * share)
        row = np.full(points, 1 / points)
        rate = 0.0
        for _ in range(200):
            new = row @ transfer
            rate, row = new.sum(), new / new.sum()
        return float(np.exp(row @ np.log(size).mean(axis=0))) if power == 0 else float(rate)

    def threshold(self, power: float, batch_size: int = 1) -> float:
        """The step size at which `moment_growth` is 1: power 2 mean square, 1 Definition 1, 0 almost sure.

        Example:
            >>> dynamics = Linearised.scalar([1.0, 3.0])
            >>> [round(dynamics.threshold(power), 6) for power in (2, 1, 0)]
            [0.8, 1.0, 1.333333]
        """
        square = self.square_threshold(batch_size)
        if power == 2:
            return square
        # A power mean grows with its power: the weaker notions are lost later.
        return _crossing(
            lambda eta: self.moment_growth(power, eta, batch_size), 0.999 * square, 0.04 * square
        )


def all_batches(n: int, batch_size: int, replacement: bool = False) -> np.ndarray:
    """All equally likely batches as rows of indices.

    Example:
        >>> len(all_batches(6, 2)), len(all_batches(6, 2, replacement=True))
        (15, 36)
    """
    if replacement:
        return np.array(list(product(range(n), repeat=batch_size)))
    return np.array(list(combinations(range(n), batch_size)))


def _crossing(growth: Any, low: float, stride: float) -> float:
    """Where growth first goes through 1, searched upwards from `low`, where it is below 1."""
    for _ in range(500):
        high = low + stride
        if growth(high) > 1:
            return float(brentq(lambda eta: growth(eta) - 1, low, high, xtol=1e-12 * high))
        low = high
    raise ArithmeticError(f"no growth up to a step size of {high:.3g}")
