"""Which data points go into which batch."""

from __future__ import annotations

import numpy as np

from .compiled import fast

SAMPLINGS = ("uniform", "epoch")


@fast
def _deal(order: np.ndarray, draws: np.ndarray, batches: np.ndarray) -> None:
    """Partial Fisher-Yates shuffles: place b of a batch takes one of the places b, ..., n - 1."""
    n = len(order)
    for s in range(draws.shape[0]):
        for b in range(draws.shape[1]):
            other = b + int(draws[s, b] * (n - b))
            order[b], order[other] = order[other], order[b]
            batches[s, b] = order[b]


class Batches:
    """An endless stream of batches; its content does not depend on how it is cut into pieces.

    Args:
        n: number of data points.
        batch_size: points in a batch, at most n.
        seed: an integer or a NumPy Generator.
        sampling: "uniform" draws every batch anew, a uniform subset of that size; "epoch" deals all
            points out once an epoch, so that the last batch of an epoch may be smaller.

    Example:
        >>> Batches(5, 2, seed=0, sampling="epoch").take(1)
        array([[[ 3,  2],
                [ 1,  0],
                [ 4, -1]]])
    """

    def __init__(
        self,
        n: int,
        batch_size: int,
        *,
        seed: int | np.random.Generator = 0,
        sampling: str = "uniform",
    ) -> None:
        self.n, self.batch_size, self.sampling = n, batch_size, sampling
        self.steps = -(-n // batch_size)
        self._rng = np.random.default_rng(seed)
        self._order = np.arange(n)
        self._returned = np.empty((0, self.steps, batch_size), dtype=np.int64)

    def take(self, epochs: int) -> np.ndarray:
        """Indices, shape (epochs, ceil(n / batch_size), batch_size); -1 marks an empty place."""
        fresh = max(epochs - len(self._returned), 0)
        if self.sampling == "uniform":
            draws = self._rng.random((fresh * self.steps, self.batch_size))
            batches = np.empty(draws.shape, dtype=np.int64)
            _deal(self._order, draws, batches)
        else:
            batches = np.full((fresh, self.steps * self.batch_size), -1)
            batches[:, : self.n] = np.argsort(self._rng.random((fresh, self.n)), axis=1)
        new = batches.reshape(fresh, self.steps, self.batch_size)
        out = np.concatenate([self._returned, new])
        self._returned = out[epochs:]
        return out[:epochs]

    def give_back(self, batches: np.ndarray) -> None:
        """Put whole epochs that were taken but not used at the head of the stream."""
        self._returned = np.concatenate([batches, self._returned])
