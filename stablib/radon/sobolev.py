"""Smooth targets whose ridges are known: functions that stable shallow networks can approximate."""

from __future__ import annotations

from itertools import product
from math import factorial
from typing import Any

import numpy as np
from scipy.spatial.transform import Rotation

from .. import checks
from ..weights import EmpiricalWeight
from .planes import priced_masses
from .profiles import PROFILES, Profile
from .quadrature import absolute_integrals, sphere

SHAPES = tuple(PROFILES)


class SmoothTarget:
    """A sum of radial hills in one or three dimensions, with the slopes of the ridges that make it.

    The hills are heights h_j times phi(|x - c_j| / w_j), where phi(r) is exp(-r^2/2), (1 + r^2)^-3, or
    exp(1 - 1/(1 - r^2)) inside the unit ball and 0 outside. The target is the integral of
    alpha(v, b) relu(v.x - b) over all (v, b), with nothing affine left.

    Args:
        shape: "gaussian", "rational" or "bump"; or a `Profile` of your own.
        centres: shape (m, d), d = 1 or 3.
        heights: shape (m,); 1 if left out.
        widths: shape (m,), positive; 1 if left out.

    Raises:
        ValueError: if the shape is unknown, d is even or above 3, a profile lacks one of the d + 1
            derivatives that (17) needs, or shapes do not fit.

    Example:
        >>> hill = SmoothTarget("gaussian", [[0.0, 0.0, 0.0]])
        >>> hill([[0.5, 0.0, 0.0]]).round(6), hill.density([1.0, 0.0, 0.0], [0.0]).round(6)
        (array([0.882497]), array([-0.238732]))

    Source: Appendix L; (R*)^-1 of the Laplacian by eq. (27).
    """

    def __init__(
        self, shape: str | Profile, centres: Any, heights: Any = None, widths: Any = None
    ) -> None:
        if not isinstance(shape, Profile):
            shape = PROFILES[checks.choice(shape, "shape", SHAPES)]
        self.profile, self.shape = shape, shape.name
        self.centres = checks.points(centres, "centres")
        m, self.d = self.centres.shape
        if self.d % 2 == 0:
            raise ValueError(
                f"centres has {self.d} columns; the dimension must be odd, for the power (d + 1)/2 of the "
                "Laplacian to be made of derivatives"
            )
        if self.d > 3:
            raise ValueError(
                f"centres has {self.d} columns; targets in 1 and 3 dimensions are known"
            )
        if (known := len(shape.derivatives) - 1) < self.d + 1:
            raise ValueError(
                f"the profile {shape.name!r} has {max(known, 0)} derivatives; {self.d + 1} are needed in "
                f"dimension {self.d}, the order of (17)"
            )
        self.heights = np.ones(m) if heights is None else checks.labels(heights, m, "heights")
        self.widths = np.ones(m) if widths is None else checks.labels(widths, m, "widths")
        if (self.widths <= 0).any():
            raise ValueError(
                f"widths has the entry {self.widths.min():g}; positive ones are needed"
            )

    def __repr__(self) -> str:
        return f"SmoothTarget({self.shape}, {len(self.centres)} hills, d={self.d})"

    @property
    def radial(self) -> bool:
        """Whether all hills stand at the origin."""
        return not self.centres.any()

    def __call__(self, X: Any) -> np.ndarray:
        """Values at the rows of X (n, d)."""
        return self.derivative((0,) * self.d, X)

    def derivative(self, order: Any, X: Any) -> np.ndarray:
        """Partial derivatives at the rows of X (n, d), shape (n,).

        Args:
            order: a multi-index, one whole number per dimension, at most d + 1 in all.
            X: places.

        Raises:
            ValueError: if shapes do not fit, or the order is beyond d + 1.

        Example:
            >>> SmoothTarget("gaussian", [[0.0]]).derivative([2], [[0.0], [1.0]]).round(12) + 0.0
            array([-1.,  0.])
        """
        X = checks.points(X)
        if X.shape[1] != self.d:
            raise ValueError(
                f"X has {X.shape[1]} columns, but the target lives in dimension {self.d}"
            )
        whole = checks.array(order, "order").ravel().tolist()
        beta = [checks.count(int(n) if n.is_integer() else n, "order", minimum=0) for n in whole]
        if len(beta) != self.d or sum(beta) > self.d + 1:
            raise ValueError(
                f"order is {tuple(beta)}; {self.d} numbers with a sum of at most {self.d + 1} are needed"
            )
        x = self._in_widths(X[:, None] - self.centres, self.widths[:, None])
        powers = self.profile.at((x**2).sum(axis=2), sum(beta))
        total = np.zeros(x.shape[:2])
        # The a-th derivative of F(x^2) is the sum over i of a!/(i! (a-2i)!) (2x)^(a-2i) F^(a-i)(x^2).
        for used in product(*(range(a // 2 + 1) for a in beta)):
            term = powers[sum(beta) - sum(used)]
            for axis, (a, i) in enumerate(zip(beta, used, strict=True)):
                times = factorial(a) // (factorial(i) * factorial(a - 2 * i))
                term = term * times * (2 * x[:, :, axis]) ** (a - 2 * i)
            total += term
        return (total / self.widths ** sum(beta)) @ self.heights

    def density(self, v: Any, b: Any) -> np.ndarray:
        """Slopes of the ridges, alpha = (R*)^-1 of the Laplacian, shape of `b`.

        In one dimension f''(v b) / 2; in three (t phi'''(t) + 3 phi''(t)) / (4 pi) for one hill.

        Args:
            v: unit normals, (m, d) with b (m,), or (d,) with b (m,) or a number.
            b: offsets.

        Raises:
            ValueError: if a normal is off the unit sphere or shapes do not fit.
        """
        v, b = checks.hyperplanes(v, b, self.d)
        return self._density(np.atleast_2d(v), b.reshape(-1)).reshape(b.shape)[()]

    def _density(self, v: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The same for (m, d) or (1, d) normals and offsets (m,), unchecked."""
        t = self._in_widths(b[:, None] - v @ self.centres.T, self.widths)
        F = self.profile.at(t**2, 3 if self.d == 3 else 2)
        alpha = 2 * F[1] + 4 * t**2 * F[2]  # phi''
        if self.d == 1:
            alpha = alpha / 2
        else:
            alpha = (t**2 * (12 * F[2] + 8 * t**2 * F[3]) + 3 * alpha) / (4 * np.pi)
        return (alpha / self.widths**2) @ self.heights

    @staticmethod
    def _in_widths(step: np.ndarray, width: np.ndarray) -> np.ndarray:
        """Steps from a centre in multiples of the width; beyond 1e60 nothing is left of any hill."""
        with np.errstate(over="ignore"):
            return np.clip(step / width, -1e60, 1e60)

    def _edges(self, start: float, panels: int = 48) -> np.ndarray:
        """Ends of panels from `start`, 0 or minus the reach, to the reach of all hills."""
        end = float((np.linalg.norm(self.centres, axis=1) + self.profile.reach * self.widths).max())
        least = self.widths.min()
        if self.profile.heavy:  # its tails fall like a power
            top = np.arcsinh(end / least)
            return least * np.sinh(np.linspace(-top if start else 0.0, top, 3 * panels + 1))
        many = int(np.ceil(panels * end / (self.profile.reach * least)))
        return np.linspace(-end if start else 0.0, end, (2 if start else 1) * many + 1)

    def normals(self, directions: int) -> tuple[np.ndarray, np.ndarray]:
        """Unit normals (m, d) and areas (m,): both of the line, or a rule on the sphere."""
        checks.count(directions, "directions")
        if self.d == 1:
            return np.array([[1.0], [-1.0]]), np.ones(2)
        return sphere(directions)

    def masses(self, v: Any, weight: Any = None, breaks: Any = None) -> np.ndarray:
        """Integrals of |alpha(v, b)| over b for unit normals v (m, d), shape (m,).

        Args:
            v: unit normals.
            weight: a function of normals (l, d) and offsets (l,), shape (l,), to be multiplied in; 1 if left
                out.
            breaks: offsets where the weight jumps, shape (m, p).

        Raises:
            ValueError: if a normal is off the unit sphere or shapes do not fit.
        """
        v = checks.normals(v, self.d)
        edges = np.tile(self._edges(-1.0), (len(v), 1))
        if breaks is not None:
            inside = np.clip(breaks, edges[0, 0], edges[0, -1])
            edges = np.sort(np.hstack([edges, inside]), axis=1)

        def alpha(i: np.ndarray, b: np.ndarray) -> np.ndarray:
            return self._density(v[i.ravel()], b.ravel()).reshape(b.shape)

        if weight is None:
            return absolute_integrals(alpha, edges)

        def price(i: np.ndarray, b: np.ndarray) -> np.ndarray:
            return weight(v[i.ravel()], b.ravel()).reshape(b.shape)

        return absolute_integrals(alpha, edges, weight=price)

    def r_norm(self, directions: int = 24) -> float:
        """The R-norm, int |alpha|; to rounding for hills at one place.

        Args:
            directions: of the rule on the sphere, for d = 3.

        Raises:
            ValueError: if `directions` is below 1.

        Example:
            >>> round(SmoothTarget("gaussian", [[0.0]]).r_norm(), 9)
            2.426122639
            >>> round(SmoothTarget("gaussian", [[0.0, 0.0, 0.0]]).r_norm(), 6)
            7.020064

        Source: eq. (122).
        """
        if len(np.unique(self.centres, axis=0)) == 1:
            directions = 1  # no direction is different from the others
        v, area = self.normals(directions)
        return float(area @ self.masses(v))

    def g_hat_norm(self, X: Any, directions: int = 48, *, turn: int | None = None) -> float:
        """The norm with the weight g_hat of data, int |alpha| g_hat.

        In one dimension to rounding. In three the integral over offsets is exact to rounding, and its mean
        over directions has kinks where two data points change places. For the Gaussian hill and fifty points
        16 directions give six digits, 48 eight, 96 nine; for a bump and three points 16 may give less than
        three. The spread over several turns measures the error.

        Args:
            X: data points, shape (n, d).
            directions: of the rule on the sphere, for d = 3.
            turn: seed of a random rotation of that rule, for d = 3; as it stands if left out.

        Raises:
            ValueError: if X does not fit, or `directions` is below 1.

        Example:
            >>> round(SmoothTarget("gaussian", [[0.0]]).g_hat_norm([[0.0]]), 9)    # 4 exp(-1/2) - 1
            1.426122639

        Source: eqs. (18) and (122). As alpha is even, either side's g_hat gives the same.
        """
        v, area = self.normals(directions)
        law = EmpiricalWeight(X)
        if law.X.shape[1] != self.d:
            raise ValueError(
                f"X has {law.X.shape[1]} columns, but the target lives in dimension {self.d}"
            )
        # The rule has -v with v: half of it will do, with both sides of each plane.
        area = area * np.where(v[:, -1] > 1e-12, 1.0, 0.5)
        half = v[:, -1] > -1e-12
        v, area = v[half], area[half]
        if turn is not None and self.d == 3:
            v = Rotation.random(rng=np.random.default_rng(turn)).apply(v)

        def alpha(i: np.ndarray, b: np.ndarray) -> np.ndarray:
            return self._density(v[i.ravel()], b.ravel()).reshape(b.shape)

        return float(area @ priced_masses(alpha, v, self._edges(-1.0), law))

    def _weighted(self, values: Any, directions: int) -> float:
        """The integral of |values(x)| w(x), w(x) = c_d + zeta_d |x|, along rays from the origin."""
        checks.count(directions, "directions")
        if self.d == 1:
            v, area, c, zeta = np.array([[1.0], [-1.0]]), np.ones(2), 2.0, 2.0
        else:
            v, area = sphere(directions, octant=self.radial)
            c, zeta = 4 * np.pi, 2 * np.pi

        def along(i: np.ndarray, r: np.ndarray) -> np.ndarray:
            return values(r.reshape(-1, 1) * v[i.ravel()]).reshape(r.shape)

        def weight(i: np.ndarray, r: np.ndarray) -> np.ndarray:
            return r ** (self.d - 1) * (c + zeta * r)

        edges = np.tile(self._edges(0.0), (len(v), 1))
        return float(area @ absolute_integrals(along, edges, weight=weight))

    def sobolev_norms(self, directions: int = 20) -> np.ndarray:
        """The weighted Sobolev norm by order: sums of int |derivative| w over multi-indices, shape (d + 2,).

        The weight is w(x) = R*[1 + |b|](x): 2 + 2|x| on the line, 4 pi + 2 pi |x| in space. Eq. (17) is
        their sum.

        Args:
            directions: of the rule on the sphere, for d = 3. For hills at the origin 20 give six digits and
                60 give eight; for sums of others 12 give three.

        Raises:
            ValueError: if `directions` is below 1.

        Example:
            >>> round(float(SmoothTarget("gaussian", [[0.0]]).sobolev_norms().sum()), 5)
            28.58325

        Source: eq. (17).
        """
        norms = np.zeros(self.d + 2)
        for beta in product(range(self.d + 2), repeat=self.d):
            alike = 1
            if self.radial and self.d == 3:  # the order of the coordinates does not matter
                if list(beta) != sorted(beta):
                    continue
                alike = {1: 1, 2: 3, 3: 6}[len(set(beta))]
            if sum(beta) <= self.d + 1:
                norms[sum(beta)] += alike * self._weighted(
                    lambda x, beta=beta: self.derivative(beta, x), directions
                )
        return norms

    def laplacian_norm(self, directions: int = 20) -> float:
        """The integral of |(-Laplacian)^((d+1)/2) f| w, the left side of (121).

        Arguments and errors as for `sobolev_norms`.

        Example:
            >>> round(SmoothTarget("gaussian", [[0.0, 0.0, 0.0]]).laplacian_norm(), 3)
            2642.401

        Source: eqs. (121), (122).
        """

        def power(x: np.ndarray) -> np.ndarray:
            if self.d == 1:
                return self.derivative((2,), x)
            pure = sum(self.derivative(o, x) for o in ((4, 0, 0), (0, 4, 0), (0, 0, 4)))
            mixed = sum(self.derivative(o, x) for o in ((2, 2, 0), (2, 0, 2), (0, 2, 2)))
            return pure + 2 * mixed

        return self._weighted(power, directions)
