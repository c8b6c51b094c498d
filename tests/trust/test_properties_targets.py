"""Smooth targets and networks drawn from them; rules of quadrature: derivatives, scales, masses."""

from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.spatial.transform import Rotation

from stablib import EmpiricalWeight, ShallowReLU, r_norm, sharpness_upper_bound
from stablib.radon import atoms, quadrature
from stablib.radon.sobolev import SHAPES, SmoothTarget
from tests.trust.problems import SEEDS
from tests.trust.stated import states

FEW = settings(max_examples=max(3, settings().max_examples // 50))  # integrals over space, fits
SOME = settings(max_examples=max(10, settings().max_examples // 5))


def target(shape, d, m, seed, size=1.0):
    rng = np.random.default_rng(seed)
    centres = rng.uniform(-1, 1, (m, d)) * size
    return SmoothTarget(shape, centres, rng.normal(size=m), size * rng.uniform(0.5, 2, m))


TARGETS = st.builds(
    target, st.sampled_from(SHAPES), st.sampled_from([1, 3]), st.integers(1, 3), SEEDS
)
ON_A_LINE = st.builds(target, st.sampled_from(SHAPES), st.just(1), st.integers(1, 3), SEEDS)


def places(f, seed, m=6):
    """Places about the hills, none within a hair of a bump's border."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, size=(m, f.d)) * f.widths.max()
    r = np.linalg.norm(x[:, None] - f.centres, axis=2) / f.widths
    return x[(np.abs(r - 1) > 0.1).all(axis=1)] if f.shape == "bump" else x


def changed(f, centres=None, heights=None, widths=None):
    parts = (centres, f.centres), (heights, f.heights), (widths, f.widths)
    return SmoothTarget(f.profile, *(old if new is None else new for new, old in parts))


# Targets


@states(SmoothTarget, SmoothTarget.__call__, SmoothTarget.derivative)
@given(TARGETS, SEEDS, st.integers(-3, 3))
def test_derivatives_are_limits_of_differences_and_follow_shifts_heights_and_widths(f, seed, power):
    x = places(f, seed)
    if not len(x):
        return
    rng, c = np.random.default_rng(seed), 10.0**power
    orders = [o for o in product(range(f.d + 1), repeat=f.d) if sum(o) <= f.d]
    order = orders[rng.integers(len(orders))]
    axis = rng.integers(f.d)
    step = 1e-4 * f.widths.min() * np.eye(f.d)[axis]
    more = np.array(order) + np.eye(f.d, dtype=int)[axis]
    slope = (f.derivative(order, x + step) - f.derivative(order, x - step)) / (2 * step[axis])
    found = f.derivative(more, x)
    size = np.abs(f.heights).sum() / f.widths.min() ** sum(more)
    assert_allclose(found, slope, rtol=1e-4, atol=2e-4 * size)
    shift = rng.normal(size=f.d)
    assert_allclose(
        changed(f, f.centres + shift).derivative(more, x + shift), found, atol=1e-9 * size
    )
    assert_allclose(changed(f, heights=-2 * f.heights)(x), -2 * f(x), rtol=1e-12, atol=1e-300)
    wide = changed(f, c * f.centres, widths=c * f.widths).derivative(more, c * x)
    assert_allclose(wide * c ** sum(more), found, rtol=1e-7, atol=1e-10 * size)


@states(SmoothTarget.density, SmoothTarget.masses, SmoothTarget.normals)
@given(TARGETS, SEEDS, st.integers(-3, 3))
def test_the_ridges_of_a_target_are_even_turn_with_it_and_scale(f, seed, power):
    rng, c = np.random.default_rng(seed), 10.0**power
    v = rng.normal(size=(4, f.d))
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    b = rng.uniform(-2, 2, 4)
    found = f.density(v, b)
    size = np.abs(f.heights).sum() / f.widths.min() ** 2 * 10
    assert_allclose(f.density(-v, -b), found, rtol=1e-9, atol=1e-12 * size)
    for one, other, offset in zip(v, found, b, strict=True):
        assert_allclose(f.density(one, offset), other, rtol=1e-9, atol=1e-12 * size)
    wide = changed(f, c * f.centres, widths=c * f.widths)
    assert_allclose(wide.density(v, c * b) * c**2, found, rtol=1e-7, atol=1e-10 * size)
    masses = f.masses(v)
    assert_allclose(wide.masses(v) * c, masses, rtol=1e-7)
    assert_allclose(f.masses(-v), masses, rtol=1e-9)
    if f.d == 3:
        turn = Rotation.random(rng=rng)
        other = changed(f, turn.apply(f.centres))
        assert_allclose(other.density(turn.apply(v), b), found, rtol=1e-6, atol=1e-9 * size)
    twice = f.masses(v, weight=lambda v, b: 2 + 0 * b, breaks=np.zeros((4, 1)))
    assert_allclose(twice, 2 * masses, rtol=1e-6)
    normals, areas = f.normals(3)
    assert_allclose(np.linalg.norm(normals, axis=1), 1)
    assert_allclose(areas.sum(), 2 if f.d == 1 else 4 * np.pi)


@states(SmoothTarget.density)
@SOME
@given(ON_A_LINE, SEEDS)
def test_on_a_line_the_ridges_add_up_to_the_target(f, seed):
    if f.shape == "rational":  # its ridges reach too far for a plain sum
        return
    x = places(f, seed)
    node = np.linspace(-30, 30, 12001)
    alpha = f.density([1.0], node) * (node[1] - node[0])
    back = f.density([-1.0], node) * (node[1] - node[0])
    total = np.maximum(x - node, 0) @ alpha + np.maximum(-x - node, 0) @ back
    assert_allclose(total, f(x), atol=1e-4 * np.abs(f.heights).sum())


@pytest.mark.statement("eq-17")
@pytest.mark.statement("eq-121")
@pytest.mark.statement("eq-122")
@states(
    SmoothTarget.r_norm,
    SmoothTarget.g_hat_norm,
    SmoothTarget.sobolev_norms,
    SmoothTarget.laplacian_norm,
)
@SOME
@given(ON_A_LINE, SEEDS, st.floats(0.2, 5))
def test_norms_on_a_line_are_integrals_and_bounded_by_the_sobolev_norm(f, seed, times):
    X = np.random.default_rng(seed).normal(size=(4, 1))
    x = np.linspace(-40, 40, 40001)[:, None]
    h, weight = x[1, 0] - x[0, 0], 2 + 2 * np.abs(x[:, 0])
    heavy = 1e-2 if f.shape == "rational" else 1e-4
    orders = f.sobolev_norms()
    for order in range(3):
        known = np.abs(f.derivative((order,), x)) @ weight * h
        assert_allclose(orders[order], known, rtol=heavy)
    r, priced = f.r_norm(), f.g_hat_norm(X)
    bend = np.abs(f.derivative((2,), x))
    assert_allclose(r, bend.sum() * h, rtol=heavy)
    g_hat = EmpiricalWeight(X).g_hat([1.0], x[:, 0]) + EmpiricalWeight(X).g_hat([-1.0], -x[:, 0])
    assert_allclose(priced, bend @ g_hat * h / 2, rtol=max(heavy, 2e-3))
    assert_allclose(f.laplacian_norm(), orders[2], rtol=1e-6)
    # (1 + g_hat) is at most a constant of the data times (1 + |b|).
    constant = 1 + np.sqrt((1 + X**2).mean()) * max(1.0, np.sqrt((X**2).mean()))
    assert r + priced <= constant * orders.sum() * (1 + 1e-9)
    tall = changed(f, heights=times * f.heights)
    found = np.array([tall.r_norm(), tall.g_hat_norm(X), *tall.sobolev_norms()])
    assert_allclose(found, times * np.array([r, priced, *orders]), rtol=1e-9)
    assert_allclose(f.g_hat_norm(np.vstack([X, X])), priced, rtol=1e-9)


@states(
    SmoothTarget.r_norm,
    SmoothTarget.g_hat_norm,
    SmoothTarget.sobolev_norms,
    SmoothTarget.laplacian_norm,
    SmoothTarget.radial,
)
@FEW
@example("bump", 640, 1.0)  # 16 directions are right to 1.6e-3 only
@given(st.sampled_from(SHAPES), SEEDS, st.floats(0.5, 2))
def test_norms_in_space_scale_with_the_width_of_a_hill_and_do_not_see_it_turned(shape, seed, c):
    rng = np.random.default_rng(seed)
    hill, wide = (SmoothTarget(shape, np.zeros((1, 3)), [2.0], [w]) for w in (1.0, c))
    assert hill.radial
    assert not SmoothTarget(shape, [[1.0, 0.0, 0.0]]).radial
    assert_allclose(wide.r_norm() * c, hill.r_norm(), rtol=1e-7)
    X = rng.normal(size=(3, 3))
    turn = Rotation.random(rng=rng)
    found, turned = (hill.g_hat_norm(Y, 16) for Y in (X, turn.apply(X)))
    # The mean over 16 directions has kinks, most of all for what ends at a border.
    assert_allclose(turned, found, rtol=2e-4 if shape == "gaussian" else 5e-3)
    assert_allclose(hill.g_hat_norm(X[::-1], 16), found, rtol=1e-9)
    orders, others = hill.sobolev_norms(6), wide.sobolev_norms(6)
    # In units of the width, c_d and zeta_d |x| scale by themselves: the norm lies between both.
    for order, (one, other) in enumerate(zip(orders, others, strict=True)):
        ends = sorted([one * c ** (3 - order), one * c ** (4 - order)])
        assert ends[0] * (1 - 1e-3) <= other <= ends[1] * (1 + 1e-3)
    assert hill.laplacian_norm(6) <= 2 * orders[4] * (
        1 + 1e-3
    )  # no derivative counts more than twice


# Networks drawn from a target


@pytest.mark.statement("prop-3")
@states(atoms.sampled_network)
@settings(max_examples=max(25, settings().max_examples // 2))
@given(TARGETS, st.integers(1, 64), st.sampled_from(["sobol", "random"]), st.integers(0, 2**31 - 1))
def test_drawn_networks_keep_the_mass_the_signs_and_the_seed(f, k, how, seed):
    if len(f.centres) > 1 and f.d == 3:
        f = changed(f, np.zeros_like(f.centres))  # then the norm needs no integral over the sphere
    net = atoms.sampled_network(f, k, how=how, seed=seed)
    a, v, b = net.ridges()
    assert net.k == k
    assert_allclose(np.abs(a).sum(), f.r_norm(), rtol=1e-6)
    alpha = f.density(v, b)
    clear = np.abs(alpha) > 1e-9 * np.abs(alpha).max()
    assert (np.sign(a) == np.sign(alpha))[clear].all()
    again = atoms.sampled_network(f, k, how=how, seed=seed)
    assert np.array_equal(again.parameters(), net.parameters())
    assert r_norm(net) <= f.r_norm() * (1 + 1e-6)


@pytest.mark.statement("thm-2")
@states(atoms.sampled_network)
@SOME
@given(ON_A_LINE, st.integers(1, 64), SEEDS)
def test_with_data_the_mass_with_its_price_is_kept(f, k, seed):
    X = np.random.default_rng(seed).normal(size=(4, 1))
    net = atoms.sampled_network(f, k, seed=seed % 2**31, X=X)
    a, v, b = net.ridges()
    mass = f.r_norm() + f.g_hat_norm(X)
    assert_allclose(np.abs(a) @ (1 + EmpiricalWeight(X).g_hat(v, b)), mass, rtol=1e-6)
    # So some rescaling is stable at a step size that does not depend on the width.
    assert sharpness_upper_bound(net, X, own_side=True) <= 1 + 2 * mass * (1 + 1e-6)


@states(atoms.fitted_networks)
@FEW
@given(st.sampled_from(SHAPES), st.integers(0, 2**31 - 1))
def test_fitted_networks_have_their_widths_keep_to_the_norm_and_come_nearer(shape, seed):
    f = target(shape, 1, 1, seed)
    nets = atoms.fitted_networks(f, [2, 8, 16], places=256, seed=seed)
    assert [net.k for net in nets] == [2, 8, 16]
    x = atoms.ball(256, 1, 2.0, seed)
    errors = [((net(x) - f(x)) ** 2).mean() for net in nets]
    for net, error in zip(nets, errors, strict=True):
        assert np.abs(net.ridges().a).sum() <= f.r_norm() * (1 + 1e-9)
        assert error <= (f(x) ** 2).mean() * (1 + 1e-9)  # no slope at all would be possible
    assert errors[2] <= errors[1] * (1 + 1e-3) <= errors[0] * (1 + 1e-2)


@states(atoms.ball, atoms.ball_errors)
@given(st.sampled_from([1, 3]), st.floats(0.1, 10), st.integers(0, 2**31 - 1))
def test_a_ball_scales_with_its_radius_and_errors_with_what_is_missed(d, radius, seed):
    x = atoms.ball(64, d, radius, seed)
    assert x.shape == (64, d)
    assert (np.linalg.norm(x, axis=1) <= radius).all()
    assert_allclose(atoms.ball(64, d, 2 * radius, seed), 2 * x, rtol=1e-12)
    hill = SmoothTarget("gaussian", np.zeros((1, d)), [3.0])
    zero = ShallowReLU(np.zeros((1, d)), [0.0], [0.0])
    whole, most = atoms.ball_errors(zero, hill, radius, 512)
    shifted, top = atoms.ball_errors(ShallowReLU(zero.W1, [0.0], [0.0], -1.0), hill, radius, 512)
    volume = 2 * radius if d == 1 else 4 / 3 * np.pi * radius**3
    assert_allclose([shifted - whole, top - most], [volume, 1.0], rtol=1e-6)
    area = (lambda r: 2.0) if d == 1 else (lambda r: 4 * np.pi * r**2)
    known = quad(lambda r: area(r) * 3 * np.exp(-(r**2) / 2), 0, radius)[0]
    assert_allclose(whole, known, rtol=0.05)
    assert 0 < most <= 3


# Rules


@states(quadrature.gauss)
@given(st.integers(1, 60), SEEDS)
def test_gauss_is_exact_for_polynomials_and_symmetric(nodes, seed):
    x, weight = quadrature.gauss(nodes)
    power = np.random.default_rng(seed).integers(0, 2 * nodes)
    known = 2 / (power + 1) if power % 2 == 0 else 0.0
    assert_allclose(weight @ x**power, known, atol=1e-13)
    assert_allclose(x, -x[::-1], atol=1e-15)
    assert (weight > 0).all()


@states(quadrature.sphere)
@given(st.integers(2, 12), SEEDS, st.booleans())
def test_areas_on_the_sphere_add_up_and_even_polynomials_have_their_means(m, seed, octant):
    v, area = quadrature.sphere(m, octant=octant)
    assert_allclose(np.linalg.norm(v, axis=1), 1)
    assert_allclose(area.sum(), 4 * np.pi, rtol=1e-9)
    assert (area > 0).all()
    if octant:
        assert (v >= 0).all()
        return
    u = np.random.default_rng(seed).normal(size=3)
    assert_allclose(area @ (v @ u) ** 2, 4 * np.pi / 3 * (u @ u), rtol=1e-9)
    assert_allclose(area @ (v @ u), 0, atol=1e-12 * np.abs(u).sum())


@states(quadrature.absolute_integrals)
@given(SEEDS, st.integers(-6, 6), st.floats(-3, 3))
def test_integrals_of_absolute_values_know_scales_signs_and_shifts(seed, power, slope):
    rng, c = np.random.default_rng(seed), 10.0**power
    roots = np.sort(rng.uniform(0.1, 2.9, 2))
    edges = np.array([[0.0, roots.mean(), 3.0]] * 2)

    def f(i, x):
        return (x - roots[0]) * (x - roots[1]) * np.where(i == 0, 1.0, slope)

    found = quadrature.absolute_integrals(f, edges)
    fine = np.linspace(0, 3, 20001)
    known = np.trapezoid(np.abs((fine - roots[0]) * (fine - roots[1])), fine)
    assert_allclose(found, [known, abs(slope) * known], rtol=1e-6, atol=1e-12)
    wide = quadrature.absolute_integrals(lambda i, x: f(i, x / c), c * edges)
    assert_allclose(wide, c * found, rtol=1e-9, atol=1e-12 * c)
    double = quadrature.absolute_integrals(f, edges, weight=lambda i, x: 2 + 0 * x)
    assert_allclose(double, 2 * found, rtol=1e-9, atol=1e-12)
