"""The density rho, networks as measures on hyperplanes, and the norm read in the plane: random lines."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from stablib import EmpiricalWeight, IsotropicWeight, ShallowReLU, r_norm, stability_norm
from stablib.radon import density, harmonic, primal
from stablib.radon.measures import HyperplaneMeasure, laplacian
from tests.trust.problems import SEEDS, problems
from tests.trust.stated import states

FEW = settings(
    max_examples=max(5, settings().max_examples // 20)
)  # an integral over the plane each
SOME = settings(max_examples=max(10, settings().max_examples // 5))


def planar(seed, n=5, power=0):
    """Data of the plane, lines, places: X (n, 2), v (4, 2), b (4,), x (6, 2)."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(1 + seed % n, 2)) * 10.0**power
    turn = rng.uniform(0, 2 * np.pi, 4)
    v = np.column_stack([np.cos(turn), np.sin(turn)])
    x, b = rng.normal(size=(6, 2)), rng.normal(size=4)
    return X, v, b * 10.0**power, x * 10.0**power


def turn_of(seed):
    t = np.random.default_rng([seed, 2]).uniform(0, 7)
    return np.array([[np.cos(t), -np.sin(t)], [np.sin(t), np.cos(t)]])


# The density


@states(density.gaussian, density.isotropic)
@given(st.floats(1e-6, 12), st.floats(1e-6, 12), st.floats(0.1, 10))
def test_the_density_of_normal_data_is_positive_and_falls(one, two, width):
    near, far = sorted((one, two))
    rho = density.gaussian([near, far])
    assert (rho > 0).all()
    assert rho[1] <= rho[0] * (1 + 1e-9)
    assert density.gaussian(0.0) == np.inf
    assert_allclose(density.isotropic([near, far], stats.norm()), rho, rtol=1e-12)
    law = stats.norm(scale=width)
    for d in (2, 3):
        assert (density.isotropic([near, far], law, d) >= 0).all()


@pytest.mark.statement("eq-81")
@pytest.mark.statement("text-H-rho")
@states(density.isotropic, density.uniform_disc)
@SOME
@given(st.floats(0.02, 2.5), st.floats(0.5, 2), st.booleans())
def test_integrals_of_an_isotropic_density_over_planes_are_the_price(b, width, bounded):
    law = stats.norm(scale=width)
    if bounded:
        law, b = density.uniform_disc(), b / 2.6
    g = IsotropicWeight(law).g([1.0, 0.0], b)
    end = 1.0 if bounded else 12 * width
    node, share = np.polynomial.legendre.leggauss(400)
    # Along the line t = b sinh(u), over the plane of space by its radius b cosh(u).
    half = np.arccosh(max(end / b, 1)) / 2
    u = half * (1 + node)
    line = 2 * half * share @ (density.isotropic(b * np.cosh(u), law) * b * np.cosh(u))
    assert_allclose(line, g, rtol=1e-4)
    space = density.isotropic(b * np.cosh(u), law, 3) * b**2 * np.cosh(u) * np.sinh(u)
    assert_allclose(2 * np.pi * half * share @ space, g, rtol=1e-4)


@pytest.mark.statement("eq-76")
@pytest.mark.statement("eq-77")
@states(density.two_points)
@given(st.floats(-4, 4), st.floats(-4, 4))
def test_the_density_of_two_points_has_their_symmetries_and_three_poles(x, y):
    near = [abs(x), abs(x - 1), abs(x + 1)]
    if min(np.hypot(near, y)) < 0.05:
        return
    values = density.two_points([[x, y], [-x, y], [x, -y], [-x, -y]])
    assert_allclose(values, values[0], rtol=1e-10, atol=1e-14)
    h = 1e-3
    cross = density.two_points([[x + h, y], [x - h, y], [x, y + h], [x, y - h]])
    assert abs(cross.sum() - 4 * values[0]) / h**2 < 10 * h**2 / min(np.hypot(near, y)) ** 4 + 1e-7
    far = density.two_points([[1e3 * (x + 5), 1e3 * y]])[0]
    assert abs(far) <= 1 / ((1e3 * (x + 5)) ** 2 + (1e3 * y) ** 2)


