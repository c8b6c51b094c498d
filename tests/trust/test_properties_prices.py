"""What the data charge for a ridge: random data and planes against the printed definitions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from stablib import (
    EmpiricalWeight,
    IsotropicWeight,
)
from tests.core.oracles import weight_by_definition
from tests.trust.problems import SEEDS, problems
from tests.trust.stated import states

LAWS = st.sampled_from(
    [stats.norm(scale=0.3), stats.norm(), stats.uniform(-2, 4), stats.semicircular(scale=1.5)]
    + [stats.logistic(), stats.t(5)]
)


def planes(rng, X):
    """Normals and offsets: at random, along an axis through a point, beyond all points."""
    d, size = X.shape[1], np.abs(X).max()
    v = rng.normal(size=(4, d))
    v = np.vstack([v / np.linalg.norm(v, axis=1, keepdims=True), np.eye(d)[:1], -np.eye(d)[:1]])
    b = size * rng.normal(size=6)
    b[4], b[5] = X[0, 0], -X[-1, 0]  # exactly on a point, which is then not active
    b[3] = (X @ v[3]).max() + size
    return v, b


@pytest.mark.statement("eq-12")
@pytest.mark.statement("eq-18")
@pytest.mark.statement("eq-50")
@states(EmpiricalWeight, EmpiricalWeight.g_tilde, EmpiricalWeight.g, EmpiricalWeight.g_hat)
@given(problems(n=9, d=4), SEEDS, st.booleans())
def test_prices_are_those_of_the_printed_definition(given_problem, seed, weighted):
    X, rng = given_problem[1], np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(len(X))) if weighted else None
    weight = EmpiricalWeight(X, p)
    v, b = planes(rng, X)
    front = np.array([weight_by_definition(X, *plane, p) for plane in zip(v, b, strict=True)])
    back = np.array([weight_by_definition(X, *plane, p) for plane in zip(-v, -b, strict=True)])
    size = 1e-14 * (1 + np.abs(X).max()) ** 2 * (1 + np.abs(b).max())
    assert_allclose(weight.g_tilde(v, b), front[:, 0], rtol=1e-9, atol=size)
    assert_allclose(weight.g_hat(v, b), front[:, 1], rtol=1e-9, atol=size)
    found = weight.g(v, b)
    assert_allclose(found, np.minimum(front[:, 0], back[:, 0]), rtol=1e-9, atol=size)
    assert (found >= 0).all()
    assert_allclose(weight.g(-v, -b), found, rtol=1e-12)
    assert (weight.g_hat(v, b) >= weight.g_tilde(v, b) * (1 - 1e-12)).all()


@pytest.mark.statement("text-3.2-support")
@states(EmpiricalWeight.g_tilde, EmpiricalWeight.g, EmpiricalWeight.g_hat)
@given(problems(n=12, d=4), SEEDS)
def test_many_offsets_of_a_direction_cost_what_each_costs_and_nothing_outside(given_problem, seed):
    X, rng = given_problem[1], np.random.default_rng(seed)
    weight = EmpiricalWeight(X)
    v = rng.normal(size=X.shape[1])
    v /= np.linalg.norm(v)
    z = X @ v
    size = np.abs(X).max()
    b = np.concatenate([rng.normal(size=9) * size, [z.min() - size, z.max() + size]])
    b = b[np.abs(z[:, None] - b).min(axis=0) > 1e-9 * size]
    many = np.tile(v, (len(b), 1))
    near = 1e-13 * (1 + size) ** 2 * (1 + np.abs(b).max())
    for price in (weight.g_tilde, weight.g, weight.g_hat):
        assert_allclose(price(v, b), price(many, b), rtol=1e-9, atol=near)
    outside = (b < z.min()) | (b > z.max())
    assert not weight.g(v, b)[outside].any()
    assert (weight.g(v, b)[~outside] > 0).all()


@states(EmpiricalWeight.g, EmpiricalWeight.g_hat)
@given(problems(n=5, d=3), SEEDS, st.lists(st.integers(1, 4), min_size=5, max_size=5))
def test_a_point_many_times_over_has_that_share_of_the_law(given_problem, seed, times):
    X, rng = given_problem[1], np.random.default_rng(seed)
    times = np.array(times[: len(X)])
    v, b = planes(rng, X)
    shares, copies = (
        EmpiricalWeight(X, times / times.sum()),
        EmpiricalWeight(np.repeat(X, times, 0)),
    )
    for one, two in ((shares.g, copies.g), (shares.g_hat, copies.g_hat)):
        near = 1e-14 * (1 + np.abs(X).max()) ** 2 * (1 + np.abs(b).max())
        assert_allclose(one(v, b), two(v, b), rtol=1e-9, atol=near)


@pytest.mark.statement("eq-78")
@pytest.mark.statement("eq-79")
@states(IsotropicWeight, IsotropicWeight.g_tilde, IsotropicWeight.g)
@settings(max_examples=max(15, settings().max_examples // 10))  # SciPy's integrals are slow
@given(LAWS, st.floats(0, 3), st.floats(0, 3), SEEDS)
def test_an_isotropic_law_has_prices_from_its_tails_that_fall_with_the_distance(
    law, one, two, seed
):
    weight = IsotropicWeight(law)
    near, far = sorted((one, two))
    v = np.random.default_rng(seed).normal(size=3)
    v /= np.linalg.norm(v)
    assert weight.g(v, far) <= weight.g(v, near) * (1 + 1e-12) + 1e-300
    assert_allclose(weight.g(v, [-near, near]), weight.g_tilde(v, [near, near]), rtol=1e-12)
    assert weight.g_tilde(v, -near) >= weight.g_tilde(v, near)
    # Tail and partial mean by the midpoint rule between quantiles.
    mass = law.sf(near)
    if mass > 1e-6:
        x = law.isf(mass * (np.arange(4000) + 0.5) / 4000)
        by_sum = mass**2 * (x - near).mean() * np.hypot(x.mean(), 1)
        assert_allclose(weight.g_tilde(v, near), by_sum, rtol=2e-2)
