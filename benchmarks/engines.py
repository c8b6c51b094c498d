# ruff: noqa: E402 - the number of threads has to be set before any of the libraries is loaded
"""Time a step of gradient descent and of SGD against bare matrix products and a torch loop."""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import time
from collections.abc import Callable

import numba
import numpy as np
import torch

from stablib import ShallowReLU, gradient_descent, mnist01, sgd
from stablib.training.compiled import gemm
from stablib.training.sampling import Batches

TURNS = 9


@numba.njit
def forward_and_backward(X, W, Z, C, repeats):
    """The two products of a step of gradient descent, (n, d)(d, k) and (d, n)(n, k)."""
    for _ in range(repeats):
        gemm(False, X, W, 0.0, Z)
        gemm(True, X, C, 1.0, W)


@numba.njit
def rank_b(rows, C, Z, repeats):
    """The one product of a step of SGD in Gram form, (n, B)(B, k)."""
    for _ in range(repeats):
        gemm(True, rows, C, 1.0, Z)


def torch_steps(net, X, y, step_size, batches, dtype):
    """Autograd and torch.optim.SGD; `batches` is a list of index tensors, or of None for all points."""
    X, y = torch.tensor(X, dtype=dtype), torch.tensor(y, dtype=dtype)
    parameters = [
        torch.tensor(p, dtype=dtype, requires_grad=True) for p in (net.W1, net.b1, net.w2)
    ]
    parameters.append(torch.tensor(net.b2, dtype=dtype, requires_grad=True))
    W1, b1, w2, b2 = parameters
    optimizer = torch.optim.SGD(parameters, lr=step_size)
    for batch in batches:
        x, t = (X, y) if batch is None else (X[batch], y[batch])
        optimizer.zero_grad()
        residual = torch.relu(torch.addmm(b1, x, W1.T)) @ w2 + b2 - t
        (0.5 * (residual**2).mean()).backward()
        optimizer.step()
    return np.concatenate([p.detach().double().numpy().ravel() for p in parameters])


def in_turns(contestants: dict[str, tuple[Callable[[], object], int]]) -> dict[str, np.ndarray]:
    """Microseconds a step, one number per turn, for functions given with their number of steps."""
    times = {name: [] for name in contestants}
    for turn in range(TURNS + 1):
        for name, (function, steps) in contestants.items():
            start = time.perf_counter()
            function()
            if turn:  # the first turn compiles and warms up
                times[name].append((time.perf_counter() - start) / steps * 1e6)
    return {name: np.array(column) for name, column in times.items()}


def report(
    title: str, times: dict[str, np.ndarray], comparisons: list[tuple[str, str, str]]
) -> None:
    """Medians, and medians of the ratios within a turn with what was aimed at."""
    print(title)
    for name, column in times.items():
        print(f"  {name:34s} {np.median(column):8.1f} us a step")
    for over, under, aim in comparisons:
        ratio = np.median(times[over] / times[under])
        print(f"  {over} / {under}: {ratio:.2f} (target {aim})")
    print()


def gradient_descent_step() -> None:
    rng = np.random.default_rng(0)
    n, d, k, steps = 100, 20, 40, 2000
    X, y, net = rng.normal(size=(n, d)), rng.normal(size=n), ShallowReLU.initial(d, k, seed=1)
    W, Z, C = rng.normal(size=(d, k)), np.zeros((n, k)), 1e-9 * rng.normal(size=(n, k))

    def ours(record_every=0):
        run = gradient_descent(net, X, y, 0.05, tol=0, max_steps=steps, record_every=record_every)
        return run.net.parameters()

    def theirs():
        return torch_steps(net, X, y, 0.05, [None] * steps, torch.float64)

    times = in_turns(
        {
            "gradient_descent": (ours, steps),
            "gradient_descent with history": (lambda: ours(record_every=1), steps),
            "its two products": (lambda: forward_and_backward(X, W, Z, C, steps), steps),
            "torch loop": (theirs, steps),
        }
    )
    report(
        f"Gradient descent, n={n} d={d} k={k}, float64",
        times,
        [
            ("gradient_descent", "its two products", "<= 1.5"),
            ("torch loop", "gradient_descent", ">= 8"),
            ("gradient_descent with history", "gradient_descent", "<= 1.05"),
        ],
    )
    print(
        f"  largest difference of a parameter after {steps} steps: {abs(ours() - theirs()).max():.1e}\n"
    )


def sgd_step() -> None:
    train, _ = mnist01(512)
    X, y = train.X, train.y
    (n, d), k, size, epochs, torch_epochs = X.shape, 200, 16, 300, 20
    net = ShallowReLU.initial(d, k, scheme="he", seed=0)
    rng = np.random.default_rng(0)
    batches = [torch.tensor(b) for epoch in Batches(n, size).take(torch_epochs) for b in epoch]
    contestants = {
        "torch loop float32": (
            lambda: torch_steps(net, X, y, 0.01, batches, torch.float32),
            len(batches),
        )
    }
    comparisons = []
    for dtype in ("float32", "float64"):
        rows, C, Z = (
            (1e-3 * rng.normal(size=shape)).astype(dtype)
            for shape in ((size, n), (size, k), (n, k))
        )

        def ours(dtype=dtype, record_every=0):
            limits = {"tol": 1e-12, "max_epochs": epochs, "record_every": record_every}
            return sgd(net, X, y, 0.01, size, dtype=dtype, **limits)

        def recorded(ours=ours):
            return ours(record_every=1)

        def bare(rows=rows, C=C, Z=Z):
            rank_b(rows, C, Z, 2000)

        contestants[f"sgd {dtype}"] = (ours, epochs * n // size)
        contestants[f"sgd {dtype} with history"] = (recorded, epochs * n // size)
        contestants[f"its product {dtype}"] = (bare, 2000)
        comparisons.append((f"sgd {dtype}", f"its product {dtype}", "<= 1.3"))
        comparisons.append((f"sgd {dtype} with history", f"sgd {dtype}", "<= 1.05"))
    comparisons.append(("torch loop float32", "sgd float32", ">= 6"))
    report(
        f"SGD on MNIST 0 against 1, n={n} d={d} k={k} B={size}", in_turns(contestants), comparisons
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    gradient_descent_step()
    sgd_step()
