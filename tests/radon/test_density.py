"""rho against mpmath, quadrature, and its defining property: its line integrals are g."""

import itertools

import mpmath
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.integrate import quad

from stablib import EmpiricalWeight, IsotropicWeight, ShallowReLU, stability_norm
from stablib.radon import density
from stablib.radon.measures import laplacian
from stablib.radon.primal import line_integrals, norm_on_grid, primal_norm

RNG = np.random.default_rng(3)
SETS = {
    "random points": RNG.normal(size=(9, 2)),
    "two points": np.array([[1.0, 0.0], [-1.0, 0.0]]),
    "collinear points": np.outer([-2.0, 0.1, 0.5, 3.0], [0.6, 0.8]),
    "repeated points": np.repeat(RNG.normal(size=(3, 2)), [1, 3, 2], axis=0),
    "far from the origin": RNG.normal(size=(6, 2)) + [5.0, -3.0],
}


def directions(m, seed=0):
    turn = np.random.default_rng(seed).uniform(0, 2 * np.pi, m)
    return np.column_stack([np.cos(turn), np.sin(turn)])


@pytest.fixture(params=SETS, ids=lambda name: name.replace(" ", "-"))
def X(request):
    return SETS[request.param]


def test_without_smoothing_the_pieces_are_g(X):
    v = directions(200)
    b = np.random.default_rng(1).normal(size=200) + v @ X.mean(axis=0)
    exact = EmpiricalWeight(X).g(v, b)
    assert_allclose(density.smoothed_weight(X, v, b, 1e-12), exact, atol=1e-12)


def test_one_point_has_no_price_and_no_density():
    assert density.smoothed_weight([[1.0, 2.0]], [1.0, 0.0], 0.5, 0.1) == 0
    assert density.empirical([[1.0, 2.0]], [[0.3, 0.1]], 0.1) == 0


def test_the_smoothed_weight_is_a_convolution(X):
    weight, eps = EmpiricalWeight(X), 0.07
    for v in directions(3, seed=4):
        for b in X @ v + 0.02:
            breaks = sorted(p for p in X @ v if abs(p - b) < 9 * eps)
            ends = [b - 9 * eps, *breaks, b + 9 * eps]
            known = sum(
                quad(lambda t, v=v, b=b: float(weight.g(v, t)) * stats.norm.pdf(t, b, eps), *pair)[
                    0
                ]
                for pair in itertools.pairwise(ends)
            )
            assert density.smoothed_weight(X, v, b, eps) == pytest.approx(known, abs=1e-6)


def test_the_line_integrals_of_the_density_are_the_smoothed_weight(X):
    eps, centre = 0.05, X.mean(axis=0)
    v = directions(5, seed=2)
    spread = np.linalg.norm(X - centre, axis=1).max()
    b = np.random.default_rng(5).uniform(-1.2, 1.2, 5) * spread + v @ centre
    found = line_integrals(
        lambda x: density.empirical(X, x + centre, eps),
        v,
        b - v @ centre,
        reach=30 * spread,
        nodes=250,
    )
    known = density.smoothed_weight(X, v, b, eps)
    assert np.abs(found - known).mean() < 1e-3 * known.max()


def test_two_points_smoothed_are_two_points_away_from_the_three_poles():
    # rho is harmonic there, and a radial mean of a harmonic function is its value.
    x = RNG.uniform(-3, 3, size=(200, 2))
    poles = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])
    x = x[(np.linalg.norm(x[:, None] - poles, axis=2) > 0.3).all(axis=1)]
    assert_allclose(
        density.empirical(SETS["two points"], x, 0.03), density.two_points(x), atol=1e-12
    )


def test_near_a_pole_smoothing_is_a_convolution_in_the_plane():
    eps, x = 0.2, np.array([0.15, 0.1])
    axis, h = np.linspace(-1.6, 1.6, 801, retstep=True)
    shift = np.stack(np.meshgrid(axis + h / 2, axis + h / 2), axis=-1)
    kernel = np.exp(-(shift**2).sum(axis=-1) / (2 * eps**2)) / (2 * np.pi * eps**2)
    known = (kernel * density.two_points(x - shift)).sum() * h**2
    assert density.empirical(SETS["two points"], [x], eps)[0] == pytest.approx(known, abs=1e-4)


def test_many_places_give_what_few_do(X):
    axis = np.linspace(-2, 2, 101)
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    some = RNG.integers(0, len(x), 20)
    many = density.empirical(X, x, 0.2)[some]
    few = density.empirical(X, x[some], 0.2, angles=4000)
    assert_allclose(many, few, atol=2e-4 * np.abs(few).max())


def test_turning_the_data_turns_the_density():
    X, x = SETS["random points"], RNG.normal(size=(10, 2))
    c, s = np.cos(0.7), np.sin(0.7)
    turn = np.array([[c, s], [-s, c]])
    kept = density.empirical(X, x, 0.05, angles=3000)
    assert_allclose(density.empirical(X @ turn, x @ turn, 0.05, angles=3000), kept, atol=1e-5)


def gauss_g(b):
    tail, bell = mpmath.ncdf(-b), mpmath.npdf(b)
    return (bell - b * tail) * mpmath.sqrt(bell**2 + tail**2)


@pytest.mark.parametrize("r", [1e-6, 0.01, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0])
def test_the_gaussian_density_is_that_of_mpmath_to_ten_digits(r):
    with mpmath.workdps(40):
        known = (
            -mpmath.quad(
                lambda u: mpmath.diff(gauss_g, r * mpmath.cosh(u)),
                [0, 1, 2, 4, 8, mpmath.acosh(30 / mpmath.mpf(r))],
            )
            / mpmath.pi
        )
    assert density.gaussian(r) == pytest.approx(float(known), rel=1e-10)


