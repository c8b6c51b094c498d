"""Networks drawn from a density keep its mass and converge; fitted ones keep to the norm and do better."""

import numpy as np
import pytest
from scipy.optimize import minimize

from stablib import EmpiricalWeight, r_norm
from stablib.book.approximation import Approximation, hill, points
from stablib.radon.atoms import (
    _into_ball,
    _least_squares,
    ball,
    ball_errors,
    fitted_networks,
    sampled_network,
)
from stablib.radon.sobolev import SmoothTarget


@pytest.mark.parametrize("d", [1, 3])
@pytest.mark.parametrize("how", ["sobol", "random"])
@pytest.mark.parametrize("k", [1, 5, 64])
def test_k_neurons_keep_the_total_mass_and_the_signs_of_the_density(d, how, k):
    target = SmoothTarget("rational", np.full((1, d), 0.3), [-1.5])
    net = sampled_network(target, k, how=how, seed=3)
    assert net.k == k
    assert np.abs(net.ridges().a).sum() == pytest.approx(target.r_norm(), rel=1e-12)
    a, v, b = net.ridges()
    assert (np.sign(a) == np.sign(target.density(v, b))).all()


def test_with_data_the_mass_with_the_price_is_kept():
    target, X = hill(3), points(3)
    net = sampled_network(target, 32, X=X)
    a, v, b = net.ridges()
    total = np.abs(a) @ (1 + EmpiricalWeight(X).g_hat(v, b))
    assert total == pytest.approx(target.r_norm() + target.g_hat_norm(X), rel=1e-9)


@pytest.mark.parametrize("d", [1, 3])
def test_ridges_are_distributed_as_the_density_asks(d):
    target = hill(d)
    net = sampled_network(target, 4096)
    b = np.sort(-net.b1)
    fine = np.linspace(-9, 9, 20_001)
    mass = np.abs(target.density(np.eye(1, d)[0], fine))
    known = np.interp(b, fine, np.cumsum(mass) / mass.sum())
    assert np.abs(known - (np.arange(4096) + 0.5) / 4096).max() < 0.01
    assert np.abs(net.W1.mean(axis=0)).max() < 0.01


def test_errors_fall_and_random_ridges_are_worse_than_nothing_for_long():
    target = hill(3)
    far, near = (ball_errors(sampled_network(target, k), target)[0] for k in (128, 2048))
    assert near < far / 4
    nothing = ball_errors(sampled_network(target, 2).rescale([1, 1]), target)
    assert nothing[0] > 1
    random = [
        ball_errors(sampled_network(target, 64, how="random", seed=s), target)[0] for s in range(4)
    ]
    assert np.mean(random) > 11.6


def test_the_error_is_an_integral():
    target = hill(1)
    net = sampled_network(target, 8)
    x = np.linspace(-2, 2, 40_001)[:, None]
    known = np.abs(net(x) - target(x)).mean() * 4
    assert ball_errors(net, target)[0] == pytest.approx(known, rel=1e-3)


def test_fitted_networks_have_the_width_keep_to_the_norm_and_are_nearer():
    target = hill(3)
    nets = fitted_networks(target, [16, 64])
    assert [net.k for net in nets] == [16, 64]
    for net in nets:
        assert r_norm(net) <= target.r_norm() * (1 + 1e-9)
    errors = [ball_errors(net, target)[0] for net in nets]
    assert errors[1] < errors[0] < ball_errors(sampled_network(target, 64), target)[0]


def test_slopes_of_least_squares_in_the_ball_against_a_general_solver():
    rng = np.random.default_rng(0)
    A, y = rng.normal(size=(30, 5)), rng.normal(size=30)
    for budget in (0.2, 100.0):
        a = _least_squares(A, y, budget, np.zeros(5), 2000)

        def loss(p, budget=budget):
            return 0.5 * ((A @ (p[:5] - p[5:]) - y) ** 2).sum()

        best = minimize(
            loss,
            np.full(10, budget / 20),
            bounds=[(0, None)] * 10,
            constraints={"type": "ineq", "fun": lambda p, budget=budget: budget - p.sum()},
            method="SLSQP",
            options={"ftol": 1e-12, "maxiter": 500},
        )
        assert 0.5 * ((A @ a - y) ** 2).sum() == pytest.approx(best.fun, rel=1e-6)
        assert np.abs(a).sum() <= budget * (1 + 1e-9)


def test_the_projection_is_the_nearest_point():
    rng = np.random.default_rng(1)
    for _ in range(20):
        a = rng.normal(size=6)
        p = _into_ball(a, 1.0)
        assert np.abs(p).sum() <= 1 + 1e-12
        for _ in range(50):
            q = rng.dirichlet(np.ones(6)) * rng.choice([-1, 1], 6)
            assert (a - p) @ (q - p) <= 1e-9


def test_the_points_of_the_ball_fill_it():
    x = ball(4096, 3, 2.0)
    r = np.linalg.norm(x, axis=1)
    assert r.max() <= 2
    assert (r**3 / 8).mean() == pytest.approx(0.5, abs=1e-3)


def test_a_network_of_the_table_measures_what_it_says():
    row, _ = Approximation(1, "sobol", 16).execute()
    net = sampled_network(hill(1), 16)
    assert row["l1"] == pytest.approx(ball_errors(net, hill(1))[0])
    assert row["lower"] <= row["flattest"] * (1 + 1e-9)
    assert row["lower"] <= row["upper"] <= row["printed"]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: sampled_network(hill(1), 0), "k is 0"),
        (lambda: sampled_network(hill(1), 4, how="grid"), "how is 'grid'"),
        (lambda: sampled_network("hill", 4), "target is str"),
        (lambda: fitted_networks(hill(1), [8, 4]), "ascending"),
        (lambda: ball(8, 1, 0.0), "radius is 0"),
        (lambda: ball(8, 3, -1.0), "radius is -1"),
        (lambda: ball_errors(sampled_network(hill(1), 4), hill(3)), "columns"),
        (lambda: ball_errors(sampled_network(hill(1), 4), hill(1), 0.0), "radius is 0"),
        (lambda: ball_errors(sampled_network(hill(1), 4), hill(1), np.nan), "radius has NaN"),
        (lambda: fitted_networks(hill(1), [4], radius=-2.0), "radius is -2"),
        (lambda: sampled_network(np.exp, 4), "target is ufunc; a SmoothTarget is needed"),
        (lambda: sampled_network(hill(1), 2.5), "k is 2.5"),
        (lambda: fitted_networks(hill(1), [0]), "widths is 0"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
