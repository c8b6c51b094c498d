# ruff: noqa: E402 - the number of threads has to be set before any of the libraries is loaded
"""Time the bounds over all implementations, and solve the same program with a general modeller."""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import time
from importlib.util import find_spec

import numpy as np

import stablib
from stablib import ShallowReLU, affine_aware_bound, implementation_free_bound, least_sharpness
from stablib.book import specs
from stablib.book.claims import cases
from stablib.training import sweep

PATIENCE = 60  # seconds after which the general solver gets no larger problem


def timed(function, *args) -> tuple[float, object]:
    """Seconds of the second of two calls, and its result."""
    function(*args)
    start = time.perf_counter()
    result = function(*args)
    return time.perf_counter() - start, result


def random_network(n: int, d: int, k: int, seed: int = 0) -> tuple[ShallowReLU, np.ndarray]:
    """A network and data of standard normal numbers."""
    rng = np.random.default_rng(seed)
    net = ShallowReLU(rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k), 0.0)
    return net, rng.normal(size=(n, d))


def general_program(net: ShallowReLU, X: np.ndarray):
    """Maximise (1/n)[1'P1 + 2 sum |a_h| min_o sqrt(tr(P A) tr(P B))] over density matrices P."""
    import cvxpy as cp

    form, n, XX = net.canonical(), len(X), X @ X.T + 1
    P, total = cp.Variable((n, n), PSD=True), 0
    for a, v, b in zip(form.a, form.v, form.b, strict=True):
        sides = []
        for z in (X @ v - b, b - X @ v):
            on, height = (z > 0) * 1.0, np.maximum(z, 0)
            pair = [
                cp.sum(cp.multiply(M, P)) for M in (XX * np.outer(on, on), np.outer(height, height))
            ]
            sides.append(cp.geo_mean(cp.hstack(pair)))
        total += abs(a) * cp.minimum(*sides)
    return cp.Problem(cp.Maximize((cp.sum(P) + 2 * total) / n), [cp.trace(P) == 1])


def against_a_general_solver() -> None:
    """The best density at growing sizes, until the general solver takes more than a minute."""
    if find_spec("cvxpy") is None:
        print("  cvxpy is not installed: skipped")
        return
    import cvxpy as cp

    print(
        f"{'(n, d, k)':>16} {'ours s':>8} {'gap':>8} {'general s':>10} {'ratio':>8} {'differ by':>10}"
    )
    for n, d, k in ((10, 3, 5), (20, 5, 10), (40, 10, 20), (60, 15, 30), (100, 20, 40)):
        net, X = random_network(n, d, k)
        ours, bound = timed(implementation_free_bound, net, X)
        problem = general_program(net, X)
        start = time.perf_counter()
        try:
            problem.solve(solver="CLARABEL")
        except cp.error.SolverError as error:
            print(f"{(n, d, k)!s:>16} {ours:8.3f} {bound.gap:8.0e}  general solver: {error}")
            break
        general = time.perf_counter() - start
        apart = abs(problem.value / bound.value - 1)
        print(
            f"{(n, d, k)!s:>16} {ours:8.3f} {bound.gap:8.0e} {general:10.2f}"
            f" {general / ours:8.0f} {apart:10.0e}"
        )
        if general > PATIENCE:
            break


def at_the_sizes_of_the_book() -> None:
    """Gaps and seconds of the three functions."""
    print(
        f"{'network':>28} {'function':>26} {'seconds':>8} {'value':>10} {'upper':>10} {'gap':>8}  proven"
    )
    small = random_network(20, 1, 10)
    found = {"(20, 1, 10), random": small, "(20, 2, 10), random": random_network(20, 2, 10)}
    for case in cases.descended():
        found[f"(100, 20, 40), {case.name.split(', ')[1]}"] = case.net, case.X
    for net, data in list(sweep(specs.FIG5).networks.values())[::4]:
        found[f"(512, 784, 200), {net.k} neurons"] = net, data.X
    for name, (net, X) in found.items():
        for function in (implementation_free_bound, affine_aware_bound, least_sharpness):
            seconds, b = timed(function, net, X)
            print(
                f"{name:>28} {function.__name__:>26} {seconds:8.2f} {b.value:10.4f} {b.upper:10.4f}"
                f" {b.gap:8.0e}  {b.certified}"
            )


if __name__ == "__main__":
    print(f"stablib {stablib.__version__}, numpy {np.__version__}, one thread")
    at_the_sizes_of_the_book()
    against_a_general_solver()
