# ruff: noqa: E402 - the number of threads has to be set before any of the libraries is loaded
"""Time sharpness, its interval, the flattest rescaling and SGD's threshold against what is usual instead."""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import time
import warnings
from collections.abc import Callable
from functools import partial
from importlib.util import find_spec

import numpy as np
import torch
from scipy.sparse.linalg import eigsh

import stablib
from stablib import ShallowReLU, flattest_implementation, gradient_descent, sharpness
from stablib.book import specs
from stablib.training import sweep

TURNS = 5
PATIENCE = 60  # seconds after which the general solver gets no larger problem


def installed(module: str) -> bool:
    """Whether a module of benchmarks/requirements.txt is there; says so where it is not."""
    if find_spec(module) is None:
        print(f"  {module} is not installed: skipped")
        return False
    return True


def in_turns(contestants: dict[str, Callable[[], float]], turns: int = TURNS) -> dict[str, tuple]:
    """For each function its seconds, one number per turn, and the last value that it returned."""
    times, values = {name: [] for name in contestants}, {}
    for turn in range(turns + 1):
        for name, function in contestants.items():
            start = time.perf_counter()
            values[name] = function()
            if turn:  # the first turn loads and compiles
                times[name].append(time.perf_counter() - start)
    return {name: (np.array(times[name]), values[name]) for name in contestants}


