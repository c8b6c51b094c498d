"""Curvature of the loss at a network: tangent features, the Hessian, and its top eigenvalue.

The Hessian of (1/2n) sum (f(x_j) - y_j)^2 is H = Phi Phi'/n + E. Column j of Phi is the gradient of f(x_j);
E, the residual part, only couples (W1_i, b1_i) with w2_i, through c_i = (1/n) sum_j r_j 1_ij (x_j, 1).
Everything works on n x n matrices; nothing of size p = (d + 2) k + 1 squared is formed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from . import checks
from .hessian import OVERFLOW as OVERFLOW
from .hessian import Hessian, top_eigenpair
from .network import ShallowReLU
from .sides import pairs_on_data, range_over_sides


def tangent_features(net: ShallowReLU, X: Any) -> np.ndarray:
    """Gradients of f(x_j) with respect to all parameters, shape (p, n), p = (d + 2) k + 1.

    Args:
        net: the network.
        X: data points, shape (n, d).

    Returns:
        Array (p, n); rows in the order of eq. (9). At a knot the strict activation z > 0 is taken.

    Raises:
        ValueError: if `net` is no ShallowReLU or X does not fit it.

    Example:
        >>> tangent_features(ShallowReLU([[2.0]], [1.0], [3.0]), [[1.0], [-1.0]])
        array([[3., 0.],
               [3., 0.],
               [3., 0.],
               [1., 1.]])

    Source: eqs. (45), (46).
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    z = net.preactivations(X)
    slopes = (z > 0) * net.w2  # (n, k)
    inner = (slopes[:, :, None] * X[:, None, :]).reshape(len(X), -1) + 0.0  # no negative zeros
    return np.hstack([inner, slopes, np.maximum(z, 0), np.ones((len(X), 1))]).T


