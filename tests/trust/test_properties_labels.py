"""Functions through labels: extreme points, the memoriser, the least norm on a line."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.optimize import linprog

from stablib import (
    EmpiricalWeight,
    ShallowReLU,
    extreme_points,
    least_interpolating_norm,
    memoriser,
    sharpness,
    stability_norm,
)
from tests.trust.problems import SEEDS, problems
from tests.trust.stated import states


def clouds(n=7, d=3):
    """Points in general position about a place, with labels: scales and distances are powers of ten."""

    def cloud(n, d, power, shift, seed):
        rng = np.random.default_rng(seed)
        X = (rng.normal(size=(n, d)) + shift * rng.normal(size=d)) * 10.0**power
        return X, rng.normal(size=n)

    return st.builds(
        cloud,
        st.integers(2, n),
        st.integers(1, d),
        st.integers(-6, 6),
        st.sampled_from([0.0, 3.0]),
        SEEDS,
    )


def is_mixture(x, others):
    """Whether a point is a convex combination of others, by a linear program."""
    span = np.abs(others - x).max()
    A = np.vstack([((others - x) / span).T, np.ones(len(others))])
    b = np.append(np.zeros(len(x)), 1.0)
    return linprog(np.zeros(len(others)), A_eq=A, b_eq=b).status == 0


@states(extreme_points)
@given(clouds(), SEEDS)
def test_extreme_points_are_no_mixtures_and_stay_extreme_under_affine_maps(cloud, seed):
    X, rng = cloud[0], np.random.default_rng(seed)
    found = extreme_points(X)
    mixture = [is_mixture(x, np.delete(X, j, axis=0)) for j, x in enumerate(X)]
    assert list(~found) == mixture
    A = np.linalg.qr(rng.normal(size=(X.shape[1],) * 2))[0] * rng.uniform(0.5, 2, X.shape[1])
    moved = 10 ** rng.uniform(-3, 3) * X @ A + rng.normal(size=X.shape[1]) * np.abs(X).max()
    assert list(extreme_points(moved)) == list(found)
    order = rng.permutation(len(X))
    assert list(extreme_points(X[order])) == list(found[order])
    assert not extreme_points(np.vstack([X, X]))[: len(X)].any()
    assert not extreme_points(np.vstack([X, X.mean(axis=0)]))[-1]


@pytest.mark.statement("new-memoriser")
@states(memoriser)
@given(clouds(n=8, d=4), st.integers(-4, 4), SEEDS)
def test_the_memoriser_meets_labels_within_the_bounds_that_it_promises(cloud, power, seed):
    X, y = cloud[0], cloud[1] * 10.0**power
    rng = np.random.default_rng(seed)
    inner = ~extreme_points(X)
    b2 = float(rng.normal()) * 10.0**power if inner.any() or seed % 2 else None
    y[inner] = b2  # points that are not extreme have the label of the rest
    net = memoriser(X, y, b2)
    n = len(X)
    behind = [np.linalg.norm(w) for w in net.W1]
    size = np.abs(net.w2) * (np.array(behind) * np.abs(X).max() + np.abs(net.b1))
    assert_allclose(net(X), y, rtol=1e-9, atol=1e-12 * (size.max(initial=0) + abs(net.b2)))
    on = net.preactivations(X) > 0
    assert (on.sum(axis=0) == 1).all()
    assert net.k == (y != net.b2).sum()
    # With no b2 given it is the one of least sharpness, so below the bound with 0, too.
    for start in (net.b2,) if b2 is not None else (net.b2, 0.0):
        cost = np.abs(y - start) * np.sqrt(1 + (X**2).sum(axis=1))
        assert sharpness(net, X) <= 1 + 2 / n * cost.max() + 1e-9 * (1 + cost.max())
    cost = np.abs(y - net.b2) * np.sqrt(1 + (X**2).sum(axis=1))
    assert stability_norm(net, X) <= cost.sum() / n**2 * (1 + 1e-7)


def joined_dots(x, y):
    """The least norm of functions with knots beside the inner points, over all choices of sides."""
    weight = EmpiricalWeight(x[:, None])
    bend = np.diff(np.diff(y) / np.diff(x))
    near = 1e-7 * np.diff(x)
    least = 0.0
    for a, b, left, right in zip(np.abs(bend), x[1:-1], near[:-1], near[1:], strict=True):
        least += a * weight.g([1.0], [b - left, b + right]).min()
    return least


@states(least_interpolating_norm)
@given(clouds(n=9, d=1), SEEDS, st.integers(-4, 4))
def test_the_least_norm_through_labels_is_that_of_joining_the_dots(cloud, seed, power):
    X, y = cloud
    rng = np.random.default_rng(seed)
    x = X[:, 0]
    gap = np.diff(np.sort(x)).min()
    if gap < 1e-3 * np.abs(x).max():
        return
    found = least_interpolating_norm(X, y)
    order = np.argsort(x)
    size = np.abs(y).max() / gap * (1 + np.abs(x).max()) ** 2
    assert_allclose(found.norm, joined_dots(x[order], y[order]), rtol=1e-5, atol=1e-10 * size)
    assert_allclose(found.net(X), y, rtol=0, atol=1e-10 * np.abs(y).max() / gap * np.abs(x).max())
    assert stability_norm(found.net, X) >= found.norm * (1 - 1e-9) - 1e-12 * size
    # Labels of another scale; what is straight is free; mirrored and shuffled points.
    slope, c = rng.normal() / np.abs(x).max(), 10.0**power
    straight = least_interpolating_norm(X, c * (y + slope * x + rng.normal())).norm
    assert_allclose(straight, c * found.norm, rtol=1e-7, atol=1e-10 * c * size)
    mixed = rng.permutation(len(x))
    other = least_interpolating_norm(-X[mixed], y[mixed]).norm
    assert_allclose(other, found.norm, rtol=1e-8, atol=1e-12 * size)


@pytest.mark.statement("eq-1")
@states(least_interpolating_norm, stability_norm)
@given(problems(n=8, d=1, scale=2, reach=1))
def test_no_network_through_its_own_values_has_less_than_the_least_norm(given_problem):
    net, X, _ = given_problem
    X = np.unique(X, axis=0)
    if len(X) < 2 or np.diff(X[:, 0]).min() < 1e-6 * np.abs(X).max():
        return
    least = least_interpolating_norm(X, net(X)).norm
    size = (np.abs(net.w2) @ np.abs(net.W1) * np.abs(X).max() + abs(net.b2)).max(initial=0)
    size += np.abs(net(X)).max() + np.abs(net.w2) @ np.abs(net.b1)
    rounding = size / np.diff(X[:, 0]).min() * (1 + np.abs(X).max()) ** 2
    assert least <= stability_norm(net, X) * (1 + 1e-9) + 1e-13 * rounding


def test_the_dots_joined_by_hand_are_those_of_the_example():
    hat = ShallowReLU([[1.0], [1.0], [1.0]], [1.0, 0.0, -1.0], [1.0, -2.0, 1.0])
    x = np.array([-1.0, 0.0, 1.0])
    assert abs(joined_dots(x, hat(x[:, None])) - 0.31427) < 1e-5
