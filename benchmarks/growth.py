"""How the main functions grow with the data, the dimension and the width, by doubling each in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from stablib import (
    EmpiricalWeight,
    ShallowReLU,
    flattest_implementation,
    gradient_descent,
    sgd,
    sgd_threshold,
    sharpness,
)

FACTORS = (1, 2, 4, 8)
TURNS = 7
ENOUGH = 0.02  # seconds a turn spends on a call that is short
BATCH, STEPS = 16, {"weights": 256, "gram": 512, "sgd": 2048}
STEP_SIZE = 1e-5  # nothing diverges, nothing ends early

Size = tuple[int, int, int]


class Task(NamedTuple):
    """A call at a size (n, d, k), how many steps it makes, and the operations that it should need."""

    name: str
    base: Size
    prepare: Callable[..., Callable[[], object]]
    count: Callable[..., float]
    steps: int = 1
    grows: str = "ndk"


def random_network(n: int, d: int, k: int) -> tuple[ShallowReLU, np.ndarray, np.ndarray]:
    """A network with outputs of order 1, normal data, and labels that it misses."""
    rng = np.random.default_rng(0)
    W1, b1, w2 = rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k)
    net, X = ShallowReLU(W1 / d**0.5, b1, w2 / k**0.5, 0.0), rng.normal(size=(n, d))
    return net, X, net(X) + 0.1 * rng.normal(size=n)


def descent(steps: int) -> Callable[..., Callable[[], object]]:
    def prepare(n: int, d: int, k: int) -> Callable[[], object]:
        problem = random_network(n, d, k)
        return lambda: gradient_descent(*problem, STEP_SIZE, tol=0, max_steps=steps)

    return prepare


def stochastic(n: int, d: int, k: int) -> Callable[[], object]:
    problem, epochs = random_network(n, d, k), STEPS["sgd"] * BATCH // n
    return lambda: sgd(*problem, STEP_SIZE, BATCH, tol=0, max_epochs=epochs)


def full_sharpness(n: int, d: int, k: int) -> Callable[[], object]:
    net, X, y = random_network(n, d, k)
    near = net(X) + 1e-4 * (y - net(X))  # a minimum, nearly: one way of finding it at all sizes
    return lambda: sharpness(net, X, near)


def flattest(n: int, d: int, k: int) -> Callable[[], object]:
    net, X, _ = random_network(n, d, k)
    return lambda: flattest_implementation(net, X)


def threshold(n: int, d: int, k: int) -> Callable[[], object]:
    net, X, _ = random_network(n, d, k)
    return lambda: sgd_threshold(net, X, BATCH)


def one_direction(n: int, d: int, k: int) -> Callable[[], object]:
    net, X, _ = random_network(n, d, 1)
    v = net.ridges().v[0]
    weight, b = EmpiricalWeight(X), X @ v
    return lambda: weight.g(v, b)


def ridges(n: int, d: int, k: int) -> Callable[[], object]:
    net, X, _ = random_network(n, d, k)
    weight, (_, v, b) = EmpiricalWeight(X), net.ridges()
    return lambda: weight.g(v, b)


# Additions and multiplications, to leading order; a ReLU and what hangs on it is 10 of them. The top
# eigenvector of an m x m matrix takes 4/3 m^3, all of them 6 m^3.
TASKS = (
    Task(
        "`gradient_descent`, n x d form",
        (512, 32, 64),
        descent(STEPS["weights"]),
        lambda n, d, k: 4 * n * d * k + 10 * n * k,
        STEPS["weights"],
    ),
    Task(
        "`gradient_descent`, n x n form",  # taken where 2 n < 3 d
        (128, 1024, 64),
        descent(STEPS["gram"]),
        # K and the first layer once a call, the rest every step
        lambda n, d, k: 2 * n**2 * k + 10 * n * k + (2 * n**2 * d + 8 * n * d * k) / STEPS["gram"],
        STEPS["gram"],
    ),
    Task(
        f"`sgd`, B = {BATCH}",
        (256, 128, 128),
        stochastic,
        lambda n, d, k: (
            2 * BATCH * n * k
            + 20 * BATCH * k  # and the loss over all points, once an epoch
            + BATCH * n
            + (2 * n**2 * (d + k) + 8 * n * d * k) / STEPS["sgd"]
        ),
        STEPS["sgd"],
    ),
    Task(
        "`sharpness`, with `y`",
        (128, 128, 128),
        full_sharpness,
        # one eigenvector, the Gram matrix, and six products with the data
        lambda n, d, k: 4 / 3 * n**3 + 4 * n**2 * k + 2 * n**2 * d + 12 * n * d * k,
    ),
    Task(
        "`flattest_implementation`",
        (64, 64, 128),
        flattest,
        # four eigenvectors, three Newton steps between them
        lambda n, d, k: (
            19 / 3 * n**3 + 40 * n**2 * k + 2 * n**2 * d + 14 * n * d * k + 6 * n * k**2 + 18 * k**3
        ),
    ),
    Task(
        f"`sgd_threshold`, B = {BATCH}",
        (64, 64, 64),
        threshold,
        # one full eigen-solve, some fifteen pairs of n x n products
        lambda n, d, k: 66 * n**3 + 4 * n**2 * k + 2 * n**2 * d + 200 * n**2,
    ),
    # The weights at sizes beyond the cache, where time goes with memory.
    Task(
        "`g`, one direction, n offsets",
        (8192, 64, 1),
        one_direction,
        lambda n, d, k: 14 * n * d + 3 * n * np.log2(n),
        grows="nd",
    ),
    Task(
        "`g`, k ridges",
        (16384, 64, 64),
        ridges,
        lambda n, d, k: 6 * n * d * k + 20 * n * k,
    ),
)


def sizes_of(task: Task) -> dict[str, list[Size]]:
    """The base and its doublings, for each letter that the task grows in."""
    return {
        letter: [tuple(np.where(np.arange(3) == i, f, 1) * task.base) for f in FACTORS]
        for i, letter in enumerate("ndk")
        if letter in task.grows
    }


def least(function: Callable[[], object]) -> float:
    """Seconds of the quickest of some calls in a row, not counting those spent waiting for the core."""
    began, best = time.process_time(), np.inf
    while True:
        start = time.process_time()
        function()
        now = time.process_time()
        best = min(best, now - start)
        if now - began > ENOUGH:
            return best


def timed(task: Task) -> dict[Size, float]:
    """Seconds a step at every size, the least over turns through all sizes: other work only adds."""
    calls = {size: task.prepare(*map(int, size)) for row in sizes_of(task).values() for size in row}
    for call in calls.values():
        call()  # the first call compiles and warms up
    turns = [[least(call) for call in calls.values()] for _ in range(TURNS)]
    return dict(zip(calls, np.min(turns, axis=0) / task.steps, strict=True))


def growth() -> list[dict[str, Any]]:
    """For each task its times at growing sizes, beside the operations counted there."""
    found = []
    for task in TASKS:
        times, letters = timed(task), {}
        for letter, sizes in sizes_of(task).items():
            letters[letter] = {
                "seconds": [float(f"{times[size]:.4g}") for size in sizes],
                "counted": [float(f"{task.count(*map(float, size)):.6g}") for size in sizes],
            }
        found.append({"what": task.name, "base": list(task.base), "letters": letters})
    return found
