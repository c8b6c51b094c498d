"""Descent in Gram form: the preactivations on the data are the state, the first layer is recovered later.

Every gradient step moves W1_i by a combination of data points, W1 = W1_0 + A'X, so that the preactivations
Z = X W1' + b1 on the n points move by K A with K = XX' + 1. A step on a batch S adds K[:, S] C to Z, a
product of rank |S|, and C to the rows S of A: a third of the work of going forward and backward through
the weights when n < d.
"""

from __future__ import annotations

import numpy as np

from ..network import ShallowReLU
from .compiled import BELOW, BLOWN, ENDINGS, GOING, fast, gemm
from .sampling import Batches


@fast
def _epochs(
    K: np.ndarray,
    y: np.ndarray,
    Z: np.ndarray,
    A: np.ndarray,
    w2: np.ndarray,
    b2: np.ndarray,
    batches: np.ndarray,
    step_size: float,
    ramp: float,
    step: int,
    tol: float,
    needed: int,
    below: int,
    first: int,
    limit: float,
    losses: np.ndarray,
) -> tuple[int, int, int, int]:
    """As many epochs as `losses` has places; losses[e] belongs to the state before epoch e.

    Z, A and K have one type, w2 and b2 are float64 throughout. `ramp` is the number of warm-up steps,
    `step` the number of steps done before. Returns epochs done, steps beyond them, how many epochs in a
    row the loss has been below tol, and why it ended.
    """
    n, k = Z.shape
    steps, size = batches.shape[1:]
    full = size == n
    number = Z.dtype.type
    zero = number(0)
    C = np.zeros((size, k), Z.dtype)
    rows = np.zeros((1 if full else size, n), Z.dtype)
    w = np.empty(k, Z.dtype)
    dw = np.empty(k, Z.dtype)
    for e in range(len(losses)):
        for i in range(k):
            w[i] = number(w2[i])
        total = 0.0
        for j in range(n):
            f = zero
            for i in range(k):
                z = Z[j, i]
                f += (z if z > zero else zero) * w[i]
            total += (f + b2[0] - y[j]) ** 2
        losses[e] = total / (2 * n)
        if losses[e] < tol and step >= ramp:
            below += 1
            if below >= needed and e >= first:
                return e, 0, below - 1, BELOW
        else:
            below = 0
        for s in range(steps):
            batch = batches[e, s]
            count = size
            while batch[count - 1] < 0:
                count -= 1
            rate = -step_size / count
            if step < ramp:
                rate *= (step + 1) / ramp
            for i in range(k):
                w[i] = number(w2[i])
                dw[i] = zero
            db2 = 0.0
            for b in range(count):
                j = batch[b]
                f = zero
                for i in range(k):
                    z = Z[j, i]
                    f += (z if z > zero else zero) * w[i]
                r = f + b2[0] - y[j]
                if not abs(r) < limit:
                    return e, s, below, BLOWN
                r *= rate
                db2 += r
                c = number(r)
                place = j if full else b
                for i in range(k):
                    z = Z[j, i]
                    z = z if z > zero else zero
                    g = c * w[i] if z > zero else zero
                    dw[i] += c * z
                    C[place, i] = g
                    A[j, i] += g
                if not full:
                    rows[b] = K[j]
            if full:
                gemm(True, K, C, 1.0, Z)
            elif count == size:
                gemm(True, rows, C, 1.0, Z)
            else:
                gemm(True, rows[:count], C[:count], 1.0, Z)
            for i in range(k):
                w2[i] += dw[i]
            b2[0] += db2
            step += 1
    return len(losses), 0, below, GOING


class GramForm:
    """Stochastic gradient descent on the preactivations; a unit is one epoch.

    In float32 the loops run on a rounded copy, and after every block of epochs the float64 state is moved
    by the coefficients of that block: rounding does not pile up, and steps too small for float32 are not
    lost. Where the two still disagree about the loss, float64 takes over.
    """

    def __init__(
        self,
        net: ShallowReLU,
        X: np.ndarray,
        y: np.ndarray,
        step_size: float,
        warmup: int,
        limit: float,
        *,
        batches: Batches,
        dtype: str = "float64",
        patience: int = 0,
        freeze_biases: bool = False,
    ) -> None:
        self.start_net, self.X, self.y = net, X, y
        self.step_size, self.limit, self.batches = step_size, limit, batches
        self.steps_per_unit = batches.steps
        self.ramp = float(warmup * batches.steps)
        self.needed, self.below = max(patience, 1), 0
        self.dtype = np.dtype(dtype)
        self.frozen = freeze_biases
        self.K = X @ X.T + (0.0 if freeze_biases else 1.0)
        self.K_rounded = self.K.astype(self.dtype)
        self.Z = net.preactivations(X)
        self.A = np.zeros_like(self.Z)
        self.w2, self.b2 = net.w2.copy(), np.array([net.b2])

    @property
    def block(self) -> int:
        """Epochs between two looks at the clock: about a tenth of a second."""
        n, k = self.Z.shape
        work = self.steps_per_unit * (self.batches.batch_size * n + 200) * (k + 1) + n * (k + 1)
        return int(np.clip(4e9 / work, 1, 1000))

    def run(self, start: int, tol: float, first: int, losses: np.ndarray) -> tuple[int, int, str]:
        """Fill `losses` epoch by epoch; returns units done, steps beyond them, and why it ended."""
        batches = self.batches.take(len(losses))
        rounded = self.dtype != np.float64
        Z, A = self.Z.astype(self.dtype), np.zeros(self.A.shape, self.dtype)
        w2, b2 = self.w2.copy(), self.b2.copy()
        done, beyond, self.below, why = _epochs(
            self.K_rounded, self.y, Z, A, w2, b2, batches, self.step_size, self.ramp,
            start * self.steps_per_unit, tol, self.needed, self.below, first - start, self.limit, losses,
        )  # fmt: skip
        self.batches.give_back(batches[done + (beyond > 0) :])
        moved = A.astype(np.float64)
        if all(np.isfinite(part).all() for part in (Z, moved, w2, b2)):
            self.A += moved
            self.w2, self.b2 = w2, b2
            self.Z = self.Z + self.K @ moved if rounded else Z
            if rounded and why != BLOWN:
                exact = self._loss(self.Z)
                if abs(self._loss(Z) - exact) > 0.1 * max(exact, tol):
                    self.refine()
        return done, beyond, ENDINGS[why]

    def refine(self) -> bool:
        """Go on in float64; False if that is what it does already."""
        coarse = self.dtype != np.float64
        self.dtype, self.K_rounded = np.dtype(np.float64), self.K
        return coarse

    def network(self) -> ShallowReLU:
        """The network as it stands, or the last finite one."""
        net = self.start_net
        W1 = net.W1 + self.A.T @ self.X
        b1 = net.b1 if self.frozen else net.b1 + self.A.sum(axis=0)
        return ShallowReLU(W1, b1, self.w2, self.b2[0])

    def _loss(self, Z: np.ndarray) -> float:
        residual = np.maximum(Z, 0) @ self.w2 + self.b2[0] - self.y
        return float(residual @ residual) / (2 * len(self.y))
