"""Claims of chapter 09 on memorising: what stability alone does not forbid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from ...bounds import max_stability_norm
from ...curvature import sharpness, tangent_features, tangent_gram
from ...data import gaussian, mnist01
from ...memorising import memoriser
from ...network import ShallowReLU
from ...norms import stability_norm
from ...small_batch import small_batch_norm
from ...training.descent import gradient_descent
from .cases import Case
from .ch02_definitions import slack
from .registry import Verdict, claim

_NUDGE = 1e-7  # distance from the minimum at which descent starts


def circle(n: int) -> np.ndarray:
    """Points at equal distances on the unit circle, one of them at angle zero, shape (n, 2).

    Args:
        n: number of points.
    """
    angle = 2 * np.pi * np.arange(n) / n
    return np.column_stack([np.cos(angle), np.sin(angle)])


def memorised() -> list[Case]:
    """Memorisers of labels that have nothing to do with the points, on data in convex position."""
    rng = np.random.default_rng(9)
    data = {
        "six points on a circle": circle(6),
        "fifty points on a circle": 3 * circle(50) + [2.0, 1.0],
        "the ends of an interval": np.array([[-1.0], [2.0]]),
        "one point": np.array([[1.0, 2.0]]),
        "fewer points than dimensions": rng.normal(size=(30, 60)),
        "Gaussian, n = 100, d = 20": gaussian(100, 20, seed=0).X,
        "Gaussian, n = 512, d = 20": gaussian(512, 20, seed=0).X,
        "digits": mnist01()[0].X,
    }
    cases = []
    for name, X in data.items():
        for y in (rng.normal(size=len(X)), rng.choice([-1.0, 1.0], len(X)))[
            : 1 if len(X) > 100 else 2
        ]:
            for b2 in (None, 0.0):
                cases.append(Case(memoriser(X, y, b2), X, y, name))
    return cases


def memoriser_bound(X: np.ndarray, y: np.ndarray) -> float:
    """1 + (2/n) max_j |y_j| sqrt(1 + |x_j|^2), the sharpness that no memoriser of these data exceeds.

    Args:
        X: data points, shape (n, d).
        y: labels, shape (n,).
    """
    return float(1 + 2 * (np.abs(y) * np.sqrt(1 + (X**2).sum(axis=1))).max() / len(X))


@claim(
    "new-memoriser",
    kind="theorem",
    says="in convex position any labels have a network of sharpness <= 1 + (2/n) max |y| sqrt(1 + |x|^2)",
    where="new",
    cases=memorised,
)
def memorises(cases: Iterable[Case]) -> Verdict:
    """Labels met; sharpness, norms and trace against what they should be; descent stays up to 2/sharpness.

    The labels are allowed an error of 1e-10 of the largest. The sharpness is at most the bound, and is the
    largest eigenvalue of 11' + diag(2 |r_j| s_j) over n, r_j = y_j - b2, s_j = sqrt(1 + |x_j|^2). The norm
    is at most (1/n^2) sum |r_j| s_j, and at the step size 2/sharpness Theorem 1 allows it. The trace is
    1 + (2/n) sum |r_j| s_j, not below 1 + 2 `small_batch_norm`. On at most 100 points, descent from 1e-7
    away at 0.98 times 2/sharpness is within twice that distance after 100, 200 and 300 steps, and at 1.05
    times 2/sharpness it is not. Relative margins; equalities are allowed 1e-8.
    """

    def margins() -> Iterator[float]:
        for net, X, y, *_ in cases:
            n, top = len(X), sharpness(net, X)
            cost = np.abs(y - net.b2) * np.sqrt(1 + (X**2).sum(axis=1))
            K = tangent_gram(net, X)
            yield 1 - np.abs(net(X) - y).max() / np.abs(y).max() / 1e-10
            yield slack(1 - top / memoriser_bound(X, y), 1e-8)
            known = np.linalg.eigvalsh(np.ones((n, n)) + np.diag(2 * cost))[-1] / n
            yield 1 - abs(top / known - 1) / 1e-8
            norm = stability_norm(net, X)
            yield slack(1 - (1 + 2 * norm) / (1 + 2 * cost.sum() / n**2), 1e-8)
            yield slack(1 - (1 + 2 * norm) / (1 + 2 * max_stability_norm(2 / top)), 1e-8)
            trace = np.trace(K) / n
            yield 1 - abs(trace / (1 + 2 * cost.mean()) - 1) / 1e-8
            yield slack(1 - (1 + 2 * small_batch_norm(net, X)) / trace, 1e-8)
            if n <= 100 and net.k:
                yield 2 - growth(net, X, y, 0.98 * 2 / top)
                yield growth(net, X, y, 1.05 * 2 / top) / 2 - 1

    return Verdict.of(margins())


def growth(net: ShallowReLU, X: np.ndarray, y: np.ndarray, step_size: float) -> float:
    """How far descent is from a minimum after 100, 200 or 300 steps, over the distance from which it starts.

    It starts 1e-7 away, in the sharpest direction and a little off it.

    Args:
        net: the network at the minimum.
        X: data points, shape (n, d).
        y: labels, shape (n,).
        step_size: of gradient descent.
    """
    phi = tangent_features(net, X)
    value, w = np.linalg.eigh(phi.T @ phi)
    u = phi @ w[:, -1] / value[-1] ** 0.5
    u = u + 0.1 * np.random.default_rng(0).normal(size=len(u)) / len(u) ** 0.5
    start = net.parameters() + _NUDGE * u / np.linalg.norm(u)
    k, d = net.W1.shape
    W1, b1, w2, b2 = np.split(start, np.cumsum([k * d, k, k]))
    moved = ShallowReLU(W1.reshape(k, d), b1, w2, float(b2[0]))
    far = 0.0
    for _ in range(3):
        moved = gradient_descent(moved, X, y, step_size, tol=0, max_steps=100).net
        far = max(far, float(np.linalg.norm(moved.parameters() - net.parameters())))
    return far / _NUDGE
