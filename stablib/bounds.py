"""Bounds that tie the sharpness of a minimum to its function: Lemma 2, Lemma 3, Theorems 1 and 3.

Another loss, of second derivatives l''_j >= 0 at the data, has the Hessian dbar E_p[phi phi'] at a smooth
minimum: dbar is their mean, p_j = l''_j / sum l'' a law on the data and phi the gradient of f in the
parameters. So every bound below holds with dbar in front and all expectations taken under p.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import checks
from .canonical import CanonicalForm
from .curvature import OVERFLOW
from .network import ShallowReLU
from .norms import one_sided_norm, stability_norm
from .weights import EmpiricalWeight


def sharpness_lower_bound(
    net: ShallowReLU, X: Any, loss_curvature: Any = None, *, own_side: bool = False
) -> float:
    """1 + 2 times the stability norm: no implementation of the network's function is flatter.

    Holds at every smooth local minimum, interpolating or not. With a loss of second derivatives l''_j at
    the data, the bound is mean(l'') (1 + 2 norm), the norm taken for data drawn in proportion to l''.

    Args:
        net: the network.
        X: data points, shape (n, d).
        loss_curvature: l'' at each point, (n,) or a number; 1 if left out (the quadratic loss).
        own_side: charge every neuron on the side where it fires. The bound is then higher, and belongs
            to this network and its rescalings alone.

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, or an l'' is negative.

    Example:
        >>> kink = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])     # |x|
        >>> round(sharpness_lower_bound(kink, [[-1.0], [1.0]]), 6)
        2.414214

    Source: Lemma 3, eq. (34); before the minimum over the two sides, eq. (52); App. J, with the exact weight
        for losses whose second derivative varies.
    """
    net = checks.network(net)
    mean, law = _law(checks.points_of(X, net), loss_curvature)
    norm = one_sided_norm if own_side else stability_norm
    with np.errstate(over="ignore", invalid="ignore"):  # _finite says what overflowed
        return _finite(mean * (1 + 2 * norm(net, law)))


def sharpness_upper_bound(
    net: ShallowReLU, X: Any, loss_curvature: Any = None, *, own_side: bool = False
) -> float:
    """A sharpness that some implementation of the network's function does not exceed.

    Write f with every hyperplane turned to one of its sides, f = sum_h a_h relu(v_h.x - b_h) + beta.x + c;
    two more neurons carry beta. The flattest rescaling of that network has at most the sharpness
    1 + 2 sum_h |a_h| g_hat(v_h, b_h) + 2 sd(beta.X) sqrt(1 + E|X|^2), with sd the standard deviation.
    The least of these values is returned over several choices of the sides: those where g_hat is less, and
    for each data point those where all neurons are off (then beta is the gradient there).

    Args:
        net: the network, of k neurons; the implementation meant has at most k + 2.
        X: data points, shape (n, d); no hyperplane of f should pass through one.
        loss_curvature: l'' at each point, (n,) or a number; 1 if left out. The bound is then mean(l'') times
            the same for data drawn in proportion to l''.
        own_side: bound the rescalings of this network instead, with its k neurons and no affine part:
            1 + 2 sum_i |a_i| g_hat(v_i, b_i) is the infimum of their Hessians' traces. (Neurons with W1_i = 0
            count there, too: only a turn into the constant b2 would remove them.)

    Raises:
        ValueError: if `net` is no ShallowReLU, X does not fit it, or an l'' is negative.

    Example:
        >>> far = ShallowReLU([[1.0]], [100.0], [1.0])       # x + 100 on the data: an affine function
        >>> X = [[-1.0], [1.0]]
        >>> round(sharpness_upper_bound(far, X), 6), round(sharpness_upper_bound(far, X, own_side=True), 1)
        (3.828427, 283.9)

    Source: Lemma 2, eq. (19), corrected and sharpened: with k neurons it can fail by any factor; with
        k + 2 the last term needs the factor 2 instead of 4 and no R-norm, sd(beta.X) is at most
        |beta| sqrt(lambda_max(Sigma)), and the smaller g_hat of the two sides will do. Eq. (105) for
        `own_side`.
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    mean, law = _law(X, loss_curvature)
    with np.errstate(over="ignore", invalid="ignore"):  # _finite says what overflowed
        trace = _least_trace(net, law) if own_side else _over_sides(net.canonical(), law)[0].min()
        return _finite(mean * trace)


