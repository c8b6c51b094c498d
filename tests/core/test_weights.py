import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

from stablib import EmpiricalWeight, IsotropicWeight
from tests.core.oracles import weight_by_definition


def _directions(rng, m, d):
    v = rng.normal(size=(m, d))
    return v / np.linalg.norm(v, axis=1, keepdims=True)


@pytest.mark.statement("eq-12")
@pytest.mark.parametrize(("n", "d"), [(1, 1), (1, 3), (2, 1), (7, 2), (30, 5), (12, 40)])
def test_weights_are_those_of_the_printed_definition(n, d):
    rng = np.random.default_rng(n)
    X, v, b = rng.normal(size=(n, d)), _directions(rng, 50, d), rng.normal(size=50)
    weight = EmpiricalWeight(X)
    tilde, hat = np.transpose([weight_by_definition(X, *vb) for vb in zip(v, b, strict=True)])
    back = np.array([weight_by_definition(X, -v, -b)[0] for v, b in zip(v, b, strict=True)])
    assert_allclose(weight.g_tilde(v, b), tilde, rtol=1e-12)
    assert_allclose(weight.g_hat(v, b), hat, rtol=1e-12)
    assert_allclose(weight.g(v, b), np.minimum(tilde, back), rtol=1e-12)
    assert_array_equal(weight.g(-v, -b), weight.g(v, b))


@pytest.mark.statement("eq-12")
@pytest.mark.parametrize(("n", "d"), [(1, 1), (2, 3), (40, 2), (300, 25)])
def test_many_offsets_of_one_direction_agree_with_the_definition_ties_included(n, d):
    rng = np.random.default_rng(n)
    X = np.round(rng.normal(size=(n, d)), 1)  # with ties
    v = np.eye(d)[0]
    b = np.concatenate([rng.normal(size=30), X[:, 0], [-100.0, 100.0]])  # on data points, too
    weight = EmpiricalWeight(X)
    tilde, hat = np.transpose([weight_by_definition(X, v, offset) for offset in b])
    back = np.array([weight_by_definition(X, -v, -offset)[0] for offset in b])
    assert_allclose(weight.g_tilde(v, b), tilde, rtol=1e-11)
    assert_allclose(weight.g_hat(v, b), hat, rtol=1e-11)
    assert_allclose(weight.g(v, b), np.minimum(tilde, back), rtol=1e-11)


def test_one_direction_stays_accurate_where_heights_cancel():
    # The foremost points sit within 1e-6 of each other at 1e6: sums minus counts would lose everything.
    X = 1e6 + 1e-6 * np.arange(5.0)[:, None]
    b = X[2, 0] - 3e-7
    exact = weight_by_definition(X, np.array([1.0]), b)[0]
    assert_allclose(EmpiricalWeight(X).g_tilde([1.0], [b]), exact, rtol=1e-9)


def test_g_of_two_points_is_the_closed_form_of_eq_70():
    rng = np.random.default_rng(0)
    v, b = _directions(rng, 2000, 2), rng.uniform(-1.2, 1.2, 2000)
    g = EmpiricalWeight([[1.0, 0.0], [-1.0, 0.0]]).g(v, b)
    assert_allclose(g, np.sqrt(2) / 4 * np.maximum(np.abs(v[:, 0]) - np.abs(b), 0), atol=1e-15)


def test_g_lives_strictly_between_the_extreme_projections():
    X = np.random.default_rng(0).normal(size=(20, 3))
    v = np.array([0.6, 0.0, 0.8])
    low, high = (X @ v).min(), (X @ v).max()
    g = EmpiricalWeight(X).g(v, [low, high, low - 1, high + 1])
    assert_array_equal(g, 0)
    assert (EmpiricalWeight(X).g(v, np.linspace(low, high, 50)[1:-1]) > 0).all()


def test_g_hat_dominates_g_tilde():
    rng = np.random.default_rng(1)
    weight = EmpiricalWeight(rng.normal(size=(30, 4)))
    v, b = _directions(rng, 500, 4), rng.normal(size=500)
    assert (weight.g_hat(v, b) >= weight.g_tilde(v, b) * (1 - 1e-12)).all()