@pytest.mark.statement("eq-70")
@states(EmpiricalWeight.g)
@given(st.floats(-7, 7), st.floats(-1.5, 1.5), st.integers(-3, 3))
def test_two_points_cost_what_the_closed_form_says(turn, b, power):
    v = np.array([np.cos(turn), np.sin(turn)])
    found = EmpiricalWeight([[1.0, 0.0], [-1.0, 0.0]]).g(v, b)
    known = np.sqrt(2) / 4 * max(abs(v[0]) - abs(b), 0)
    assert_allclose(found, known, rtol=1e-9, atol=1e-15)
    # Of another size: the height grows with it, and so does one part of the pull.
    c = 10.0**power
    found = EmpiricalWeight([[c, 0.0], [-c, 0.0]]).g(v, c * b)
    assert_allclose(found, known * np.sqrt((c**4 + c**2) / 2), rtol=1e-9, atol=1e-15 * c)


@states(density.smoothed_weight)
@given(SEEDS, st.floats(0.05, 2), st.integers(-3, 3))
def test_the_smoothed_price_is_even_between_its_extremes_and_a_mean_of_prices(seed, eps, power):
    X, v, b, _ = planar(seed, power=power)
    eps *= 10.0**power
    found = density.smoothed_weight(X, v, b, eps)
    size = np.abs(X).max() * (1 + np.abs(X).max())
    assert_allclose(density.smoothed_weight(X, -v, -b, eps), found, rtol=1e-8, atol=1e-12 * size)
    assert (found >= -1e-12 * size).all()
    Q, order = turn_of(seed), np.random.default_rng(seed).permutation(len(X))
    turned = density.smoothed_weight(X[order] @ Q.T, v @ Q.T, b, eps)
    assert_allclose(turned, found, rtol=1e-8, atol=1e-10 * size)
    # A mean over the normal law, by the midpoint rule between quantiles.
    shift = eps * stats.norm.isf((np.arange(2000) + 0.5) / 2000)
    for k in range(2):
        mean = EmpiricalWeight(X).g(v[k], b[k] + shift).mean()
        assert_allclose(found[k], mean, rtol=2e-2, atol=2e-3 * size)
    many = density.smoothed_weight(np.vstack([X, X]), v, b, eps)
    assert_allclose(many, found, rtol=1e-8, atol=1e-12 * size)


@states(density.empirical)
@SOME
@given(SEEDS, st.floats(0.2, 1.5))
def test_the_density_of_data_turns_with_them_whatever_their_order_and_number(seed, eps):
    X, _, _, x = planar(seed)
    rho = density.empirical(X, x, eps, angles=400)
    size = np.abs(rho).max() + 1e-12
    Q, order = turn_of(seed), np.random.default_rng(seed).permutation(len(X))
    turned = density.empirical(X[order] @ Q.T, x @ Q.T, eps, angles=400)
    assert_allclose(turned, rho, atol=1e-4 * size)
    assert_allclose(density.empirical(np.vstack([X, X]), x, eps, angles=400), rho, atol=1e-9 * size)


@pytest.mark.statement("prop-5")
@states(density.empirical, primal.line_integrals, density.smoothed_weight)
@FEW
@given(SEEDS, st.floats(0.3, 1.0))
def test_line_integrals_of_the_density_are_smoothed_prices_and_not_negative(seed, eps):
    X, v, b, _ = planar(seed)
    X = X - X.mean(axis=0) if len(X) > 1 else np.vstack([X, -X])

    def rho(x):
        return density.empirical(X, x, eps, angles=800)

    found = primal.line_integrals(rho, v, b, reach=40.0, nodes=300)
    known = density.smoothed_weight(X, v, b, eps)
    assert_allclose(found, known, rtol=0, atol=2e-3 * known.max() + 1e-6)
    assert (found > -1e-3 * known.max() - 1e-6).all()


