"""A flat network that memorises any labels: one neuron per extreme point, silent on all others.

Its neurons share no data point, so that with r_j = y_j - b2 and s_j = sqrt(1 + |x_j|^2) the Hessian has the
spectrum of (11' + diag(kappa))/n, kappa_j = (w2_j s_j)^2 + z_j^2 with w2_j z_j = r_j. How far the other
points stay behind the neuron's hyperplane does not enter, nor does the direction that it faces. So
kappa_j >= 2 |r_j| s_j, with equality for the balanced neuron, z_j = sqrt(|r_j| s_j); and since the top
eigenvalue t/n grows with every kappa_j, balanced neurons are the flattest.

Here t is the root of sum_j 1/(t - kappa_j) = 1 above all kappa_j. It is between n + mean kappa (the quotient
at 1) and n + max kappa, and convex in b2, since every kappa_j is. Where all kappa_j are small against n, the
best b2 is a median of the labels, weighted by s_j; where they are large, their centre.

Margins only enter the slopes: |r_j| divided by the height of x_j over the hyperplane. We look for directions
in which x_j stands out, and put the hyperplane half-way to the next point.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import brentq, nnls

from . import checks
from .network import ShallowReLU

SEEN = 1e-10  # share of the data's radius by which an extreme point stands out


def extreme_points(X: Any) -> np.ndarray:
    """Which points are extreme: some half-space holds this point and no other one.

    A point that occurs twice is not, in this sense: what fires at one copy fires at the other.

    Args:
        X: data points, shape (n, d).

    Returns:
        Booleans, shape (n,). True is seen in a half-space: the point stands out by more than 1e-10 of the
        data's radius, in coordinates in which they are as wide in every direction. A lesser one is False.

    Raises:
        ValueError: if X is not a finite, non-empty (n, d) array.

    Example:
        >>> extreme_points([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [0.2, 0.2]])
        array([ True,  True,  True, False])

    Source: extreme points of the convex hull, as a problem of non-negative least squares (Farkas' lemma).
    """
    return _standing_out(checks.points(X))[1] > 0


def memoriser(X: Any, y: Any, b2: float | None = None) -> ShallowReLU:
    """A network through all labels in which each neuron fires at one point, as flat as such networks can be.

    Its sharpness is at most 1 + (2/n) max_j |y_j - b2| sqrt(1 + |x_j|^2), and its function's stability norm
    at most (1/n^2) sum_j |y_j - b2| sqrt(1 + |x_j|^2): stability alone does not keep a network from
    memorising noise where the data are in convex position, as they are in many dimensions.

    Args:
        X: data points, shape (n, d).
        y: labels, shape (n,).
        b2: the output bias, which is the function away from the neurons; points of this label need no
            neuron. By default the label of the points that are not extreme, which must be one; and, if all
            are extreme, the number of least sharpness (which is thus below the bound with 0 for b2, too).

    Returns:
        One balanced neuron for every point whose label is not b2, in the order of the points. Its hyperplane
        is half-way between that point and the next one behind it; the labels are met up to rounding, which
        weighs |x_j| over that distance.

    Raises:
        ValueError: if arguments do not fit, or a point whose label is not b2 is not extreme.

    Example:
        >>> from stablib import sharpness
        >>> X, y = [[-2.0], [2.0]], [1.0, -1.0]
        >>> net = memoriser(X, y)
        >>> net(X).round(12), net.k, round(sharpness(net, X), 6)      # 1 + (2/2) sqrt(1 + 4)
        (array([ 1., -1.]), 2, 3.236068)

    Source: new.
    """
    X = checks.points(X)
    y = checks.labels(y, len(X))
    if b2 is not None:
        b2 = checks.real(b2, "b2")
    V, gap = _standing_out(X)
    hidden = gap <= 0
    size = np.sqrt(1 + (X**2).sum(axis=1))
    if b2 is None:
        b2 = float(y[hidden][0]) if hidden.any() else _best_origin(y, size)
    chosen = y != b2
    if (chosen & hidden).any():
        rows = np.flatnonzero(chosen & hidden)
        raise ValueError(
            f"{len(rows)} of the points whose label is not b2 = {b2:g} are not extreme, the first in row "
            f"{rows[0]}; no neuron fires there alone"
        )
    r, size, V, gap, X = (y - b2)[chosen], size[chosen], V[chosen], gap[chosen], X[chosen]
    height = np.sqrt(np.abs(r)) * np.sqrt(size)
    W1 = V * (height / (gap / 2))[:, None]
    b1 = height - np.einsum("jd,jd->j", W1, X)
    # What rounding has left of the height: so that the labels are met, not almost met.
    z = np.einsum("jd,jd->j", W1, X) + b1
    return ShallowReLU(W1, b1, r / z, b2)


def _top(kappa: np.ndarray) -> float:
    """The largest eigenvalue of 11' + diag(kappa)."""
    behind = kappa.max() - kappa

    def secular(s: float) -> float:
        return (1 / (s + behind)).sum() - 1

    return float(kappa.max() + brentq(secular, 0.5, 2 * len(kappa), xtol=1e-14))


def _best_origin(y: np.ndarray, size: np.ndarray) -> float:
    """The b2 at which kappa_j = 2 |y_j - b2| s_j have the least top eigenvalue: a convex problem."""

    def kappa(c: float) -> np.ndarray:
        return 2 * np.abs(y - c) * size

    def slope(c: float) -> float:
        share = 1 / (_top(kappa(c)) - kappa(c)) ** 2
        return share @ (size * np.sign(c - y))

    low, high = y.min(), y.max()
    if low == high:
        return float(low)
    best = brentq(slope, low, high, xtol=1e-14 * (high - low))
    # At a kink the label itself is best, and its point needs no neuron.
    label = y[np.abs(y - best).argmin()]
    return float(label if _top(kappa(label)) <= _top(kappa(best)) * (1 + 1e-13) else best)


def _standing_out(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A unit direction for each point, (n, d), and how far it stands out in it, (n,); 0 if it does not.

    Being extreme does not depend on the coordinates, so we look where all directions are as wide.
    """
    n, unit = len(X), np.abs(X).max() or 1.0
    if n == 1:
        return np.eye(1, X.shape[1]), np.ones(1)
    X = X / unit  # so that no square below vanishes or overflows
    C = X - X.mean(axis=0)
    W, s, axes = np.linalg.svd(C, full_matrices=False)
    wide = s > max(SEEN * s[0], 1e-14 * n**0.5 * np.abs(X).max())
    W, s, axes = W[:, wide], s[wide], axes[wide]
    V, gap = np.zeros_like(C), np.zeros(n)
    if not len(s):
        return V, gap
    least = SEEN * np.linalg.norm(W, axis=1).max()

    def look(j: np.ndarray, directions: np.ndarray) -> None:
        """Keep the directions in which points j stand out, and further than in those before."""
        heights, row = W @ directions.T, np.arange(len(j))
        own = heights[j, row].copy()
        heights[j, row] = -np.inf
        ahead = own - heights.max(axis=0)
        seen = ahead > least * np.linalg.norm(directions, axis=1)
        j, directions, ahead = j[seen], directions[seen] / s, ahead[seen]
        length = np.linalg.norm(directions, axis=1)
        better = ahead / length > gap[j]
        V[j[better]] = (directions / length[:, None])[better] @ axes
        gap[j[better]] = (ahead / length)[better]

    everyone = np.arange(n)
    look(everyone, W)
    look(everyone, W * s**2)  # away from the mean in the data's own coordinates
    # For the rest: (x_j, 1) is in the cone of the others, or the residual separates it from them.
    rows = np.vstack([W.T * n**0.5, np.ones(n)])
    for j in np.flatnonzero(gap == 0):
        others = np.delete(rows, j, axis=1)
        weights = nnls(others, rows[:, j], maxiter=100 * n)[0]
        look(np.array([j]), (rows[:, j] - others @ weights)[None, :-1])
    return V, gap * unit
