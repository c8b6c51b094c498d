"""g(v, .) of a finite data set in closed form: straight pieces, with jumps and bends at known places."""

from __future__ import annotations

from functools import cache, partial
from typing import NamedTuple

import numpy as np
from scipy.special import dawsn, ndtr

from ..jit import jit
from .quadrature import gauss

_STEP = 1 / 64  # of the tables below
_FAR = 16.0  # where the tables end and the asymptotic series takes over

_compiled = partial(jit, error_model="numpy")


class Pieces(NamedTuple):
    """Piecewise linear functions of the offset, one per direction, by what happens at their breaks.

    Each is the sum over its breaks of jump * 1(b > place) + bend * relu(b - place). All arrays have shape
    (m, 2n - 1): first the n projected points, then the n - 1 places where the cheaper side changes.
    """

    place: np.ndarray
    jump: np.ndarray
    bend: np.ndarray

    def smoothed(self, b: np.ndarray, eps: float) -> np.ndarray:
        """The functions, convolved with the normal law of width eps, at offsets b (m, q); (m, q)."""
        over = b[:, :, None] - self.place[:, None, :]
        with np.errstate(over="ignore"):  # many widths away is as good as infinitely many
            t = over / eps
            step, bump = ndtr(t), np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
        ramp = over * step + eps * bump
        return np.einsum("mqp,mp->mq", step, self.jump) + np.einsum("mqp,mp->mq", ramp, self.bend)


def pieces(X: np.ndarray, v: np.ndarray) -> Pieces:
    """The weight g(v, .) of a data set, exactly, for many directions.

    Between two neighbouring projections the active points do not change, so that either side's price is a
    straight line in the offset: falling in front, rising behind. Their minimum bends once at most.

    Args:
        X: data points, shape (n, d).
        v: unit normals, shape (m, d).

    Source: eq. (12), with the probabilities multiplied out.
    """
    n, m = len(X), len(v)
    z = v @ X.T  # (m, n)
    order = np.argsort(z, axis=1)
    place = np.take_along_axis(z, order, axis=1)
    below = np.cumsum(X[order], axis=1)[
        :, :-1
    ]  # (m, n - 1, d): sums over the points behind each cell
    above = X.sum(axis=0) - below
    behind = np.arange(1, n)
    height = np.cumsum(place, axis=1)[:, :-1]
    # Slopes of the two sides over the cells; the price is slope times a distance to the mean.
    rise = behind * np.sqrt((below**2).sum(axis=2) + behind**2) / n**2
    fall = (n - behind) * np.sqrt((above**2).sum(axis=2) + (n - behind) ** 2) / n**2
    mean_behind, mean_front = height / behind, (place.sum(axis=1)[:, None] - height) / (n - behind)
    left, right = place[:, :-1], place[:, 1:]
    meet = (rise * mean_behind + fall * mean_front) / (rise + fall)
    kink = np.clip(meet, left, right)
    first = np.where(meet > left, rise, -fall)
    last = np.where(meet < right, -fall, rise)

    def price(b: np.ndarray) -> np.ndarray:
        return np.minimum(rise * (b - mean_behind), fall * (mean_front - b))

    nothing = np.zeros((m, 1))
    jump = np.hstack([price(left), nothing]) - np.hstack([nothing, price(right)])
    bend = np.hstack([first, nothing]) - np.hstack([nothing, last])
    return Pieces(
        np.hstack([place, kink]),
        np.hstack([jump, np.zeros((m, n - 1))]),
        np.hstack([bend, last - first]),
    )


@cache
def _tables() -> tuple[np.ndarray, np.ndarray]:
    """q(t) = sqrt(2) D(t / sqrt(2)), D Dawson's function, and its integral Q from 0, on a grid."""
    t = np.arange(0, _FAR + 2 * _STEP, _STEP)
    q = np.sqrt(2) * dawsn(t / np.sqrt(2))
    # Integrals over the steps by Gauss's rule with five nodes: exact to rounding on steps this short.
    nodes, weights = gauss(5)
    inner = t[:-1, None] + _STEP / 2 * (1 + nodes)
    parts = np.sqrt(2) * dawsn(inner / np.sqrt(2)) @ weights * _STEP / 2
    return q, np.concatenate([[0.0], np.cumsum(parts)])