@states(primal.line_integrals)
@given(SEEDS, st.floats(0.3, 2), st.floats(-3, 3))
def test_line_integrals_are_linear_and_even(seed, width, times):
    _, v, b, _ = planar(seed)

    def one(x):
        return np.exp(-(x**2).sum(axis=1) / (2 * width**2))

    def two(x):
        return x[:, 0] * one(x)

    def both(x):
        return one(x) + times * two(x)

    found = [primal.line_integrals(f, v, b) for f in (one, two, both)]
    bell = np.sqrt(2 * np.pi) * width * np.exp(-(b**2) / (2 * width**2))
    assert_allclose(found[0], bell, atol=1e-6)
    assert_allclose(found[1], v[:, 0] * b * bell, atol=1e-5)
    assert_allclose(found[2], found[0] + times * found[1], atol=1e-10)
    assert_allclose(primal.line_integrals(both, -v, -b), found[2], atol=1e-9)


# Networks as measures


@pytest.mark.statement("eq-32")
@pytest.mark.statement("prop-4")
@states(
    laplacian,
    HyperplaneMeasure.total,
    HyperplaneMeasure.atoms,
    HyperplaneMeasure.absolute,
    HyperplaneMeasure.pair,
)
@given(problems(), SEEDS)
def test_the_measure_of_a_network_has_its_slopes_as_masses_and_is_even(given_problem, seed):
    net, X, _ = given_problem
    measure = laplacian(net)
    assert_allclose(measure.total, r_norm(net), rtol=1e-12)
    assert_allclose(measure.absolute().total, measure.total, rtol=1e-15)
    assert (measure.absolute().a >= 0).all()
    a, v, b = measure.atoms()
    m = len(measure.a)
    assert_allclose([*a[:m], *-v[:m].ravel(), *-b[:m]], [*a[m:], *v[m:].ravel(), *b[m:]])
    assert_allclose(np.abs(a).sum(), measure.total, rtol=1e-12)
    # Against the price the absolute measure is the stability norm; odd functions pair to nothing.
    g = EmpiricalWeight(X).g
    assert_allclose(measure.absolute().pair(g), stability_norm(net, X), rtol=1e-9)
    odd = measure.pair(lambda v, b: v.sum(axis=1) + b)
    assert abs(odd) <= 1e-12 * (np.abs(a) @ (1 + np.abs(b))) * 3
    # What is rescaled, turned round or shuffled is the same function and measure.
    rng = np.random.default_rng(seed)
    order = rng.permutation(net.k)
    other = ShallowReLU(net.W1[order], net.b1[order], net.w2[order], net.b2)
    again = laplacian(other.rescale(10 ** rng.uniform(-3, 3, net.k)))
    assert_allclose(again.total, measure.total, rtol=1e-9)


@pytest.mark.statement("eq-29")
@states(HyperplaneMeasure.mollified, laplacian)
@given(problems(scale=1, reach=1, d=4), SEEDS, st.floats(-1, 1))
def test_a_mollified_measure_is_a_sum_of_bells_that_moves_with_the_network(
    given_problem, seed, power
):
    net, X, _ = given_problem
    rng, eps = np.random.default_rng(seed), 10.0**power * np.abs(X).max()
    measure = laplacian(net)
    found = measure.mollified(X, eps)
    known = np.zeros(len(X))
    for a, v, b in zip(measure.a, measure.v, measure.b, strict=True):
        known += a * stats.norm.pdf(X @ v - b, scale=eps)
    size = measure.total / eps + 1e-300
    assert_allclose(found, known, rtol=1e-8, atol=1e-12 * size)
    shift = rng.normal(size=net.d) * np.abs(X).max()
    Q = np.linalg.qr(rng.normal(size=(net.d, net.d)))[0]
    moved = ShallowReLU(net.W1 @ Q, net.b1 - net.W1 @ shift, net.w2)
    found_there = laplacian(moved).mollified((X + shift) @ Q, eps)
    assert_allclose(found_there, found, rtol=1e-6, atol=1e-8 * size)
    assert_allclose(laplacian(ShallowReLU(net.W1, net.b1, 2 * net.w2)).mollified(X, eps), 2 * found)


