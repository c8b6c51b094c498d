"""What small batches ask of a function: Theorem 1 with the larger weight g_hat, from traces instead of means.

Mean-square stability of SGD needs eta <= 2 <E, CE>/<E, DE> for every symmetric E, with C E = (HE + EH)/2 and
D E = (1 - q) HEH + (q/n) sum_j H_j E H_j, H_j = phi_j phi_j'. At E = I this quotient is

    2 tr H / [(1 - q) |H|_F^2 + q E|phi|^4] <= 2 / (q tr H),

as the mean of |phi|^4 is at least the squared mean of |phi|^2, and that is tr H. A trace is a sum over
neurons, and each adds at least 2 |a_i| g_hat_i, however it is rescaled: so tr H >= 1 + 2 `small_batch_norm`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import checks
from .curvature import OVERFLOW, sharpness, tangent_gram
from .network import ShallowReLU
from .norms import stability_norm
from .stability import batch_noise
from .weights import EmpiricalWeight


def small_batch_norm(net: ShallowReLU, X: Any) -> float:
    """What small batches bound: the sum of |a_h| times the lesser g_hat of both sides, over hyperplanes.

    It belongs to the function, as the stability norm does, and is never less: g_hat has root mean squares
    where g has means. Every implementation of the function has a Hessian of trace 1 + 2 `small_batch_norm`
    or more at a minimum that interpolates.

    Args:
        net: the network.
        X: data points, shape (n, d).

    Raises:
        ValueError: if `net` is no ShallowReLU or X does not fit it.

    Example:
        >>> kink = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])     # |x|
        >>> X = [[-1.0], [1.0]]
        >>> round(small_batch_norm(kink, X), 6), round(stability_norm(kink, X), 6)
        (1.414214, 0.707107)

    Source: new; the weight is that of eq. (18).
    """
    net = checks.network(net)
    weight, form = EmpiricalWeight(checks.points_of(X, net)), net.canonical()
    lesser = np.minimum(weight.g_hat(form.v, form.b), weight.g_hat(-form.v, -form.b))
    return float(np.abs(form.a) @ lesser)


def max_small_batch_norm(
    step_size: float, batch_size: int, n: int, *, replacement: bool = False
) -> float:
    """1/(q eta) - 1/2, the largest `small_batch_norm` of a function at which SGD is stable in mean square.

    Here q = (n - B)/(B (n - 1)), and 1/B with replacement: 1 for single points, where this is the inequality
    of Theorem 1 with a larger norm. Batches of all points leave it unbounded.

    Args:
        step_size: eta, positive.
        batch_size: points in a batch, B.
        n: number of data points.
        replacement: whether a batch may hold a point more than once.

    Raises:
        ValueError: if the step size is not positive, n or the batch size below 1, or the batch larger than n
            without replacement.

    Example:
        >>> max_small_batch_norm(0.1, 1, 100), max_small_batch_norm(0.1, 4, 100, replacement=True)
        (9.5, 39.5)
        >>> max_small_batch_norm(0.1, 100, 100)
        inf

    Source: new; with batches of all points only Theorem 1 is left, and `max_stability_norm`.
    """
    step_size = checks.positive(step_size, "step_size")
    q = batch_noise(checks.count(n, "n"), batch_size, replacement)
    return float(1 / q / step_size - 0.5) if q > 0 else np.inf


def takeover_batch(
    net: ShallowReLU, X: Any, *, of: str = "network", replacement: bool = False
) -> float:
    """B*, the batch size below which the noise of the batches limits the step size more than the sharpness.

    Both 2/lambda_max and 2/(q tr H) are ceilings of `sgd_threshold`; they meet at q = lambda_max/tr H, that
    is at B* = tr H/lambda_max with replacement, and a little lower without. This belongs to the network. In
    terms of the function, the ceilings are those that no implementation can pass: 2/(1 + 2 norm) of Theorem 1
    and 2/(q (1 + 2 `small_batch_norm`)). Where these meet, the theorem for small batches takes over.

    Args:
        net: the network, taken to interpolate.
        X: data points, shape (n, d).
        of: "network", or "function".
        replacement: whether a batch may hold a point more than once.

    Returns:
        B*, at least 1 and no whole number in general.

    Raises:
        ValueError: if X does not fit the network, or `of` is another word.

    Example:
        >>> kink = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])
        >>> X = [[-1.0], [1.0]]
        >>> [round(takeover_batch(kink, X, of=of, replacement=True), 6) for of in ("network", "function")]
        [1.6, 1.585786]

    Source: new.
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    if checks.choice(of, "of", ("network", "function")) == "network":
        share = sharpness(net, X) / float(np.trace(_gram(net, X)) / len(X))
    else:
        share = (1 + 2 * stability_norm(net, X)) / (1 + 2 * small_batch_norm(net, X))
    share = min(share, 1.0)
    return 1 / share if replacement else len(X) / (1 + (len(X) - 1) * share)


def sgd_threshold_bounds(
    net: ShallowReLU, X: Any, batch_size: int, *, replacement: bool = False
) -> tuple[float, float]:
    """Two step sizes in closed form between which `sgd_threshold` lies: they show what it is made of.

    The lower one is 2/[(1 - q) lambda_max + q max_j |phi_j|^2]. The upper one is the lesser of two values of
    a quotient that is nowhere below the threshold. Where all directions are equally uncertain it is
    2 tr H/[(1 - q) |H|_F^2 + q E|phi|^4], at most 2/(q tr H). Where only the sharpest direction u is
    uncertain it is 2/[(1 - q) lambda_max + q E(u.phi)^4/lambda_max], at most 2/lambda_max. So the lesser of
    2/(q tr H) and 2/lambda_max is right up to the factor kappa + 1 - q, with kappa = max |phi|^2/E|phi|^2:
    for single points no better factor is possible, as `memoriser` shows with large labels.

    Args:
        net: the network, taken to interpolate.
        X: data points, shape (n, d).
        batch_size: points in a batch, 1 to n; more than n is possible with replacement.
        replacement: whether a batch may hold a point more than once.

    Returns:
        A step size that is stable in mean square, and one with no stable ones above it.

    Raises:
        ValueError: if arguments do not fit.

    Example:
        >>> net = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])
        >>> low, high = sgd_threshold_bounds(net, [[1.0], [-1.0], [2.0]], 1)
        >>> round(low, 6), round(high, 6)      # the threshold is 0.240082
        (0.2, 0.250135)

    Source: new; quotient and lower end after Mulayoff and Michaeli, Exact mean square linear stability
        analysis for SGD (2023).
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    q, K = batch_noise(len(X), batch_size, replacement), _gram(net, X)
    unit, n = (
        K.max(),
        len(X),
    )  # squares of K's entries may overflow, of its entries over the largest not
    h, w = np.linalg.eigh(K / unit)
    top, size2 = h[-1] / n, np.diag(K) / unit
    white = size2.mean() / ((1 - q) * (K / unit / n * K / unit / n).sum() + q * (size2**2).mean())
    sharpest = 1 / (top * ((1 - q) + q * n * (w[:, -1] ** 4).sum()))
    low = 1 / ((1 - q) * top + q * size2.max())
    return float(2 / unit * low), float(2 / unit * max(low, min(white, sharpest)))


def _gram(net: ShallowReLU, X: np.ndarray) -> np.ndarray:
    K = tangent_gram(net, X)
    if not np.isfinite(K).all():
        raise ValueError(OVERFLOW)
    return K