@_compiled
def _filtered(
    s: float,
    place: np.ndarray,
    jump: np.ndarray,
    bend: np.ndarray,
    eps: float,
    q: np.ndarray,
    big_q: np.ndarray,
) -> float:
    """|omega|-filtered piecewise linear function, smoothed to width eps, at the offset s."""
    constant = 0.5 * (np.log(2.0) + np.euler_gamma)
    total = 0.0
    for i in range(len(place)):
        if jump[i] == 0.0 and bend[i] == 0.0:
            continue
        t = (s - place[i]) / eps
        sign = 1.0 if t >= 0 else -1.0
        t *= sign
        if t >= _FAR:
            w = 1 / t**2
            first = (1 + w * (1 + w * (3 + w * (15 + w * (105 + w * 945))))) / t
            second = (
                np.log(t)
                + constant
                - w * (1 / 2 + w * (3 / 4 + w * (15 / 6 + w * (105 / 8 + w * 94.5))))
            )
        else:
            # Cubic Hermite steps: the derivatives are known, Q' = q and q' = 1 - t q.
            k = int(t / _STEP)
            u = t / _STEP - k
            h00, h10 = (1 + 2 * u) * (1 - u) ** 2, u * (1 - u) ** 2 * _STEP
            h01, h11 = u**2 * (3 - 2 * u), u**2 * (u - 1) * _STEP
            d0, d1 = 1 - k * _STEP * q[k], 1 - (k + 1) * _STEP * q[k + 1]
            first = h00 * q[k] + h10 * d0 + h01 * q[k + 1] + h11 * d1
            second = h00 * big_q[k] + h10 * q[k] + h01 * big_q[k + 1] + h11 * q[k + 1]
        total += jump[i] * sign * first / eps + bend[i] * second
    return total / np.pi


@_compiled
def _at_points(
    x: np.ndarray,
    v: np.ndarray,
    place: np.ndarray,
    jump: np.ndarray,
    bend: np.ndarray,
    eps: float,
    q: np.ndarray,
    big_q: np.ndarray,
    out: np.ndarray,
) -> None:
    for a in range(len(v)):
        for i in range(len(x)):
            s = x[i, 0] * v[a, 0] + x[i, 1] * v[a, 1]
            out[i] += _filtered(s, place[a], jump[a], bend[a], eps, q, big_q)


@_compiled
def _through_table(
    x: np.ndarray,
    v: np.ndarray,
    place: np.ndarray,
    jump: np.ndarray,
    bend: np.ndarray,
    eps: float,
    q: np.ndarray,
    big_q: np.ndarray,
    out: np.ndarray,
    start: float,
    step: float,
    size: int,
) -> None:
    row = np.empty(size)
    for a in range(len(v)):
        for k in range(size):
            row[k] = _filtered(start + k * step, place[a], jump[a], bend[a], eps, q, big_q)
        for i in range(len(x)):
            u = (x[i, 0] * v[a, 0] + x[i, 1] * v[a, 1] - start) / step
            k = min(max(int(u), 1), size - 3)
            u -= k
            # Lagrange's cubic through four neighbours
            out[i] += (
                -u * (u - 1) * (u - 2) / 6 * row[k - 1]
                + (u * u - 1) * (u - 2) / 2 * row[k]
                - u * (u + 1) * (u - 2) / 2 * row[k + 1]
                + u * (u * u - 1) / 6 * row[k + 2]
            )


def backproject(x: np.ndarray, v: np.ndarray, shape: Pieces, eps: float, out: np.ndarray) -> None:
    """Add to out (q,) the sum over directions of the ramp-filtered pieces at v.x.

    Args:
        x: points, shape (q, 2).
        v: unit normals, shape (m, 2).
        shape: pieces for these directions.
        eps: width of the smoothing.
        out: shape (q,), changed in place.
    """
    q, big_q = _tables()
    reach = float(np.linalg.norm(x, axis=1).max())
    step = eps / 24  # error of the cubic: below 1e-6 of the sharpest peak
    size = int(2 * reach / step) + 8
    breaks = (shape.place, shape.jump, shape.bend)
    if len(x) <= size:
        _at_points(x, v, *breaks, eps, q, big_q, out)
    else:
        _through_table(x, v, *breaks, eps, q, big_q, out, -reach - 3 * step, step, size)
