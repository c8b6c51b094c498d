"""Data sets that are drawn, and the Dataset that holds them."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from stablib import ShallowReLU
from stablib.data import Dataset, gaussian, plane, two_points


def test_a_dataset_unpacks_into_points_and_labels():
    X, y = Dataset([[1, 2], [3, 4], [5, 6]], [1, 2, 3])
    assert X.shape == (3, 2) and y.shape == (3,) and X.dtype == y.dtype == np.float64


def test_a_dataset_is_a_copy_that_cannot_be_written():
    X = np.ones((2, 2))
    data = Dataset(X, [0, 1])
    X[:] = 7
    assert_array_equal(data.X, 1)
    with pytest.raises(ValueError, match="read-only"):
        data.X[0, 0] = 2
    assert (len(data), data.n, data.d) == (2, 2, 2)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.ones((500, 3)), np.ones(512), "y has shape .512,., but X has 500 rows"),
        (np.ones(3), np.ones(3), "X has shape .3,."),
        (np.ones((0, 3)), np.ones(0), "X has shape .0, 3."),
        (np.ones((3, 0)), np.ones(3), "X has shape .3, 0."),
        ([[np.nan]], [1], "X has NaN"),
        ([[1.0]], [np.inf], "y has an infinite entry"),
        ("points", [1], "X is str"),
    ],
)
def test_what_is_no_dataset_is_refused(X, y, message):
    with pytest.raises(ValueError, match=message):
        Dataset(X, y)


def test_gaussian_points_and_labels_are_standard_normal_and_independent():
    X, y = gaussian(100_000, 3, seed=5)
    values = np.column_stack([X, y])
    assert_allclose(values.mean(0), 0, atol=0.015)
    assert_allclose(np.cov(values.T), np.eye(4), atol=0.02)
    assert_allclose((values**4).mean(0), 3, atol=0.15)


@pytest.mark.parametrize("draw", [gaussian, plane])
def test_a_seed_decides_the_data(draw):
    assert_array_equal(draw(seed=3).X, draw(seed=3).X)
    assert (draw(seed=3).X != draw(seed=4).X).all()


def test_a_generator_is_used_as_it_is():
    rng = np.random.default_rng(3)
    first, second = gaussian(4, 2, rng), gaussian(4, 2, rng)
    assert_array_equal(first.X, np.random.default_rng(3).standard_normal((4, 2)))
    assert (first.X != second.X).all()


@pytest.mark.parametrize("scheme", ["torch", "he"])
def test_points_and_initial_weights_of_one_seed_are_independent(scheme):
    X = gaussian(1000, 20, seed=0).X
    W1 = ShallowReLU.initial(20, 1000, scheme=scheme, seed=0).W1
    assert abs(np.corrcoef(X.ravel(), W1.ravel())[0, 1]) < 0.03


def test_two_points_are_opposite_unit_vectors():
    X, y = two_points()
    assert_array_equal(X, [[1, 0], [-1, 0]])
    assert_array_equal(y, [1, -1])
    assert_array_equal(two_points([3, 4]).X, [[3, 4], [-3, -4]])


def test_points_of_the_plane_are_uniform_in_the_disc():
    X, _ = plane(50_000)
    radius = np.linalg.norm(X, axis=1)
    assert radius.max() <= 1
    assert_allclose(
        [(radius < r).mean() for r in (0.25, 0.5, 0.75)], [0.0625, 0.25, 0.5625], atol=0.01
    )
    assert_allclose(X.mean(0), 0, atol=0.01)
    assert_allclose(np.cov(X.T), np.eye(2) / 4, atol=0.005)


def test_labels_of_the_plane_are_odd_with_a_hill_and_noise_is_added():
    clean, noisy = plane(20_000), plane(20_000, noise=0.3)
    assert_array_equal(clean.X, noisy.X)
    assert_allclose((noisy.y - clean.y).std(), 0.3, rtol=0.03)
    assert_allclose(clean.X[np.argmax(clean.y)], [0.5, 0.2], atol=0.05)
    assert_allclose(clean.X[np.argmin(clean.y)], [-0.5, -0.2], atol=0.05)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: gaussian(0), "n is 0; at least 1 is needed"),
        (lambda: gaussian(5, 0), "d is 0; at least 1 is needed"),
        (lambda: gaussian(5, 2.5), "d is 2.5; a whole number is needed"),
        (lambda: gaussian(seed=-1), "seed is -1; at least 0 is needed"),
        (lambda: gaussian(seed="x"), "seed is 'x'; a whole number is needed"),
        (lambda: plane(0), "n is 0; at least 1 is needed"),
        (lambda: plane(noise=-1), "noise is -1"),
        (lambda: plane(noise=np.nan), "noise has NaN"),
        (lambda: two_points([]), "p has shape .0,."),
        (lambda: two_points([[1, 0]]), "p has shape .1, 2."),
        (lambda: two_points([np.inf]), "p has an infinite entry"),
    ],
)
def test_impossible_requests_are_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()
