"""Sharpness, its interval, the flattest rescaling, SGD's threshold and the bound against what is usual."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

import cvxpy as cp
import numpy as np
import torch
from curvlinops import HessianLinearOperator
from pyhessian import hessian
from scipy.sparse.linalg import eigsh
from turns import in_turns, row

from stablib import (
    ShallowReLU,
    flattest_implementation,
    gradient_descent,
    hessian_operator,
    implementation_free_bound,
    sgd_threshold,
    sharpness,
    sharpness_interval,
)
from stablib.book import specs
from stablib.hessian import Hessian, top_eigenpair
from stablib.training import sweep

PATIENCE = 20  # seconds after which a general solver gets no larger problem

Minimum = tuple[ShallowReLU, np.ndarray, np.ndarray]


def at_loss_1e_8() -> dict[int, Minimum]:
    """Networks trained to a loss of 1e-8: Gaussian data in 20 dimensions, and MNIST 0 against 1."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(100, 20)), rng.normal(size=100)
    start = ShallowReLU.initial(20, 40, scale=3, seed=1)
    small = gradient_descent(start, X, y, 0.03, tol=1e-8, warmup=2000)
    net, data = next(iter(sweep(specs.FIG5).networks.values()))
    return {100: (small.net, X, y), 512: (net, data.X, data.y)}


