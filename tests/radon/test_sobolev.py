"""Smooth targets: densities, norms and derivatives against closed forms, differences, and each other."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad

from stablib import EmpiricalWeight, r_norm
from stablib.book.claims.ch06_sobolev import gaussian_orders
from stablib.radon import radial
from stablib.radon.planes import priced_masses
from stablib.radon.profiles import PROFILES, Profile
from stablib.radon.quadrature import absolute_integrals, sphere
from stablib.radon.sobolev import SHAPES, SmoothTarget


def lone(shape, d):
    return SmoothTarget(shape, np.zeros((1, d)))


def several(shape, d):
    rng = np.random.default_rng(d)
    return SmoothTarget(shape, 0.4 * rng.normal(size=(3, d)), [1.0, -0.6, 0.8], [0.7, 1.0, 1.3])


def test_the_gaussian_density_is_the_fourth_hermite_polynomial():
    b = np.linspace(-4, 4, 33)
    found = lone("gaussian", 3).density([0.6, 0.0, 0.8], b)
    known = -(b**4 - 6 * b**2 + 3) * np.exp(-(b**2) / 2) / (4 * np.pi)
    assert_allclose(found, known, atol=1e-15)


@pytest.mark.parametrize("shape", SHAPES)
def test_in_space_the_density_is_the_inverse_dual_of_the_laplacian(shape):
    target = lone(shape, 3)

    def laplacian(r):
        x = np.outer(r, [1.0, 0.0, 0.0])
        return sum(target.derivative(order, x) for order in 2 * np.eye(3, dtype=int))

    b = np.array([0.1, 0.4, 0.7])
    known = radial.inverse_dual_radial(laplacian, b, step=1e-3)
    assert_allclose(target.density([0.0, 0.0, 1.0], b), known, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_on_the_line_the_density_is_half_the_second_derivative(shape):
    target, b, h = several(shape, 1), np.array([-0.5, 0.05, 0.6]), 1e-4
    second = sum(target((b + s)[:, None]) for s in (h, -h)) - 2 * target(b[:, None])
    assert_allclose(target.density([1.0], b), second / h**2 / 2, rtol=1e-5)
    assert_allclose(target.density([-1.0], -b), target.density([1.0], b), rtol=1e-12)


@pytest.mark.parametrize("shape", SHAPES)
def test_derivatives_of_profiles_are_limits_of_differences(shape):
    s, h = np.linspace(0.05, 0.9, 9), 1e-5
    for lower, higher in pairwise(PROFILES[shape].derivatives):
        assert_allclose(higher(s), (lower(s + h) - lower(s - h)) / (2 * h), rtol=2e-5, atol=1e-8)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("d", [1, 3])
def test_derivatives_are_limits_of_differences(shape, d):
    target, rng, h = several(shape, d), np.random.default_rng(4), 1e-4
    x = 0.3 * rng.normal(size=(5, d))
    for _ in range(8):
        order = np.zeros(d, dtype=int)
        for axis in rng.integers(0, d, int(rng.integers(0, d + 1))):
            order[axis] += 1
        axis = int(rng.integers(0, d))
        step = h * np.eye(d)[axis]
        difference = target.derivative(order, x + step) - target.derivative(order, x - step)
        higher = order + np.eye(d, dtype=int)[axis]
        found = target.derivative(higher, x)
        assert_allclose(found, difference / (2 * h), atol=2e-5 * np.abs(found).max())


@pytest.mark.parametrize("shape", SHAPES)
def test_on_the_line_the_ridges_add_up_to_the_target_and_nothing_affine_is_left(shape):
    target = several(shape, 1)
    edges = target._edges(-1.0)
    for x in (-0.7, 0.0, 0.4):
        total = 0.0
        for v in (1.0, -1.0):

            def integrand(b, v=v, x=x):
                return float(target.density([v], b)) * max(v * x - b, 0)

            pieces = np.linspace(max(edges[0], -60.0), v * x, 40)
            total += sum(quad(integrand, *pair)[0] for pair in zip(pieces[:-1], pieces[1:]))  # noqa: B905, RUF007
        assert total == pytest.approx(target([[x]])[0], abs=1e-4 if shape == "rational" else 1e-8)


def test_known_norms():
    assert lone("gaussian", 1).r_norm() == pytest.approx(4 * np.exp(-0.5), rel=1e-12)
    # int |He_4| exp(-b^2/2), from the antiderivative -He_3 exp(-b^2/2) between the roots.
    roots = np.sqrt([3 - np.sqrt(6), 3 + np.sqrt(6)])
    F = -(roots**3 - 3 * roots) * np.exp(-(roots**2) / 2)
    known = 2 * (abs(F[0]) + abs(F[1] - F[0]) + abs(F[1]))
    assert lone("gaussian", 3).r_norm() == pytest.approx(known, rel=1e-12)
    assert lone("bump", 1).r_norm() == pytest.approx(8.681428342841, rel=1e-10)


@pytest.mark.parametrize("d", [1, 3])
def test_norms_scale_with_heights_and_widths_and_do_not_move(d):
    target = lone("gaussian", d)
    other = SmoothTarget("gaussian", np.full((1, d), 0.7), [-2.0], [0.5])
    assert other.r_norm() == pytest.approx(4 * target.r_norm(), rel=1e-10)


ROOTS = np.sqrt([3 - np.sqrt(6), 3 + np.sqrt(6)])  # of He_4


def steep(b):
    """|alpha| of the Gaussian hill in space."""
    return abs(b**4 - 6 * b**2 + 3) * np.exp(-(b**2) / 2) / (4 * np.pi)


@pytest.mark.parametrize(("point", "digits"), [((0.0, 0.0, 0.0), 10), ((0.3, -0.5, 0.9), 8)])
def test_the_weighted_norm_of_one_data_point_is_one_integral(point, digits):
    # g_hat(v, b) = relu(v.x - b) R with R^2 = 1 + |x|^2; relu(u r - b) over u in [-1, 1] in closed form.
    r = np.linalg.norm(point)

    def mean(b):
        return max(-2 * b, 0.0) if abs(b) >= r else (r - b) ** 2 / (2 * r)

    places = sorted([*ROOTS, *-ROOTS, r, -r])
    known = quad(lambda b: steep(b) * mean(b), -12, 12, points=places, epsrel=1e-12, limit=400)[0]
    known *= 2 * np.pi * np.sqrt(1 + r**2)
    found = lone("gaussian", 3).g_hat_norm([point])
    assert found == pytest.approx(known, rel=10.0**-digits)


def test_the_weighted_norm_of_two_opposite_points_is_an_integral_in_two_variables():
    r = 1.1
    R = np.sqrt((1 + r**2) / 2)

    def price(b, t):  # the projections are t and -t, t >= 0; each point has probability 1/2
        if b >= -t:
            return R * max(t - b, 0.0) / np.sqrt(2)
        return R * np.sqrt(2) * np.sqrt(t**2 + b**2)

    def inner(u):
        t = u * r
        places = sorted([-t, t, *ROOTS, *-ROOTS])
        return quad(lambda b: steep(b) * price(b, t), -12, 12, points=places, epsrel=1e-11)[0]

    known = 4 * np.pi * quad(inner, 0, 1, points=[ROOTS[0] / r], epsrel=1e-10)[0]
    x = r * np.array([0.6, 0.0, 0.8])
    assert lone("gaussian", 3).g_hat_norm([x, -x]) == pytest.approx(known, rel=3e-7)


def test_the_weighted_norm_of_many_points_against_the_definition_and_other_rules():
    X = 0.8 * np.random.default_rng(0).normal(size=(12, 3))
    target, law = several("gaussian", 3), EmpiricalWeight(X)
    found = target.g_hat_norm(X, 12)
    v, area = sphere(6)
    assert area @ target.masses(v, law.g_hat, v @ X.T) == pytest.approx(found, rel=3e-3)
    turned = [target.g_hat_norm(X, 12, turn=seed) for seed in range(3)]
    assert turned == pytest.approx(3 * [found], rel=1e-4)
    assert len({*turned, found}) == 4


def test_planes_are_priced_from_both_sides_by_the_definition():
    rng = np.random.default_rng(3)
    X, p = rng.normal(size=(7, 2)), rng.dirichlet(np.ones(7))
    law, v = EmpiricalWeight(X, p), np.array([[0.6, 0.8], [0.0, -1.0]])
    found = priced_masses(lambda i, b: np.cos((1 + i) * b), v, np.linspace(-2, 2, 9), law)
    b = np.linspace(-2, 2, 400_001)
    for number, normal in enumerate(v):
        price = law.g_hat(normal, b) + law.g_hat(-normal, -b)
        known = np.trapezoid(np.abs(np.cos((1 + number) * b)) * price, b)
        assert found[number] == pytest.approx(known, rel=1e-5)


def polynomial(order):
    """(1 - s)^5 in the unit ball, with its first derivatives as far as told."""
    powers = (1.0, -5.0, 20.0, -60.0, 120.0)

    def term(n):
        return lambda s: powers[n] * np.maximum(1 - s, 0.0) ** (5 - n)

    return Profile("polynomial", tuple(term(n) for n in range(order + 1)), 1.0)


def test_a_profile_of_ones_own_has_its_derivatives_and_its_norm():
    target = SmoothTarget(polynomial(2), [[0.0]])
    assert target([[0.5]]) == pytest.approx(0.75**5)
    # R-norm on the line: int |f''| for f = (1 - x^2)^5, twice 2 f' between the zeros at 0, 1/3.
    slope = abs(-10 * (1 / 3) * (1 - 1 / 9) ** 4)
    assert target.r_norm() == pytest.approx(4 * slope, rel=1e-10)


def test_on_the_line_the_weighted_norm_is_an_integral_over_the_strip():
    X = np.array([[-1.3], [0.2], [0.9]])
    target, law = several("bump", 1), EmpiricalWeight(X)
    b = np.linspace(-4, 4, 400_001)
    known = sum(
        np.trapezoid(np.abs(target.density([v], b)) * law.g_hat([v], b), b) for v in (1.0, -1.0)
    )
    assert target.g_hat_norm(X) == pytest.approx(known, rel=1e-4)


def test_the_sobolev_norm_of_the_gaussian_against_integrals_on_the_line():
    exact = gaussian_orders()
    assert exact[0] == pytest.approx(
        (2 * np.pi) ** 1.5 * (4 * np.pi + 4 * np.sqrt(2 * np.pi)), rel=1e-9
    )
    errors = [
        np.abs(lone("gaussian", 3).sobolev_norms(directions) / exact - 1).max()
        for directions in (12, 20, 60)
    ]
    assert errors[1] < 2e-6 < errors[0]
    assert errors[2] < 1e-8


def test_the_power_of_the_laplacian_in_closed_form():
    known = quad(
        lambda r: (
            4
            * np.pi
            * r**2
            * abs(r**4 - 10 * r**2 + 15)
            * np.exp(-(r**2) / 2)
            * (4 * np.pi + 2 * np.pi * r)
        ),
        0,
        12,
        points=[np.sqrt(5 - np.sqrt(10)), np.sqrt(5 + np.sqrt(10))],
    )[0]
    assert lone("gaussian", 3).laplacian_norm() == pytest.approx(known, rel=1e-10)


def test_the_chain_of_norms_of_the_gaussian_in_space_in_known_numbers():
    target = lone("gaussian", 3)
    v, area = target.normals(1)
    reach = area @ target.masses(v, lambda v, b: 1 + np.abs(b), np.zeros((len(v), 1)))
    assert target.r_norm() == pytest.approx(7.0200639, abs=5e-8)
    assert reach == pytest.approx(15.1489336, abs=5e-8)
    assert target.laplacian_norm() / (8 * np.pi**2) == pytest.approx(33.4664, abs=5e-5)
    assert gaussian_orders()[:3] == pytest.approx([355.829, 919.051, 1897.156], abs=5e-4)


def test_hills_at_other_places_take_the_whole_sphere():
    near = SmoothTarget("gaussian", [[1e-9, 0.0, 0.0]])
    assert near.sobolev_norms(14) == pytest.approx(gaussian_orders(), rel=5e-3)


def test_integrals_of_absolute_values_cut_at_the_zeros():
    edges = np.tile(np.linspace(0, 7, 12), (3, 1))
    rate = np.array([1.0, 1.7, 2.9])
    found = absolute_integrals(lambda i, x: np.cos(rate[i] * x), edges)
    known = [
        quad(
            lambda x, r=r: abs(np.cos(r * x)),
            0,
            7,
            limit=200,
            points=(np.arange(6) + 0.5) * np.pi / r,
        )[0]
        if r < 2.5
        else None
        for r in rate
    ]
    for value, exact in zip(found, known, strict=True):
        if exact is not None:
            assert value == pytest.approx(exact, rel=1e-7)
    doubled = absolute_integrals(lambda i, x: np.cos(x), edges, weight=lambda i, x: 2.0 + 0 * x)
    assert doubled[0] == pytest.approx(2 * found[0], rel=1e-12)


@pytest.mark.parametrize("octant", [False, True])
def test_the_rule_on_the_sphere_is_exact_for_even_polynomials(octant):
    v, area = sphere(12, octant=octant)
    assert area.sum() == pytest.approx(4 * np.pi, rel=1e-9)
    assert area @ (v[:, 0] ** 2 * v[:, 2] ** 2) == pytest.approx(4 * np.pi / 15, rel=1e-6)


def test_the_networks_of_a_target_have_its_norm():
    from stablib.radon.atoms import sampled_network

    target = several("gaussian", 3)
    assert r_norm(sampled_network(target, 64)) == pytest.approx(target.r_norm(), rel=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: SmoothTarget("cone", [[0.0]]), "'gaussian' or"),
        (lambda: SmoothTarget("gaussian", [[0.0, 0.0]]), "must be odd"),
        (lambda: SmoothTarget("gaussian", np.zeros((1, 5))), "1 and 3 dimensions"),
        (lambda: SmoothTarget("tent", [[0.0]]), "shape is 'tent'"),
        (lambda: SmoothTarget(polynomial(1), [[0.0]]), "has 1 derivatives; 2 are needed"),
        (lambda: SmoothTarget(polynomial(3), [[0.0] * 3]), "has 3 derivatives; 4 are needed"),
        (lambda: SmoothTarget("gaussian", [[0.0]], [1.0, 2.0]), "heights has shape"),
        (lambda: SmoothTarget("gaussian", [[0.0]], widths=[0.0]), "widths has the entry 0"),
        (lambda: SmoothTarget("bump", [[0.0]])([[0.0, 1.0]]), "X has 2 columns"),
        (lambda: SmoothTarget("bump", [[0.0]]).density([2.0], 0.0), "length 2"),
        (lambda: SmoothTarget("bump", [[0.0]]).derivative([3], [[0.0]]), "at most 2"),
        (lambda: SmoothTarget("bump", [[0.0]]).derivative([1, 1], [[0.0]]), "1 numbers"),
        (lambda: SmoothTarget("bump", [[0.0]]).g_hat_norm([[0.0, 1.0]]), "X has 2 columns"),
        (lambda: SmoothTarget("bump", np.zeros((1, 3))).sobolev_norms(0), "directions is 0"),
        (lambda: absolute_integrals(lambda i, x: x, [[1.0, 0.0]]), "ascending rows"),
        (lambda: absolute_integrals(lambda i, x: x, [[0.0, 1.0]], nodes=0), "nodes is 0"),
        (lambda: sphere(0), "directions is 0"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
