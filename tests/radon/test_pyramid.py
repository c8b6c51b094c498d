"""The pyramid and other roofs among the lines, against quadrature, mollified transforms and exact rates."""

import itertools

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.integrate import quad
from scipy.special import dawsn

from stablib import EmpiricalWeight, IsotropicWeight
from stablib.radon import local, pyramid, transforms
from stablib.radon.polygon import Roof

DIAMOND = Roof([[1, 0], [0, 1], [-1, 0], [0, -1]])
ROOFS = {
    "diamond": DIAMOND,
    "turned diamond": Roof([[np.cos(t), np.sin(t)] for t in 0.3 + np.pi / 2 * np.arange(4)]),
    "triangle": Roof([[1.0, -0.4], [-0.2, 1.1], [-0.9, -0.8]]),
    "clockwise pentagon": Roof(
        [[np.cos(t), 0.8 * np.sin(t)] for t in -2 * np.pi * np.arange(5) / 5]
    ),
}


@pytest.fixture(params=ROOFS, ids=lambda name: name.replace(" ", "-"))
def roof(request):
    return ROOFS[request.param]


def smooth_values(roof, x, eps, nodes=400):
    """The roof convolved with the normal law, by a grid of its own."""
    axis, h = np.linspace(-1.4, 1.4, nodes, endpoint=False, retstep=True)
    grid = np.stack(np.meshgrid(axis + h / 2, axis + h / 2), axis=-1).reshape(-1, 2)
    values = roof(grid) * h**2
    return np.array(
        [
            values @ np.exp(-((grid - p) ** 2).sum(axis=1) / (2 * eps**2)) / (2 * np.pi * eps**2)
            for p in x
        ]
    )


def test_the_diamond_is_the_pyramid():
    x = np.random.default_rng(0).uniform(-1.3, 1.3, size=(200, 2))
    assert_allclose(DIAMOND(x), pyramid.pyramid(x), atol=1e-14)


def test_the_creases_are_the_laplacian(roof):
    x0, eps = np.array([0.2, -0.3]), 0.4
    axis, h = np.linspace(-1.3, 1.3, 800, endpoint=False, retstep=True)
    x = np.stack(np.meshgrid(axis + h / 2, axis + h / 2), axis=-1).reshape(-1, 2)
    r2 = ((x - x0) ** 2).sum(axis=1) / eps**2
    known = roof(x) @ ((r2 - 2) / eps**2 * np.exp(-r2 / 2)) * h**2
    found = 0.0
    for start, end, c in zip(*roof.creases(), strict=True):
        length = np.linalg.norm(end - start)

        def bump(t, start=start, end=end):
            return np.exp(-((start + t * (end - start) - x0) ** 2).sum() / (2 * eps**2))

        found += c * length * quad(bump, 0, 1)[0]
    assert found == pytest.approx(known, abs=1e-4)


def test_a_mollified_transform_tends_to_that_of_the_creases(roof):
    theta, eps = 0.4, 0.02
    b = np.linspace(-1, 1, 60)
    b = b[np.abs(b[:, None] - roof.masses(theta)[0]).min(axis=1) > 5 * eps]  # off the corners
    v = np.array([np.cos(theta), np.sin(theta)])
    node, weight = np.polynomial.legendre.leggauss(120)
    found = np.zeros(len(b))
    for start, end, c in zip(*roof.creases(), strict=True):
        t = (b[:, None] - (start + (1 + node)[:, None] / 2 * (end - start)) @ v) / eps
        bell = np.exp(-(t**2) / 2) / (np.sqrt(2 * np.pi) * eps)
        found += c * np.linalg.norm(end - start) / 2 * bell @ weight
    assert_allclose(found, roof.radon_laplacian(theta, b), atol=1e-4 * np.abs(found).max())


def test_the_density_is_even_and_for_the_diamond_the_closed_form(roof):
    rng = np.random.default_rng(1)
    theta, b = rng.uniform(0, 2 * np.pi, 60), rng.uniform(-2, 2, 60)
    found = roof.density(theta, b)
    assert_allclose(roof.density(theta + np.pi, -b), found, rtol=1e-8, atol=1e-10)
    assert_allclose(DIAMOND.density(theta, b), pyramid.density(theta, b), rtol=1e-9)