# The norm in the plane


@pytest.mark.statement("eq-13")
@states(primal.primal_norm)
@FEW
@given(SEEDS, st.floats(0.02, 0.1))
def test_the_norm_in_the_plane_is_a_sum_of_smoothed_prices(seed, eps):
    rng = np.random.default_rng(seed)
    net = ShallowReLU(rng.normal(size=(3, 2)), rng.normal(size=3), rng.normal(size=3))
    X = rng.normal(size=(4, 2))
    a, v, b = net.ridges()
    known = np.abs(a) @ density.smoothed_weight(X, v, b, eps)
    found = primal.primal_norm(net, X, eps)
    assert_allclose(found, known, rtol=1e-2, atol=2e-4 * np.abs(a).sum())
    affine = ShallowReLU(np.vstack([net.W1, -net.W1]), [*net.b1, *-net.b1], [*net.w2, *-net.w2])
    assert primal.primal_norm(affine, X, eps) == 0


@states(primal.norm_on_grid)
@FEW
@given(SEEDS)
def test_the_norm_on_a_grid_is_homogeneous_and_blind_to_what_is_affine(seed):
    rng = np.random.default_rng(seed)
    net = ShallowReLU(rng.normal(size=(2, 2)), rng.normal(size=2), rng.normal(size=2))
    X, slope = rng.normal(size=(4, 2)), rng.normal(size=2)
    small = {"nodes": 80, "levels": 3}
    one = primal.norm_on_grid(net, X, **small)
    other = primal.norm_on_grid(lambda x: -3 * net(x) + x @ slope + 1, X, **small)
    assert_allclose(other, 3 * one, rtol=1e-9, atol=1e-9)


# Cancellation


@pytest.mark.statement("new-harmonic")
@states(harmonic.saddle, harmonic.two_ridges)
@SOME
@given(st.integers(4, 24), st.integers(40, 120), SEEDS)
def test_both_saddles_are_the_saddle_on_the_disc_to_the_width_of_their_steps(m, offsets, seed):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(5, 2))
    x *= rng.uniform(0, 1, (5, 1)) / np.linalg.norm(x, axis=1, keepdims=True)
    known = np.pi / 4 * (x[:, 0] ** 2 - x[:, 1] ** 2)
    for net in (harmonic.saddle(4 * m, offsets), harmonic.two_ridges(offsets)):
        assert_allclose(net(x), known, atol=8 / offsets)
        # A quarter turn changes the sign, a mirror nothing.
        assert_allclose(net(x[:, ::-1]), -net(x), atol=16 / offsets)
        assert_allclose(net(-x), net(x), atol=16 / offsets)
    bends = r_norm(harmonic.saddle(4 * m, offsets))
    assert bends >= r_norm(harmonic.two_ridges(offsets)) * (1 - 1 / m)


@states(harmonic.saddle_norm)
@SOME
@given(st.floats(0.05, 1.0))
def test_the_norms_of_the_saddle_are_areas_under_the_price(width):
    law = stats.semicircular(scale=width)
    weight = IsotropicWeight(law)
    dense, least = harmonic.saddle_norm(weight)
    b = (np.arange(200) + 0.5) / 200 * width
    area = 2 * width * weight.g([1.0], b).mean()
    assert_allclose([dense, least], [4 * area, np.pi * area], rtol=1e-3)
