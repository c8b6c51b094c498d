"""The pyramid, roofs, spikes and networks of two hidden layers: symmetries, closed forms, descent by hand."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from scipy import stats

from stablib import EmpiricalWeight, IsotropicWeight
from stablib.radon import deep, local, pyramid
from stablib.radon.polygon import Roof
from tests.trust.problems import SEEDS
from tests.trust.stated import states

FEW = settings(max_examples=max(4, settings().max_examples // 25))  # double integrals
ANGLE, OFFSET = st.floats(-7, 7), st.floats(-3, 3)
DIAMOND = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])


def polygon(seed, size=1.0):
    """Corners of a convex polygon round the origin: points of an ellipse, no gap above half a turn."""
    rng = np.random.default_rng(seed)
    m = int(rng.integers(3, 7))
    turn = 2 * np.pi * (np.arange(m) + rng.uniform(-0.2, 0.2, m)) / m + rng.uniform(0, 7)
    axes = size * rng.uniform(0.6, 1.4, 2)
    return np.column_stack([axes[0] * np.cos(turn), axes[1] * np.sin(turn)])


def turned(points, angle):
    c, s = np.cos(angle), np.sin(angle)
    return points @ np.array([[c, s], [-s, c]])


def poles(theta, b):
    """How near a line of the plane is to a corner of the pyramid."""
    return min(abs(abs(b) - abs(np.cos(theta))), abs(abs(b) - abs(np.sin(theta))))


# The pyramid


@pytest.mark.statement("text-4-two")
@states(pyramid.pyramid, deep.DeepNet.pyramid, deep.DeepNet.__call__)
@given(st.integers(1, 6), SEEDS, st.floats(-3, 1))
def test_two_hidden_layers_make_the_pyramid_which_no_change_of_signs_or_order_moves(d, seed, power):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(7, d)) * 10.0**power
    found = pyramid.pyramid(x)
    assert_allclose(found, [max(0.0, 1 - sum(map(abs, row))) for row in x.tolist()], atol=1e-12)
    assert_allclose(deep.DeepNet.pyramid(d)(x), found, atol=1e-12)
    signs, order = rng.choice([-1, 1], d), rng.permutation(d)
    assert_allclose(pyramid.pyramid(x[:, order] * signs), found, atol=1e-12)


@pytest.mark.statement("new-pyramid-form")
@pytest.mark.statement("eq-139")
@states(pyramid.density, Roof.density)
@given(ANGLE, OFFSET)
def test_the_density_of_the_pyramid_has_its_symmetries_and_is_that_of_its_roof(theta, b):
    if poles(theta, b) < 1e-3:
        return
    found = pyramid.density(theta, b)
    known = -1 / np.pi**2 / (b**2 - np.cos(theta) ** 2) / (b**2 - np.sin(theta) ** 2)
    size = 1 / poles(theta, b) ** 2
    assert_allclose(found, known, rtol=1e-8, atol=1e-11 * size)
    for t, c in ((theta + np.pi, -b), (theta + np.pi / 2, b), (-theta, b), (theta, -b)):
        assert_allclose(pyramid.density(t, c), found, rtol=1e-8, atol=1e-11 * size)
    assert_allclose(Roof(DIAMOND).density(theta, b), found, rtol=1e-5, atol=1e-7 * size)


@pytest.mark.statement("eq-142")
@pytest.mark.statement("new-pyramid-rate")
@states(pyramid.truncated_norm)
@given(st.floats(-8, -0.1), st.floats(-8, -0.1))
def test_the_truncated_norm_falls_with_the_width_and_grows_like_the_square_of_its_logarithm(
    one, two
):
    small, large = sorted((one, two))
    norms = [pyramid.truncated_norm(10.0**power) for power in (small, large)]
    assert norms[0] >= norms[1] * (1 - 1e-9) > 0
    rate, logs = 8 * (1 + np.sqrt(2)) / np.pi**2, np.log(10) * np.array([-small, -large])
    # Second differences of the parabola: its leading part, and a line.
    if small < -4 and large < -2.5 and large - small > 1:
        middle = pyramid.truncated_norm(10 ** ((small + large) / 2))
        bend = norms[0] + norms[1] - 2 * middle
        assert_allclose(bend, rate * (logs[0] - logs[1]) ** 2 / 2, rtol=0.05)


@states(pyramid.truncated_weighted_norm, pyramid.mollified_norm)
@settings(max_examples=max(2, settings().max_examples // 100))  # seconds each
@given(st.floats(-2, -1), st.floats(0.5, 2.0), SEEDS, st.booleans())
def test_priced_norms_fall_with_the_width_and_follow_the_prices(power, width, seed, smooth):
    eps = 10.0**power
    norm = pyramid.mollified_norm if smooth else pyramid.truncated_weighted_norm
    weight = IsotropicWeight(stats.norm(scale=width))
    wide, narrow = (norm(weight, e, nodes=4) for e in (2 * eps, eps))
    assert 0 < wide <= narrow * (1 + 1e-3)
    # Data turned by a right angle: the same prices for the lines of the pyramid.
    X = np.random.default_rng(seed).normal(size=(3, 2))
    same = [norm(EmpiricalWeight(Y), eps, nodes=4) for Y in (X, X[:, ::-1] * [1, -1])]
    assert_allclose(same[0], same[1], rtol=2e-2)


# Roofs


@pytest.mark.statement("eq-126")
@states(Roof, Roof.__call__, Roof.creases)
@given(SEEDS, ANGLE, st.integers(-3, 3), st.booleans())
def test_a_roof_turns_and_grows_with_its_polygon_and_bends_on_its_creases(
    seed, angle, power, clockwise
):
    z, c = polygon(seed), 10.0**power
    roof = Roof(z[::-1] if clockwise else z)
    x = np.random.default_rng(seed).uniform(-1.5, 1.5, size=(9, 2))
    values = roof(x)
    assert_allclose(Roof(c * turned(z, angle))(c * turned(x, angle)), values, atol=1e-9)
    assert (values >= 0).all()
    assert (values <= 1).all()
    assert_allclose(roof(z), 0, atol=1e-12)
    assert_allclose(roof(z / 2), 0.5, atol=1e-12)
    # Half a step to either side of a crease's middle: the slope jumps by c.
    start, end, jump = roof.creases()
    for p, q, size in zip(start, end, jump, strict=True):
        middle, along = (p + q) / 2, (q - p) / np.linalg.norm(q - p)
        step = 1e-3 * np.array([-along[1], along[0]])
        bend = np.array([1, 1, -2]) @ roof(np.array([middle + step, middle - step, middle])) / 1e-3
        assert_allclose(bend, size, rtol=1e-8, atol=1e-9)
    # It is 0 far away, so that its Laplacian has no mass, and no moment.
    length = np.linalg.norm(end - start, axis=1)
    assert_allclose(jump @ length, 0, atol=1e-10)
    assert_allclose((jump * length) @ (start + end), 0, atol=1e-10)


@pytest.mark.statement("eq-134")
@pytest.mark.statement("eq-136")
@states(Roof.radon_laplacian, Roof.masses, Roof.density)
@given(SEEDS, ANGLE, OFFSET)
def test_among_the_lines_a_roof_is_even_turns_with_them_and_sums_up_its_corners(seed, theta, b):
    z = polygon(seed)
    roof = Roof(z)
    places, masses = roof.masses([theta])
    places, masses = places[0], masses[0]
    corners = np.vstack([z, [[0.0, 0.0]]])
    normal = np.array([np.cos(theta), np.sin(theta)])
    assert_allclose(np.sort(places), np.sort(corners @ normal), atol=1e-12)
    start, end, jump = roof.creases()
    steep = np.abs((end - start) @ normal).min()
    distance = np.abs(places - b).min()
    if distance < 1e-3 or steep < 1e-3:
        return
    crossed = 0.0
    for p, q, c in zip(start @ normal, end @ normal, jump, strict=True):
        if min(p, q) < b < max(p, q):
            i = np.flatnonzero((start @ normal == p) & (end @ normal == q))[0]
            crossed += c * np.linalg.norm(end[i] - start[i]) / abs(q - p)
    size = np.abs(masses).sum()
    assert_allclose(roof.radon_laplacian(theta, b), crossed, rtol=1e-9, atol=1e-11 * size)
    known = (masses / (b - places)).sum() / (4 * np.pi**2)
    for found in (
        roof.density(theta, b),
        roof.density(theta + np.pi, -b),
        Roof(turned(z, 1.0)).density(theta + 1.0, b),
        Roof(3 * z).density(theta, 3 * b) * 9,  # alpha(v, b) of f(x / c) is alpha(v, b / c) / c^2
    ):
        assert_allclose(found, known, rtol=1e-7, atol=1e-9 * size / distance)
    # Far from its poles a mollified density is the sharp one.
    near = roof.density(theta, b, 1e-3 * distance)
    assert_allclose(near, known, rtol=1e-3, atol=1e-5 * size / distance)


# Spikes


@states(local.harmonic_spike)
@given(SEEDS, ANGLE, st.floats(-4, -1), st.floats(0.1, 1))
def test_a_spike_turns_with_its_corner_is_odd_about_it_and_harmonic_in_between(
    seed, angle, power, reach
):
    rng, eps = np.random.default_rng(seed), 10.0**power
    corner, x = np.array([1.0, 0.3]), rng.normal(size=(6, 2)) * 0.2
    found = local.harmonic_spike(corner + x, corner, eps, reach)
    r, phi = np.hypot(*x.T), np.arctan2(x[:, 1], x[:, 0]) - np.arctan2(0.3, 1.0)
    known = np.cos(3 * phi) * r**3 / (r**2 + eps**2) ** 2 * np.exp(-(r**2) / reach**2)
    assert_allclose(found, known, rtol=1e-8, atol=1e-10)
    assert_allclose(local.harmonic_spike(corner - x, corner, eps, reach), -found, atol=1e-10)
    third = turned(x, 2 * np.pi / 3)
    assert_allclose(local.harmonic_spike(corner + third, corner, eps, reach), found, atol=1e-9)
    moved = turned(corner[None], angle)[0]
    there = local.harmonic_spike(moved + turned(x, angle), moved, eps, reach)
    assert_allclose(there, found, rtol=1e-6, atol=1e-8)


@pytest.mark.statement("prop-2")
@states(local.corner_rate, local.crease_pairing)
@given(SEEDS, ANGLE)
def test_pairings_grow_by_the_rate_of_the_corner_and_turn_with_the_roof(seed, angle):
    z = polygon(seed)
    roof, other = Roof(z), Roof(turned(z, angle))
    start, end, jump = roof.creases()
    for index in (0, len(z) - 1):
        rate = local.corner_rate(roof, index)
        own = 0.0
        out = np.arctan2(*z[index][::-1])
        for p, q, c in zip(start, end, jump, strict=True):
            for near, far in ((p, q), (q, p)):
                if np.allclose(near, z[index], atol=1e-12):
                    own += c * np.cos(3 * (np.arctan2(*(far - near)[::-1]) - out))
        assert_allclose(rate, own, rtol=1e-9, atol=1e-9)
        assert_allclose(local.corner_rate(other, index), rate, rtol=1e-7, atol=1e-7)
    pairs = [local.crease_pairing(roof.creases(), z[0], eps) for eps in (1e-4, 1e-5, 1e-6)]
    rate = local.corner_rate(roof, 0)
    assert_allclose(np.diff(pairs) / np.log(10), rate, rtol=1e-4, atol=1e-4)
    there = local.crease_pairing(other.creases(), other.vertices[0], 1e-4)
    assert_allclose(there, pairs[0], rtol=1e-6, atol=1e-6)


@states(local.spike_height)
@FEW
@given(ANGLE, st.floats(-3, -1.5))
def test_no_line_integral_of_a_spike_reaches_pi(angle, power):
    corner = turned(np.array([[1.0, 0.0]]), angle)[0]
    height = local.spike_height(corner, 10.0**power)
    assert 0 < height < np.pi
    assert_allclose(local.spike_height(3 * corner, 10.0**power), height, rtol=1e-2)


# Networks of two hidden layers


def deep_net(d, seed):
    rng = np.random.default_rng(seed)
    near = deep.DeepNet.pyramid(d).parameters()
    return deep.DeepNet.of(near + 0.3 * rng.normal(size=near.shape), d), rng.normal(size=(5, d)) / 2


def torch_value(p, X, d):
    k = 2 * d
    W, b, a = p[: k * d].reshape(k, d), p[k * d : k * d + k], p[k * d + k : k * d + 2 * k]
    c, w, e = p[-3:]
    return w * torch.relu(c - torch.relu(X @ W.T + b) @ a) + e


@pytest.mark.statement("app-I3")
@states(
    deep.DeepNet,
    deep.DeepNet.of,
    deep.DeepNet.parameters,
    deep.DeepNet.features,
    deep.DeepNet.sharpness,
    deep.DeepNet.rank,
    deep.DeepNet.knots_on_data,
)
@given(st.integers(1, 3), SEEDS)
def test_features_of_two_hidden_layers_are_autograds(d, seed):
    net, X = deep_net(d, seed)
    p, x = torch.tensor(net.parameters()), torch.tensor(X)
    features = torch.autograd.functional.jacobian(lambda p: torch_value(p, x, d), p).numpy().T
    assert_allclose(net(X), torch_value(p, x, d).numpy(), atol=1e-12)
    assert_allclose(net.features(X), features, atol=1e-11)
    values = np.linalg.svd(features, compute_uv=False)
    assert_allclose(net.sharpness(X), values[0] ** 2 / len(X), rtol=1e-10)
    if not ((values > 1e-11) & (values < 1e-7)).any():
        assert net.rank(X) == (values > 1e-9).sum()
    assert_allclose(deep.DeepNet.of(net.parameters(), d).parameters(), net.parameters())
    z = X @ net.W.T + net.b
    y = net.c - np.maximum(z, 0) @ net.a
    tol = 0.1
    near = [
        abs(top) <= tol or (top > -tol and (np.abs(row) <= tol).any())
        for row, top in zip(z, y, strict=True)
    ]
    assert net.knots_on_data(X, tol) == sum(near)


@states(deep.descend)
@given(st.integers(1, 2), SEEDS, st.integers(1, 8))
def test_descent_in_two_hidden_layers_is_autograds_step_after_step(d, seed, steps):
    net, X = deep_net(d, seed)
    y = pyramid.pyramid(X)
    end, losses = deep.descend(net, X, y, 0.05, steps)
    p, x, label = torch.tensor(net.parameters()), torch.tensor(X), torch.tensor(y)
    for step in range(steps):
        p.requires_grad_()
        loss = ((torch_value(p, x, d) - label) ** 2).mean() / 2
        assert_allclose(losses[step], loss.item(), rtol=1e-9, atol=1e-15)
        (gradient,) = torch.autograd.grad(loss, p)
        p = (p - 0.05 * gradient).detach()
    assert_allclose(end.parameters(), p.numpy(), atol=1e-10)
    i = np.random.default_rng(seed).permutation(len(X))
    assert_allclose(deep.descend(net, X[i], y[i], 0.05, steps)[1], losses, rtol=1e-8, atol=1e-15)
