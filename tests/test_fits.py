"""The best fit at a given norm against exhaustive search, and fits as runs."""

import numpy as np
import pytest
from scipy.optimize import minimize

from stablib.book.fits import FITS, Fit, best_fit, dictionary, lattice, target
from stablib.radon.pyramid import pyramid


def problem(seed=0, r=3):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(12, 2)), rng.normal(size=12)
    v = rng.normal(size=(r, 2))
    v /= np.linalg.norm(v, axis=1)[:, None]
    return y, x, v, 0.3 * rng.normal(size=r), rng.uniform(0.5, 1.5, r)


@pytest.mark.parametrize("budget", [0.1, 1.0])
def test_no_other_slopes_do_better_at_the_same_cost(budget):
    y, x, v, b, cost = problem()
    a, error, dual = best_fit(y, x, v, b, cost, budget)
    assert cost @ np.abs(a) <= budget * (1 + 1e-9)
    assert dual == pytest.approx(error, rel=1e-9)
    ridge, free = np.maximum(x @ v.T - b, 0), np.column_stack([x, np.ones(12)])

    def loss(p):
        slopes = p[:3] * min(1.0, budget / max(cost @ np.abs(p[:3]), 1e-300))
        return np.abs(ridge @ slopes + free @ p[3:] - y).mean()

    found = min(
        minimize(
            loss,
            np.random.default_rng(seed).normal(size=6),
            method="Nelder-Mead",
            options={"maxiter": 20_000, "xatol": 1e-9, "fatol": 1e-10},
        ).fun
        for seed in range(6)
    )
    assert error <= found + 1e-9
    assert found < 1.1 * error


def test_a_larger_budget_is_never_worse():
    args = problem(1, r=6)
    errors = [best_fit(*args, budget)[1] for budget in (0.1, 0.5, 2.0, 10.0)]
    assert (np.diff(errors) <= 1e-12).all()


def test_targets_are_as_high_and_as_wide():
    x = np.array([[0.0, 0.0], [0.5, 0.0], [1.0, 0.0], [3.0, 0.0]])
    assert target("pyramid", x) == pytest.approx(pyramid(x))
    assert target("bump", x) == pytest.approx([1.0, np.exp(1 - 1 / 0.75), 0.0, 0.0])


def test_no_point_of_the_lattice_lies_on_a_crease_of_the_pyramid_but_the_middle_one():
    X = lattice()
    on = (np.abs(X) < 1e-9).any(axis=1) | (np.abs(np.abs(X).sum(axis=1) - 1) < 1e-9)
    assert X[on] == pytest.approx(np.zeros((1, 2)), abs=1e-12)


def test_a_small_fit_has_all_columns():
    for fit in (Fit("bump", "descent", 3, step_size=0.1, limit=200),):
        row, _ = fit.execute()
        assert row.keys() == fit.columns().keys()
        assert row["norm"] >= 0 and row["flattest"] <= row["sharpness"] * (1 + 1e-6)
    assert len({run.hash for run in FITS.runs}) == len(FITS.runs)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda y, x, v, b, c: best_fit(y, x, v[:0], b[:0], c[:0], 1.0), "at least one ridge"),
        (lambda y, x, v, b, c: best_fit(y, x, v, b, c, 0.0), "budget is 0"),
        (lambda y, x, v, b, c: best_fit(y, x, v, b, -c, 1.0), "non-negative cost"),
        (lambda y, x, v, b, c: best_fit(y[:3], x, v, b, c, 1.0), "y has shape"),
        (lambda y, x, v, b, c: best_fit(y, x, 2 * v, b, c, 1.0), "length 2"),
        (lambda *_: dictionary(0, 5), "directions is 0"),
        (lambda *_: target("cone", np.zeros((1, 2))), "'pyramid' or 'bump'"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(*problem())
