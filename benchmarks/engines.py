"""A step of gradient descent and of SGD against bare matrix products and a torch loop."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import torch
from turns import in_turns, per_step, row

from stablib import ShallowReLU, gradient_descent, mnist01, sgd
from stablib.training.compiled import gemm
from stablib.training.sampling import Batches


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


def descent() -> tuple[list[dict[str, Any]], dict[str, float]]:
    """Rows for a step of gradient descent; how far 2,000 of them end from torch's.

    Raises:
        AssertionError: if the two trajectories part by more than 1e-9.
    """
    rng = np.random.default_rng(0)
    n, d, k, steps = 100, 20, 40, 2000
    X, y, net = rng.normal(size=(n, d)), rng.normal(size=n), ShallowReLU.initial(d, k, seed=1)
    W, Z, C = rng.normal(size=(d, k)), np.zeros((n, k)), 1e-9 * rng.normal(size=(n, k))

    def ours(record_every=0):
        run = gradient_descent(net, X, y, 0.05, tol=0, max_steps=steps, record_every=record_every)
        return run.net.parameters()

    times, values = in_turns(
        {
            "ours": ours,
            "history": lambda: ours(record_every=1),
            "products": lambda: forward_and_backward(X, W, Z, C, steps),
            "torch": lambda: torch_steps(net, X, y, 0.05, [None] * steps, torch.float64),
        }
    )
    difference = float(abs(values["ours"] - values["torch"]).max())
    assert difference <= 1e-9, f"after {steps} steps a parameter is {difference} from torch's"
    times = {name: per_step(seconds, steps) for name, seconds in times.items()}
    what, size = "step of `gradient_descent`", f"n = {n}, d = {d}, k = {k}, float64"
    bare = "its two bare matrix products"
    rows = [
        row("gd-products", what, size, bare, times["ours"], times["products"], at_most=1.5),
        row("gd-torch", what, size, "torch loop", times["ours"], times["torch"], at_least=8),
        row(
            "gd-history",
            f"{what}, every loss kept",
            size,
            "itself without",
            times["history"],
            times["ours"],
        ),
    ]
    return rows, {"trajectory": difference}


def stochastic() -> list[dict[str, Any]]:
    """Rows for a step of SGD on MNIST, 0 against 1."""
    train, _ = mnist01(512)
    X, y = train.X, train.y
    (n, d), k, size, epochs, torch_epochs = X.shape, 200, 16, 300, 10
    net = ShallowReLU.initial(d, k, scheme="he", seed=0)
    rng = np.random.default_rng(0)
    batches = [torch.tensor(b) for epoch in Batches(n, size).take(torch_epochs) for b in epoch]
    contestants = {"torch": lambda: torch_steps(net, X, y, 0.01, batches, torch.float32)}
    steps = {"torch": len(batches)}
    for dtype in ("float32", "float64"):
        taken, C, Z = (
            (1e-3 * rng.normal(size=shape)).astype(dtype)
            for shape in ((size, n), (size, k), (n, k))
        )

        def ours(dtype=dtype):
            return sgd(net, X, y, 0.01, size, dtype=dtype, tol=1e-12, max_epochs=epochs)

        def bare(taken=taken, C=C, Z=Z):
            rank_b(taken, C, Z, 1000)

        contestants |= {dtype: ours, f"product {dtype}": bare}
        steps |= {dtype: epochs * n // size, f"product {dtype}": 1000}
    times, _ = in_turns(contestants)
    times = {name: per_step(seconds, steps[name]) for name, seconds in times.items()}
    where = f"MNIST, n = {n}, d = {d}, k = {k}, B = {size}"
    return [
        *(
            row(
                f"sgd-product-{dtype[-2:]}",
                "step of `sgd`",
                f"{where}, {dtype}",
                "its bare product of rank 16",
                times[dtype],
                times[f"product {dtype}"],
                at_most=1.3,
            )
            for dtype in ("float32", "float64")
        ),
        row(
            "sgd-torch",
            "step of `sgd`",
            f"{where}, float32",
            "torch loop",
            times["float32"],
            times["torch"],
            at_least=6,
        ),
    ]