def test_probabilities_act_like_repeated_points():
    rng = np.random.default_rng(2)
    X, counts = rng.normal(size=(5, 3)), np.array([3, 1, 0, 2, 4])
    v, b = _directions(rng, 40, 3), rng.normal(size=40)
    repeated = EmpiricalWeight(np.repeat(X, counts, axis=0))
    for name in ("g_tilde", "g", "g_hat"):
        value = getattr(EmpiricalWeight(X, counts / counts.sum()), name)
        assert_allclose(value(v, b), getattr(repeated, name)(v, b), rtol=1e-12)
        assert_allclose(value(v[0], b), getattr(repeated, name)(v[0], b), rtol=1e-12)


def test_normal_weight_agrees_with_thirty_digit_quadrature():
    def tilde(b):
        mass = mpmath.quad(mpmath.npdf, [b, mpmath.inf])
        reach = mpmath.quad(lambda x: x * mpmath.npdf(x), [b, mpmath.inf])
        return (reach - b * mass) * mpmath.sqrt(reach**2 + mass**2)

    with mpmath.workdps(30):
        b = [-2.0, -0.5, 0.0, 0.3, 1.0, 3.0]
        exact = np.array([float(tilde(mpmath.mpf(value))) for value in b])
    v = np.array([0.0, 1.0])
    assert_allclose(IsotropicWeight().g_tilde(v, b), exact, rtol=1e-11)
    assert_allclose(IsotropicWeight().g(v, 0.0), 0.255184309242, rtol=1e-11)
    assert IsotropicWeight().g(v, -3.0) == IsotropicWeight().g(v, 3.0)


def test_isotropic_weight_of_another_law_is_the_limit_of_its_samples():
    rng = np.random.default_rng(0)  # uniform on the unit circle: the arcsine law on (-1, 1)
    angle = rng.uniform(0, 2 * np.pi, 400_000)
    sample = EmpiricalWeight(np.column_stack([np.cos(angle), np.sin(angle)]))
    law = IsotropicWeight(stats.arcsine(loc=-1, scale=2))
    v, b = np.array([0.6, 0.8]), np.array([-0.7, -0.2, 0.0, 0.4, 0.9])
    assert_allclose(law.g_tilde(v, b), sample.g_tilde(v, b), rtol=2e-2)
    assert_allclose(law.g(v, b), sample.g(v, b), rtol=2e-2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: EmpiricalWeight([1.0, 2.0]), r"X has shape \(2,\)"),
        (lambda: EmpiricalWeight([[np.nan]]), "X has NaN"),
        (lambda: EmpiricalWeight([[1.0]], [0.5]), r"probabilities have shape \(1,\) and sum 0.5"),
        (
            lambda: EmpiricalWeight([[1.0], [2.0]], [-0.5, 1.5]),
            "non-negative numbers that sum to 1",
        ),
        (
            lambda: EmpiricalWeight([[1.0]]).g([[1.0 + 1e-7]], [0.0]),
            "v has a row of length 1; unit",
        ),
        (lambda: EmpiricalWeight([[1.0]]).g([[1.0, 0.0]], [0.0]), r"v has shape \(1, 2\)"),
        (
            lambda: EmpiricalWeight([[1.0]]).g([[1.0]], [0.0, 1.0]),
            r"b has shape \(2,\), but v has 1 rows",
        ),
        (
            lambda: EmpiricalWeight([[1.0]]).g([1.0], [[0.0]]),
            r"b has shape \(1, 1\); with one direction",
        ),
        (lambda: IsotropicWeight("normal"), "marginal is str"),
        (lambda: IsotropicWeight(stats.expon()), "not symmetric"),
        (lambda: IsotropicWeight().g([2.0], [0.0]), "v has a row of length 2"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_planes_too_far_away_for_squares_have_their_weights():
    X = np.random.default_rng(0).normal(size=(6, 2))
    v, size2 = np.array([0.6, 0.8]), 1 + (X**2).sum() / 6
    weight = EmpiricalWeight(X)
    for far in (1e160, 1e300):
        many, one = weight.g_hat([v, v], [-far, far]), weight.g_hat(v, [-far, far, 0.1])
        assert_allclose(many, [far * np.sqrt(size2), 0], rtol=1e-12)
        assert_allclose(one, [*many, weight.g_hat([v], [0.1])[0]], rtol=1e-12)
        assert_array_equal(weight.g([v, v], [-far, far]), 0)
        assert_allclose(IsotropicWeight().g_tilde(v, [far, -far]), [0, far])
