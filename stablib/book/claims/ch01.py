"""Claims of chapter 01 on the dynamics of Section 2: Definition 1, and how near (5) is to SGD."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from ...curvature import sharpness
from ...network import ShallowReLU
from ...training.descent import gradient_descent
from .. import trajectories
from ..moments import Linearised
from .cases import Case, descended
from .registry import Verdict, claim


def small_minima(count: int = 5, n: int = 6, d: int = 2, k: int = 4) -> list[Case]:
    """Gaussian networks on a few points, with their own values as labels: minima without a knot on data."""
    out = []
    for seed in range(count):
        rng = np.random.default_rng([1, seed])
        net = ShallowReLU(
            rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k), rng.normal()
        )
        X = rng.normal(size=(n, d))
        out.append(Case(net, X, net(X), f"Gaussian network {seed}"))
    return out


class Ensemble(NamedTuple):
    """Runs of (5) from the border of an eps-ball.

    Attributes:
        stable: what the thresholds say.
        distances: mean distance divided by eps, (steps + 1,).
        error: of the runs against a closed form, relative; zero where there is none.
    """

    stable: bool
    distances: np.ndarray
    error: float = 0.0


def ensembles() -> list[Ensemble]:
    """Definition 1 simulated at small minima: GD, and random batches, on both sides of the thresholds.

    The start is the top eigenvector of H. With B = n the closed form is (I - eta H)^t; with B < n the
    step sizes are .8 of the mean-square threshold, and 1.3 times 2/lambda, where the mean grows, too.
    """
    out = []
    for case in small_minima():
        dynamics = Linearised.at(case.net, case.X, case.y)
        value, vector = np.linalg.eigh(dynamics.hessian)
        n, start, edge = len(case.X), vector[:, -1], 2 / value[-1]
        for share in (0.4, 0.98, 1.02, 1.5):
            seen = dynamics.ensemble(start, share * edge, n, 300, 1, seed=0)[:, 0]
            exact = np.abs(1 - 2 * share) ** np.arange(301)
            error = float((np.abs(seen - exact) / np.maximum(exact, 1)).max())
            out.append(Ensemble(share <= 1, seen, error))
        square = Linearised.on_range(case.net, case.X).square_threshold(2)
        for eta, stable in ((0.8 * square, True), (1.3 * edge, False)):
            seen = dynamics.ensemble(start, eta, 2, 300, 300, seed=1).mean(axis=1)
            out.append(Ensemble(stable, seen))
    return out


@claim(
    "def-1",
    kind="theorem",
    says="(5) with B = n is gradient descent on the quadratic; started at distance eps, the mean distance "
    "ends below eps exactly where the minimum is stable",
    where="Definition 1, (5)",
    cases=ensembles,
)
def definition_1(runs: Iterable[Ensemble]) -> Verdict:
    """By how much, relative to the larger one, the final mean distance and eps are in the right order."""

    def margins() -> Iterable[float]:
        for run in runs:
            last = float(run.distances[-50:].max())
            yield 1 - last if run.stable else 1 - 1 / float(run.distances[-50:].min())
            yield 1 - run.error / 1e-9

    return Verdict.of(margins())


class Departure(NamedTuple):
    """Relative distance between SGD and (5) after the same batches, from two radii.

    Attributes:
        inside: whether both radii are below the distance to the nearest kink.
        far: |SGD - (5)| / r from the larger radius.
        near: the same from a radius ten times smaller.
    """

    inside: bool
    far: float
    near: float


def departures() -> list[Departure]:
    """SGD and its linearisation with the same 30 batches of three, below and above the nearest kink.

    Above: the bias of one neuron is moved until its knot lies 1e-7 from a point, and both start on the
    other side of it. Then the Hessian of (5) is that of the wrong side, however small the radius.
    """
    out = []
    for case in small_minima():
        net, X = case.net, case.X
        rng = np.random.default_rng(3)
        batches = np.array([rng.permutation(len(X))[:3] for _ in range(30)])
        direction = rng.normal(size=net.parameters().size)
        radius = 1e-2 * trajectories.distance_to_kink(net, X)
        out.append(Departure(True, *_departs(net, X, direction, radius, batches)))
        i = int(np.abs(net.w2).argmax())
        j = int(np.abs(net.preactivations(X)[:, i]).argmin())
        b1 = net.b1.copy()
        b1[i] = 1e-7 - net.W1[i] @ X[j]
        kinked = ShallowReLU(net.W1, b1, net.w2, net.b2)
        across = np.zeros_like(direction)
        across[net.k * net.d + i] = -1.0
        out.append(Departure(False, *_departs(kinked, X, across, 1e-3, batches)))
    return out


def _departs(
    net: ShallowReLU, X: np.ndarray, direction: np.ndarray, radius: float, batches: np.ndarray
) -> tuple[float, float]:
    y = net(X)
    eta = 0.5 / sharpness(net, X)
    out = []
    for r in (radius, radius / 10):
        start = net.parameters() + r * direction / np.linalg.norm(direction)
        true = trajectories.sgd_iterates(
            trajectories.with_parameters(net, start), X, y, eta, batches
        )
        line = trajectories.linearised_iterates(net, X, y, start, eta, batches)
        out.append(float(np.linalg.norm(true - line, axis=1).max() / r))
    return out[0], out[1]


@claim(
    "eq-5",
    kind="theorem",
    says="from radius r, SGD and its linearisation with the same batches part by O(r) r, "
    "as long as no kink is nearer than r; beyond a kink they part by O(1) r",
    where="(5)",
    cases=departures,
)
def linearisation(pairs: Iterable[Departure]) -> Verdict:
    """Share of the tolerance .2 that the observed order leaves: one below the kink, zero above it."""
    return Verdict.equal(
        (np.log10(pair.far / pair.near) - (1 if pair.inside else 0) for pair in pairs), 0.2
    )


class Escape(NamedTuple):
    """A run started next to a minimum.

    Attributes:
        ratio: sharpness of the minimum times eta / 2.
        moved: how far the run ended from the minimum, divided by how far it started.
        ended: sharpness times eta / 2 where it ended; nan if it diverged.
        reason: why it ended.
    """

    ratio: float
    moved: float
    ended: float
    reason: str


def escapes() -> list[Escape]:
    """Gradient descent from next to three trained minima, with step sizes on both sides of 2/sharpness.

    The start is off by a thousandth of the parameters' size in a random direction.
    """
    return [
        _escape(case, share) for case in descended() for share in (0.5, 0.8, 0.95, 1.05, 1.3, 1.6)
    ]


def _escape(case: Case, share: float) -> Escape:
    net, X, y, *_ = case
    eta = 2 * share / sharpness(net, X, y)
    star = net.parameters()
    direction = np.random.default_rng(4).normal(size=star.size)
    radius = 1e-3 * np.linalg.norm(star)
    start = trajectories.with_parameters(net, star + radius * direction / np.linalg.norm(direction))
    run = gradient_descent(start, X, y, eta, tol=1e-12, max_steps=40_000)
    moved = float(np.linalg.norm(run.net.parameters() - star) / radius)
    at_rest = run.reason == "tolerance"
    ended = sharpness(run.net, X, y) * eta / 2 if at_rest else float("nan")
    return Escape(share, moved, ended, run.reason)


@claim(
    "text-2-nonlinear",
    kind="claim",
    says="gradient descent stays at minima below 2/eta, leaves those above, and ends only at minima with (6)",
    where="Sec. 2",
    cases=escapes,
)
def nonlinear(runs: Iterable[Escape]) -> Verdict:
    """Below the edge a run ends within twice its initial distance; above it ends further away than that.

    Wherever a run comes to rest, its sharpness must be at most 2/eta.
    """

    def margins() -> Iterable[Any]:
        for run in runs:
            yield 1 - run.moved / 2 if run.ratio < 1 else 1 - 2 / run.moved
            if not np.isnan(run.ended):
                yield 1 - run.ended

    return Verdict.of(margins())