def tangent_gram(net: ShallowReLU, X: Any, loss_curvature: Any = None) -> np.ndarray:
    """Phi'Phi, the inner products of the tangent features, shape (n, n), in closed form.

    Args:
        net: the network.
        X: data points, shape (n, d).
        loss_curvature: second derivative l'' of the loss at each point, (n,) or a number; with it the
            result is D^(1/2) Phi'Phi D^(1/2).

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, or an l'' is negative.

    Example:
        >>> tangent_gram(ShallowReLU([[2.0]], [1.0], [3.0]), [[1.0], [-1.0]])
        array([[28.,  1.],
               [ 1.,  1.]])

    Source: eqs. (44) to (47).
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    gram = Hessian.of(net, X).gram
    if loss_curvature is not None:
        root = np.sqrt(checks.loss_curvature(loss_curvature, len(X)))
        gram *= root[:, None] * root
    return gram


def sharpness(net: ShallowReLU, X: Any, y: Any = None, loss_curvature: Any = None) -> float:
    """Top eigenvalue of the Hessian of (1/2n) sum_j (f(x_j) - y_j)^2, to a relative accuracy of 1e-10.

    Args:
        net: the network.
        X: data points, shape (n, d).
        y: labels, shape (n,); without them the network is taken to interpolate, y = f(X), and the
            Hessian is Phi Phi'/n.
        loss_curvature: second derivative l'' of another loss at each point, (n,) or a number, for a
            minimum where the residual part vanishes (interpolation, or any smooth local minimum).

    Returns:
        The sharpness; where a knot lies on a data point, its value for strict activations z > 0.

    Raises:
        ValueError: if arguments do not fit, or both `y` and `loss_curvature` are given.

    Example:
        >>> round(sharpness(ShallowReLU([[2.0]], [1.0], [3.0]), [[1.0], [-1.0]]), 9)
        14.018493185

    Source: eq. (44); the full Hessian through the inertia of an n x n matrix (see `sharpness_interval`).
    """
    net, X, residual = _arguments(net, X, y)
    if loss_curvature is not None:
        if y is not None:
            raise ValueError(
                "both y and loss_curvature are given; l'' says nothing of the residual part"
            )
        return top_eigenpair(tangent_gram(net, X, loss_curvature) / len(X))[0]
    return Hessian.of(net, X, residual).top()[0]


class Interval(tuple[float, float]):
    """A lower and an upper bound, `low, high = interval`, that knows what it rests on.

    `pairs` is the number of (neuron, point) pairs whose side was left open. `certified` says whether the
    two ends are those of all choices of side, each tested; if not, they were found by a search, and `outer`
    is a wider interval that is proven to hold all choices. Otherwise `outer` is the interval itself.

    Example:
        >>> low, high = Interval(1.0, 2.0)
        >>> Interval(1.0, 2.0, certified=False, pairs=13, outer=(0.9, 2.0))
        Interval(1, 2, certified=False, pairs=13, outer=(0.9, 2))
    """

    certified: bool
    pairs: int
    outer: tuple[float, float]

    def __new__(
        cls,
        low: float,
        high: float,
        certified: bool = True,
        pairs: int = 0,
        outer: tuple[float, float] | None = None,
    ) -> Interval:
        """A pair of numbers, and what is known of them."""
        self = super().__new__(cls, (low, high))
        self.certified, self.pairs = certified, pairs
        self.outer = (low, high) if outer is None else outer
        return self

    def __getnewargs__(self) -> tuple[float, float, bool, int, tuple[float, float]]:
        return *self, self.certified, self.pairs, self.outer

    def __repr__(self) -> str:
        known = f"certified={self.certified}, pairs={self.pairs}"
        if not self.certified:
            known += ", outer=({:.12g}, {:.12g})".format(*self.outer)
        return "Interval({:.12g}, {:.12g}, {})".format(*self, known)


def sharpness_interval(net: ShallowReLU, X: Any, y: Any = None, *, sides: Any = None) -> Interval:
    """Bounds of the sharpness, proven up to rounding: of one number, or over the sides of data on knots.

    Without `sides` the two are within a relative 1e-10 of each other. Below stands a Rayleigh quotient of
    the Hessian. Above stands a number mu for which mu - H was seen to be positive definite: for mu > |E|
    that is so exactly if Phi'(mu - E)^-1 Phi/n < 1, an n x n matrix in closed form, and one Cholesky
    factorisation tells.

    With `sides` they enclose the sharpness over all choices of side of the (neuron, point) pairs that
    lie on a knot to that tolerance, each end within a relative 1e-10 of a choice. Up to 12 pairs all choices
    are tested. Beyond, a search from three starts finds two extreme ones, and `certified` is False, since
    others may reach further, though not beyond `outer`: where that agrees with the two, none does.

    Args:
        net: the network.
        X: data points, shape (n, d).
        y: labels, shape (n,), or None, as for `sharpness`.
        sides: a distance; the side of a pair is open if |W1_i . x_j + b1_i| <= sides |W1_i| and W1_i is not
            zero (a neuron that is constant has no knot; `knots_on_data` counts it where b1_i = 0). An
            active pair puts w2_i (x_j, 1) into the feature of x_j and r_j (x_j, 1)/n into the residual
            part; the value relu(z) stays as it is. 0 means exactly on the knot.

    Returns:
        Interval: unpacks as `low, high`; with the attributes `certified`, `pairs` and `outer`.

    Raises:
        ValueError: if arguments do not fit, or `sides` is negative.
        ArithmeticError: if rounding keeps the upper end from being proven within 1e-10.

    Example:
        >>> low, high = sharpness_interval(ShallowReLU([[2.0]], [1.0], [3.0]), [[1.0], [-1.0]], [0.5, 2.0])
        >>> bool(low < high <= low * (1 + 1e-10))
        True
        >>> low, high = sharpness_interval(ShallowReLU([[1.0]], [0.0], [1.0]), [[0.0], [1.0]], sides=0)
        >>> round(low, 6), round(high, 6)   # off or on at the point 0
        (2.151388, 2.618034)

    Source: inertia of a Schur complement (Sylvester); Rayleigh-Ritz; App. A for knots on data points.
    """
    net, X, residual = _arguments(net, X, y)
    H = Hessian.of(net, X, residual)
    if sides is None:
        return Interval(*H.enclosed())
    pairs = pairs_on_data(net, X, checks.nonnegative(sides, "sides"))
    low, high, certified, outer = range_over_sides(H, *pairs)
    return Interval(low, high, certified, len(pairs[0]), outer)


def hessian_operator(net: ShallowReLU, X: Any, y: Any = None) -> LinearOperator:
    """The Hessian of (1/2n) sum_j (f(x_j) - y_j)^2 as a SciPy LinearOperator, shape (p, p).

    Arguments and errors as for `sharpness`; a product costs two passes over the data, O(nkd).

    Example:
        >>> H = hessian_operator(ShallowReLU([[2.0]], [1.0], [3.0]), [[1.0], [-1.0]])
        >>> H @ [1.0, 0.0, 0.0, 0.0]
        array([4.5, 4.5, 4.5, 1.5])

    Source: eq. (44).
    """
    net, X, residual = _arguments(net, X, y)
    H = Hessian.of(net, X, residual)
    p = (net.d + 2) * net.k + 1
    return LinearOperator((p, p), matvec=H.product, rmatvec=H.product, dtype=np.float64)


def _arguments(net: Any, X: Any, y: Any) -> tuple[ShallowReLU, np.ndarray, np.ndarray | None]:
    net = checks.network(net)
    X = checks.points_of(X, net)
    if y is None:
        return net, X, None
    y = checks.labels(y, len(X))
    with np.errstate(over="ignore", invalid="ignore"):  # the Hessian says what overflowed
        return net, X, net(X) - y
