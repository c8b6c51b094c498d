"""The largest step size at which gradient descent, and stochastic gradient descent, stays at a minimum."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import checks
from .curvature import OVERFLOW, sharpness, tangent_gram
from .meansquare import boundary
from .network import ShallowReLU


def gd_threshold(net: ShallowReLU, X: Any, y: Any = None) -> float:
    """2/sharpness, the largest step size at which the minimum is linearly stable for gradient descent.

    Args:
        net: the network.
        X: data points, shape (n, d).
        y: labels, shape (n,); without them the network is taken to interpolate.

    Raises:
        ValueError: if `net` is no ShallowReLU or X or y do not fit it.

    Example:
        >>> gd_threshold(ShallowReLU([[1.0]], [0.0], [1.0]), [[1.0]])      # features (1, 1, 1, 1)
        0.5

    Source: Lemma 1, eq. (6); at the threshold itself the iterates keep their distance.
    """
    return 2 / sharpness(net, X, y)


def sgd_threshold(
    net: ShallowReLU,
    X: Any,
    batch_size: int,
    *,
    y: Any = None,
    replacement: bool = False,
    tol: float = 1e-6,
) -> float:
    """Largest step size at which linearised SGD at an interpolating minimum is stable in mean square.

    Below it E|theta_t - theta*|^2 decays to zero in the range of the Hessian, above it grows without bound;
    the part outside never moves. It is exact for batches drawn anew at every step, not for reshuffling once
    an epoch. Mean-square stability implies that of Definition 1, which speaks of E|theta_t - theta*|.

    Args:
        net: the network, taken to interpolate: all gradients of single points vanish.
        X: data points, shape (n, d).
        batch_size: points in a batch, 1 to n; more than n is possible with replacement.
        y: labels, shape (n,); they only serve to check that the network interpolates.
        replacement: whether a batch may hold a point more than once.
        tol: largest loss (1/2n) sum (f(x_j) - y_j)^2 that counts as interpolation.

    Returns:
        The threshold, to a relative accuracy of 1e-9; with batches of all n points it is 2/sharpness.

    Raises:
        ValueError: if arguments do not fit, or the loss exceeds `tol`.

    Example:
        >>> net = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])
        >>> X = [[1.0], [-1.0], [2.0]]
        >>> [round(sgd_threshold(net, X, B), 6) for B in (1, 2, 3)], round(gd_threshold(net, X), 6)
        ([0.240082, 0.362874, 0.431664], 0.431664)

    Source: the sentences on batch sizes in App. A of the paper; the threshold as a generalised eigenvalue is
        due to Mulayoff and Michaeli, Exact mean square linear stability analysis for SGD (2023).
    """
    return _threshold(net, X, batch_size, y, replacement, tol)[1]


def sgd_threshold_interval(
    net: ShallowReLU,
    X: Any,
    batch_size: int,
    *,
    y: Any = None,
    replacement: bool = False,
    tol: float = 1e-6,
) -> tuple[float, float]:
    """A step size that is seen to be stable in mean square and one that is not, within 1e-9 of each other.

    Both ends are proven up to rounding. At the upper end a quadratic form in the second moments does not
    decay; at the lower end a positive vector shows that all of them do. Where the parameters are so badly
    scaled that rounding hides the second, the interval is wider, and says so.

    Arguments and errors as for `sgd_threshold`.

    Example:
        >>> net = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])
        >>> low, high = sgd_threshold_interval(net, [[1.0], [-1.0], [2.0]], 1)
        >>> bool(low < sgd_threshold(net, [[1.0], [-1.0], [2.0]], 1) < high <= low * (1 + 1e-9))
        True

    Source: Rayleigh-Ritz above, Collatz and Wielandt's bound of a Perron eigenvalue below.
    """
    low, high = _threshold(net, X, batch_size, y, replacement, tol)
    rounding = 1e-14 * len(X) ** 0.5
    return low * (1 - rounding), high * (1 + rounding)


def _threshold(
    net: Any, X: Any, batch_size: Any, y: Any, replacement: bool, tol: Any
) -> tuple[float, float]:
    net = checks.network(net)
    X = checks.points_of(X, net)
    q = batch_noise(len(X), batch_size, replacement)
    tol = checks.nonnegative(tol, "tol")
    if y is not None:
        y = checks.labels(y, len(X))
        with np.errstate(over="ignore", invalid="ignore"):  # a loss that is inf or NaN is refused
            loss = ((net(X) - y) ** 2).mean() / 2
        if not loss <= tol:
            raise ValueError(
                f"the loss of the network at y is {loss:g}; at most tol = {tol:g} is needed, as the "
                "threshold is that of a minimum which interpolates"
            )
    if q == 0:
        exact = gd_threshold(net, X)
        return exact, exact
    hessian = tangent_gram(net, X) / len(X)
    if not np.isfinite(hessian).all():
        raise ValueError(OVERFLOW)
    h, U = np.linalg.eigh(hessian)
    low, high = boundary(h / h[-1], U, q)
    return float(2 / h[-1] * low), float(2 / h[-1] * high)


def batch_noise(n: int, batch_size: Any, replacement: bool) -> float:
    """The number q between 0 (gradient descent) and 1 (single points) by which batches enter second moments.

    Raises:
        ValueError: if the batch size is below 1, or above n without replacement.

    Example:
        >>> batch_noise(5, 2, True), batch_noise(5, 2, False), batch_noise(5, 5, False)
        (0.5, 0.375, 0.0)
    """
    B = checks.count(batch_size, "batch_size")
    if replacement:
        return 1 / B
    if n < B:
        raise ValueError(
            f"batch_size is {B}, but X has {n} rows; more than that needs replacement=True"
        )
    return 0.0 if n == B else (n - B) / (B * (n - 1))