def by_pyhessian(net: ShallowReLU, X: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """PyHessian with its defaults: power iteration to 1e-3, float32, at most 100 products."""
    module = net.to_torch().float()
    data = torch.tensor(X).float(), torch.tensor(y).float()[:, None]

    def top() -> float:
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            calculator = hessian(module, torch.nn.MSELoss(), data=data, cuda=False)
            return calculator.eigenvalues()[0][0] / 2  # MSELoss has no 1/2

    return top


def by_curvlinops(net: ShallowReLU, X: np.ndarray, y: np.ndarray) -> Callable[[], float]:
    """ARPACK to machine precision on the Hessian of curvlinops, float64."""
    module = net.to_torch()
    data = [(torch.tensor(X), torch.tensor(y)[:, None])]

    def top() -> float:
        operator = HessianLinearOperator(
            module, torch.nn.MSELoss(), list(module.parameters()), data, check_deterministic=False
        ).to_scipy()
        v0 = np.random.default_rng(0).normal(size=operator.shape[0])
        return eigsh(operator, k=1, which="LA", tol=0, v0=v0)[0][0] / 2

    return top


def sharpness_of_minima(minima: dict[int, Minimum]) -> list[dict[str, Any]]:
    """Rows for the top eigenvalue of the full Hessian, with what the others are off by."""
    rows = []
    for n, minimum in minima.items():
        (_, d), k = minimum[1].shape, minimum[0].k
        times, values = in_turns(
            {
                "ours": partial(sharpness, *minimum),
                "interval": partial(sharpness_interval, *minimum),
                "PyHessian": by_pyhessian(*minimum),
                "curvlinops": by_curvlinops(*minimum),
            },
            turns=5,
        )
        size = f"n = {n}, d = {d}, k = {k}"
        for other, against, goal in (
            ("PyHessian", "PyHessian, its defaults", 3),
            ("curvlinops", "curvlinops and ARPACK", 30 if n == 100 else 10),
        ):
            apart = abs(values[other] / values["ours"] - 1)
            rows.append(
                row(
                    f"sharpness-{other.lower()}-{n}",
                    "`sharpness`, full Hessian",
                    size,
                    against,
                    times["ours"],
                    times[other],
                    at_least=goal,
                    note=f"theirs differs by {apart:.0e}",
                )
            )
        low, high = values["interval"]
        assert low <= values["ours"] * (1 + 1e-10) and values["ours"] <= high * (1 + 1e-10)
        rows.append(
            row(
                f"interval-curvlinops-{n}",
                "`sharpness_interval`, proven",
                size,
                "curvlinops and ARPACK",
                times["interval"],
                times["curvlinops"],
                note=f"relative width {(high - low) / high:.0e}",
            )
        )
    return rows


def profile(minimum: Minimum) -> dict[str, float]:
    """Seconds of the parts of `sharpness`, and how many products with the Hessian PyHessian makes."""
    net, X, y = minimum
    residual = net(X) - y
    gram = Hessian.of(net, X, residual).gram
    v = np.random.default_rng(0).normal(size=(net.d + 2) * net.k + 1)
    times, _ = in_turns(
        {
            "whole": partial(sharpness, *minimum),
            "gram": lambda: Hessian.of(net, X, residual).gram,
            "eigen-solve": partial(top_eigenpair, gram),
            "product": partial(hessian_operator(net, X, y).matvec, v),
        },
        turns=5,
    )
    module = sys.modules["pyhessian.hessian"]
    with mock.patch.object(
        module, "hessian_vector_product", wraps=module.hessian_vector_product
    ) as asked:
        by_pyhessian(*minimum)()
    found = {name: float(f"{np.median(seconds):.4g}") for name, seconds in times.items()}
    return found | {"their-products": asked.call_count}


def semidefinite_program(net: ShallowReLU, X: np.ndarray) -> cp.Problem:
    """Least s with s >= (11' + sum_i u_i A_i + w_i B_i)/n and u_i w_i >= 1, from balanced neurons."""
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


def largest_solved(
    problems: list[tuple[Any, ...]], make: Callable[..., cp.Problem], solver: str
) -> tuple[tuple[Any, ...], float, float]:
    """The largest of growing problems that a general solver solves within PATIENCE, its seconds and value."""
    solved = None
    for problem in problems:
        start, program = time.process_time(), make(*problem)
        try:
            value = program.solve(solver=solver)
        except cp.error.SolverError:
            break
        seconds = time.process_time() - start
        if program.status == "optimal" and (solved is None or seconds < PATIENCE):
            solved = problem, seconds, float(value)
        if seconds > PATIENCE / 3:  # the next one takes several times as long
            break
    assert solved is not None, f"{solver} solved none of the problems"
    return solved


def flattest(minima: dict[int, Minimum]) -> tuple[list[dict[str, Any]], dict[str, float]]:
    """The flattest rescaling at the book's size, and beside general solvers as far as these go."""
    net, X, _ = minima[512]
    times, values = in_turns({"": partial(flattest_implementation, net, X)}, turns=5)
    found = values[""]
    size = "n = {}, d = {}, k = {}"
    rows = [
        row(
            "flattest-limit",
            "`flattest_implementation`",
            size.format(*X.shape, net.k),
            "a limit of 1 s",
            times[""],
            [1.0],
            at_least=1,
            note=f"{found.evaluations} eigen-solves, gap {found.gap:.0e}",
        )
    ]
    problems = []
    for n, d, k in (
        (20, 10, 10),
        (40, 20, 20),
        (60, 20, 30),
        (80, 20, 40),
        (100, 20, 40),
        (120, 20, 40),
        (160, 20, 60),
    ):
        rng = np.random.default_rng(n)
        problems.append((ShallowReLU.initial(d, k, scale=3, seed=n), rng.normal(size=(n, d))))
    for solver in ("CLARABEL", "SCS"):
        (small, points), seconds, value = largest_solved(problems, semidefinite_program, solver)
        ours, values = in_turns({"": partial(flattest_implementation, small, points)})
        apart = abs(value / values[""].sharpness - 1)
        name = solver if solver == "SCS" else solver.capitalize()
        rows.append(
            row(
                f"flattest-{solver.lower()}",
                "`flattest_implementation`",
                size.format(*points.shape, small.k),
                f"{name}, its largest size",
                ours[""],
                [seconds],
                note=f"theirs differs by {apart:.0e}",
            )
        )
    return rows, {"flattest-gap": found.gap, "flattest-solves": found.evaluations}


def thresholds(minima: dict[int, Minimum]) -> list[dict[str, Any]]:
    """SGD's exact threshold on MNIST; we know of no other code for it, so there is a limit alone."""
    net, X, _ = minima[512]
    rows = []
    for size in (1, 16):
        times, _ = in_turns({"": partial(sgd_threshold, net, X, size)}, turns=5)
        where = f"n = {len(X)}, d = {X.shape[1]}, k = {net.k}, B = {size}"
        name = f"threshold-{size}"
        rows.append(
            row(name, "`sgd_threshold`", where, "a limit of 1 s", times[""], [1.0], at_least=1)
        )
    return rows


def density_program(net: ShallowReLU, X: np.ndarray) -> cp.Problem:
    """Maximise (1/n)[1'P1 + 2 sum |a_h| min_o sqrt(tr(P A) tr(P B))] over density matrices P."""
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


def bound() -> list[dict[str, Any]]:
    """The bound over all implementations beside Clarabel, as far as that goes."""
    problems = []
    for n, d, k in ((10, 3, 5), (20, 5, 10), (30, 8, 15), (40, 10, 20), (60, 15, 30)):
        rng = np.random.default_rng(0)
        net = ShallowReLU(rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k), 0.0)
        problems.append((net, rng.normal(size=(n, d))))
    (net, X), seconds, value = largest_solved(problems, density_program, "CLARABEL")
    times, values = in_turns({"": partial(implementation_free_bound, net, X)}, turns=5)
    return [
        row(
            "bound-clarabel",
            "`implementation_free_bound`",
            f"n = {len(X)}, d = {X.shape[1]}, k = {net.k}",
            "Clarabel, its largest size",
            times[""],
            [seconds],
            note=f"theirs differs by {abs(value / values[''].value - 1):.0e}",
        )
    ]
