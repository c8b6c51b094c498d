"""Radon transforms, their duals and inverses: what linearity, shifts, turns and adjointness ask of them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import dawsn

from stablib.radon import images, radial
from stablib.radon.exact import ball_radon, gaussian_inverse_dual, gaussian_radon
from stablib.radon.transforms import (
    dual_radon,
    gamma,
    inverse_dual,
    inverse_radon,
    radon,
    ramp,
)
from tests.trust.problems import SEEDS
from tests.trust.stated import states

FEW = settings(max_examples=max(10, settings().max_examples // 5))  # two integrals in one


def bumps(seed, m=3):
    """A sum of Gaussian bumps of the plane: callable, with its parts."""
    rng = np.random.default_rng(seed)
    parts = [(rng.normal(), rng.uniform(-1, 1, 2), rng.uniform(0.5, 1.2)) for _ in range(m)]

    def f(x):
        return sum(
            a * np.exp(-((np.asarray(x) - c) ** 2).sum(axis=1) / (2 * s * s)) for a, c, s in parts
        )

    f.parts = parts
    return f


def lines(seed, m=5, reach=2.0):
    rng = np.random.default_rng([seed, 1])
    turn = rng.uniform(0, 2 * np.pi, m)
    return np.column_stack([np.cos(turn), np.sin(turn)]), rng.uniform(-reach, reach, m)


def turned(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


# Transforms


@pytest.mark.statement("eq-24")
@states(radon, gaussian_radon)
@given(SEEDS, st.floats(-2, 2))
def test_the_transform_is_linear_even_and_moves_with_the_function(seed, times):
    f, g, (v, b) = bumps(seed), bumps(seed + 1), lines(seed)
    rng = np.random.default_rng(seed)
    shift, Q = rng.uniform(-1, 1, 2), turned(rng.uniform(0, 7))
    found = radon(f, v, b)
    by_parts = sum(a * gaussian_radon(v, b, c, s) for a, c, s in f.parts)
    near = 1e-12 * sum(abs(a) for a, _, _ in f.parts + g.parts)
    assert_allclose(found, by_parts, rtol=1e-9, atol=near)
    assert_allclose(radon(f, -v, -b), found, rtol=1e-9, atol=near)
    both = radon(lambda x: f(x) + times * g(x), v, b)
    assert_allclose(both, found + times * radon(g, v, b), rtol=1e-9, atol=2 * near)
    moved = radon(lambda x: f(x - shift), v, b + v @ shift)
    assert_allclose(moved, found, rtol=1e-9, atol=near)
    assert_allclose(radon(lambda x: f(x @ Q), v @ Q.T, b), found, rtol=1e-9, atol=near)


@states(gaussian_radon, ball_radon)
@given(st.integers(1, 6), st.integers(-6, 6), st.floats(-2, 2), SEEDS)
def test_integrals_in_closed_form_scale_with_the_dimension_and_add_up_to_volumes(
    d, power, share, seed
):
    rng = np.random.default_rng(seed)
    v = rng.normal(size=d)
    v /= np.linalg.norm(v)
    c, mean = 10.0**power, rng.normal(size=d)
    one = gaussian_radon(v, [share], mean)
    assert_allclose(gaussian_radon(v, [c * share], c * mean, c), c ** (d - 1) * one, rtol=1e-9)
    assert_allclose(gaussian_radon(-v, [-share], mean), one, rtol=1e-12)
    assert_allclose(ball_radon(c * share, c, d), c ** (d - 1) * ball_radon(share, 1, d), rtol=1e-9)
    # All parallel hyperplanes together hold the whole mass.
    total = quad(lambda b: float(gaussian_radon(v, b, mean)), v @ mean - 12, v @ mean + 12)[0]
    assert_allclose(total, (2 * np.pi) ** (d / 2), rtol=1e-7)
    # A slice of a ball is a ball of one dimension less.
    if d > 1 and abs(share) < 1:
        low = quad(lambda b: float(ball_radon(b, 1, d - 1)), -1, 1)[0]
        assert_allclose(ball_radon(share, 1, d), (1 - share**2) ** ((d - 1) / 2) * low, rtol=1e-6)


@pytest.mark.statement("eq-25")
@states(radon, dual_radon)
@FEW
@given(SEEDS)
def test_the_dual_is_the_adjoint(seed):
    f, rng = bumps(seed), np.random.default_rng(seed)
    p, q, r = rng.normal(size=3)

    def phi(v, b):  # smooth, and not even: only its even part is seen
        return np.exp(-(b**2) / 4) * (p + q * v[:, 0] * b + r * v[:, 1] + v[:, 0] ** 2)

    grid, h = np.linspace(-8, 8, 90, retstep=True)
    x = np.stack(np.meshgrid(grid, grid), axis=-1).reshape(-1, 2)
    in_the_plane = f(x) @ dual_radon(phi, x, angles=90) * h * h
    turn = 2 * np.pi * np.arange(90) / 90
    v = np.repeat(np.column_stack([np.cos(turn), np.sin(turn)]), len(grid), axis=0)
    b = np.tile(grid, 90)
    among_lines = radon(f, v, b, nodes=120) @ phi(v, b) * h * 2 * np.pi / 90
    size = sum(abs(a) for a, _, _ in f.parts) * (abs(p) + abs(q) + abs(r) + 1)
    assert_allclose(among_lines, in_the_plane, rtol=0, atol=1e-8 * size)


@states(dual_radon)
@given(SEEDS)
def test_the_dual_is_linear_sees_even_parts_alone_and_turns_with_its_lines(seed):
    rng = np.random.default_rng(seed)
    p, q = rng.normal(size=2)
    x, Q = rng.normal(size=(4, 2)), turned(2 * np.pi * rng.integers(360) / 360)

    def phi(v, b):
        return np.cos(p * b) + v[:, 0] * b + (v[:, 1] * b) ** 2

    found = dual_radon(phi, x)
    assert_allclose(dual_radon(lambda v, b: phi(-v, -b), x), found, rtol=1e-10)
    odd = dual_radon(lambda v, b: np.sin(q * b) + v[:, 0], x)
    assert_allclose(odd, 0, atol=1e-11)
    both = dual_radon(lambda v, b: 2 * phi(v, b) - b**2, x)
    assert_allclose(both, 2 * found - np.pi * (x**2).sum(axis=1), rtol=1e-10, atol=1e-11)
    assert_allclose(dual_radon(lambda v, b: phi(v @ Q, b), x @ Q.T), found, rtol=1e-10, atol=1e-11)


@pytest.mark.statement("eq-26")
@states(inverse_radon)
@FEW
@given(SEEDS)
def test_what_has_the_line_integrals_of_a_function_is_that_function(seed):
    f = bumps(seed)
    x = np.random.default_rng(seed).uniform(-1.5, 1.5, size=(4, 2))
    found = inverse_radon(
        lambda v, b: sum(a * gaussian_radon(v, b, c, s) for a, c, s in f.parts), x, angles=90
    )
    assert_allclose(found, f(x), rtol=0, atol=2e-4 * sum(abs(a) for a, _, _ in f.parts))


@pytest.mark.statement("eq-26")
@states(inverse_dual, gaussian_inverse_dual)
@given(SEEDS, st.floats(0.4, 2.0))
def test_the_inverse_of_the_dual_is_even_moves_with_the_function_and_is_dawsons(seed, width):
    v, b = lines(seed)
    mean = np.random.default_rng(seed).uniform(-1, 1, 2)
    exact = gaussian_inverse_dual(v, b, mean, width)
    t = (b - v @ mean) / width / np.sqrt(2)
    assert_allclose(exact, (1 - 2 * t * dawsn(t)) / (2 * np.pi), rtol=1e-10, atol=1e-14)
    assert_allclose(gaussian_inverse_dual(-v, -b, mean, width), exact, rtol=1e-10, atol=1e-14)
    if seed % 5 == 0:  # by quadrature, some of them

        def bump(x):
            return np.exp(-((x - mean) ** 2).sum(axis=1) / (2 * width**2))

        found = inverse_dual(bump, v, b, reach=14.0, nodes=500)
        assert_allclose(found, exact, rtol=0, atol=1e-5)


@states(gaussian_inverse_dual, dual_radon)
@given(SEEDS, st.floats(0.3, 3.0))
def test_the_dual_brings_the_bump_back(seed, width):
    rng = np.random.default_rng(seed)
    mean, x = rng.normal(size=2), rng.normal(size=(3, 2))
    found = dual_radon(lambda v, b: gaussian_inverse_dual(v, b, mean, width), x)
    bump = np.exp(-((x - mean) ** 2).sum(axis=1) / (2 * width**2))
    assert_allclose(found, bump, rtol=0, atol=1e-9)


@states(ramp)
@given(SEEDS, st.integers(-4, 4), st.integers(1, 60))
def test_the_ramp_is_linear_symmetric_and_commutes_with_mirrors(seed, power, m):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(size=(2, m))
    step = 10.0**power
    size = 1e-13 * m / step
    assert_allclose(ramp(x + 3 * y, step), ramp(x, step) + 3 * ramp(y, step), atol=20 * size)
    assert_allclose(ramp(x[::-1], step), ramp(x, step)[::-1], atol=10 * size)
    assert abs(ramp(x, step) @ y - x @ ramp(y, step)) <= 100 * size * m
    assert ramp(x, step) @ x >= -10 * size * m  # |omega| is not negative
    assert_allclose(ramp(x, 2 * step), ramp(x, step) / 2, atol=10 * size)
    # A sum over frequencies: zero padding makes the convolution a product.
    omega = 2 * np.pi * np.abs(np.fft.fftfreq(64 * m))
    padded = np.fft.ifft(np.fft.fft(x, 64 * m) * omega).real[:m] / step
    assert_allclose(ramp(x, step), padded, atol=0.05 / step)


@states(gamma)
@given(st.integers(1, 40))
def test_each_dimension_more_divides_gamma_by_two_pi(d):
    assert gamma(1) == 0.5
    assert_allclose(gamma(d + 1) * 2 * np.pi, gamma(d), rtol=1e-14)


# Functions of the radius


@states(radial.radon_radial, radial.dual_radial, radial.inverse_radial)
@given(st.sampled_from([2, 3]), SEEDS)
def test_radial_transforms_are_those_of_bells_in_sums_and_go_back(d, seed):
    rng = np.random.default_rng(seed)
    a, s = rng.normal(size=2), rng.uniform(0.5, 1.5, 2)
    b = rng.uniform(0.1, 3, 4)

    def bells(r):
        return sum(
            p * np.exp(-(np.asarray(r) ** 2) / (2 * q * q)) for p, q in zip(a, s, strict=True)
        )

    def integrals(b):
        parts = zip(a, s, strict=True)
        return sum(
            p * (2 * np.pi * q * q) ** ((d - 1) / 2) * np.exp(-(np.asarray(b) ** 2) / (2 * q * q))
            for p, q in parts
        )

    size = np.abs(a).sum()
    found = radial.radon_radial(bells, b, d)
    assert_allclose(found, integrals(b), rtol=0, atol=1e-8 * size)
    assert_allclose(radial.radon_radial(bells, -b, d), found, rtol=1e-12)
    back = radial.inverse_radial(integrals, b, d)
    assert_allclose(back, bells(b), rtol=0, atol=1e-6 * size)
    # Powers of the offset become powers of the radius.
    even = radial.dual_radial(lambda t: a[0] + a[1] * t**2, b, d)
    area, mean = (2 * np.pi, 1 / 2) if d == 2 else (4 * np.pi, 1 / 3)
    assert_allclose(even, area * (a[0] + a[1] * mean * b**2), rtol=1e-9, atol=1e-9 * size)


@states(radial.inverse_dual_radial)
@given(st.floats(-3, 3), st.floats(0.5, 2), st.floats(-2, 2))
def test_in_space_the_inverse_of_the_radial_dual_is_a_derivative(b, width, height):
    def bell(r):
        return height * np.exp(-((np.asarray(r) / width) ** 2) / 2)

    exact = bell(b) * (1 - (b / width) ** 2) * 2 * np.pi * gamma(3)
    found = radial.inverse_dual_radial(bell, [b, -b])
    assert_allclose(found, [exact, exact], rtol=0, atol=1e-8 * (abs(height) + 1e-9))


# Images


@states(images.radon_image)
@given(st.integers(4, 24), SEEDS)
def test_images_add_up_along_lines_linearly_and_turn_with_a_quarter(n, seed):
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=(2, n, n))
    angles = rng.uniform(0, 3, 3)
    both = images.radon_image(one - 2 * two, angles)
    parts = images.radon_image(one, angles) - 2 * images.radon_image(two, angles)
    assert_allclose(both, parts, atol=1e-12 * n)
    columns = one.sum(axis=0) * 2 / n
    assert_allclose(images.radon_image(one, [0.0])[0], columns, atol=1e-12 * n)
    # Lines the other way round: the same ones in the opposite order.
    back = images.radon_image(one, [np.pi])[0]
    assert_allclose(back[::-1], columns, atol=1e-9 * n)
    quarter = images.radon_image(one, [np.pi / 2])[0]
    assert_allclose(quarter, one.sum(axis=1) * 2 / n, atol=1e-9 * n)


@states(images.inverse_radon_image)
@given(st.integers(4, 16), st.integers(2, 12), SEEDS)
def test_images_from_line_integrals_are_linear_and_empty_outside_the_disc(n, m, seed):
    rng = np.random.default_rng(seed)
    one, two = rng.normal(size=(2, m, n))
    angles = np.pi * np.arange(m) / m
    first, second = (images.inverse_radon_image(s, angles) for s in (one, two))
    both = images.inverse_radon_image(one - 2 * two, angles)
    assert_allclose(both, first - 2 * second, atol=1e-11 * n * np.abs(both).max())
    x = (np.arange(n) + 0.5) * 2 / n - 1
    outside = x**2 + x[:, None] ** 2 > 1
    assert not both[outside].any()
    if m % 2 == 0:  # lines turned by a right angle: the same image, turned
        quarter = np.vstack([one[m // 2 :, ::-1], one[: m // 2]])
        found = images.inverse_radon_image(quarter, angles)
        assert_allclose(found, np.rot90(first, -1), atol=1e-11 * n * np.abs(first).max())
