"""Gradient descent in weight form: two matrix products a step, everything else fused around them."""

from __future__ import annotations

import numpy as np

from ..network import ShallowReLU
from .compiled import BELOW, BLOWN, ENDINGS, GOING, fast, gemm


@fast
def _descend(
    X: np.ndarray,
    y: np.ndarray,
    W: np.ndarray,
    b1: np.ndarray,
    w2: np.ndarray,
    b2: np.ndarray,
    scratch: tuple[np.ndarray, ...],
    step_size: float,
    warmup: float,
    start: int,
    tol: float,
    first: int,
    limit: float,
    frozen: bool,
    losses: np.ndarray,
) -> tuple[int, int]:
    """As many steps as `losses` has places; returns the number done and why it ended.

    W is W1 transposed, (d, k), so that both products and all inner loops run along the neurons.
    losses[t] belongs to the parameters before step start + t.
    """
    n, k = X.shape[0], W.shape[1]
    Z, dw, db = scratch
    for t in range(len(losses)):
        rate = -step_size / n
        if start + t < warmup:
            rate *= (start + t + 1) / warmup
        gemm(False, X, W, 0.0, Z)
        dw[:] = 0.0
        db[:] = 0.0
        db2 = 0.0
        total = 0.0
        for j in range(n):
            f = 0.0
            for i in range(k):
                z = Z[j, i] + b1[i]
                z = z if z > 0.0 else 0.0
                Z[j, i] = z
                f += z * w2[i]
            r = f + b2[0] - y[j]
            total += r * r
            r *= rate
            db2 += r
            for i in range(k):
                z = Z[j, i]
                c = r * w2[i] if z > 0.0 else 0.0
                dw[i] += r * z
                db[i] += c
                Z[j, i] = c  # the row is read: one matrix less passes through the cache
        losses[t] = total / (2 * n)
        if not losses[t] < limit:
            return t, BLOWN
        if losses[t] < tol and start + t >= first:
            return t, BELOW
        gemm(True, X, Z, 1.0, W)
        for i in range(k):
            w2[i] += dw[i]
        if not frozen:
            for i in range(k):
                b1[i] += db[i]
        b2[0] += db2
    return len(losses), GOING


class FullBatch:
    """Gradient descent on the weights themselves, in float64; a unit is one step."""

    steps_per_unit, needed, below = 1, 1, 0

    def __init__(
        self,
        net: ShallowReLU,
        X: np.ndarray,
        y: np.ndarray,
        step_size: float,
        warmup: int,
        limit: float,
        freeze_biases: bool = False,
    ) -> None:
        n, k = len(X), net.k
        self.frozen = freeze_biases
        self.X, self.y = X, y
        self.step_size, self.warmup, self.limit = step_size, float(warmup), limit
        self.state = (net.W1.T.copy(), net.b1.copy(), net.w2.copy(), np.array([net.b2]))
        self.scratch = (np.zeros((n, k)), np.zeros(k), np.zeros(k))
        self.finite = self.state

    @property
    def block(self) -> int:
        """Steps between two looks at the clock: about a tenth of a second."""
        n, d = self.X.shape
        return int(np.clip(2e9 / (4 * n * (d + 10) * (len(self.state[1]) + 1)), 1, 5000))

    def run(self, start: int, tol: float, first: int, losses: np.ndarray) -> tuple[int, int, str]:
        """Fill `losses` step by step; returns units done, steps beyond them, and why it ended."""
        self.finite = tuple(part.copy() for part in self.state)
        done, why = _descend(
            self.X, self.y, *self.state, self.scratch, self.step_size, self.warmup, start, tol, first,
            self.limit, self.frozen, losses,
        )  # fmt: skip
        return done, 0, ENDINGS[why]

    def refine(self) -> bool:
        """No finer arithmetic than float64 is to be had."""
        return False

    def network(self) -> ShallowReLU:
        """The network as it stands, or the last finite one."""
        finite = all(np.isfinite(part).all() for part in self.state)
        W, b1, w2, b2 = self.state if finite else self.finite
        return ShallowReLU(W.T, b1, w2, b2[0])