def at_loss_1e_8() -> dict[int, tuple[ShallowReLU, np.ndarray, np.ndarray]]:
    """Networks trained to a loss of 1e-8: Gaussian data in 20 dimensions, and MNIST 0 against 1."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 20)), rng.normal(size=100)
    start = ShallowReLU.initial(20, 40, scale=3, seed=1)
    small = gradient_descent(start, X, y, 0.03, tol=1e-8, warmup=2000)
    net, data = next(iter(sweep(specs.FIG5).networks.values()))
    out = {100: (small.net, X, y), 512: (net, data.X, data.y)}
    for n, (net, X, y) in out.items():
        print(f"n = {n}: loss {((net(X) - y) ** 2).mean() / 2:.2e}, {net}")
    return out


def by_pyhessian(net: ShallowReLU, X: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """PyHessian with its defaults: power iteration to 1e-3, float32, at most 100 products."""
    from pyhessian import hessian

    module = net.to_torch().float()
    data = torch.tensor(X).float(), torch.tensor(y).float()[:, None]

    def top() -> float:
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calculator = hessian(module, torch.nn.MSELoss(), data=data, cuda=False)
            return calculator.eigenvalues()[0][0] / 2  # MSELoss has no 1/2

    return top


def by_curvlinops(
    net: ShallowReLU, X: np.ndarray, y: np.ndarray, tol: float
) -> Callable[[], float]:
    """ARPACK on the Hessian of curvlinops, float64; tol = 0 asks it for machine precision."""
    from curvlinops import HessianLinearOperator

    module = net.to_torch()
    data = [(torch.tensor(X), torch.tensor(y)[:, None])]

    def top() -> float:
        operator = HessianLinearOperator(
            module, torch.nn.MSELoss(), list(module.parameters()), data, check_deterministic=False
        ).to_scipy()
        v0 = np.random.default_rng(0).normal(size=operator.shape[0])
        return eigsh(operator, k=1, which="LA", tol=tol, v0=v0)[0][0] / 2

    return top


def sharpness_of_minima(minima: dict[int, tuple]) -> None:
    print("\nSharpness with the full Hessian, at a loss of 1e-8")
    for n, arguments in minima.items():
        exact = sharpness(*arguments)
        contestants = {
            "stablib.sharpness": partial(sharpness, *arguments),
            "stablib.sharpness_interval": partial(upper_end, *arguments),
        }
        if installed("pyhessian"):
            contestants["PyHessian, defaults"] = by_pyhessian(*arguments)
        if installed("curvlinops"):
            contestants["curvlinops + eigsh"] = by_curvlinops(*arguments, 0)
            contestants["curvlinops + eigsh, tol 1e-5"] = by_curvlinops(*arguments, 1e-5)
        results = in_turns(contestants)
        ours = results["stablib.sharpness"][0]
        for name, (times, value) in results.items():
            print(
                f"  n = {n:3d}  {name:30s} {np.median(times) * 1e3:9.2f} ms   off by "
                f"{abs(value / exact - 1):.0e}   ratio {np.median(times / ours):7.1f}"
            )
    print("  targets: PyHessian >= 3; curvlinops >= 30 at n = 100, >= 10 at n = 512")


def upper_end(net: ShallowReLU, X: np.ndarray, y: np.ndarray) -> float:
    return stablib.sharpness_interval(net, X, y)[1]


def semidefinite_program(net: ShallowReLU, X: np.ndarray):
    """Least s with s >= (11' + sum_i u_i A_i + w_i B_i)/n and u_i w_i >= 1, from balanced neurons."""
    import cvxpy as cp

    n, z = len(X), net.preactivations(X)
    slopes, heights = (z > 0) * np.abs(net.w2), np.maximum(z, 0)
    points = X @ X.T + 1
    A = [points * np.outer(p, p) for p in slopes.T if p.any()]
    B = [np.outer(h, h) for h in heights.T if h.any()]
    c2 = [np.sqrt(np.trace(b) / np.trace(a)) for a, b in zip(A, B, strict=True)]
    columns = np.array([(c * a).ravel() for a, c in zip(A, c2, strict=True)]).T
    others = np.array([(b / c).ravel() for b, c in zip(B, c2, strict=True)]).T
    u, w, s = cp.Variable(len(A)), cp.Variable(len(A)), cp.Variable()
    total = cp.reshape(columns @ u + others @ w + 1.0, (n, n), order="C") / n
    return cp.Problem(cp.Minimize(s), [s * np.eye(n) - total >> 0, w >= cp.inv_pos(u)])


def flattest_against_a_general_solver(minima: dict[int, tuple]) -> None:
    print("\nFlattest rescaling against semidefinite programming (cvxpy), random networks")
    running = ["CLARABEL", "SCS"] if installed("cvxpy") else []
    for n, d, k in (
        (10, 5, 5),
        (20, 10, 10),
        (40, 20, 20),
        (60, 20, 30),
        (80, 20, 40),
        (100, 20, 40),
        (120, 20, 40),
        (200, 50, 80),
        (300, 50, 80),
    ):
        rng = np.random.default_rng(n)
        X, net = rng.normal(size=(n, d)), ShallowReLU.initial(d, k, scale=3, seed=n)
        times, flat = in_turns({"": partial(flattest_implementation, net, X)})[""]
        ours = np.median(times)
        print(
            f"  ({n}, {d}, {k})  ours {ours * 1e3:.2f} ms, {flat.evaluations} eigen-solves, "
            f"gap {flat.gap:.0e}"
        )
        for solver in list(running):
            problem = semidefinite_program(net, X)
            start = time.perf_counter()
            value = problem.solve(solver=solver)
            seconds = time.perf_counter() - start
            print(
                f"           {solver:8s} {seconds:8.3f} s, {seconds / ours:8.0f} x, "
                f"value {value / flat.sharpness - 1:+.1e} from ours, {problem.status}"
            )
            if seconds > PATIENCE:
                running.remove(solver)
    net, X, _ = minima[512]
    times, flat = in_turns({"": partial(flattest_implementation, net, X)})[""]
    print(
        f"  {(*X.shape, net.k)}  ours {np.median(times):.3f} s, {flat.evaluations} eigen-solves, "
        f"gap {flat.gap:.0e} (targets: <= 1 s, <= 10, 1e-9)"
    )


def threshold_of_sgd(minima: dict[int, tuple]) -> None:
    print("\nExact SGD threshold (target at n = 512: <= 1 s)")
    if not hasattr(stablib, "sgd_threshold"):
        print("  stablib has no sgd_threshold yet: skipped")
        return
    for n, (net, X, _) in minima.items():
        for batch_size in (1, 16):
            times, value = in_turns({"": partial(stablib.sgd_threshold, net, X, batch_size)})[""]
            print(f"  n = {n:3d}, B = {batch_size:2d}: {np.median(times):.3f} s, {value:.6g}")


if __name__ == "__main__":
    torch.set_num_threads(1)
    trained = at_loss_1e_8()
    sharpness_of_minima(trained)
    threshold_of_sgd(trained)
    flattest_against_a_general_solver(trained)
