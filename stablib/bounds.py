"""Bounds that tie the sharpness of a minimum to its function: Lemma 2, Lemma 3, Theorems 1 and 3."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import checks
from .network import ShallowReLU
from .norms import stability_norm
from .weights import EmpiricalWeight


def sharpness_lower_bound(net: ShallowReLU, X: Any, loss_curvature: Any = None) -> float:
    """1 + 2 times the stability norm: no implementation of the network's function is flatter.

    Holds at every smooth local minimum, interpolating or not. With a loss of second derivatives l''_j at
    the data, the bound is mean(l'') (1 + 2 norm), the norm taken for data drawn in proportion to l''.

    Args:
        net: the network.
        X: data points, shape (n, d).
        loss_curvature: l'' at each point, (n,) or a number; 1 if left out (the quadratic loss).

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, or an l'' is negative.

    Example:
        >>> kink = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])     # |x|
        >>> round(sharpness_lower_bound(kink, [[-1.0], [1.0]]), 6)
        2.414214

    Source: Lemma 3, eq. (34); App. J, with the exact weight for losses whose second derivative varies.
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    if loss_curvature is None:
        return 1 + 2 * stability_norm(net, X)
    curvature = checks.loss_curvature(loss_curvature, len(X))
    mean = float(curvature.mean())
    if mean == 0:
        return 0.0
    return mean * (1 + 2 * stability_norm(net, EmpiricalWeight(X, curvature / curvature.sum())))


def sharpness_upper_bound(net: ShallowReLU, X: Any, loss_curvature: Any = None) -> float:
    """A sharpness that some implementation of the network's function does not exceed.

    Write f with every hyperplane turned to one of its sides, f = sum_h a_h relu(v_h.x - b_h) + beta.x + c;
    two more neurons carry beta. The flattest rescaling of that network has at most the sharpness
    1 + 2 sum_h |a_h| g_hat(v_h, b_h) + 2 |beta| sqrt(lambda_max(Sigma)) sqrt(1 + E|X|^2).
    The least of these values is returned over several choices of the sides: those where g_hat is less, and
    for each data point those where all neurons are off (then beta is the gradient there).

    Args:
        net: the network, of k neurons; the implementation meant has at most k + 2.
        X: data points, shape (n, d); no hyperplane of f should pass through one.
        loss_curvature: l'' at each point, (n,) or a number; its maximum multiplies the bound.

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, or an l'' is negative.

    Example:
        >>> far = ShallowReLU([[1.0]], [100.0], [1.0])       # x + 100 on the data: an affine function
        >>> round(sharpness_upper_bound(far, [[-1.0], [1.0]]), 6)
        3.828427

    Source: Lemma 2, eq. (19), corrected and sharpened: with k neurons it can fail by any factor; with
        k + 2 the last term needs the factor 2 instead of 4, and the smaller g_hat of the two sides.
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    weight = EmpiricalWeight(X)
    form = net.canonical()
    a, v, b = np.abs(form.a), form.v, form.b
    front, back = weight.g_hat(v, b), weight.g_hat(-v, -b)
    spread = np.linalg.norm(X - X.mean(axis=0), ord=2) / len(X) ** 0.5
    affine = 2 * spread * np.sqrt(1 + (X**2).sum(axis=1).mean())
    # Turning hyperplane h moves a_h v_h between its ridge and beta.
    turned = np.vstack([back < front, b < X @ v.T])  # (n + 1, m): which hyperplanes fire behind
    ridges = turned @ (a * back) + ~turned @ (a * front)
    slopes = np.linalg.norm(form.beta + turned @ (form.a[:, None] * v), axis=1)
    curvature = (
        1.0 if loss_curvature is None else checks.loss_curvature(loss_curvature, len(X)).max()
    )
    return float(curvature * (1 + 2 * ridges + affine * slopes).min())


def max_stability_norm(step_size: float) -> float:
    """1/eta - 1/2, the largest stability norm of a function that SGD with step size eta can settle in.

    Negative above eta = 2: no minimum whatever is stable there, as the output bias alone has sharpness 1.

    Args:
        step_size: eta, positive.

    Raises:
        ValueError: if the step size is not a positive number.

    Example:
        >>> max_stability_norm(0.1)
        9.5

    Source: Theorem 1, eq. (10).
    """
    return 1 / checks.positive(step_size, "step_size") - 0.5


def sufficient_stability(net: ShallowReLU, X: Any, step_size: float) -> bool:
    """Whether the upper bound guarantees a linearly stable implementation (of k + 2 neurons) for GD.

    Args:
        net: the network.
        X: data points, shape (n, d).
        step_size: eta, positive.

    Raises:
        ValueError: if arguments do not fit or the step size is not positive.

    Example:
        >>> far = ShallowReLU([[1.0]], [100.0], [1.0])
        >>> sufficient_stability(far, [[-1.0], [1.0]], 0.5), sufficient_stability(far, [[-1.0], [1.0]], 0.6)
        (True, False)

    Source: Theorem 3, eq. (20), with the sharper left side of `sharpness_upper_bound`.
    """
    return sharpness_upper_bound(net, X) <= 2 / checks.positive(step_size, "step_size")