def test_the_mollified_density_makes_the_mollified_roof(roof):
    # R* of alpha_eps is the Laplacian of f_eps; so alpha_eps is gamma_2 times the ramp of its transform.
    eps, theta = 0.1, 0.35
    b = np.linspace(-8, 8, 3201)
    v = np.array([np.cos(theta), np.sin(theta)])
    node, weight = np.polynomial.legendre.leggauss(200)
    slice_ = np.zeros_like(b)
    for start, end, c in zip(*roof.creases(), strict=True):
        t = (b[:, None] - (start + (1 + node)[:, None] / 2 * (end - start)) @ v) / eps
        bell = np.exp(-(t**2) / 2) / (np.sqrt(2 * np.pi) * eps)
        slice_ += c * np.linalg.norm(end - start) / 2 * bell @ weight
    known = transforms.gamma(2) * transforms.ramp(slice_, b[1] - b[0])
    found = roof.density(theta, b, eps)
    assert_allclose(found[800:2400], known[800:2400], atol=1e-6 * np.abs(known).max())


def test_ridges_with_the_mollified_density_add_up_to_the_mollified_roof(roof):
    eps, x = 0.15, np.array([[0.0, 0.0], [0.3, 0.2], [0.5, -0.1], [1.3, 0.9]])
    turn = 2 * np.pi * (np.arange(240) + 0.5) / 240
    v = np.column_stack([np.cos(turn), np.sin(turn)])
    # Far out the even density falls like b^-4: relu may be cut off at 40.
    b = np.concatenate([np.linspace(-3, 3, 1201), np.geomspace(3, 60, 400)[1:]])
    b = np.unique(np.concatenate([b, -b]))
    weight = np.gradient(b)
    alpha = roof.density(turn[:, None], b[None], eps) * weight
    found = np.array(
        [(alpha * np.abs((v @ p)[:, None] - b) / 2).sum() * 2 * np.pi / 240 for p in x]
    )
    known = smooth_values(roof, x, eps)
    assert_allclose(found - found[3], known - known[3], atol=3e-3)


def test_the_truncated_norm_is_a_double_integral():
    eps, total = 0.2, 0.0

    def inner(theta):
        curves = np.abs([np.cos(theta), np.sin(theta)])
        inside = [0.0]
        for c in sorted(curves):
            inside += [max(c - eps, 0.0), c + eps]
        value = 0.0
        points = np.array([*inside, 50.0])
        for low, high in itertools.pairwise(points):
            middle = (low + high) / 2
            if high > low and np.abs(curves - middle).min() > eps:
                value += quad(lambda b: abs(float(pyramid.density(theta, b))), low, high)[0]
        return 2 * value

    theta = (np.arange(400) + 0.5) / 400 * np.pi / 4
    total = 8 * np.mean([inner(t) for t in theta]) * np.pi / 4
    assert pyramid.truncated_norm(eps) == pytest.approx(total, rel=2e-4)


def test_the_truncated_norm_bends_up_like_the_exact_parabola():
    norms = [pyramid.truncated_norm(10.0**-k) for k in range(4, 9)]
    second = np.diff(norms, 2) / (2 * np.log(10) ** 2)
    assert_allclose(second, 8 * (1 + np.sqrt(2)) / np.pi**2, rtol=1e-6)


def test_with_the_price_of_normal_data_the_rate_is_a_sum_of_prices():
    weight = IsotropicWeight()
    norms = [pyramid.truncated_weighted_norm(weight, 10.0**-k) for k in (2, 2.5, 3)]
    second = np.diff(norms, 2)[0] / (2 * (np.log(10) / 2) ** 2)
    g = weight.g([1.0], np.array([0.0, np.sqrt(0.5)]))
    rate = np.sqrt(2) / np.pi**2 * 8 * g[1] + 2 / np.pi**2 * 4 * g[0]
    assert second == pytest.approx(rate, rel=2e-2)
    assert norms[0] == pytest.approx(4.772645, rel=1e-4)  # by nested adaptive quadrature


def test_a_constant_price_gives_a_multiple_of_the_truncated_norm():
    class Flat(EmpiricalWeight):
        def g(self, v, b):
            return np.full(np.shape(b), 2.0)

    eps = 0.05
    beyond = 0.0
    theta = (np.arange(200) + 0.5) / 200 * 2 * np.pi
    for t in theta:
        beyond += 2 * quad(lambda b, t=t: abs(float(pyramid.density(t, b))), 3, 60)[0]
    known = 2 * (pyramid.truncated_norm(eps) - beyond * 2 * np.pi / 200)
    found = pyramid.truncated_weighted_norm(Flat([[0.0, 0.0]]), eps)
    assert found == pytest.approx(known, rel=1e-3)


LOPSIDED = EmpiricalWeight([[0.3, 0.1], [-0.7, 0.4], [0.2, -1.1], [1.3, 0.2], [0.5, 0.9]])


