"""The memoriser against autograd and closed forms; extreme points against hulls and linear programs."""

import time

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.optimize import linprog, minimize_scalar
from scipy.spatial import ConvexHull

from stablib import mnist01, sharpness, stability_norm
from stablib.memorising import extreme_points, memoriser
from tests.core.oracles import autograd_hessian

pytestmark = pytest.mark.statement("new-memoriser")


def circle(n, radius=1.0, centre=(0.0, 0.0)):
    angle = 2 * np.pi * np.arange(n) / n
    return radius * np.column_stack([np.cos(angle), np.sin(angle)]) + np.array(centre)


def is_mixture(X, j):
    """Whether point j is a convex combination of the other rows, by a linear program."""
    others = np.delete(X, j, axis=0)
    A, b = np.vstack([others.T, np.ones(len(others))]), np.append(X[j], 1.0)
    return linprog(np.zeros(len(others)), A_eq=A, b_eq=b, bounds=(0, None)).status == 0


def weights(X, r):
    """kappa_j = 2 |r_j| sqrt(1 + |x_j|^2)."""
    return 2 * np.abs(r) * np.sqrt(1 + (X**2).sum(axis=1))


def closed_form(X, r):
    """The sharpness of balanced neurons that share no point."""
    n = len(X)
    return np.linalg.eigvalsh(np.ones((n, n)) + np.diag(weights(X, r)))[-1] / n


DATA = {
    "six points on a circle": circle(6),
    "forty points on a circle off the origin": circle(40, 2.0, (5.0, -7.0)),
    "Gaussian in 8 dimensions": np.random.default_rng(1).normal(size=(12, 8)),
    "more dimensions than points": np.random.default_rng(2).normal(size=(5, 40)),
    "a corner and the cube's axes": np.vstack([np.zeros(4), np.eye(4)]),
    "a parabola": np.column_stack([np.linspace(-1, 1, 15), np.linspace(-1, 1, 15) ** 2]),
    "huge": 1e5 * circle(7),
    "tiny": 1e-5 * circle(7),
    "two points": np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 2.0]]),
    "the ends of an interval": np.array([[-3.0], [4.0]]),
    "one point": np.array([[1.0, -2.0]]),
}
convex_position = pytest.mark.parametrize("X", DATA.values(), ids=DATA)


@pytest.mark.parametrize("d", [2, 3])
@pytest.mark.parametrize("law", ["normal", "uniform"])
def test_extreme_points_are_the_corners_of_the_hull(d, law):
    rng = np.random.default_rng(d)
    for n in (d + 2, 12, 60, 200):
        X = getattr(rng, law)(size=(n, d)) + rng.normal(size=d)
        corner = np.isin(np.arange(n), ConvexHull(X).vertices)
        assert_array_equal(extreme_points(X), corner)


@pytest.mark.parametrize("n", [20, 60])
def test_extreme_points_are_no_mixtures_of_the_others(n):
    rng = np.random.default_rng(n)
    for X in (
        rng.normal(size=(n, 8)),
        rng.normal(size=(n, 4)) @ rng.normal(size=(4, 8)),  # in a subspace
        np.exp(3 * rng.normal(size=(n, 8))) * rng.choice([-1, 1], 8),  # far outliers
        rng.integers(-1, 2, size=(n, 5)).astype(float),  # many points in faces
    ):
        X = np.unique(X, axis=0)
        assert_array_equal(extreme_points(X), [not is_mixture(X, j) for j in range(len(X))])


@convex_position
def test_points_in_convex_position_are_all_extreme(X):
    assert extreme_points(X).all()
    if len(X) > 1:
        assert_array_equal(
            extreme_points(np.vstack([X, X.mean(axis=0)])), [True] * len(X) + [False]
        )


def test_on_a_line_only_the_two_ends_are_extreme():
    x = np.array([0.3, -1.0, 2.0, 5.0, 4.999])
    ends = [False, True, False, True, False]
    assert_array_equal(extreme_points(x[:, None]), ends)
    assert_array_equal(extreme_points(np.outer(x, [1.0, 3.0, -2.0]) + [7.0, 0.0, 1.0]), ends)


def test_a_repeated_point_is_not_extreme_and_a_point_on_an_edge_is_not():
    X = np.vstack([circle(4), circle(4)[1]])
    assert_array_equal(extreme_points(X), [True, False, True, True, False])
    assert not extreme_points(np.ones((3, 2))).any()
    assert_array_equal(extreme_points([[0, 0], [2, 0], [0, 2], [1, 1]]), [True, True, True, False])


def test_extreme_points_do_not_change_under_affine_maps():
    rng = np.random.default_rng(8)
    X = rng.normal(size=(50, 4))
    stretched = X @ (rng.normal(size=(4, 4)) * [1e-3, 1, 1, 1e3]) + 100 * rng.normal(size=4)
    assert_array_equal(extreme_points(stretched), extreme_points(X))


def test_512_images_take_a_second_and_are_all_extreme():
    data = mnist01()[0]
    start = time.perf_counter()
    assert extreme_points(data.X).all() and data.X.shape == (512, 784)
    assert time.perf_counter() - start < 10


