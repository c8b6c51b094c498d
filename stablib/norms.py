"""Norms of a network's function: sums of slopes, weighted by what the data charges for their hyperplanes."""

from __future__ import annotations

from typing import Any

import numpy as np

from . import checks
from .network import ShallowReLU
from .weights import EmpiricalWeight, IsotropicWeight, Weight


def stability_norm(net: ShallowReLU, X: Any) -> float:
    """The stability norm ||f||_{R,g} of the network's function: sum of |a_h| g(v_h, b_h) over hyperplanes.

    Neurons on one hyperplane count once, with the sum of their signed slopes; so the value belongs to
    the function, not to the network.

    Args:
        net: the network.
        X: data points, shape (n, d), or a weight (EmpiricalWeight, IsotropicWeight).

    Raises:
        ValueError: if `net` is no ShallowReLU or X does not fit it.

    Example:
        >>> line = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, -1.0])    # relu(x) - relu(-x) = x
        >>> kink = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])     # relu(x) + relu(-x) = |x|
        >>> X = [[-1.0], [1.0]]
        >>> stability_norm(line, X), round(stability_norm(kink, X), 6)
        (0.0, 0.707107)

    Source: eq. (11), through (58) with antipodal neurons merged.
    """
    form = checks.network(net).canonical()
    return float(np.abs(form.a) @ _weight(X, net).g(form.v, form.b))


def parametric_stability_norm(net: ShallowReLU, X: Any) -> float:
    """S_theta: sum of |a_i| g(v_i, b_i) over neurons; at least the stability norm.

    Arguments and errors as for `stability_norm`.

    Example:
        >>> line = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, -1.0])
        >>> round(parametric_stability_norm(line, [[-1.0], [1.0]]), 6)
        0.707107

    Source: eqs. (15), (55).
    """
    a, v, b = checks.network(net).ridges()
    return float(np.abs(a) @ _weight(X, net).g(v, b))


def one_sided_norm(net: ShallowReLU, X: Any) -> float:
    """Sum of |a_i| g_tilde(v_i, b_i) over neurons, each charged on the side where it fires.

    It belongs to the network, not to its function: another implementation may have less.

    Arguments and errors as for `stability_norm`.

    Example:
        >>> net = ShallowReLU([[1.0]], [1.5], [1.0])     # on at both points: g is 0 there, g_tilde is not
        >>> stability_norm(net, [[-1.0], [1.0]]), one_sided_norm(net, [[-1.0], [1.0]])
        (0.0, 1.5)

    Source: eq. (52), before the minimum over the two sides is taken.
    """
    a, v, b = checks.network(net).ridges()
    return float(np.abs(a) @ _weight(X, net).g_tilde(v, b))


def r_norm(net: ShallowReLU) -> float:
    """The R-norm: sum of |a_h| over hyperplanes, the stability norm with weight 1.

    Raises:
        ValueError: if `net` is no ShallowReLU.

    Example:
        >>> r_norm(ShallowReLU([[3.0, 4.0]], [0.0], [2.0]))
        10.0

    Source: Sec. 7, after Ongie et al. (2020).
    """
    return float(np.abs(checks.network(net).canonical().a).sum())


def _weight(X: Any, net: ShallowReLU) -> Weight:
    if isinstance(X, (EmpiricalWeight, IsotropicWeight)):
        return X
    return EmpiricalWeight(checks.points_of(X, net))
