"""The cases that claims are searched over: networks that break naive ideas, random and trained ones."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import numpy as np

from ...curvature import sharpness
from ...flattest import flattest_implementation
from ...network import ShallowReLU
from ...norms import stability_norm


class Case(NamedTuple):
    """A network on data.

    Attributes:
        net: the network.
        X: data points, shape (n, d).
        y: labels, shape (n,): what it was trained on, or its own values.
        name: what is special about it.
        step_size: with which it was trained; None if it was not.
    """

    net: ShallowReLU
    X: np.ndarray
    y: np.ndarray
    name: str
    step_size: float | None = None


def _case(name: str, net: ShallowReLU, X: np.ndarray) -> Case:
    return Case(net, X, net(X), name)


def _gaussian(rng: np.random.Generator, d: int, k: int, scale: float = 1.0) -> ShallowReLU:
    W1, b1, w2 = rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k)
    return ShallowReLU(scale * W1, scale * b1, scale * w2, scale * rng.normal())


def adversarial() -> list[Case]:
    """Small networks on data, each with one feature that a proof or a program may have forgotten."""
    rng = np.random.default_rng(23)
    cases = []

    def edited(name: str, n: int = 9, d: int = 3, k: int = 6, **changes: object) -> None:
        net, X = _gaussian(rng, d, k), rng.normal(size=(n, d))
        W1, b1, w2 = net.W1.copy(), net.b1.copy(), net.w2.copy()
        for key, value in changes.items():
            {"W": W1, "b": b1, "a": w2}[key[0]][int(key[1:])] = value
        cases.append(_case(name, ShallowReLU(W1, b1, w2, net.b2), X))

    edited("generic")
    edited("one dimension", n=12, d=1, k=5)
    edited("one point", n=1, d=4, k=3)
    edited("one neuron", n=7, d=2, k=1)
    edited("one of everything", n=1, d=1, k=1)
    edited("more dimensions than points", n=4, d=30, k=8)
    edited("more neurons than points", n=5, d=2, k=60)
    edited("a dead neuron", b0=-100.0)
    edited("a neuron on at every point", b1=100.0)
    edited("a neuron without input weights", W2=0.0, b2=0.7)
    edited("a neuron without output weight", a3=0.0)
    edited("all output weights zero", k=2, a0=0.0, a1=0.0)
    for scale in (1e-6, 1e-3, 1e3, 1e6):
        net = _gaussian(rng, 3, 6, scale)
        cases.append(_case(f"scale {scale:g}", net, rng.normal(size=(9, 3))))
        net = _gaussian(rng, 3, 6)
        cases.append(_case(f"data of scale {scale:g}", net, scale * rng.normal(size=(9, 3))))
    # Neurons on one hyperplane: copies, opposite slopes, opposite sides, and what cancels.
    for name, turn, slope in (
        ("a copy of a neuron", 2.0, 0.4),
        ("a copy with the opposite slope", 2.0, -0.3),
        ("an antipodal pair", -1.0, 0.8),
        ("an antipodal pair that cancels", -1.0, -1.0),
        ("a copy that cancels", 1.0, -1.0),
    ):
        net, X = _gaussian(rng, 3, 6), rng.normal(size=(9, 3))
        W1, b1, w2 = net.W1.copy(), net.b1.copy(), net.w2.copy()
        W1[1], b1[1], w2[1] = turn * W1[0], turn * b1[0], slope * w2[0]
        cases.append(_case(name, ShallowReLU(W1, b1, w2, net.b2), X))
    X = rng.normal(size=(4, 2))
    cases.append(_case("repeated points", _gaussian(rng, 2, 5), np.repeat(X, 3, axis=0)))
    cases.append(
        _case("collinear data", _gaussian(rng, 3, 6), np.outer(rng.normal(size=9), [1, 2, -1]))
    )
    cases.append(_case("all points equal", _gaussian(rng, 2, 5), np.ones((6, 2))))
    cases.append(_case("mirrored data", _gaussian(rng, 2, 4), np.vstack([X, X * [1, -1]])))
    cases.append(_case("far from the origin", _gaussian(rng, 2, 5), 1e3 + rng.normal(size=(8, 2))))
    knot = ShallowReLU([[1.0, 0.0], [0.0, 2.0]], [-X[0, 0], 0.0], [1.0, -1.0])
    cases.append(_case("a data point on a hyperplane", knot, X))
    cases.append(_case("no neuron", ShallowReLU(np.zeros((0, 2)), [], [], 1.5), X))
    return cases


def random(
    count: int, seed: int = 0, n_max: int = 15, d_max: int = 6, k_max: int = 9
) -> list[Case]:
    """Random networks on random data, of all small sizes, many with coinciding hyperplanes.

    Args:
        count: how many.
        seed: of the stream; equal arguments give equal cases.
        n_max: largest number of points.
        d_max: largest dimension.
        k_max: largest number of neurons.
    """
    rng = np.random.default_rng([seed, count])

    def one(number: int) -> Case:
        n, d, k = (int(rng.integers(1, most + 1)) for most in (n_max, d_max, k_max))
        net, scale = _gaussian(rng, d, k), 10 ** rng.uniform(-2, 2)
        W1, b1 = scale * net.W1, scale * net.b1
        for _ in range(int(rng.integers(0, 3))):
            i, j = rng.integers(0, k, 2)
            factor = rng.choice([-2.0, -1.0, 1.0, 0.5])
            W1[j], b1[j] = factor * W1[i], factor * b1[i]
        X = rng.normal(size=(n, d)) * 10 ** rng.uniform(-1, 1) + rng.choice([0, 0, 3])
        return _case(f"random network {number}", ShallowReLU(W1, b1, net.w2, net.b2), X)

    return [one(number) for number in range(count)]


@cache
def hunted(steps: int = 120) -> tuple[Case, ...]:
    """Networks from a search for a violation of Lemma 3: each is what a walk downhill has come to.

    From random starts, network and data change at random, and a change is kept if (sharpness - 1) / 2 norm
    falls, which should stay above 1. The last case is an equality: |x|, balanced, on the points -1 and 1.

    Args:
        steps: of each walk.
    """
    found = []
    for number, (n, d, k) in enumerate([(2, 1, 1), (2, 1, 2), (3, 2, 2), (4, 2, 3), (6, 3, 2)] * 2):
        rng = np.random.default_rng([34, number])
        sizes = k * d, k, k, n * d
        place = rng.normal(size=sum(sizes))
        best = np.inf
        for step in range(steps):
            trial = place + 10 ** rng.uniform(-3, 0) * rng.normal(size=len(place)) * (step > 0)
            W1, b1, w2, X = np.split(trial, np.cumsum(sizes[:-1]))
            net, X = ShallowReLU(W1.reshape(k, d), b1, w2), X.reshape(n, d)
            norm, top = stability_norm(net, X), sharpness(net, X)
            height = (top - 1) / (2 * norm) if norm > 1e-3 else np.inf
            if height < best or step == 0:
                place, best, case = trial, height, _case(f"search {number}", net, X)
        found.append(case)
    root = 2**0.25
    even = ShallowReLU([[1 / root], [-1 / root]], [0.0, 0.0], [root, root])
    even = even.rescale(2**-0.5)
    found.append(_case("an equality", even, np.array([[-1.0], [1.0]])))
    return tuple(found)


@cache
def stored(name: str) -> tuple[Case, ...]:
    """The minima whose networks a table of results keeps.

    Args:
        name: of the table: "overview" (two dimensions, 12 points) or "fig5" (MNIST).

    Raises:
        ValueError: if no such table is kept.
    """
    from ...training import sweep
    from .. import tables

    known = {spec.name: spec for spec in tables.SWEEPS if spec.networks is not None}
    if name not in known:
        raise ValueError(f"name is {name!r}; one of {', '.join(known)} is needed")
    table = sweep(known[name], progress=False)
    eta = dict(zip(table["hash"], table["step_size"].tolist(), strict=True))
    return tuple(
        Case(net, data.X, data.y, f"{name}, step size {eta[key]:g}", eta[key])
        for key, (net, data) in table.networks.items()
    )


@cache
def descended() -> tuple[Case, ...]:
    """Minima of gradient descent at the paper's synthetic size (n = 100, d = 20, k = 40), trained here.

    Three step sizes from one start, three times PyTorch's default, with 2,000 steps of warm-up: below
    the edge of stability, at it, and well beyond the sharpness of the small-step minimum.
    """
    from ...data import gaussian
    from ...training.descent import gradient_descent

    data = gaussian(100, 20, seed=0)
    start = ShallowReLU.initial(20, 40, scale=3.0, seed=1)
    cases = []
    for step_size in (0.02, 0.1, 0.3):
        run = gradient_descent(start, *data, step_size, warmup=2000)
        cases.append(Case(run.net, data.X, data.y, f"descent, step size {step_size:g}", step_size))
    return tuple(cases)


def trained() -> Iterator[Case]:
    """Every trained network at hand."""
    yield from stored("overview")
    yield from descended()
    yield from stored("fig5")


def row(case: Case) -> dict[str, float]:
    """The quantities of the chain at a trained network, named as the columns of a table."""
    net, X, y, _, step_size = case
    return {
        "step_size": step_size,
        "stability_norm": stability_norm(net, X),
        "flattest": flattest_implementation(net, X).sharpness,
        "sharpness": sharpness(net, X, y),
    }


def small() -> list[Case]:
    """Adversarial networks and 300 random ones: none has more than 30 points."""
    return [*adversarial(), *random(300)]


def everything() -> list[Case]:
    """All cases, from the smallest network to the trained ones on MNIST."""
    return [*small(), *trained()]
