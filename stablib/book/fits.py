"""Shallow networks fitted to the pyramid and to a smooth bump: by descent, and as well as any ridges can."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import linprog

from .. import checks
from ..anywidth import implementation_free_bound
from ..curvature import sharpness
from ..flattest import flattest_implementation
from ..network import ShallowReLU
from ..norms import r_norm, stability_norm
from ..radon.pyramid import pyramid
from ..training import Sweep
from ..training.descent import gradient_descent
from ..training.specs import Spec
from ..weights import EmpiricalWeight

TARGETS = ("pyramid", "bump")
_COLUMNS = (
    "norm",
    "r_norm",
    "l1",
    "sup",
    "loss",
    "sharpness",
    "flattest",
    "least",
    "step_size_bound",
    "dual",
)


def target(name: str, x: np.ndarray) -> np.ndarray:
    """The pyramid, or exp(1 - 1/(1 - |x|^2)) on the unit disc: as high, as wide, and smooth.

    Args:
        name: "pyramid" or "bump".
        x: places, shape (m, 2).

    Raises:
        ValueError: if there is no such target.
    """
    if checks.choice(name, "name", TARGETS) == "pyramid":
        return pyramid(x)
    r2 = (x**2).sum(axis=1)
    inside = r2 < 1
    return np.where(inside, np.exp(1 - 1 / np.where(inside, 1 - r2, 1.0)), 0.0)


def lattice(side: int = 15, half: float = 1.35, angle: float = 0.2) -> np.ndarray:
    """A turned square lattice about the unit disc, shape (side^2, 2): the data of all fits.

    Args:
        side: points along a side.
        half: half a side.
        angle: by which it is turned, in radians, so that no creases of the pyramid run along its rows.
    """
    axis = np.linspace(-half, half, side)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2) @ np.array([[c, s], [-s, c]])


def fine_grid(side: int = 121) -> np.ndarray:
    """Places of the square [-1.1, 1.1]^2 at which errors are measured, shape (side^2, 2)."""
    axis = np.linspace(-1.1, 1.1, side)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def dictionary(directions: int, offsets: int, reach: float = 1.3) -> tuple[np.ndarray, np.ndarray]:
    """Ridges at equal angles over the half circle and equal offsets: normals (m, 2) and offsets (m,).

    Args:
        directions: number of angles; a multiple of 4 contains the pyramid's own.
        offsets: number of offsets at each angle, from -reach to reach.
        reach: largest offset.

    Raises:
        ValueError: if the dictionary would be empty.
    """
    directions = checks.count(directions, "directions")
    offsets = checks.count(offsets, "offsets")
    turn = np.pi * np.arange(directions) / directions
    v = np.column_stack([np.cos(turn), np.sin(turn)])
    return np.repeat(v, offsets, axis=0), np.tile(np.linspace(-reach, reach, offsets), directions)


def best_fit(
    y: Any, x: Any, v: Any, b: Any, cost: Any, budget: Any
) -> tuple[np.ndarray, float, float]:
    """The least mean absolute error of ridges and an affine part whose cost keeps to a budget.

    A linear program, solved by HiGHS: minimise the mean of |f(x_j) - y_j| over slopes with
    sum cost |a| <= budget.

    Args:
        y: values to be met, shape (m,).
        x: where, shape (m, 2).
        v: unit normals of the ridges, shape (r, 2).
        b: their offsets, shape (r,).
        cost: of a unit slope, shape (r,), not negative.
        budget: a positive number.

    Returns:
        Slopes (r,), the error, and a lower bound of it from the dual.

    Raises:
        ValueError: if the dictionary is empty, shapes do not fit, or the budget is not positive.

    Example:
        >>> x = np.array([[-1.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
        >>> a, error, dual = best_fit([1.0, 0.0, 1.0], x, [[1.0, 0.0]], [0.0], [1.0], 1.0)
        >>> a.round(6), round(error, 6), round(dual, 6)
        (array([1.]), 0.166667, 0.166667)
    """
    x, b, cost = checks.points(x, "x"), checks.array(b, "b"), checks.array(cost, "cost")
    y = checks.labels(y, len(x))
    budget = checks.positive(budget, "budget")
    if b.ndim != 1 or len(b) == 0:
        raise ValueError(f"b has shape {b.shape}; a dictionary of at least one ridge is needed")
    v = checks.normals(v, x.shape[1])
    if v.shape != (len(b), x.shape[1]) or cost.shape != b.shape or (cost < 0).any():
        raise ValueError(
            f"v, b and cost have shapes {v.shape}, {b.shape}, {cost.shape}; one normal, offset and "
            "non-negative cost per ridge are needed"
        )
    m, r, d = len(x), len(b), x.shape[1]
    ridge = np.maximum(x @ v.T - b, 0)
    free = np.column_stack([x, np.ones(m)])
    # Columns: positive and negative slopes, affine part, positive and negative residuals.
    fit = np.hstack([ridge, -ridge, free, np.eye(m), -np.eye(m)])
    price = np.concatenate([np.zeros(2 * r + d + 1), np.full(2 * m, 1 / m)])
    spent = np.concatenate([cost, cost, np.zeros(d + 1 + 2 * m)])[None]
    bounds = [(0, None)] * (2 * r) + [(None, None)] * (d + 1) + [(0, None)] * (2 * m)
    answer = linprog(price, spent, [budget], fit, y, bounds, method="highs")
    if answer.status != 0:
        raise RuntimeError(f"the linear program was not solved: {answer.message}")
    dual = y @ answer.eqlin.marginals + budget * answer.ineqlin.marginals[0]
    return answer.x[:r] - answer.x[r : 2 * r], float(answer.fun), float(dual)


@dataclass(frozen=True)
class Fit(Spec):
    """One fit of ridges to a target of the plane.

    Args:
        target: "pyramid" or "bump".
        kind: "descent", a network of k neurons by gradient descent, or "convex", the best one of the
            dictionary at a given norm.
        k: neurons; for "convex" the number of directions.
        step_size: of descent; 0 for "convex".
        budget: of the norm; 0 for descent.
        seed: of the initial network.
        limit: greatest number of steps.
    """

    target: str
    kind: str
    k: int
    step_size: float = 0.0
    budget: float = 0.0
    seed: int = 0
    limit: int = 40_000

    def labels(self) -> dict[str, Any]:
        """The columns that say which fit it is."""
        names = ("target", "kind", "k", "step_size", "budget", "seed")
        return {name: getattr(self, name) for name in names}

    def columns(self) -> dict[str, type]:
        """Those, and what is measured."""
        return {name: type(value) for name, value in self.labels().items()} | dict.fromkeys(
            _COLUMNS, float
        )

    def execute(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Fit, and measure on the fine grid."""
        X = lattice()
        y = target(self.target, X)
        row: dict[str, Any] = self.labels() | dict.fromkeys(_COLUMNS)
        if self.kind == "descent":
            start = ShallowReLU.initial(2, self.k, 2.0, seed=self.seed)
            run = gradient_descent(start, X, y, self.step_size, tol=1e-7, max_steps=self.limit)
            net = run.net
            if run.reason == "diverged":
                return row, {}
            row |= {
                "loss": run.loss,
                "sharpness": sharpness(net, X),
                "flattest": flattest_implementation(net, X).sharpness,
                "least": implementation_free_bound(net, X).value,
                "norm": stability_norm(net, X),
                "r_norm": r_norm(net),
            }
            error = np.abs(net(fine_grid()) - target(self.target, fine_grid()))
        else:
            v, b = dictionary(self.k, 27)
            places = fine_grid(25)
            cost = EmpiricalWeight(X).g(v, b)
            a, _, dual = best_fit(target(self.target, places), places, v, b, cost, self.budget)
            row |= {"norm": float(cost @ np.abs(a)), "r_norm": float(np.abs(a).sum()), "dual": dual}
            x = fine_grid(49)
            free = np.column_stack([places, np.ones(len(places))])
            rest = target(self.target, places) - np.maximum(places @ v.T - b, 0) @ a
            # The affine part is the one of least absolute error, given the slopes.
            affine = _least_absolute(free, rest)
            value = np.maximum(x @ v.T - b, 0) @ a + np.column_stack([x, np.ones(len(x))]) @ affine
            error = np.abs(value - target(self.target, x))
        row |= {"l1": float(error.mean()), "sup": float(error.max())}
        # Theorem 1 turned round: no larger step size leaves this function stable, however it is written.
        row["step_size_bound"] = 2 / (row["least"] or 1 + 2 * row["norm"])
        return row, {}


def _least_absolute(A: np.ndarray, y: np.ndarray) -> np.ndarray:
    m, k = A.shape
    fit = np.hstack([A, np.eye(m), -np.eye(m)])
    price = np.concatenate([np.zeros(k), np.ones(2 * m)])
    bounds = [(None, None)] * k + [(0, None)] * (2 * m)
    return linprog(price, A_eq=fit, b_eq=y, bounds=bounds, method="highs").x[:k]


FITS = Sweep(
    "fits",
    (
        *(
            Fit(name, "descent", k, step_size=step_size, seed=seed)
            for name in TARGETS
            for k in (8, 32, 128)
            for step_size in (0.02, 0.1, 0.4)
            for seed in (0, 1)
        ),
        *(
            Fit(name, "convex", 36, budget=budget)
            for name in TARGETS
            for budget in (0.1, 0.2, 0.4, 0.7, 1.0, 1.5, 2.2, 3.2)
        ),
    ),
)