@pytest.mark.parametrize("weight", [IsotropicWeight(), LOPSIDED], ids=["isotropic", "lopsided"])
def test_the_smoothed_norm_is_the_sum_over_all_lines_one_by_one(weight):
    eps, edges = 0.3, np.linspace(-3, 3, 1201)
    b, known = (edges[1:] + edges[:-1]) / 2, 0.0
    for theta in 2 * np.pi * (np.arange(360) + 0.5) / 360:
        v = np.array([np.cos(theta), np.sin(theta)])
        height = np.abs(DIAMOND.density(theta, b, eps)) * weight.g(v, b)
        known += height.sum() * (6 / 1200) * 2 * np.pi / 360
    assert pyramid.mollified_norm(weight, eps) == pytest.approx(known, rel=3e-3)


def test_the_spike_is_bounded_among_the_lines_and_not_against_the_creases():
    heights, pairings = [], []
    for eps in (1e-2, 1e-3, 1e-4):
        heights.append(local.spike_height([1.0, 0.0], eps))
        pairings.append(local.crease_pairing(DIAMOND.creases(), [1.0, 0.0], eps))
    assert np.diff(heights).min() > 0 and heights[-1] < np.pi
    assert_allclose(np.diff(pairings)[-1] / np.log(10), 4, rtol=1e-3)


def test_corners_of_any_roof_pair_at_the_rate_of_their_angles(roof):
    for index, z in enumerate(roof.vertices):
        pair = [local.crease_pairing(roof.creases(), z, eps) for eps in (1e-5, 1e-6)]
        rate = (pair[1] - pair[0]) / np.log(10)
        assert rate == pytest.approx(local.corner_rate(roof, index), abs=1e-4)


def test_dawson_is_the_mollified_pole():
    # 1/b against the normal law of width eps, as a principal value, by symmetric differences.
    eps, b = 0.3, 0.5
    value = quad(
        lambda t: (
            (np.exp(-((b - t) ** 2) / (2 * eps**2)) - np.exp(-((b + t) ** 2) / (2 * eps**2))) / t
        ),
        0,
        6,
    )[0] / (np.sqrt(2 * np.pi) * eps)
    assert np.sqrt(2) / eps * dawsn(b / (np.sqrt(2) * eps)) == pytest.approx(value, rel=1e-9)


def test_lines_that_are_parallel_to_creases_are_no_exception():
    b = np.array([-3.0, -0.6, 0.3, 2.0])
    for theta in np.pi / 4 * np.arange(8):  # along the spokes, and along the sides
        for near in (0.0, 1e-300, 1e-15, 1e-9, -2e-8, 1e-6, 0.9e-3, 1.1e-3):
            found = DIAMOND.density(theta + near, b)
            assert_allclose(found, pyramid.density(theta + near, b), rtol=1e-10)
    for eps in (1e-3, 0.1):
        turned = [DIAMOND.density(t, b, eps) for t in (0.0, 1e-12 * eps, 0.9e-6 * eps, 2e-6 * eps)]
        assert_allclose(turned[1:], [turned[0]] * 3, rtol=1e-6)


def test_a_line_through_the_top_alone_is_not_singular():
    theta = np.array([0.3, 0.8, 1.1])
    assert_allclose(DIAMOND.density(theta, 0.0), pyramid.density(theta, 0.0), rtol=1e-9)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: pyramid.density(np.ones(2), np.ones(3)),
            "theta has shape .2,. and b has shape .3,.",
        ),
        (lambda: pyramid.truncated_norm(1e-200), "at least 1e-100"),
        (lambda: pyramid.truncated_norm(0.0), "eps is 0"),
        (lambda: pyramid.truncated_norm(1.0), "between 0 and 1"),
        (lambda: pyramid.truncated_weighted_norm(IsotropicWeight(), 2.0), "between 0 and 1"),
        (lambda: Roof([[1, 0], [0, 1]]), "at least three points"),
        (lambda: Roof([[1, 0], [2, 1], [2, -1]]), "origin"),
        (lambda: Roof([[1, 0], [0.1, 0.1], [0, 1], [-1, -1]]), "convex"),
        (lambda: Roof([[1, 0], [0, 0], [-1, 0]]), "origin"),
        (lambda: DIAMOND(np.ones((2, 3))), "x has 3 columns"),
        (lambda: DIAMOND.density(0.0, 0.5, 0.0), "eps is 0"),
        (lambda: DIAMOND.density(np.ones(2), np.ones(3)), "broadcast"),
        (lambda: local.harmonic_spike([[1.0, 0.0]], [0.0, 0.0], 0.1), "corner is the origin"),
        (lambda: local.harmonic_spike([[1.0, 0.0]], [1.0, 0.0], 0.0), "eps is 0"),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(ValueError, match=words):
        call()
