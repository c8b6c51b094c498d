"""Hyperplanes on data, each with its two sides: what unit ridges on them cost under a density matrix.

A ridge of slope m on one side, m relu(v.x - b), adds u A + w B to the Gram matrix of the tangent features,
where u w = m^2, A = XX' + 11' restricted to the side's active points and B = z z', z = relu(Xv - b): u is the
square of the weight that goes out, w of those that go in. Given a density matrix P it costs at
least 2 |m| s with s = sqrt(tr(P A) tr(P B)). Densities are passed as U, (n, r), with P = UU' of trace 1.
"""

from __future__ import annotations

import numpy as np

from .network import ShallowReLU

# A point this near to a hyperplane, relative to the size of Xv and b, counts on neither of its sides. That
# can only lower the cost, so that a bound holds for either choice.
ON_PLANE = 1e-14


class Planes:
    """Both sides of the hyperplanes v_h.x = b_h: columns 0 ... m-1 in front, m ... 2m-1 behind.

    Args:
        X: data points, shape (n, d).
        v: unit normals, shape (m, d).
        b: offsets, shape (m,).
    """

    def __init__(self, X: np.ndarray, v: np.ndarray, b: np.ndarray) -> None:
        self.X, self.v, self.b = X, v, b
        z = X @ v.T - b
        z[np.abs(z) <= ON_PLANE * (np.abs(X).max(initial=0) + np.abs(b))] = 0
        z = np.hstack([z, -z])
        self.on = (z > 0).astype(float)  # (n, 2 m)
        self.height = np.maximum(z, 0)  # (n, 2 m)
        self.live = self.on.any(axis=0)  # (2 m,): sides with no point cost nothing
        # Any factor of XX' + 11' will do, and a short one is cheap.
        X1 = np.hstack([X, np.ones((len(X), 1))])
        self.factor = np.linalg.qr(X1.T, mode="r").T if X1.shape[1] > len(X) else X1

    @property
    def m(self) -> int:
        """The number of hyperplanes."""
        return len(self.b)

    def join(self, other: Planes) -> Planes:
        """These hyperplanes and others on the same data."""
        both = Planes.__new__(Planes)
        both.X, both.factor = self.X, self.factor
        both.v, both.b = np.vstack([self.v, other.v]), np.concatenate([self.b, other.b])
        for name in ("on", "height", "live"):
            mine, theirs = getattr(self, name), getattr(other, name)
            parts = (
                mine[..., : self.m],
                theirs[..., : other.m],
                mine[..., self.m :],
                theirs[..., other.m :],
            )
            setattr(both, name, np.concatenate(parts, axis=-1))
        return both

    def subset(self, keep: np.ndarray) -> Planes:
        """Some of the hyperplanes, by mask or index."""
        few, both = Planes.__new__(Planes), np.arange(2 * self.m).reshape(2, -1)[:, keep].ravel()
        few.X, few.factor, few.v, few.b = self.X, self.factor, self.v[keep], self.b[keep]
        few.on, few.height, few.live = self.on[:, both], self.height[:, both], self.live[both]
        return few

    def traces(self, U: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """tr(P A) and tr(P B) of every side, each (2 m,)."""
        pull = np.zeros(2 * self.m)
        for u in U.T:
            pull += (((self.on * u[:, None]).T @ self.factor) ** 2).sum(axis=1)
        return pull, ((U.T @ self.height) ** 2).sum(axis=0)

    def cost(self, U: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The cost s of a unit ridge in front and behind, each (m,)."""
        pull, height = self.traces(U)
        s = np.sqrt(pull) * np.sqrt(height)
        return s[: self.m], s[self.m :]

    def seen(self, V: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """V'A V of every side, (2 m, r, r), and V'z, (2 m, r), for V (n, r)."""
        through = np.stack([(self.on * q[:, None]).T @ self.factor for q in V.T], axis=1)
        return through @ through.transpose(0, 2, 1), self.height.T @ V

    def gram(self, u: np.ndarray, w: np.ndarray) -> np.ndarray:
        """11' + sum u A + w B, (n, n); u and w (2 m,)."""
        points = self.factor @ self.factor.T
        return 1 + points * ((self.on * u) @ self.on.T) + (self.height * w) @ self.height.T

    def network(self, m: np.ndarray, kappa: np.ndarray, constant: float) -> ShallowReLU:
        """The network with slope m and inner weights of norm kappa on every side, each (2 m,)."""
        side = np.repeat([1.0, -1.0], self.m)
        use = np.flatnonzero(m)
        v, b = np.tile(self.v, (2, 1))[use], np.tile(self.b, 2)[use]
        inner = (side * kappa)[use]
        return ShallowReLU(inner[:, None] * v, -inner * b, m[use] / kappa[use], constant)
