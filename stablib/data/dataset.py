"""A data set: points and one label each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import checks


class Dataset:
    """Points and labels; `X, y = dataset` unpacks them.

    Args:
        X: data points, shape (n, d).
        y: labels, shape (n,).

    Raises:
        ValueError: if X is not a finite, non-empty (n, d) array or y has not one number per point.

    Example:
        >>> data = Dataset([[1.0, 0.0], [-1.0, 0.0]], [1.0, -1.0])
        >>> data
        Dataset(n=2, d=2)
        >>> X, y = data
        >>> y
        array([ 1., -1.])

    Source: Section 2. The arrays are float64 and read-only.
    """

    def __init__(self, X: Any, y: Any) -> None:
        self.X = checks.points(X)
        self.y = checks.labels(y, len(self.X))
        self.X.flags.writeable = self.y.flags.writeable = False

    @property
    def n(self) -> int:
        """Number of points."""
        return self.X.shape[0]

    @property
    def d(self) -> int:
        """Dimension of the points."""
        return self.X.shape[1]

    def __len__(self) -> int:
        return self.n

    def __iter__(self) -> Iterator[np.ndarray]:
        return iter((self.X, self.y))

    def __repr__(self) -> str:
        return f"Dataset(n={self.n}, d={self.d})"