@convex_position
def test_it_meets_all_labels_and_each_neuron_fires_at_one_point_half_way_from_the_next(X):
    rng = np.random.default_rng(3)
    for y in (rng.normal(size=len(X)), 1e4 * rng.normal(size=len(X)), np.arange(len(X)) % 2.0):
        for b2 in (None, 0.0, 0.7):
            net = memoriser(X, y, b2)
            assert_allclose(net(X), y, rtol=0, atol=1e-12 * (1 + np.abs(y).max()))
            assert b2 is None or net.b2 == b2
            needed = np.flatnonzero(y != net.b2)
            z = net.preactivations(X)
            assert_array_equal(np.argwhere(z.T > 0)[:, 1], needed)
            assert net.k == len(needed)
            if len(X) > 1:
                height = z[needed, range(net.k)]
                assert_allclose(np.sort(z, axis=0)[-2], -height, rtol=1e-6)


@convex_position
def test_its_sharpness_is_the_closed_form_and_obeys_the_bound(X):
    rng = np.random.default_rng(4)
    n, s = len(X), np.sqrt(1 + (X**2).sum(axis=1))
    for y in (rng.normal(size=n), 100 * rng.normal(size=n), np.sign(rng.normal(size=n))):
        for b2 in (None, 0.0):
            net = memoriser(X, y, b2)
            if n < 20 and net.k * net.d < 300:
                top = np.linalg.eigvalsh(autograd_hessian(net, X, y))[-1]
                assert_allclose(sharpness(net, X), top, rtol=1e-9)
            assert_allclose(sharpness(net, X), closed_form(X, y - net.b2), rtol=1e-9)
            assert sharpness(net, X) <= (1 + 2 / n * (np.abs(y) * s).max()) * (1 + 1e-9)
            assert stability_norm(net, X) <= (np.abs(y - net.b2) * s).sum() / n**2 * (1 + 1e-9)


@convex_position
def test_no_output_bias_makes_it_flatter_than_the_one_that_it_chooses(X):
    rng = np.random.default_rng(5)
    n = len(X)
    # Large labels want their centre, small ones a median: both, and what is between.
    for scale in (1e-3, 1.0, 10.0, 1e3):
        for y in (scale * rng.normal(size=n), scale * rng.exponential(size=n) ** 3):
            chosen = sharpness(memoriser(X, y), X)
            best = minimize_scalar(
                lambda c, y=y: closed_form(X, y - c), bounds=(y.min(), y.max() + 1e-300)
            ).fun
            trials = [closed_form(X, y - c) for c in (*y, y.mean(), 0.0)]
            assert chosen <= min([best, *trials]) * (1 + 1e-9)


def test_small_labels_have_a_weighted_median_for_output_bias_and_large_ones_their_centre():
    rng = np.random.default_rng(7)
    for _ in range(20):
        X, y = rng.normal(size=(9, 12)), rng.normal(size=9)
        s, order = np.sqrt(1 + (X**2).sum(axis=1)), np.argsort(y)
        half = np.searchsorted(np.cumsum(s[order]), s.sum() / 2)
        net = memoriser(X, 1e-4 * y)
        assert net.b2 == 1e-4 * y[order][half] and net.k == 8
        large = memoriser(X, 1e6 * y).b2 / 1e6
        reach = [(np.abs(y - c) * s).max() for c in (large, large - 1e-3, large + 1e-3)]
        assert reach[0] < min(reach[1:])


def test_no_rescaling_of_its_neurons_is_flatter():
    rng = np.random.default_rng(6)
    X = circle(9)
    net = memoriser(X, rng.normal(size=9))
    for _ in range(20):
        other = net.rescale(np.exp(rng.normal(size=net.k)))
        assert sharpness(other, X) >= sharpness(net, X) * (1 - 1e-12)


def test_points_of_one_label_need_not_be_extreme():
    X = np.vstack([circle(5), 0.1 * circle(3), np.zeros((2, 2))])
    y = np.array([1.0, -2.0, 0.5, 3.0, 1.0] + [0.5] * 5)
    net = memoriser(X, y)
    assert net.b2 == 0.5 and net.k == 4
    assert_allclose(net(X), y, atol=1e-12)
    x = np.linspace(-1, 1, 7)[:, None]
    ends = memoriser(x, [1.0, 0, 0, 0, 0, 0, -1.0])
    assert ends.k == 2 and ends.b2 == 0.0


def test_equal_labels_need_no_neuron():
    net = memoriser(circle(5), np.full(5, 2.5))
    assert net.k == 0 and net.b2 == 2.5
    assert memoriser([[3.0, 4.0]], [7.0])([[3.0, 4.0]]) == 7.0
    alone = memoriser([[3.0, 4.0]], [7.0], b2=1.0)
    assert alone.k == 1
    assert_allclose(sharpness(alone, [[3.0, 4.0]]), 1 + 2 * 6 * 26**0.5, rtol=1e-12)


def test_what_no_such_network_can_memorise_is_refused_with_the_first_row():
    X = np.vstack([circle(5), [[0.0, 0.0], [0.1, 0.2]]])
    with pytest.raises(
        ValueError, match="1 of the points whose label is not b2 = 1 are not extreme"
    ):
        memoriser(X, [0, 0, 0, 0, 0, 1, 2])
    with pytest.raises(
        ValueError, match=r"2 of the points .* b2 = 0 .* the first in row 5; no neuron"
    ):
        memoriser(X, [0, 0, 0, 0, 0, 1, 1], b2=0.0)
    with pytest.raises(ValueError, match="y has shape"):
        memoriser(X, [0, 1])
    with pytest.raises(ValueError, match="b2 has shape"):
        memoriser(X, np.zeros(7), b2=[1.0])
    with pytest.raises(ValueError, match=r"X has shape \(3,\)"):
        extreme_points([1.0, 2.0, 3.0])
