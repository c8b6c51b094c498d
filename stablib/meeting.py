"""Flattest network and best density at once: two searches that meet, over all widths.

In a subspace of R^n the best density, the best multiplier and the best slopes and scales come from one small
cone program (`conic`). Its network, looked at in all of R^n, has eigenvectors that belong into the subspace;
its multiplier breaks at antipodal pairs (`pairs`) that belong among the hyperplanes. With both added the
program is solved again, until the network's sharpness is what density and multiplier prove.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import eigh

from .canonical import CanonicalForm
from .conic import restricted_optimum
from .hessian import LARGEST, OVERFLOW
from .network import ShallowReLU
from .pairs import Frame, Worst, scan, worst_pairs
from .planes import ON_PLANE, Planes

ROUNDS = 60
PROOFS = 20
IDLE = 4  # rounds, or proofs, in a row that gain next to nothing
CLOSE = 1e-6  # relative gap that is good enough after a proof
SUBSPACE = 12  # columns at most; the least heavy ones leave
FRESH = 2  # eigenvectors that join in a round
PAIRS = 12  # and pairs
MANY = 60  # pairs, beyond which idle ones leave
LIGHT = (
    1e-9  # directions of a density that weigh less are dropped: they cost time and prove nothing
)
NOTHING = 1e-11  # a cost that is lost in the rounding of the bias
GOAL = 1e-8  # relative gap at which the search ends, unless another is given


def bound_value(form: CanonicalForm, planes: Planes, U: np.ndarray, mu: np.ndarray) -> float:
    """The bound that the density UU' and the multiplier mu give, if no pair costs less than mu pays.

    Args:
        form: the function.
        planes: its hyperplanes on the data.
        U: factor of the density, (n, r).
        mu: multiplier, (d,).
    """
    front, back = planes.cost(U)
    size = np.abs(form.a)
    bends = np.minimum(size * front, size * back + form.a * (form.v @ mu))
    total = (U.sum(axis=0) ** 2).sum() + 2 * bends.sum() + 2 * mu @ form.beta
    return float(total / len(U))


class Meeting:
    """The two searches on one function and one data set.

    With `affine` the network found has the function's linear part; without, it may have any other, and turns
    every ridge to its cheaper side. Orthogonal to the span of the data a linear part costs as little as one
    likes, so that it is left out until the network is written down.

    Attributes:
        U: factor of the best density so far, (n, r).
        mu: the multiplier that goes with it, (d,).
        value: what both prove, where `proven` tells that the multiplier is admissible.
        proven: always true without a multiplier.
        upper: sharpness of the flattest network so far.

    Raises:
        ValueError: if what the slopes cost on the data overflows.
    """

    def __init__(self, net: ShallowReLU, X: np.ndarray, *, affine: bool, tol: float = GOAL) -> None:
        self.net, self.X, self.affine, self.tol = net, X, affine, tol
        self.form = net.canonical()
        with np.errstate(over="ignore"):  # as infinite as the costs would be
            slope = np.abs(self.form.a).sum() + np.abs(self.form.beta).sum()
            reach = 1 + np.abs(X).max()
            cost = max(1.0, slope) * reach * (reach + np.abs(self.form.b).max(initial=0))
        if not cost < LARGEST:
            raise ValueError(OVERFLOW)
        # A linear part costs about slope times spread: what is nothing beside the 1 of the bias.
        self.frame = Frame(X, NOTHING / max(1.0, slope))
        self.own = Planes(X, self.form.v, self.form.b)
        live = self.own.live[: self.own.m] & self.own.live[self.own.m :]
        self.planes = self.own if affine else self.own.subset(live)
        self.slopes = self.form.a if affine else self.form.a[live]
        self.U, self.mu = uniform(len(X)), np.zeros(X.shape[1])
        self.value = bound_value(self.form, self.own, self.U, self.mu)
        self.proven, self.upper = True, np.inf
        self.front = self.slopes.copy()
        self.u, self.w = np.zeros((2, 2 * len(self.front)))
        rest = self.frame.basis.T @ self.form.beta
        self.target = rest + (self.form.a @ self.form.v) @ self.frame.basis
        size = np.linalg.norm(rest)
        if affine and size > 0:
            tau, cost, _ = (part[0] for part in scan(self.frame, self.U, (rest / size)[None]))
            tau, cost = tau[np.isfinite(cost)], cost[np.isfinite(cost)]
            level = self.frame.C @ rest / size
            off = np.abs(level[:, None] - tau).min(axis=0)
            self.add_pairs(
                (rest / size)[None], tau[[np.argmin(cost + (off < 1e-3 * off.max()) * cost.max())]]
            )
            self.front[-1] = size
        self.V, self.latest = self.U, (self.U, self.mu)
        self._start()

    def add_pairs(self, omega: np.ndarray, tau: np.ndarray) -> None:
        """Put hyperplanes without slope, given in the frame, among those in use.

        Those that pass through a data point, to rounding, are left out: on which side it is nobody can say.
        """
        v, b = self.frame.planes(omega, tau)
        near = np.abs(self.X @ v.T - b).min(axis=0) / (np.abs(self.X).max() + np.abs(b))
        new = Planes(self.X, v, b).subset(near > 4 * ON_PLANE)
        self.planes = self.planes.join(new)
        zeros = np.zeros(new.m)
        self.slopes = np.concatenate([self.slopes, zeros])
        self.front = np.concatenate([self.front, zeros])
        self.u, self.w = (
            np.concatenate([part[: len(part) // 2], zeros, part[len(part) // 2 :], zeros])
            for part in (self.u, self.w)
        )

    def _drop_idle_pairs(self) -> None:
        """Of many pairs, keep those in use: what the program costs grows with their number."""
        size = np.abs(self.front)
        size[: self.own.m if self.affine else None] = np.inf
        keep = size > 1e-7 * np.abs(self.front).max(initial=0)
        if self.affine and len(size) - self.own.m > MANY and not keep.all():
            both = np.tile(keep, 2)
            self.planes, self.slopes = self.planes.subset(keep), self.slopes[keep]
            self.front, self.u, self.w = self.front[keep], self.u[both], self.w[both]

    def run(self) -> None:
        """Search until both sides meet, or until nothing moves any more."""
        n, idle = len(self.X), 0
        for _ in range(ROUNDS):
            before = self.upper - self.value
            top = self._improve_network()
            if self.upper - self.value <= self.tol * self.upper or not self.planes.live.any():
                break
            V = np.linalg.qr(np.hstack([uniform(n), self.V, top]))[0][:, : min(n, SUBSPACE)]
            linear, Q = self._equations()
            try:
                found = restricted_optimum(
                    self.planes, self.slopes, V, self.U, n * self.upper, linear
                )
            except ArithmeticError:
                break
            self.front, self.u, self.w = found.front, found.u, found.w
            weight, turn = np.linalg.eigh(found.density)
            self.V = (V @ turn)[:, -(SUBSPACE - FRESH - 1) :]
            keep = weight > LIGHT
            U = (V @ turn[:, keep]) * np.sqrt(weight[keep] / weight[keep].sum())
            self._drop_idle_pairs()
            self.latest = U, Q @ found.multiplier
            self._improve_bound(*self.latest)
            idle = idle + 1 if before - (self.upper - self.value) <= 0.01 * before else 0
            if idle == IDLE:
                break

    @property
    def can_prove(self) -> bool:
        """Whether all pairs can be looked at: on a line anyway, elsewhere if there are few splits."""
        return self.frame.C.shape[1] < 2 or self.frame.cells is not None

    def prove(self) -> None:
        """Visit every cell, if they are few: what the proof finds is added, and the search goes on."""
        if not self.can_prove or self.proven:
            return
        best, idle = (-np.inf, self.U, self.mu), 0
        for number in range(PROOFS):
            U, mu = self.latest
            found = self.worst(U, mu, prove=True)
            mu = mu / max(1.0, found.proven)
            value = bound_value(self.form, self.own, U, mu)
            idle = idle + 1 if value <= best[0] else 0
            best = max(best, (value, U, mu), key=lambda b: b[0])
            self.value, self.U, self.mu = best
            done = self.upper - self.value <= max(self.tol, CLOSE) * self.upper
            if done or number == PROOFS - 1 or idle == IDLE:
                break
            new = found.ratios > 1 + 1e-10
            self.add_pairs(found.omega[new][:PAIRS], found.tau[new][:PAIRS])
            self.run()
        self.proven = True

    def network(self) -> ShallowReLU:
        """The flattest network found, with what costs nothing on the data and was left out."""
        planes, m, kappa = self.best
        net = planes.network(m, kappa, 0.0)
        if self.affine:
            rest = self.form.beta + m[planes.m :] @ planes.v
            size = np.linalg.norm(rest)
            if size > 1e-11 * (np.abs(self.form.beta).sum() + np.abs(m).sum()):
                net = _with_cheap_pair(net, rest / size, size, self.X)
        else:
            # Hyperplanes beyond the data, on the side where there is none.
            front, back = ~self.own.live.reshape(2, -1)
            empty = np.concatenate([front, back & ~front]) * np.tile(self.form.a, 2)
            idle = self.own.network(empty, np.ones_like(empty), 0.0)
            net = ShallowReLU(
                np.vstack([net.W1, idle.W1]),
                np.concatenate([net.b1, idle.b1]),
                np.concatenate([net.w2, idle.w2]),
                0.0,
            )
        c = np.mean(self.net(self.X) - net(self.X))
        return ShallowReLU(net.W1, net.b1, net.w2, c)

    def _start(self) -> None:
        """A first network, balanced at the uniform density."""
        pull, height = self.planes.traces(self.U)
        m = self.planes.m
        if not self.affine:
            dear = np.sqrt(pull * height)
            self.front = np.where(dear[:m] <= dear[m:], self.slopes, 0.0)
        size = np.abs(np.concatenate([self.front, self.slopes - self.front]))
        live = self.planes.live
        ratio = np.sqrt(np.where(live, height, 1) / np.where(live, pull, 1))
        self.u, self.w = size * ratio, size / ratio

    def _equations(self) -> tuple[tuple[np.ndarray, np.ndarray] | None, np.ndarray]:
        """T and t in full row rank; and Q, (d, e), with orthonormal columns and T = Q'v'."""
        if not self.affine:
            return None, np.zeros((self.X.shape[1], 0))
        directions = (self.planes.v @ self.frame.basis).T  # (r, m)
        left, size, right = np.linalg.svd(directions, full_matrices=False)
        keep = size > 1e-10 * size.max(initial=0)
        T, t = size[keep, None] * right[keep], left[:, keep].T @ self.target
        return (T, t) if keep.any() else None, self.frame.basis @ left[:, keep]

    def _improve_network(self) -> np.ndarray:
        """Tidy the network, remember it if it is the flattest, and return its top eigenvectors."""
        slopes, front = self.slopes, self.front
        tiny = 1e-9 * np.abs(slopes) + 1e-12 * np.abs(front).max(initial=0)
        front = np.where(np.abs(slopes - front) <= tiny, slopes, front)
        front = np.where(np.abs(front) <= tiny, 0.0, front)
        linear, _ = self._equations()
        if linear is not None:
            T, t = linear
            loose = (front != 0) & (front != slopes)
            for free in (loose, loose, np.ones_like(loose)):
                wrong = t - T @ front
                if np.linalg.norm(wrong) > 1e-13 * np.linalg.norm(t):
                    front[free] += np.linalg.lstsq(T[:, free], wrong, rcond=None)[0]
        m = np.concatenate([front, slopes - front])
        # Scales from the solver; where a side is as good as unused, those that balance it.
        pull, height = self.planes.traces(self.U)
        u, w = np.where(self.u * self.w > 0.5 * m**2, (self.u, self.w), (height, pull))
        used = (m != 0) & (u > 0) & (w > 0)
        kappa = np.sqrt(np.abs(m))
        kappa[used] *= (w[used] / u[used]) ** 0.25
        u, w = np.zeros_like(m), np.zeros_like(m)
        u[used], w[used] = (m[used] / kappa[used]) ** 2, kappa[used] ** 2
        n = len(self.X)
        values, vectors = eigh(self.planes.gram(u, w), subset_by_index=[max(0, n - FRESH), n - 1])
        if values[-1] / n < self.upper:
            self.upper, self.best = float(values[-1] / n), (self.planes, m, kappa)
        return vectors

    def _improve_bound(self, U: np.ndarray, mu: np.ndarray) -> None:
        """Scale the multiplier down until no pair that we know of costs less, and add those that did."""
        found = self.worst(U, mu, prove=False)
        if found.ratio > 1:
            new = found.ratios > 1 + 1e-10
            self.add_pairs(found.omega[new][:PAIRS], found.tau[new][:PAIRS])
        proven = np.isfinite(found.proven)
        mu = mu / max(1.0, found.proven if proven else found.ratio)
        value = bound_value(self.form, self.own, U, mu)
        if value > self.value:
            self.U, self.mu, self.value, self.proven = U, mu, value, proven

    def worst(self, U: np.ndarray, mu: np.ndarray, *, prove: bool) -> Worst:
        """The pairs that cost least against what the multiplier pays."""
        nu = self.frame.basis.T @ mu
        return worst_pairs(self.frame, U, nu, self.directions(nu), prove=prove)

    def directions(self, nu: np.ndarray) -> np.ndarray:
        """Where cheap pairs may be: along the multiplier, off single points, and along pairs in use."""
        C = self.frame.C
        if C.shape[1] < 2:
            return np.zeros((0, C.shape[1]))
        spread = C.T @ C / len(C)
        off = np.linalg.lstsq(spread, C.T, rcond=None)[0].T
        some = np.linspace(0, len(C) - 1, min(len(C), 100)).astype(int)
        pairs = (self.planes.v @ self.frame.basis)[self.slopes == 0][-50:]
        along = np.stack([nu, np.linalg.lstsq(spread, nu, rcond=None)[0]])
        every = np.vstack([along, off[some], C[some], pairs])
        size = np.linalg.norm(every, axis=1)
        return every[size > 0] / size[size > 0, None]


def uniform(n: int) -> np.ndarray:
    """The factor of the density 11'/n, (n, 1)."""
    return np.full((n, 1), n**-0.5)


def _with_cheap_pair(net: ShallowReLU, v: np.ndarray, slope: float, X: np.ndarray) -> ShallowReLU:
    """The network and slope (v.x - t) more, where v.x is the same at all data points, t a little less."""
    level = X @ v
    step = 1e-9 * (1 + np.abs(X).max()) + 10 * np.ptp(level)
    t = level.mean() - step
    kappa = np.sqrt(slope * np.sqrt(1 + (X**2).sum(axis=1).mean()) / step)
    return ShallowReLU(
        np.vstack([net.W1, kappa * v, -kappa * v]),
        np.concatenate([net.b1, [-kappa * t, kappa * t]]),
        np.concatenate([net.w2, [slope / kappa, -slope / kappa]]),
        net.b2,
    )