def upper_bound_implementation(net: ShallowReLU, X: Any, loss_curvature: Any = None) -> ShallowReLU:
    """The same function, in at most k + 2 neurons, at a sharpness of at most `sharpness_upper_bound`.

    Arguments and errors as for `sharpness_upper_bound`. The two neurons of the affine part meet at the
    mean of the data, a little to the side of it, so that a point at the mean lies on neither hyperplane.
    Where all points are in one place, that costs up to a relative 1e-8 beyond the bound.

    Example:
        >>> far = ShallowReLU([[1.0]], [100.0], [1.0])
        >>> wide = upper_bound_implementation(far, [[-1.0], [1.0]])
        >>> wide.k, bool(abs(wide([[2.0]])[0] - 102) < 1e-9)
        (3, True)

    Source: App. K, eqs. (106) to (109), balanced as in (104) and (105).
    """
    net = checks.network(net)
    X = checks.points_of(X, net)
    law = _law(X, loss_curvature)[1]
    form = net.canonical()
    values, turned = _over_sides(form, law)
    turned = turned[values.argmin()]
    sign = np.where(turned, -1.0, 1.0)
    beta = form.beta + (form.a * turned) @ form.v
    c = form.c - (form.a * turned) @ form.b
    W1, b1, w2 = sign[:, None] * form.v, -sign * form.b, form.a
    size = np.linalg.norm(beta)
    if size > 0:
        h = beta / size
        # The spread of h.x about a point is least at the mean: next to it, it grows to second order only.
        tau = law.p @ (X @ h)
        tau += 1e-7 * np.sqrt(law.p @ (X @ h - tau) ** 2) + 1e-12 * (1 + np.abs(X @ h).max())
        W1 = np.vstack([W1, h, -h])
        b1, w2 = np.concatenate([b1, [-tau, tau]]), np.concatenate([w2, [size, -size]])
        c += size * tau
    wide = ShallowReLU(W1, b1, w2, c)
    height2, pull2 = _blocks(wide, law)
    fires = (height2 > 0) & (pull2 > 0)
    return wide.rescale(np.where(fires, (height2 / np.where(fires, pull2, 1)) ** 0.25, 1.0))


def max_stability_norm(step_size: float, loss_curvature: Any = None) -> float:
    """1/eta - 1/2, the largest stability norm of a function that SGD with step size eta can settle in.

    Negative above eta = 2: no minimum whatever is stable there, as the output bias alone has sharpness 1.
    With another loss it is 1/(mean(l'') eta) - 1/2, and bounds the norm for data drawn in proportion to l''.

    Args:
        step_size: eta, positive.
        loss_curvature: l'' at each point, (n,) or a number; 1 if left out. Where all vanish, no norm is
            excluded, and the result is infinite.

    Raises:
        ValueError: if the step size is not a positive number, or an l'' is negative.

    Example:
        >>> max_stability_norm(0.1), max_stability_norm(0.1, 2.0)
        (9.5, 4.5)

    Source: Theorem 1, eq. (10); App. J, with its constant.
    """
    step_size = checks.positive(step_size, "step_size")
    if loss_curvature is None:
        return 1 / step_size - 0.5
    curvature = checks.array(loss_curvature, "loss_curvature")
    mean = _mean(checks.loss_curvature(curvature, len(np.atleast_1d(curvature)) or 1))[0]
    return 1 / mean / step_size - 0.5 if mean > 0 else np.inf


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


def _law(X: np.ndarray, loss_curvature: Any) -> tuple[float, EmpiricalWeight]:
    """The mean second derivative of the loss, and the data in proportion to it."""
    if loss_curvature is None:
        return 1.0, EmpiricalWeight(X)
    mean, share = _mean(checks.loss_curvature(loss_curvature, len(X)))
    return mean, EmpiricalWeight(X, share)


def _mean(curvature: np.ndarray) -> tuple[float, np.ndarray]:
    """Mean and shares of non-negative numbers, of any size; equal shares where all are zero."""
    top = curvature.max()
    share = curvature / top if top > 0 else np.ones(len(curvature))
    return float(top * share.mean()), share / share.sum()


