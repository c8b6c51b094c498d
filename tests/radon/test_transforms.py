"""The transforms against closed forms, quadrature by another route, and each other."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import i0

from stablib.radon import exact, radial, transforms

RNG = np.random.default_rng(7)
MEAN, WIDTH = np.array([0.4, -0.3]), 0.7


def bump(x):
    return np.exp(-((x - MEAN) ** 2).sum(axis=1) / (2 * WIDTH**2))


def bell(x):
    return np.exp(-(x**2).sum(axis=-1) / 2)


def lines(m=8, size=1.5):
    turn = RNG.uniform(0, 2 * np.pi, m)
    return np.column_stack([np.cos(turn), np.sin(turn)]), RNG.uniform(-size, size, m)


def order(errors):
    """Exponents with which errors fall as the resolution doubles."""
    return np.log2(np.asarray(errors[:-1]) / errors[1:])


def test_gamma_is_what_a_gaussian_needs_in_two_and_three_dimensions():
    # R maps the bell to a bell in the offset; |s|^(d-1) in its frequency; R* at 0 is the sphere's area.
    for d in (2, 3):
        sphere = 2 * np.pi if d == 2 else 4 * np.pi
        slice_ = (2 * np.pi) ** ((d - 1) / 2)  # R f(v, b) = slice * exp(-b^2 / 2)
        # In frequency of the offset: |s|^(d-1) exp(-s^2 / 2), back at offset 0.
        filtered = quad(lambda s, d=d: 2 * s ** (d - 1) * np.exp(-(s**2) / 2), 0, 20)[0]
        value = sphere * slice_ * filtered * np.sqrt(2 * np.pi) / (2 * np.pi)
        assert transforms.gamma(d) == pytest.approx(1 / value, rel=1e-10)
    assert transforms.gamma(1) == 0.5


def test_the_transform_of_a_bump_is_the_closed_form_and_even():
    v, b = lines()
    found = transforms.radon(bump, v, b)
    assert_allclose(found, exact.gaussian_radon(v, b, MEAN, WIDTH), rtol=1e-12)
    assert_allclose(transforms.radon(bump, -v, -b), found, rtol=1e-12)


def test_one_direction_with_many_offsets_is_many_lines():
    v, b = lines(1)[0][0], np.linspace(-1, 1, 5)
    assert_allclose(
        transforms.radon(bump, v, b), transforms.radon(bump, np.tile(v, (5, 1)), b), rtol=1e-14
    )


def test_closed_forms_are_integrals():
    v, b = np.array([0.6, 0.0, 0.8]), 0.4
    mean = np.array([0.1, 0.2, -0.3])
    # The plane v.x = b about the foot of the mean: polar coordinates there.
    height = b - v @ mean
    known = quad(lambda r: 2 * np.pi * r * np.exp(-(r**2 + height**2) / 2), 0, 20)[0]
    assert exact.gaussian_radon(v, b, mean) == pytest.approx(known, rel=1e-10)
    for d in (1, 2, 3, 4):
        inside = quad(lambda b, d=d: float(exact.ball_radon(b, 1.3, d)), -1.3, 1.3)[0]
        volume = {1: 2.6, 2: np.pi * 1.3**2, 3: 4 / 3 * np.pi * 1.3**3, 4: np.pi**2 / 2 * 1.3**4}
        assert inside == pytest.approx(volume[d], rel=1e-7)


def test_smooth_functions_converge_faster_than_any_power_and_discs_do_not():
    def disc(x):
        return ((x**2).sum(axis=1) < 1).astype(float)

    smooth, rough = [], []
    offset = np.linspace(-0.9, 0.9, 301)
    for nodes in (11, 21, 41):
        exactly = np.sqrt(2 * np.pi) * np.exp(-1 / 8)
        smooth.append(abs(transforms.radon(bell, [1.0, 0.0], 0.5, nodes=nodes) / exactly - 1))
        found = transforms.radon(disc, [1.0, 0.0], offset, reach=1.5, nodes=10 * nodes)
        rough.append(np.abs(found - exact.ball_radon(offset)).mean())
    assert smooth[1] < 1e-4 * smooth[0]
    assert smooth[2] < 1e-14
    assert (np.abs(order(rough) - 1) < 0.35).all()


def test_the_dual_of_a_bell_is_a_bessel_function():
    x = RNG.normal(size=(6, 2))
    quarter = (x**2).sum(axis=1) / 4
    found = transforms.dual_radon(lambda v, b: np.exp(-(b**2) / 2), x)
    assert_allclose(found, 2 * np.pi * np.exp(-quarter) * i0(quarter), rtol=1e-12)


def test_transform_and_dual_are_adjoint():
    def phi(v, b):
        return (1 + v[:, 0] * v[:, 1] + v[:, 0] * b) * np.exp(-(b**2))

    axis, h = np.linspace(-6, 6, 121, retstep=True)
    x = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    right = (bump(x) * transforms.dual_radon(phi, x, angles=90)).sum() * h**2
    turn = 2 * np.pi * np.arange(90) / 90
    v = np.column_stack([np.cos(turn), np.sin(turn)])
    V, B = np.repeat(v, 121, axis=0), np.tile(axis, 90)
    left = (transforms.radon(bump, V, B) * phi(V, B)).sum() * h * 2 * np.pi / 90
    assert left == pytest.approx(right, rel=1e-10)


def test_the_laplacian_becomes_a_second_derivative_in_the_offset():
    def laplacian(x):
        r2 = ((x - MEAN) ** 2).sum(axis=1) / WIDTH**2
        return (r2 - 2) / WIDTH**2 * bump(x)

    v, b = lines()
    t = (b - v @ MEAN) / WIDTH
    known = (t**2 - 1) / WIDTH**2 * exact.gaussian_radon(v, b, MEAN, WIDTH)
    assert_allclose(transforms.radon(laplacian, v, b), known, atol=1e-11)


def test_the_ramp_is_a_multiplication_by_the_frequency():
    b = np.linspace(-40, 40, 2001)
    # The frequencies of exp(3ib) under a wide bell are positive, so |omega| is -i d/db there.
    wide = np.exp(-(b**2) / 50)
    known = 3 * np.cos(3 * b) * wide - b / 25 * wide * np.sin(3 * b)
    assert_allclose(transforms.ramp(np.cos(3 * b) * wide, b[1] - b[0]), known, atol=1e-9)


def test_the_inverse_of_the_transform_finds_the_function_at_fourth_order():
    x = RNG.uniform(-1, 1, size=(20, 2))

    def phi(v, b):
        return exact.gaussian_radon(v, b, MEAN, WIDTH)

    errors = [
        np.abs(transforms.inverse_radon(phi, x, nodes=nodes) - bump(x)).max()
        for nodes in (65, 129, 257)
    ]
    assert errors[-1] < 2e-5
    assert order(errors).min() > 3


def test_the_inverse_of_the_dual_is_dawsons_function():
    v, b = lines()
    known = exact.gaussian_inverse_dual(v, b, MEAN, WIDTH)
    errors = [
        np.abs(transforms.inverse_dual(bump, v, b, nodes=nodes) - known).max()
        for nodes in (65, 129, 257)
    ]
    assert errors[-1] < 2e-5
    one = transforms.inverse_dual(bump, v[0], b[:1], nodes=257)
    assert one[0] == pytest.approx(known[0], abs=2e-5)


def test_the_dual_of_its_inverse_is_the_function():
    x = RNG.uniform(-1, 1, size=(5, 2))
    found = transforms.dual_radon(
        lambda v, b: exact.gaussian_inverse_dual(v, b, MEAN, WIDTH), x, angles=720
    )
    assert_allclose(found, bump(x), atol=1e-12)


@pytest.mark.parametrize("phi", [lambda v, b: v[:, 0] ** 3 * b**2, lambda v, b: v[:, 0] ** 2 - 0.5])
def test_odd_functions_and_the_second_harmonic_vanish_under_the_dual(phi):
    # (v, b) -> v1^3 b^2 changes its sign at (-v, -b); v1^2 - 1/2 is cos(2 theta) / 2.
    x = RNG.normal(size=(9, 2))
    assert_allclose(transforms.dual_radon(phi, x), 0, atol=1e-11)


@pytest.mark.parametrize("d", [2, 3])
def test_radial_transforms_are_closed_forms_and_inverses(d):
    def profile(r):
        return np.exp(-(r**2) / 2)

    b = np.array([0.1, 0.5, 1.3])
    size = (2 * np.pi) ** ((d - 1) / 2)
    assert_allclose(radial.radon_radial(profile, b, d), size * profile(b), rtol=1e-10)
    back = radial.inverse_radial(lambda b: size * profile(b), b, d)
    assert_allclose(back, profile(b), rtol=1e-9)


def test_the_radial_dual_agrees_with_integrals_over_the_sphere():
    r = np.array([0.0, 0.7, 2.0])
    found = radial.dual_radial(lambda b: np.exp(-(b**2) / 2), r, 3)
    known = [4 * np.pi] + [
        4 * np.pi * quad(lambda t, s=s: np.exp(-((s * t) ** 2) / 2), 0, 1)[0] for s in r[1:]
    ]
    assert_allclose(found, known, rtol=1e-10)


def test_in_space_the_inverse_of_the_dual_goes_back():
    def f(r):
        return np.exp(-(r**2) / 2)

    r = np.array([0.2, 0.9, 1.7])
    found = radial.dual_radial(lambda b: radial.inverse_dual_radial(f, b), r, 3)
    assert_allclose(found, f(r), rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: transforms.radon(bump, [1.0, 1.0], 0.0), "length 1.41"),
        (lambda: transforms.radon(lambda x: x, [1.0, 0.0], 0.0), "f returned shape"),
        (lambda: transforms.radon(bump, [1.0, 0.0, 0.0], 0.0), "v has shape"),
        (lambda: transforms.radon(bump, [[1.0, 0.0]], [0.0, 1.0]), "one offset per row"),
        (lambda: transforms.dual_radon(lambda v, b: v, [[0.0, 0.0]]), "phi returned shape"),
        (lambda: transforms.dual_radon(lambda v, b: b, np.ones((2, 3))), "x has 3 columns"),
        (lambda: transforms.inverse_radon(lambda v, b: b, [[20.0, 0.0]]), "distance 20"),
        (lambda: transforms.inverse_dual(bump, [1.0, 0.0], 11.0), "beyond reach"),
        (lambda: transforms.ramp([1.0, np.nan], 0.1), "NaN"),
        (lambda: transforms.ramp([1.0], 0.0), "step is 0"),
        (lambda: transforms.gamma(0), "d is 0"),
        (lambda: radial.radon_radial(np.exp, 0.0, 4), "d is 4"),
        (lambda: radial.inverse_radial(np.exp, [0.0], 2), "outside"),
        (lambda: radial.dual_radial(lambda b: b[:1], 1.0, 3), "returned shape"),
        (lambda: exact.ball_radon(0.0, -1.0), "radius is -1"),
        (lambda: exact.gaussian_radon([1.0, 0.0], 0.0, MEAN, 0.0), "width is 0"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
