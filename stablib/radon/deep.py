"""Networks of two hidden layers, the second of one neuron: the pyramid is one of them, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import checks


@dataclass(frozen=True)
class DeepNet:
    """f(x) = w relu(c - a . relu(W x + b)) + e: 2d neurons in the first hidden layer, one in the second.

    Attributes:
        W: weights of the first layer, shape (k, d).
        b: its biases, shape (k,).
        a: weights of the second layer, shape (k,).
        c: its bias.
        w: output weight.
        e: output bias.

    Example:
        >>> DeepNet.pyramid(2)([[0.0, 0.0], [0.5, -0.25], [1.0, 1.0]])
        array([1.  , 0.25, 0.  ])

    Source: Section 4, after Proposition 2.
    """

    W: np.ndarray
    b: np.ndarray
    a: np.ndarray
    c: float
    w: float
    e: float

    @classmethod
    def pyramid(cls, d: int) -> DeepNet:
        """The pyramid relu(1 - |x|_1): |x_i| is relu(x_i) + relu(-x_i).

        Args:
            d: input dimension.

        Raises:
            ValueError: if d is below 1.
        """
        d = checks.count(d, "d")
        return cls(
            np.vstack([np.eye(d), -np.eye(d)]), np.zeros(2 * d), np.ones(2 * d), 1.0, 1.0, 0.0
        )

    @classmethod
    def of(cls, parameters: Any, d: int) -> DeepNet:
        """The network with these parameters, in the order of `parameters`.

        Args:
            parameters: shape (2 d^2 + 4 d + 3,).
            d: input dimension.

        Raises:
            ValueError: if the number of parameters is another.
        """
        p, d = checks.array(parameters, "parameters"), checks.count(d, "d")
        k = 2 * d
        if p.shape != (k * d + 2 * k + 3,):
            raise ValueError(
                f"parameters has shape {p.shape}; {k * d + 2 * k + 3} numbers are needed for d = {d}"
            )
        W, b, a, rest = np.split(p, np.cumsum([k * d, k, k]))
        return cls(W.reshape(k, d), b, a, *rest.tolist())

    def parameters(self) -> np.ndarray:
        """All parameters in one vector: W row by row, b, a, c, w, e."""
        return np.concatenate([self.W.ravel(), self.b, self.a, [self.c, self.w, self.e]])

    def __call__(self, X: Any) -> np.ndarray:
        """Values at the rows of X (n, d)."""
        return self._passed(X)[-1]

    def features(self, X: Any) -> np.ndarray:
        """Tangent features: gradients of the values with respect to the parameters, shape (p, n).

        Args:
            X: data points, shape (n, d).

        Raises:
            ValueError: if X does not fit the network.
        """
        X = self._points(X)
        z, h, y, _ = self._passed(X)
        open_ = (y > 0) * self.w  # (n,)
        first = -(open_[:, None] * self.a) * (z > 0)  # (n, k)
        parts = [
            (first[:, :, None] * X[:, None, :]).reshape(len(X), -1),
            first,
            -open_[:, None] * h,
            open_[:, None],
            np.maximum(y, 0)[:, None],
            np.ones((len(X), 1)),
        ]
        return np.hstack(parts).T

    def sharpness(self, X: Any) -> float:
        """Top eigenvalue of the Hessian of the quadratic loss whose labels are the network's own values.

        Arguments and errors as for `features`.

        Example:
            >>> DeepNet.pyramid(1).sharpness([[3.0], [-2.0]])         # both outside: the output bias alone
            1.0
        """
        phi = self.features(X)
        return float(np.linalg.eigvalsh(phi.T @ phi)[-1] / phi.shape[1])

    def rank(self, X: Any) -> int:
        """Rank of that Hessian; it is the number of parameters less the flat directions."""
        return int(np.linalg.matrix_rank(self.features(X), tol=1e-9))

    def knots_on_data(self, X: Any, tol: float = 1e-12) -> int:
        """Number of data points within tol of a place where the loss has no second derivative.

        In the first layer only points at which the second is open count: elsewhere nothing depends on it.
        """
        z, _, y, _ = self._passed(X)
        near = (np.abs(z) <= tol).any(axis=1) & (y > -tol)
        return int((near | (np.abs(y) <= tol)).sum())

    def _points(self, X: Any) -> np.ndarray:
        X = checks.points(X)
        if X.shape[1] != self.W.shape[1]:
            raise ValueError(
                f"X has {X.shape[1]} columns, but the network reads inputs of dimension {self.W.shape[1]}"
            )
        return X

    def _passed(self, X: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        X = self._points(X)
        z = X @ self.W.T + self.b
        h = np.maximum(z, 0)
        y = self.c - h @ self.a
        return z, h, y, self.w * np.maximum(y, 0) + self.e


def descend(
    net: DeepNet, X: Any, y: Any, step_size: Any, steps: int, *, tol: float = 0.0
) -> tuple[DeepNet, np.ndarray]:
    """Gradient descent on the quadratic loss (1/2n) sum (f(x_j) - y_j)^2.

    Args:
        net: where it starts.
        X: data points, shape (n, d).
        y: labels, shape (n,).
        step_size: eta.
        steps: how many at most.
        tol: it stops when the loss is at most this.

    Returns:
        The network where it ends, and the loss before each step and at the end; where the loss exceeds 1e6 it
        has diverged and ends.

    Raises:
        ValueError: if shapes do not fit, or the step size is not positive.

    Example:
        >>> X = np.array([[0.2, 0.1], [-0.4, 0.3], [0.1, -0.6], [1.0, 1.0]])
        >>> exact = DeepNet.pyramid(2)
        >>> near = DeepNet.of(exact.parameters() + 1e-3, 2)
        >>> _, loss = descend(near, X, exact(X), 0.5, 200)
        >>> bool(loss[-1] < 1e-12 < loss[0])
        True

    Source: (86).
    """
    X = net._points(X)
    y, step_size = checks.labels(y, len(X)), checks.positive(step_size, "step_size")
    d, place, losses = net.W.shape[1], net.parameters(), []
    for _ in range(checks.count(steps, "steps")):
        residual = net(X) - y
        losses.append(float(residual @ residual) / (2 * len(X)))
        if losses[-1] <= tol or losses[-1] > 1e6:
            return net, np.array(losses)
        place = place - step_size * net.features(X) @ residual / len(X)
        net = DeepNet.of(place, d)
    residual = net(X) - y
    return net, np.array([*losses, float(residual @ residual) / (2 * len(X))])
