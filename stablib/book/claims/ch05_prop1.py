"""Claims of chapter 05 on limits of networks: Proposition 1 as it is true."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from ...network import ShallowReLU
from ...norms import stability_norm
from ...weights import EmpiricalWeight, IsotropicWeight
from .registry import Verdict, claim

WIDTHS = 2.0 ** -np.arange(0, 17, 2)


def hat(v: np.ndarray, b: float, width: float) -> ShallowReLU:
    """A ridge of height width/2: relu(t) - 2 relu(t - width/2) + relu(t - width), t = v.x - b."""
    offsets = b + width * np.array([0.0, 0.5, 1.0])
    return ShallowReLU(np.tile(v, (3, 1)), -offsets, [1.0, -2.0, 1.0])


def gap(X: np.ndarray, v: np.ndarray) -> tuple[float, float]:
    """The widest gap between neighbouring projections in the middle half: its lower end and its width."""
    z = np.sort(X @ v)
    middle = slice(len(z) // 4, 3 * len(z) // 4)
    widths = np.diff(z)[middle]
    i = int(np.argmax(widths))
    return float(z[middle][i]), float(widths[i])


def example() -> tuple[np.ndarray, np.ndarray, float, float]:
    """Fifty normal points, a direction, and a gap among their projections: X, v, lower end, width."""
    from ...data import gaussian

    X = gaussian(50, 2, seed=0).X
    v = np.array([0.6, 0.8])
    return X, v, *gap(X, v)


def vanishing(
    v: np.ndarray, b: float, width: float, X: np.ndarray
) -> list[tuple[float, float, float]]:
    """For hats of shrinking width in a gap: sup |f_k|, largest value on the data, norm."""
    rows = []
    for share in 0.9 * WIDTHS:
        net = hat(v, b + 0.05 * width, share * width)
        rows.append((share * width / 2, float(np.abs(net(X)).max()), stability_norm(net, X)))
    return rows


def cousin(directions: int, offsets: int) -> ShallowReLU:
    """Ridges of slope cos(4 theta) at all angles and offsets in [-1, 1]: nearly 0 on the unit disc.

    Args:
        directions: number of directions in the circle.
        offsets: number of offsets.
    """
    theta = 2 * np.pi * (np.arange(directions) + 0.3) / directions
    b = 2 * (np.arange(offsets) + 0.5) / offsets - 1
    v = np.column_stack([np.cos(theta), np.sin(theta)])
    slope = np.cos(4 * theta) * 2 * np.pi / directions * 2 / offsets
    return ShallowReLU(
        np.repeat(v, offsets, axis=0), -np.tile(b, directions), slope.repeat(offsets)
    )


def on_a_point(k: float) -> tuple[float, float, float]:
    """Bends that tend to one on a data point: a norm on the way, that of the limit, the lesser one-sided.

    Args:
        k: one over the distance of the bend from the data point.
    """
    X = np.array([[-20.0], [-1.0], [5.0], [5.0]])
    g = EmpiricalWeight(X).g([1.0], [-1 - 1 / k, -1.0, -1 - 1e-9, -1 + 1e-9])
    return float(g[0]), float(g[1]), float(g[2:].min())


@claim(
    "prop-1",
    kind="theorem",
    says="if networks of bounded norm converge, the limit's norm is finite and the limit of the norms",
    where="Prop. 1",
)
def lower_semicontinuity() -> Verdict:
    """The true part: the limit's norm is at most the lower limit of the norms, for bends off the data.

    Sequences with known limits: a bend that splits into two neighbours, a bend with a vanishing hat beside
    it, two opposite bends that meet; directions and data at random. A bend that tends to a data point, whose
    norms keep above that with the lesser one-sided g there, to 1e-6. As printed, three sequences fail: hats
    in a gap tend to 0, take the value 0 on all data, and their norm tends to 4 g; the bend on a data point is
    dearer than its limit; ridges of slope cos(4 theta) tend to 0 on the disc (1e-5) and keep 4 int g.
    """

    def margins() -> Iterator[float]:
        rng = np.random.default_rng(1)
        for seed in range(12):
            X = rng.normal(size=(20, 2 + seed % 3))
            v = rng.normal(size=X.shape[1])
            v /= np.linalg.norm(v)
            low, width = gap(X, v)
            b = low + 0.5 * width
            limit = stability_norm(ShallowReLU([v], [-b], [1.0]), X)
            for h in 0.2 * width * WIDTHS[4:]:
                split = ShallowReLU([v, v], [-(b - h), -(b + h)], [0.5, 0.5])
                beside = ShallowReLU(
                    np.tile(v, (4, 1)), -np.array([b, b + h, b + 1.5 * h, b + 2 * h]), [1, 1, -2, 1]
                )
                for net in (split, beside):
                    yield (stability_norm(net, X) - limit) / limit + 10 * h
            dipole = ShallowReLU([v, v], [-b, -(b + 1e-6 * width)], [1.0, -1.0])
            yield stability_norm(dipole, X)
        for k in (1e2, 1e4, 1e6):
            norm, _, least = on_a_point(k)
            yield norm / least - 1 + 1e-6

    X, v, low, width = example()
    smallest = vanishing(v, low, width, X)[-1]
    norm, limit, _ = on_a_point(1e6)
    disc = IsotropicWeight(stats.semicircular())
    net = cousin(64, 320)
    turn = np.linspace(0, 2 * np.pi, 90)
    x = np.concatenate([r * np.column_stack([np.cos(turn), np.sin(turn)]) for r in (0.3, 0.7, 1.0)])
    assert np.abs(net(x)).max() < 1e-5
    return Verdict.corrected(
        [-smallest[2], norm - limit, -stability_norm(net, disc)],
        margins(),
        "hats in a gap of the data, which tend to 0, and others",
    )


@claim(
    "eq-84",
    kind="theorem",
    says="convergence of functions makes their Laplacians, and these among the lines, converge weakly",
    where="(83), (84)",
)
def weak_convergence() -> Verdict:
    """Pairings of the hats' Laplacian with transforms of bumps fall with the square of the width.

    Three bumps: the pairing, a second difference of the transform, is at most the square of half the width
    times its largest second derivative, while the norm stays within 20 % of 4 g.
    """
    from ...radon.exact import gaussian_radon
    from ...radon.measures import laplacian

    X, v, low, width = example()

    def margins() -> Iterator[float]:
        for mean, size in (((0.0, 0.0), 1.0), ((0.5, -0.2), 0.6), ((-0.3, 0.8), 0.8)):
            bend = np.sqrt(2 * np.pi) / size
            pairs = [
                abs(
                    laplacian(hat(v, low + 0.05 * width, w)).pair(
                        lambda u, b, m=mean, s=size: gaussian_radon(u, b, m, s)
                    )
                )
                for w in 0.9 * width * WIDTHS[:5]
            ]
            yield from 1 - np.array(pairs) / (bend * (0.45 * width * WIDTHS[:5]) ** 2)
        g = float(EmpiricalWeight(X).g(v, low + 0.05 * width))
        for _, _, norm in vanishing(v, low, width, X)[2:]:
            yield 0.2 - abs(norm / (4 * g) - 1)

    return Verdict.of(margins())