@pytest.mark.parametrize("law", [stats.norm(), stats.norm(scale=3), stats.semicircular()])
@pytest.mark.parametrize("b", [0.0, 0.3, 0.8])
def test_in_the_plane_integrating_the_density_along_a_line_gives_g_back(law, b):
    end = min(law.support()[1], 12.0 * law.std())
    top = np.sqrt(end**2 - b**2)
    value = (
        2
        * quad(
            lambda t: float(density.isotropic(np.hypot(b, t), law)), 0, top, limit=200, epsabs=1e-9
        )[0]
    )
    assert value == pytest.approx(float(IsotropicWeight(law).g([1.0, 0.0], b)), abs=2e-7)


@pytest.mark.parametrize("b", [0.0, 0.5, 2.0])
def test_in_space_integrating_the_density_over_a_plane_gives_g_back(b):
    value = quad(lambda r: 2 * np.pi * r * float(density.isotropic(r, d=3)), b, 12, epsabs=1e-12)[0]
    assert value == pytest.approx(float(IsotropicWeight().g([1.0, 0, 0], b)), abs=1e-9)


def test_a_law_on_the_disc_has_its_density_on_the_disc():
    assert density.isotropic([1.0, 1.5], density.uniform_disc()).tolist() == [0.0, 0.0]
    assert density.isotropic(0.0) == np.inf


def test_closed_forms_of_the_disc_agree_with_general_quadrature():
    weight = IsotropicWeight(stats.semicircular())
    general = float(weight.marginal.expect(lambda x: x, lb=0.3))
    assert weight._reach(0.3) == pytest.approx(general, rel=1e-8)


def planar_net(seed, X, k=6):
    """A network none of whose lines passes near a data point, where smoothing would be felt."""
    rng = np.random.default_rng(seed)
    W1, b1 = rng.normal(size=(200, 2)), 0.5 * rng.normal(size=200)
    z = W1 @ X.T + b1[:, None]
    apart = np.abs(z).min(axis=1) / np.linalg.norm(W1, axis=1)
    splits = np.minimum((z > 0).sum(axis=1), (z < 0).sum(axis=1)) >= 2
    best = np.argsort(-apart * splits)[:k]
    return ShallowReLU(W1[best], b1[best], rng.normal(size=k))


def test_the_norm_in_three_ways():
    X = SETS["random points"]
    net = planar_net(1, X)
    norm = stability_norm(net, X)
    assert primal_norm(net, X, 0.01) == pytest.approx(norm, rel=1e-3)
    assert norm_on_grid(net, X, nodes=400) == pytest.approx(norm, rel=0.01)


def test_the_norm_on_a_grid_comes_nearer_as_the_squares_shrink():
    X = SETS["random points"]
    net = planar_net(2, X)
    norm = stability_norm(net, X)
    errors = [abs(norm_on_grid(net, X, nodes=nodes) - norm) for nodes in (48, 144, 400)]
    assert errors[2] < errors[0] / 3


def test_an_affine_function_has_no_norm_on_the_grid():
    X = SETS["random points"]
    assert norm_on_grid(lambda x: x @ [1.0, -2.0] + 3, X, nodes=40) == 0
    assert primal_norm(ShallowReLU([[1.0, 0], [-1, 0]], [0, 0], [1.0, -1]), X, 0.1) == 0


def test_the_primal_norm_is_the_sum_of_smoothed_prices():
    X = SETS["far from the origin"]
    net = planar_net(3, X - X.mean(axis=0))
    net = ShallowReLU(net.W1, net.b1 - net.W1 @ X.mean(axis=0), net.w2)
    lines = laplacian(net)
    for eps in (0.5, 0.1):
        known = np.abs(lines.a) @ density.smoothed_weight(X, lines.v, lines.b, eps)
        assert primal_norm(net, X, eps) == pytest.approx(known, rel=2e-3)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda X: density.empirical(X, X, 0.0), "eps is 0"),
        (lambda X: density.empirical(X, X, -1.0), "eps is -1"),
        (lambda X: density.empirical(np.ones((3, 3)), X, 0.1), "X has 3 columns"),
        (lambda X: density.empirical(X, np.ones((3, 1)), 0.1), "points has 1 columns"),
        (lambda X: density.smoothed_weight(X, [2.0, 0.0], 0.0, 0.1), "length 2"),
        (lambda X: density.smoothed_weight(X, [1.0, 0.0], 0.0, 0.0), "eps is 0"),
        (lambda X: density.two_points([1.0, 2.0, 3.0]), r"shape \(3,\)"),
        (lambda X: density.gaussian([-1.0]), "r has the entry -1"),
        (lambda X: density.isotropic(1.0, d=4), "d is 4"),
        (lambda X: density.isotropic(1.0, stats.norm(loc=1.0)), "not symmetric"),
        (lambda X: line_integrals(lambda x: x, [1.0, 0.0], 0.0), "rho returned shape"),
        (lambda X: norm_on_grid(lambda x: x, X), "f returned shape"),
        (lambda X: norm_on_grid(lambda x: x[:, 0], np.ones((3, 2))), "one point only"),
        (lambda X: norm_on_grid(lambda x: x[:, 0], X, nodes=30), "multiple of 8"),
        (
            lambda X: primal_norm(ShallowReLU([[1.0]], [0.0], [1.0]), [[1.0]], 0.1),
            "net has 1 inputs",
        ),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call(SETS["random points"])
