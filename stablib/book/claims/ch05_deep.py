"""Claims of chapter 05 on two hidden layers: where gradient descent near the pyramid ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ...radon.deep import DeepNet, descend
from ...radon.pyramid import pyramid
from .registry import Verdict, claim


def scattered(n: int = 60, d: int = 2, seed: int = 0) -> np.ndarray:
    """Uniform points of [-1.3, 1.3]^d, shape (n, d)."""
    return np.random.default_rng(seed).uniform(-1.3, 1.3, (n, d))


@claim(
    "text-4-two",
    kind="theorem",
    says="two hidden layers make the pyramid exactly",
    where="Sec. 4",
)
def exactly() -> Verdict:
    """At 2,000 points each in d = 1 to 10 dimensions; absolute errors of 1e-13 allowed."""
    return Verdict.equal(
        (
            float(np.abs(DeepNet.pyramid(d)(X) - pyramid(X)).max())
            for d in range(1, 11)
            for X in [scattered(2000, d, d) / d]
        ),
        1e-13,
    )


class End(NamedTuple):
    """Where descent from a perturbed pyramid ends.

    Attributes:
        share: step size times sharpness over 2.
        start: size of the perturbation.
        loss: at the end.
        on: largest distance from the pyramid on the data.
        off: the same on a fine grid.
        rate: factor by which the distance to the labels shrinks per step, at the end.
    """

    share: float
    start: float
    loss: float
    on: float
    off: float
    rate: float


def ends(
    share: float, sizes: tuple[float, ...] = (1e-4, 1e-3, 1e-2), steps: int = 4000
) -> list[End]:
    """Descent at a share of the threshold 2/sharpness, from perturbations of decreasing size.

    Args:
        share: of the threshold.
        sizes: standard deviations of the perturbations.
        steps: at most.
    """
    X, exact = scattered(), DeepNet.pyramid(2)
    side = np.linspace(-1.3, 1.3, 131)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    found = []
    for size in sizes:
        start = exact.parameters() + size * np.random.default_rng(1).normal(size=19)
        step_size = 2 * share / exact.sharpness(X)
        net, loss = descend(DeepNet.of(start, 2), X, exact(X), step_size, steps, tol=1e-24)
        late = loss[len(loss) // 2 :]
        rate = float((late[-1] / late[0]) ** (0.5 / max(1, len(late) - 1))) if late[0] > 0 else 0.0
        on = float(np.abs(net(X) - exact(X)).max())
        found.append(
            End(
                share, size, float(loss[-1]), on, float(np.abs(net(grid) - exact(grid)).max()), rate
            )
        )
    return found


def slowest(step_size: float) -> float:
    """1 - eta times the smallest nonzero eigenvalue of the Hessian at the pyramid."""
    phi = DeepNet.pyramid(2).features(scattered())
    values = np.linalg.eigvalsh(phi @ phi.T / phi.shape[1])
    return float(1 - step_size * values[values > 1e-10].min())


@claim(
    "app-I3",
    kind="theorem",
    says="for small steps the pyramid's network is stable, and descent reaches it from an open set",
    where="App. I.3",
)
def neighbours() -> Verdict:
    """Descent ends on the labels, at a network as near to the pyramid as it started, and not at the pyramid.

    At half of the threshold and at 0.95 of it, from three perturbations: on the data the end differs by
    less than 1e-9, off the data by at most 3 times the perturbation, and it converges like 1 - eta times the
    smallest nonzero eigenvalue (10 % of 1 - rate). At 1.1 times the threshold the loss first grows. The flat
    directions number (d + 1)^2, rescalings 2 d + 1. As printed, the end is the pyramid: off the data, too.
    """
    X, exact = scattered(), DeepNet.pyramid(2)
    threshold = 2 / exact.sharpness(X)

    def margins() -> Iterator[float]:
        for share in (0.5, 0.95):
            for end in ends(share):
                yield 1 - end.on / 1e-9
                yield 1 - end.off / (3 * end.start)
                if end.start < 1e-2:
                    known = 1 - slowest(share * threshold)
                    yield 1 - abs((1 - end.rate) / known - 1) / 0.1
        start = exact.parameters() + 1e-5 * np.random.default_rng(1).normal(size=19)
        for share, grows in ((0.95, False), (1.1, True)):
            _, loss = descend(DeepNet.of(start, 2), X, exact(X), share * threshold, 200)
            yield (loss.max() / loss[0] / 100 - 1) * (1 if grows else -1)
        for d, n in ((2, 60), (2, 400), (3, 400)):
            points, net = scattered(n, d), DeepNet.pyramid(d)
            flat = len(net.parameters()) - net.rank(points)
            yield 0.0 if flat == (d + 1) ** 2 else -1.0
            yield flat - (2 * d + 1) - 0.5

    printed = [1 - end.off / 1e-9 for end in ends(0.5, (1e-3,))]
    return Verdict.corrected(printed, margins(), "the end of descent, between the data points")


def at_a_knot(steps: int = 2000) -> tuple[float, float]:
    """Descent from a perturbation of 1e-3 with and without a data point on a knot: losses at the end."""
    losses = []
    for extra in (np.zeros((0, 2)), np.array([[0.0, 0.4], [0.3, 0.0]])):
        X = np.vstack([scattered(), extra])
        exact = DeepNet.pyramid(2)
        start = exact.parameters() + 1e-3 * np.random.default_rng(1).normal(size=19)
        _, loss = descend(DeepNet.of(start, 2), X, exact(X), 1 / exact.sharpness(X), steps)
        losses.append(float(loss[-1]))
    return losses[0], losses[1]
