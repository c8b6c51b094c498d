"""The least norm of functions through labels on a line against a linear program and other functions."""

from itertools import pairwise

import numpy as np
import pytest
from scipy.optimize import linprog

from stablib import EmpiricalWeight, ShallowReLU, stability_norm
from stablib.univariate import least_interpolating_norm


def by_linear_program(x, y, per_cell=9):
    """The least norm over knots on a grid in every cell, nearly up to its ends."""
    share = np.concatenate([[1e-4], np.linspace(0, 1, per_cell)[1:-1], [1 - 1e-4]])
    b = np.concatenate([lo + share * (hi - lo) for lo, hi in pairwise(x)])
    price = EmpiricalWeight(x[:, None]).g([1.0], b)
    ridge = np.maximum(x[:, None] - b, 0)
    fit = np.hstack([ridge, -ridge, x[:, None], np.ones((len(x), 1))])
    answer = linprog(
        np.concatenate([price, price, [0, 0]]),
        A_eq=fit,
        b_eq=y,
        bounds=[(0, None)] * (2 * len(b)) + [(None, None)] * 2,
    )
    assert answer.status == 0
    return answer.fun


@pytest.mark.statement("new-shattering")
@pytest.mark.parametrize("n", [3, 4, 6, 9])
def test_it_is_what_a_linear_program_finds(n):
    for seed in range(5):
        rng = np.random.default_rng([n, seed])
        x, y = np.sort(rng.normal(size=n)), rng.normal(size=n)
        found = least_interpolating_norm(x[:, None], y)
        best = by_linear_program(x, y)
        assert found.norm <= best * (1 + 1e-9)
        assert best <= found.norm * (1 + 1e-2)


@pytest.mark.parametrize("n", [2, 3, 10, 60])
def test_the_network_meets_the_labels_and_comes_near_the_infimum(n):
    rng = np.random.default_rng(n)
    X, y = rng.normal(size=(n, 1)) + 5, rng.normal(size=n)
    norm, net = least_interpolating_norm(X, y)
    assert np.abs(net(X) - y).max() < 1e-8 * (1 + np.abs(net.w2).sum())
    assert norm <= stability_norm(net, X) * (1 + 1e-9)
    assert stability_norm(net, X) <= norm * (1 + 1e-4) + 1e-12
    assert net.knots_on_data(X) == 0


def test_no_other_network_through_the_labels_has_less():
    rng = np.random.default_rng(8)
    for _ in range(30):
        n, k = int(rng.integers(3, 12)), int(rng.integers(1, 15))
        X = rng.normal(size=(n, 1))
        net = ShallowReLU(rng.normal(size=(k, 1)), rng.normal(size=k), rng.normal(size=k))
        assert (
            stability_norm(net, X) >= least_interpolating_norm(X, net(X)).norm * (1 - 1e-9) - 1e-12
        )


def test_points_on_a_straight_line_cost_nothing_and_order_does_not_matter():
    X = np.array([[3.0], [-1.0], [0.5], [2.0]])
    assert least_interpolating_norm(X, 2 * X[:, 0] - 1).norm < 1e-12
    y = np.array([1.0, -1.0, 0.5, 2.0])
    turn = [2, 0, 3, 1]
    assert least_interpolating_norm(X[turn], y[turn]).norm == pytest.approx(
        least_interpolating_norm(X, y).norm, rel=1e-12
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: least_interpolating_norm([[0.0, 1.0]], [1.0]), "2 columns"),
        (lambda: least_interpolating_norm([[0.0]], [1.0]), "fewer than two"),
        (lambda: least_interpolating_norm([[0.0], [0.0]], [1.0, 2.0]), "equal ones"),
        (lambda: least_interpolating_norm([[0.0], [1.0]], [1.0]), "y has shape"),
        (lambda: least_interpolating_norm([[0.0], [1.0]], [1.0, 2.0], near=0.5), "near is 0.5"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