def _finite(value: float) -> float:
    if not np.isfinite(value):
        raise ValueError(OVERFLOW)
    return float(value)


def _blocks(net: ShallowReLU, law: EmpiricalWeight) -> tuple[np.ndarray, np.ndarray]:
    """E[relu(z_i)^2] and w2_i^2 E[1_i (|X|^2 + 1)], the two parts of a neuron in the trace; each (k,)."""
    z = law.X @ net.W1.T + net.b1
    size2 = law.p * (1 + (law.X**2).sum(axis=1))
    with np.errstate(over="ignore", invalid="ignore"):  # _finite says what overflowed
        return law.p @ np.maximum(z, 0) ** 2, net.w2**2 * (size2 @ (z > 0))


def _least_trace(net: ShallowReLU, law: EmpiricalWeight) -> float:
    """Infimum over rescalings of E|phi|^2: the arithmetic mean of two parts becomes the geometric one."""
    height2, pull2 = _blocks(net, law)
    return 1 + 2 * float(np.sqrt(height2) @ np.sqrt(pull2))


def _over_sides(form: CanonicalForm, law: EmpiricalWeight) -> tuple[np.ndarray, np.ndarray]:
    """The bound for each of several choices of sides, (s,), and which hyperplanes fire behind, (s, m).

    Proof: E|phi|^2 is 1 + sum_i (E[relu(z_i)^2] / c_i^2 + c_i^2 a_i^2 E[1_i (|X|^2 + 1)]), a sum whose terms
    are least at 2 |a_i| g_hat. For the pair at h = beta/|beta| they add up to 2 |beta| times
    sqrt(A+ B+) + sqrt(A- B-) <= sqrt((A+ + A-)(B+ + B-)). Since exactly one of the two fires at a point,
    A+ + A- = 1 + E|X|^2, and B+ + B- is the variance of h.X if their hyperplane passes through its mean.
    """
    X, p = law.X, law.p
    a, v, b = np.abs(form.a), form.v, form.b
    front, back = law.g_hat(v, b), law.g_hat(-v, -b)
    even = EmpiricalWeight(X)
    turned = np.vstack(
        [
            back < front,
            # As if all l'' were equal: so that max(l'') times the quadratic loss's bound is never less.
            even.g_hat(-v, -b) < even.g_hat(v, b),
            b < X @ v.T,
        ]
    )
    ridges = turned @ (a * back) + ~turned @ (a * front)
    # Turning hyperplane h moves a_h v_h between its ridge and beta.
    slopes = form.beta + turned @ (form.a[:, None] * v)
    spread = np.sqrt(((slopes @ (X - p @ X).T) ** 2) @ p)
    reach = np.sqrt(1 + p @ (X**2).sum(axis=1))
    return 1 + 2 * ridges + 2 * reach * spread, turned


def _printed_upper_bound(net: ShallowReLU, X: np.ndarray, side: str = "mean") -> float:
    """The right side of eq. (19) as printed, with the mean, the larger or the smaller g_hat of two sides.

    The infimum of |grad f| is exact in d = 1, and elsewhere taken over the cells that the data meets.
    """
    form, law = net.canonical(), EmpiricalWeight(X)
    a, v, b = form.a, form.v, form.b
    sides = np.stack([law.g_hat(v, b), law.g_hat(-v, -b)])
    g_hat = {"mean": sides.mean, "larger": sides.max, "smaller": sides.min}[side](axis=0)
    cells = X
    if net.d == 1:
        knots = np.sort(b)
        cells = np.r_[b.min(initial=0) - 1, (knots[1:] + knots[:-1]) / 2, b.max(initial=0) + 1]
        cells = cells[:, None]
    slopes = form.beta + (cells @ v.T > b) @ (a[:, None] * v)
    steepest = np.abs(a).sum() + np.linalg.norm(slopes, axis=1).min()
    spread = np.linalg.norm(X - X.mean(axis=0), ord=2) / len(X) ** 0.5
    return float(
        1 + 2 * np.abs(a) @ g_hat + 4 * steepest * spread * np.sqrt(1 + (X**2).sum(axis=1).mean())
    )
