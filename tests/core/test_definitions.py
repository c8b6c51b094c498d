"""The parts of the core against their definitions, on cases so small that brute force takes milliseconds.

Nothing here needs torch: these tests are most of the quick subset that mutants are run against.
"""

import os
from itertools import product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats
from scipy.optimize import minimize, minimize_scalar

from stablib import (
    EmpiricalWeight,
    IsotropicWeight,
    ShallowReLU,
    affine_aware_bound,
    checks,
    flattest_implementation,
    hessian_operator,
    implementation_free_bound,
    least_sharpness,
    linearized_sgd,
    max_stability_norm,
    sgd_threshold,
    sgd_threshold_interval,
    sharpness,
    sharpness_interval,
    sharpness_upper_bound,
    small_batch_norm,
    stability_norm,
    takeover_batch,
)
from stablib.bounds import _printed_upper_bound, upper_bound_implementation
from stablib.cells import bound_at_rays, bound_inside, cells, splits
from stablib.conic import restricted_optimum
from stablib.hessian import Hessian, top_eigenpair
from stablib.memorising import extreme_points, memoriser
from stablib.pairs import Frame, scan, worst_pairs
from stablib.planes import Planes
from stablib.sides import SideChoices, pairs_on_data, range_over_sides

MORE = 3 if os.environ.get("STABLIB_FULL") else 1  # trials at random and points of grids


def case(n=6, d=2, k=3, seed=0):
    rng = np.random.default_rng(seed)
    net = ShallowReLU(rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k), rng.normal())
    return net, rng.normal(size=(n, d))


def gradient(net, x, active):
    """Of f(x), in the order of eq. (9), for given activities."""
    z = net.W1 @ x + net.b1
    inner = active * net.w2
    return np.concatenate([np.outer(inner, x).ravel(), inner, np.maximum(z, 0), [1.0]])


def dense_hessian(net, X, residual=None, active=None):
    """Mean of phi phi' + r d2f, entry by entry."""
    k, d, n = net.k, net.d, len(X)
    active = (X @ net.W1.T + net.b1 > 0) * 1.0 if active is None else active
    residual = np.zeros(n) if residual is None else residual
    H = np.zeros(((d + 2) * k + 1,) * 2)
    for x, r, on in zip(X, residual, active, strict=True):
        phi = gradient(net, x, on)
        H += np.outer(phi, phi) / n
        for i in range(k):
            outer = k * d + k + i
            for a, entry in [*((i * d + c, x[c]) for c in range(d)), (k * d + i, 1.0)]:
                H[a, outer] += r * on[i] * entry / n
                H[outer, a] += r * on[i] * entry / n
    return H


def top(matrix):
    return np.linalg.eigvalsh(matrix)[-1]


# One network: Hessian, sides, thresholds.


@pytest.mark.parametrize("residual", [0.0, 0.3, 40.0])
def test_the_sharpness_is_that_of_the_hessian_written_out(residual):
    for seed in range(4):
        net, X = case(5, 2, 3, seed)
        r = residual * np.random.default_rng(seed).normal(size=5)
        exact = top(dense_hessian(net, X, r))
        assert_allclose(sharpness(net, X, net(X) - r), exact, rtol=1e-10)
        low, high = sharpness_interval(net, X, net(X) - r)
        assert low <= exact * (1 + 1e-13) and exact * (1 - 1e-13) <= high <= low * (1 + 1.1e-10)


def test_products_parts_and_the_top_eigenvector_are_those_of_the_matrix():
    net, X = case(5, 2, 3, 1)
    r = np.array([3.0, -1.0, 2.0, 0.5, -4.0])
    H, dense = Hessian.of(net, X, r), dense_hessian(net, X, r)
    w = np.random.default_rng(0).normal(size=len(dense))
    assert_allclose(H.product(w), dense @ w, rtol=1e-12)
    assert_allclose(H.join(*H.split(w)), w)
    value, vector = H.top()
    assert_allclose(dense @ vector, value * vector, rtol=0, atol=1e-6 * value)
    assert_allclose(np.linalg.norm(vector), 1)
    E = dense - dense_hessian(net, X)
    assert_allclose(H.residual_norm, top(E), rtol=1e-12)
    assert_allclose(H.residual_product(w), E @ w, rtol=1e-12)
    Phi = np.array([gradient(net, x, on) for x, on in zip(X, H.active, strict=True)]).T
    mu = 1.7 * H.residual_norm
    shifted = np.linalg.inv(mu * np.eye(len(E)) - E)
    assert_allclose(H.resolvent(mu), Phi.T @ shifted @ Phi / len(X), rtol=1e-10)
    u = np.arange(1.0, 6.0)
    assert_allclose(H.shifted_solve(mu, u), shifted @ Phi @ u, rtol=1e-10)
    assert H.below(1.001 * value) and not H.below(0.999 * value)
    assert not H.below(H.residual_norm)


def on_knots(seed, pairs=4, n=5, k=3, d=2):
    """A network whose neurons pass through data points: (points, neurons) lie on knots."""
    rng = np.random.default_rng(seed)
    X, W1, b1 = rng.normal(size=(n, d)), rng.normal(size=(k, d)), rng.normal(size=k)
    points = np.arange(pairs) % n
    neurons = np.arange(pairs) % k
    for i in range(k):
        mine = points[neurons == i][:d]
        if len(mine):
            A = np.hstack([X[mine], np.ones((len(mine), 1))])
            vector = np.linalg.svd(A)[2][-1] * rng.choice([-1, 1])
            W1[i], b1[i] = vector[:-1], vector[-1]
    return ShallowReLU(W1, b1, rng.normal(size=k), 0.3), X


@pytest.mark.parametrize(("seed", "residual", "pairs"), [(0, 0.0, 3), (2, 30.0, 4)])
def test_the_range_over_sides_is_that_of_all_hessians_written_out(seed, residual, pairs):
    net, X = on_knots(seed, pairs)
    r = residual * np.random.default_rng(seed + 9).normal(size=len(X))
    points, neurons = pairs_on_data(net, X, 1e-9)
    assert len(points) == pairs
    H = Hessian.of(net, X, r)
    sides, values = SideChoices(H, points, neurons), []
    choices = np.array(list(product((0.0, 1.0), repeat=pairs)))
    for choice in choices:
        active = H.active.copy()
        active[points, neurons] = choice
        values.append(top(dense_hessian(net, X, r, active)))
    for choice, value in zip(choices[::3], values[::3], strict=True):
        assert_allclose(sides.hessian(choice).top()[0], value, rtol=1e-10)
    values = np.array(values)
    for choice in choices[::5]:
        assert sides.below_all(choice) <= values.min() * (1 + 1e-9)
        assert sides.above_all(choice) >= values.max() * (1 - 1e-9)
    assert sides.above_all(choices[values.argmax()]) <= 1.5 * values.max()
    for level in (values.min() * 1.0001, np.median(values), values.max() * 0.9999):
        margins = sides.margins(level, choices)
        assert ((margins > 0) == (values < level))[np.abs(values - level) > 1e-9 * level].all()
    low, high = sharpness_interval(net, X, net(X) - r, sides=1e-9)
    assert_allclose([low, high], [values.min(), values.max()], rtol=2e-10)
    # First and second order of a change, where the others stay: the Rayleigh quotient is quadratic.
    w = np.random.default_rng(1).normal(size=len(dense_hessian(net, X)))
    w /= np.linalg.norm(w)
    for choice in choices[[0, 6]]:
        before = w @ sides.hessian(choice).product(w)
        first, second = sides.changes(choice, w)
        for q in range(pairs):
            turned = choice.copy()
            turned[q] = 1 - turned[q]
            assert_allclose(
                w @ sides.hessian(turned).product(w) - before, first[q] + second[q], atol=1e-10
            )


def test_a_search_over_many_sides_is_held_by_its_outer_interval():
    net, X = on_knots(5, 8, 8, 4, 3)
    rng = np.random.default_rng(0)
    net = ShallowReLU(np.vstack([net.W1, -net.W1]), np.r_[net.b1, -net.b1], rng.normal(size=8), 0)
    r = 0.2 * rng.normal(size=len(X))
    points, neurons = pairs_on_data(net, X, 1e-9)
    assert len(points) == 16
    found = sharpness_interval(net, X, net(X) - r, sides=1e-9)
    assert not found.certified and found.pairs == 16
    H = Hessian.of(net, X, r)
    values = []
    for _ in range(12 * MORE):
        active = H.active.copy()
        active[points, neurons] = rng.integers(0, 2, len(points))
        values.append(top(dense_hessian(net, X, r, active)))
    assert found[0] <= min(values) * (1 + 1e-9) and max(values) <= found[1] * (1 + 1e-9)
    assert found.outer[0] <= found[0] <= found[1] <= found.outer[1] <= 1.2 * found[1]
    low, high, proven, outer = range_over_sides(H, points[:0], neurons[:0])
    assert proven and outer == (low, high) and low < high <= low * (1 + 1e-10)
    assert_allclose(range_over_sides(H, points, neurons)[3], found.outer, rtol=1e-9)
    assert f"pairs=16, outer=({found.outer[0]:.12g}," in repr(found)


@pytest.mark.parametrize(("B", "replacement"), [(1, False), (2, False), (2, True), (7, True)])
def test_the_sgd_threshold_is_where_the_averaged_operator_stops_to_contract(B, replacement):
    net, X = case(4, 3, 5, 2)
    n = 4
    phi = np.array([gradient(net, x, net.W1 @ x + net.b1 > 0) for x in X])
    K = phi @ phi.T
    q = 1 / B if replacement else (n - B) / (B * (n - 1))
    eye, H = np.eye(n), K / n

    def radius(eta):
        """Of E -> mean over batches of A E A', A = 1 - (eta/B) K S, as a matrix on n x n matrices."""
        mean = np.kron(eye - eta * H, eye - eta * H)
        points = sum(np.kron(K @ np.diag(e), K @ np.diag(e)) for e in eye) / n - np.kron(
            H, H
        )  # the covariance of single points
        return np.abs(np.linalg.eigvals(mean + eta**2 * q * points)).max()

    low, high = sgd_threshold_interval(net, X, B, replacement=replacement)
    assert low < sgd_threshold(net, X, B, replacement=replacement) < high < low * (1 + 1e-9)
    assert radius(low * (1 - 1e-6)) < 1 < radius(high * (1 + 1e-6))


@pytest.mark.parametrize(("B", "replacement"), [(1, False), (2, False), (2, True), (6, False)])
@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_linearised_sgd_is_the_loop_over_matrices(B, replacement, noise):
    net, X = case(6, 2, 3, 3)
    r = noise * np.random.default_rng(4).normal(size=6)
    run = linearized_sgd(
        net, X, net(X) - r, 0.01, B, radius=0.5, steps=5, runs=2, replacement=replacement
    )
    z = X @ net.W1.T + net.b1
    assert run.batches.shape == (2, 5, B) and run.inside.shape == run.outside.shape == (2, 6)
    assert_allclose(np.linalg.norm(run.start, axis=1), 0.5)
    phi = np.array([gradient(net, x, on) for x, on in zip(X, z > 0, strict=True)])
    single = [dense_hessian(net, X[[j]], r[[j]]) for j in range(6)]
    values, vectors = np.linalg.eigh(phi.T @ phi)
    basis = vectors[:, values > 1e-9 * values[-1]]
    for i in range(2):
        delta = run.start[i].copy()
        for t in range(6):
            inside = basis.T @ delta
            assert_allclose(run.inside[i, t], np.linalg.norm(inside), rtol=1e-9)
            outside = np.linalg.norm(delta - basis @ inside)
            assert_allclose(run.outside[i, t], outside, rtol=1e-9)
            if t < 5:
                batch = run.batches[i, t]
                assert len(set(batch)) == B or replacement
                delta = delta - 0.01 / B * sum(single[j] @ delta + r[j] * phi[j] for j in batch)
        assert_allclose(run.last[i], delta, rtol=1e-9, atol=1e-12)


# Rescalings.


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("curved", [False, True])
def test_no_rescaling_that_a_general_search_finds_is_flatter(seed, curved):
    net, X = case(5, 2, 3, seed)
    curvature = np.random.default_rng(seed).uniform(0.2, 3, 5) if curved else np.ones(5)
    flat = flattest_implementation(net, X, curvature if curved else None)

    def of(t):
        return sharpness(net.rescale(np.exp(t)), X, None, curvature)

    least = minimize(of, np.zeros(3), method="Nelder-Mead", options={"maxiter": 70 * MORE}).fun
    assert flat.lower_bound * (1 - 1e-13) <= flat.sharpness <= least * (1 + 1e-9)
    assert flat.sharpness >= least * (1 - 2e-3) or flat.gap < 1e-7
    assert_allclose(sharpness(flat.net, X, None, curvature), flat.sharpness, rtol=1e-8)
    assert_allclose(flat.net(X), net(X), rtol=1e-9, atol=1e-12)
    assert flat.gap <= 1e-7 and flat.evaluations <= 60
    assert_allclose(flat.gap, max(0, 1 - flat.lower_bound / flat.sharpness), atol=1e-12)


def test_where_the_top_eigenvalue_is_multiple_the_flattest_is_proven_in_few_solves():
    X = np.vstack([np.eye(3), -np.eye(3)])
    W1 = np.vstack([np.eye(3), -np.eye(3)])
    net = ShallowReLU(W1 * np.arange(1.0, 7)[:, None], np.full(6, -0.5), np.arange(1.0, 7), 0.0)
    flat = flattest_implementation(net, X)
    assert flat.gap <= 1e-7 and flat.evaluations < 150
    assert_allclose(sharpness(flat.net, X), flat.sharpness, rtol=1e-8)


# Hyperplanes on data, and pairs of them.


def planes_case(n=6, d=2, m=4, seed=0):
    rng = np.random.default_rng(seed)
    X, v = rng.normal(size=(n, d)), rng.normal(size=(m, d))
    return X, v / np.linalg.norm(v, axis=1)[:, None], rng.normal(size=m)


def side_matrices(X, v, b):
    """A and B of all sides, those in front first."""
    out = []
    for sign in (1, -1):
        for normal, offset in zip(v, b, strict=True):
            z = np.maximum(sign * (X @ normal - offset), 0)
            out.append((np.outer(z > 0, z > 0) * (X @ X.T + 1), np.outer(z, z)))
    return out


@pytest.mark.parametrize(("n", "d"), [(6, 2), (3, 5)])
def test_planes_are_their_matrices(n, d):
    X, v, b = planes_case(n, d)
    b[0] = -50.0
    planes, both = Planes(X, v, b), side_matrices(X, v, b)
    U = np.random.default_rng(1).normal(size=(n, 2))
    pull, height = planes.traces(U)
    assert_allclose(pull, [np.trace(U.T @ A @ U) for A, _ in both], rtol=1e-10)
    assert_allclose(height, [np.trace(U.T @ B @ U) for _, B in both], rtol=1e-10)
    front, back = planes.cost(U)
    assert_allclose(np.r_[front, back], np.sqrt(pull * height), rtol=1e-12)
    seen, z = planes.seen(U)
    assert_allclose(seen, [U.T @ A @ U for A, _ in both], rtol=1e-10, atol=1e-12)
    assert_allclose(z[:, :, None] * z[:, None], [U.T @ B @ U for _, B in both], atol=1e-10)
    u, w = np.random.default_rng(2).uniform(size=(2, 8))
    gram = 1 + sum(s * A + t * B for s, t, (A, B) in zip(u, w, both, strict=True))
    assert_allclose(planes.gram(u, w), gram, rtol=1e-10)
    assert planes.live.tolist() == [A.any() for A, _ in both] and planes.m == 4
    joined = planes.subset([0, 2]).join(planes.subset(np.array([False, True, False, True])))
    again = Planes(X, v[[0, 2, 1, 3]], b[[0, 2, 1, 3]])
    for name in ("X", "v", "b", "on", "height", "live"):
        assert_allclose(getattr(joined, name), getattr(again, name))
    assert_allclose(joined.gram(u, w), again.gram(u, w))
    slope, kappa = np.array([1.0, 0, 2, 0, 0, -3, 0, 0.5]), np.arange(1.0, 9)
    net = planes.network(slope, kappa, 0.7)
    far = 3 * np.random.default_rng(3).normal(size=(9, d))
    ridges = np.maximum(np.hstack([far @ v.T - b, b - far @ v.T]), 0)
    assert_allclose(net(far), ridges @ slope + 0.7)
    assert_allclose(np.linalg.norm(net.W1, axis=1), kappa[slope != 0])


def test_a_point_on_a_plane_counts_on_neither_side():
    X = np.array([[0.1, 0.2], [1.0, 1.0], [-3.0, 0.5]])
    v = np.array([[0.6, 0.8]])
    planes = Planes(X, v, X[:1] @ v[0])
    assert planes.on.tolist() == [[0, 0], [1, 0], [0, 1]]


@pytest.mark.parametrize(("n", "r"), [(5, 2), (7, 2), (9, 2), (6, 3), (5, 4)])
def test_points_in_general_position_are_split_in_covers_number_of_ways(n, r):
    rng = np.random.default_rng(n)
    C = rng.normal(size=(n, r))
    found = cells(C)
    masks = {tuple(mask) for mask in found.fronts}
    assert len(masks) == len(found.fronts) == splits(n, r)
    omega, tau = rng.normal(size=(3000, r)), rng.normal(size=(3000, 1))
    some = {tuple(m ^ ~m[0]) for m in omega @ C.T > tau}
    assert some <= {tuple(np.array(m) ^ (not m[0])) for m in masks}
    assert len(some) >= 0.8 * len(masks)
    height = found.rays[:, :-1] @ C.T - found.rays[:, -1:]
    assert ((np.abs(height) < 1e-9).sum(axis=1) == r).all()
    from math import comb

    assert len(found.rays) == 2 * comb(n, r)


def test_repeated_and_collinear_points_are_split_together():
    C = np.array([[0.0, 0], [1, 0], [2, 0], [2, 0], [0, 1.5]])
    masks = {tuple(m) for m in cells(C).fronts}
    # None; one end of the line or the point above it; two of the line with it or without it.
    assert len(masks) == len(cells(C).fronts) == 6
    assert all(m[2] == m[3] for m in masks)
    square = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1]])
    assert cells(square) is None  # four points on one plane of space
    assert cells(np.random.default_rng(0).normal(size=(100, 2))) is None


def pair_cost(X, U, omega, tau):
    """s(w, t) + s(-w, -t) by its definition."""
    total = 0.0
    for sign in (1, -1):
        z = np.maximum(sign * (X @ omega - tau), 0)
        A = np.outer(z > 0, z > 0) * (X @ X.T + 1)
        total += np.sqrt(np.trace(U.T @ A @ U) * ((U.T @ z) ** 2).sum())
    return total


@pytest.mark.parametrize("d", [1, 2])
def test_a_scan_finds_the_cheapest_offset_of_every_gap(d):
    rng = np.random.default_rng(d)
    X = rng.normal(size=(5, d)) + 1
    U = rng.normal(size=(5, 2))
    U /= np.linalg.norm(U)
    frame = Frame(X)
    omega = np.ones(d) / d**0.5
    tau, value, least = (part[0] for part in scan(frame, U, omega[None]))
    direction = frame.basis @ omega
    shift = frame.mean @ direction
    level = np.sort(X @ direction)
    edges = np.r_[level[0] - 60, level, level[-1] + 60]
    assert len(tau) == 6 and (least <= value).all()
    for t, cost, bound, low, high in zip(tau, value, least, edges, edges[1:], strict=False):
        assert low < t + shift < high
        assert_allclose(cost, pair_cost(X, U, direction, t + shift), rtol=1e-8)
        best = minimize_scalar(
            lambda s: pair_cost(X, U, direction, s),
            bounds=(low + 1e-9, high - 1e-9),
            method="bounded",
            options={"xatol": 1e-10},
        ).fun
        assert bound <= best * (1 + 1e-7) and best >= cost * (1 - 1e-6)
    v, b = frame.planes(np.array([omega, -2 * omega]), np.array([0.3, 0.4]))
    assert_allclose(np.linalg.norm(v, axis=1), 1)
    assert_allclose(X @ v.T - b, (frame.C @ np.array([omega, -2 * omega]).T - [0.3, 0.4]) / [1, 2])


def test_a_scan_has_no_offset_between_points_at_the_same_height():
    frame = Frame(np.array([[0.0, 0], [0, 1], [2, 0], [2, 3]]))
    along = frame.basis.T @ np.eye(2)[0]
    tau, value, least = scan(frame, np.full((4, 1), 0.5), np.array([along, -along]))
    assert np.isfinite(value).tolist() == [[True, False, True, False, True]] * 2
    assert (np.isfinite(least) == np.isfinite(value)).all()
    assert_allclose(tau[0, [0, 2, 4]], -tau[1, [4, 2, 0]], atol=1e-7)
    assert_allclose(value[0, [0, 2, 4]], value[1, [4, 2, 0]], rtol=1e-7)


def test_bounds_on_a_cone_hold_everywhere_in_it():
    rng = np.random.default_rng(0)
    told = 0
    for _ in range(40):
        middle, sides = rng.normal(size=3), [rng.normal(size=(2, 3)) for _ in range(2)]
        rays = middle + 0.7 * rng.normal(size=(5, 3))
        nu = rng.normal(size=3)
        bound = bound_inside(rays, rays @ nu, sides)
        points = rng.exponential(size=(300, 5)) ** 3 @ rays
        cost = sum(np.linalg.norm(points @ side.T, axis=1) for side in sides)
        assert (points @ nu <= bound * cost * (1 + 1e-9)).all()
        told += np.isfinite(bound)
    assert 20 < told < 40


def test_a_linear_function_bounds_a_cone_unless_it_falls_faster_than_the_gain():
    assert bound_at_rays(np.array([2.0, 3.0, 1.0]), np.array([1.0, 1.0, -1.0])) == 0.5
    assert bound_at_rays(np.array([2.0, 3.0, -2.1]), np.array([1.0, 1.0, -1.0])) == np.inf
    assert bound_at_rays(np.array([2.0, 3.0, -1.9]), np.array([1.0, 1.0, -1.0])) == 0.5
    assert bound_at_rays(np.array([2.0, 3.0, -0.1]), np.array([1.0, 1.0, 0.0])) == np.inf
    assert bound_at_rays(np.array([2.0, -3.0]), np.array([1.0, 1.0])) == np.inf


@pytest.mark.parametrize("prove", [False, True])
@pytest.mark.parametrize("d", [1, 2])
def test_no_pair_at_random_breaks_a_multiplier_more_than_the_worst_one_found(d, prove):
    rng = np.random.default_rng(7 + d)
    X = rng.normal(size=(5, d)) * 2 + 1
    U = rng.normal(size=(5, 2))
    U /= np.linalg.norm(U)
    frame = Frame(X)
    mu = rng.normal(size=d)
    nu = frame.basis.T @ mu
    starts = rng.normal(size=(6, d))
    found = worst_pairs(frame, U, nu, starts / np.linalg.norm(starts, axis=1)[:, None], prove=prove)
    assert (np.diff(found.ratios) <= 0).all() and found.ratio == found.ratios[0]
    v, b = frame.planes(found.omega, found.tau)
    small = frame.C * 1e-3, Frame(X * 1e-3)  # costs far below 1
    again = worst_pairs(small[1], U, small[1].basis.T @ mu, starts, prove=prove)
    assert_allclose(abs(small[1].C), abs(small[0]), atol=1e-15)
    worst_small = 0.0
    for _ in range(20 * MORE):
        normal = rng.normal(size=d)
        offset = 1e-3 * rng.normal()
        worst_small = max(worst_small, abs(mu @ normal) / pair_cost(X * 1e-3, U, normal, offset))
    assert worst_small <= again.ratio * 1.02
    for normal, offset, ratio in zip(v, b, found.ratios, strict=True):
        assert_allclose(abs(mu @ normal) / pair_cost(X, U, normal, offset), ratio, rtol=1e-5)
    worst = 0.0
    for _ in range(100 * MORE):
        normal = rng.normal(size=d)
        normal /= np.linalg.norm(normal)
        offset = rng.uniform(-6, 6)
        worst = max(worst, abs(mu @ normal) / pair_cost(X, U, normal, offset))
    if prove or d == 1:
        assert worst <= found.proven and found.ratio <= found.proven <= found.ratio * (1 + 1e-5)
    else:
        assert found.proven == np.inf and worst <= found.ratio * 1.02


@pytest.mark.parametrize("linear", [False, True])
def test_the_restricted_program_in_all_of_the_space_meets_its_dual(linear):
    X, v, b = planes_case(5, 2, 4, 3)
    planes = Planes(X, v, b)
    slopes = np.array([1.0, -2.0, 0.5, 0.0])
    U = np.full((5, 1), 5**-0.5)
    t = v.T @ np.array([0.4, -1.0, 0.1, 0.6])
    found = restricted_optimum(
        planes, slopes, np.eye(5), U, 20.0, (v.T.copy(), t) if linear else None
    )
    m = np.r_[found.front, slopes - found.front]
    live = planes.live
    assert (found.u * found.w >= m**2 - 1e-6)[live].all() and (found.u >= 0).all()
    primal = top(planes.gram(found.u, found.w))
    P = found.density
    assert_allclose(np.trace(P), 1)
    assert np.linalg.eigvalsh(P)[0] > -1e-9
    values, vectors = np.linalg.eigh(P)
    front, back = planes.cost(vectors * np.sqrt(np.maximum(values, 0)))
    # The Lagrangian is linear in each slope's split but for the costs |m|: its least value is the dual's.
    pays = v @ found.multiplier if linear else np.zeros(4)
    least = [
        min(2 * abs(f) * cf + 2 * abs(a - f) * cb - 2 * p * f for f in (0.0, a))
        for a, cf, cb, p in zip(slopes, front, back, pays, strict=True)
    ]
    dual = P.sum() + sum(least) + (2 * found.multiplier @ t if linear else 0.0)
    assert_allclose(dual, primal, rtol=1e-5)
    if linear:
        assert_allclose(v.T @ found.front, t, atol=1e-6)
        assert (np.abs(pays) <= (front + back) * (1 + 1e-5)).all()


# All implementations of a function.


@pytest.mark.parametrize(("n", "d", "k", "seed"), [(6, 1, 3, 0), (5, 1, 2, 5), (5, 2, 3, 2)])
def test_the_least_sharpness_is_attained_on_one_side_and_proven_on_the_other(n, d, k, seed):
    net, X = case(n, d, k, seed)
    least = least_sharpness(net, X)
    assert least.certified and least.gap < 1e-7
    assert_allclose(least.upper, sharpness(least.net, X), rtol=1e-9)
    far = 4 * np.random.default_rng(seed).normal(size=(20, d))
    assert_allclose(least.net(far), net(far), rtol=1e-6, atol=1e-6)
    P, mu, form = least.density, least.multiplier, net.canonical()
    assert_allclose(np.trace(P), 1)
    total = P.sum() + 2 * mu @ form.beta
    for a, v, b in zip(form.a, form.v, form.b, strict=True):
        (A, B), (A2, B2) = side_matrices(X, v[None], [b])
        front, back = (np.sqrt(np.trace(P @ S) * np.trace(P @ T)) for S, T in ((A, B), (A2, B2)))
        total += 2 * min(abs(a) * front, abs(a) * back + a * mu @ v)
    assert_allclose(least.value, total / n, rtol=1e-9)
    free = implementation_free_bound(net, X)
    aware = affine_aware_bound(net, X, "uniform")
    assert free.gap < 1e-7 and free.value <= least.value * (1 + 1e-6)
    assert_allclose(free.upper, sharpness(free.net, X), rtol=1e-9)
    assert aware.value <= least.value * (1 + 1e-6) and aware.certified
    assert_allclose(aware.density, np.full((n, n), 1 / n))


def test_a_top_eigenpair_is_one():
    A = np.random.default_rng(0).normal(size=(4, 4))
    value, u = top_eigenpair(A + A.T)
    assert_allclose((A + A.T) @ u, value * u, atol=1e-12)
    assert_allclose(value, top(A + A.T))


# Closed forms.


def test_a_mean_curvature_of_the_loss_divides_the_allowed_norm():
    assert_allclose(max_stability_norm(0.1, [1.0, 3.0]), 1 / 0.2 - 0.5)
    assert_allclose(max_stability_norm(0.1, 4.0), 1 / 0.4 - 0.5)
    assert max_stability_norm(0.1, [0.0, 0.0]) == np.inf and max_stability_norm(0.5) == 1.5
    with pytest.raises(ValueError, match="loss_curvature"):
        max_stability_norm(0.1, [np.nan])


def test_the_takeover_batch_is_a_quotient_of_trace_and_top_eigenvalue():
    net, X = case(5, 2, 3, 4)
    H = dense_hessian(net, X)
    share = top(H) / np.trace(H)
    assert_allclose(takeover_batch(net, X, replacement=True), 1 / share)
    assert_allclose(takeover_batch(net, X), 5 / (1 + 4 * share))
    share = (1 + 2 * stability_norm(net, X)) / (1 + 2 * small_batch_norm(net, X))
    assert_allclose(takeover_batch(net, X, of="function", replacement=True), 1 / share)
    assert_allclose(takeover_batch(net, X, of="function"), 5 / (1 + 4 * share))


@pytest.mark.parametrize("radius", [1.0, 3.0])
def test_the_uniform_law_on_a_disc_charges_what_its_moments_say(radius):
    weight = IsotropicWeight(stats.semicircular(scale=radius))
    b = radius * np.array([-3.0, -0.4, 0.0, 0.7, 3.0])
    x = np.linspace(-radius, radius, 400_001)
    density = 2 / (np.pi * radius**2) * np.sqrt(radius**2 - x**2)
    for offset, value in zip(b, weight.g_tilde([1.0, 0.0], b), strict=True):
        mass = np.trapezoid(density * (x > offset), x)
        reach = np.trapezoid(density * x * (x > offset), x)
        exact = (reach - offset * mass) * np.hypot(reach, mass)
        assert_allclose(value, exact, rtol=1e-4, atol=1e-7)
    assert_allclose(weight.g([1.0, 0.0], b), weight.g_tilde([1.0, 0.0], np.abs(b)))


def test_a_law_without_a_name_is_integrated():
    class Law:
        dist = object()
        expect, sf, cdf, mean = (getattr(stats.norm(), n) for n in ("expect", "sf", "cdf", "mean"))

    b = np.array([[-1.0, 0.5]]).ravel()
    assert_allclose(IsotropicWeight(Law()).g([1.0], b), IsotropicWeight().g([1.0], b), rtol=1e-8)


def test_weights_of_a_few_points_are_the_printed_definition_for_many_directions_and_for_one():
    X = np.array([[0.0, 1.0], [2.0, -1.0], [-1.0, 0.5], [2.0, -1.0], [0.3, 0.3]])
    p = np.array([0.1, 0.2, 0.3, 0.15, 0.25])
    weight = EmpiricalWeight(X, p)
    v = np.array([[1.0, 0.0], [0.6, -0.8], [0.0, 1.0]])
    for normal in v:
        offsets = np.r_[X @ normal, 0.1, -7.0, 7.0, 1e5]
        tilde, g, hat = (f(normal, offsets) for f in (weight.g_tilde, weight.g, weight.g_hat))
        for i, b in enumerate(offsets):
            values = []
            for sign in (1, -1):
                z = np.maximum(sign * (X @ normal - b), 0)
                pull = np.hstack([X, np.ones((5, 1))]) * (p * (z > 0))[:, None]
                values.append(
                    (
                        p @ z * np.linalg.norm(pull.sum(axis=0)),
                        np.sqrt(p @ z**2 * (p * (z > 0)) @ (1 + (X**2).sum(axis=1))),
                    )
                )
            exact = [values[0][0], min(values[0][0], values[1][0]), values[0][1]]
            assert_allclose([tilde[i], g[i], hat[i]], exact, rtol=1e-11, atol=1e-13)
            rows = [f(normal[None], [b])[0] for f in (weight.g_tilde, weight.g, weight.g_hat)]
            assert_allclose(rows, exact, rtol=1e-11, atol=1e-13)
    assert weight.g(np.zeros((0, 2)), []).shape == (0,) and weight.g(v[0], 0.5).shape == ()


@pytest.mark.parametrize("scale", [0.01, 100.0])
def test_a_memorisers_neurons_stand_half_way_to_the_next_point(scale):
    X = scale * np.array(
        [[0.0, 0.0], [1.0, 0.1], [0.2, 1.3], [-0.9, 0.4], [0.3, -1.1], [0.05, 0.1]]
    )
    y = np.array([0.5, 2.0, -1.0, 0.7, 1.5, 0.5])
    assert extreme_points(X).tolist() == [False, True, True, True, True, False]
    net = memoriser(X, y)
    assert net.k == 4 and net.b2 == 0.5
    assert_allclose(net(X), y, rtol=1e-12)
    z = X @ net.W1.T + net.b1
    for i, j in enumerate([1, 2, 3, 4]):
        assert_allclose(np.delete(z[:, i], j).max(), -z[j, i], rtol=1e-9)
        assert_allclose(z[j, i] ** 2, abs(y[j] - 0.5) * np.sqrt(1 + X[j] @ X[j]), rtol=1e-9)


def test_the_memorisers_output_bias_is_the_best_of_a_grid():
    X, y = np.array([[-2.0, 0], [2, 0], [0, 3], [0, -3]]), np.array([1.0, -1, 4, 2])
    best = sharpness(memoriser(X, y), X)
    others = [sharpness(memoriser(X, y, b2), X) for b2 in np.linspace(-1.5, 4.5, 61)]
    assert best <= min(others) * (1 + 1e-9) and min(others) < best * 1.01
    assert np.isclose(memoriser(X, [2.0, 2, 2, 2]).b2, 2) and memoriser([[1.0]], [3.0]).k == 0


def test_idle_neurons_are_scaled_until_they_hardly_count():
    net, X = case(5, 2, 3, 5)
    W1, b1 = np.vstack([net.W1, [[900.0, 0], [0, 700]]]), np.r_[net.b1, 500.0, 300.0]
    wide = ShallowReLU(W1, b1, np.r_[net.w2, 0.0, 0.0], net.b2)
    flat, narrow = flattest_implementation(wide, X), flattest_implementation(net, X)
    assert_allclose(flat.sharpness, narrow.sharpness, rtol=1e-9)
    assert sharpness(flat.net, X) <= flat.sharpness * (1 + 1e-9)
    z = np.maximum(X @ flat.net.W1.T + flat.net.b1, 0)[:, -2:]
    assert_allclose((z**2).sum() / 5, 1e-10 * flat.sharpness, rtol=1e-6)
    assert_allclose(*((z**2).sum(axis=0)), rtol=1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_newtons_method_needs_a_handful_of_eigenvectors(seed):
    net, X = case(6, 2, 4, seed)
    flat = flattest_implementation(net.rescale(np.array([1.0, 30, 0.1, 5])), X)
    assert flat.gap <= 1e-9 and flat.evaluations <= 14
    X = np.abs(X)
    assert flattest_implementation(net, X).evaluations <= 8


@pytest.mark.parametrize(
    ("check", "bad", "said"),
    [
        (lambda v: checks.hyperplanes([[1.0]], v, 1), ["x"], "b is"),
        (lambda v: checks.hyperplanes([[1.0]], v, 1), [1.0, 2.0], "b has shape"),
        (lambda v: checks.hyperplanes(v, [0.0], 1), [[2.0]], "length 2"),
        (lambda v: checks.array(v, "w"), np.inf, "w has an infinite entry; finite"),
        (lambda v: checks.array(v, "w"), [[0.0, np.nan]], r"w has NaN at \(0, 1\); finite"),
        (lambda v: checks.array(v, "w"), "word", "w is str; "),
        (lambda v: checks.array(v, "w"), [["a"]], "w is list|w is an array of dtype"),
        (lambda v: checks.array(v, "w"), [[1], [2, 3]], "w is ragged"),
        (lambda v: checks.array(v, "w"), np.ma.masked_array([1.0], [True]), "w has masked"),
        (lambda v: checks.points(v, "w"), [1.0], "w has shape"),
        (lambda v: checks.points(v, "w"), [[2e100]], "w has an entry of size 2e"),
        (lambda v: checks.labels(v, 2, "w"), [1.0], "w has shape"),
        (lambda v: checks.real(v, "w"), True, "w is True"),
        (lambda v: checks.real(v, "w"), [1.0], "w has shape"),
        (lambda v: checks.positive(v, "w"), 0.0, "w is 0; a positive"),
        (lambda v: checks.nonnegative(v, "w"), -1.0, "w is -1; a number that is zero"),
        (lambda v: checks.count(v, "w"), 0, "w is 0; at least 1"),
        (lambda v: checks.count(v, "w"), True, "w is True; a whole"),
        (lambda v: checks.count(v, "w"), 2.5, "w is 2.5; a whole"),
        (lambda v: checks.count(v, "w"), 2**53 + 1, "w has 16 digits"),
        (lambda v: checks.choice(v, "w", ("a", "b")), "c", "w is 'c'; 'a' or 'b'"),
        (lambda v: checks.choice(v, "w", ("a", "b")), 1, "w is 1; "),
        (lambda v: checks.loss_curvature(v, 2), [-1.0, 0.0], "negative entry -1"),
        (
            lambda v: checks.loss_curvature(v, 2),
            [1.0, 0.0, 1.0],
            r"loss_curvature has shape \(3,\)",
        ),
        (lambda v: checks.generator(v), -1, "seed is -1; at least 0"),
        (lambda v: checks.network(v), 3, "net is int"),
        (lambda v: checks.normals(v, 2), [1.0], r"v has shape \(1,\)"),
        (lambda v: checks.normals(v, 1), [[1.0], [1.1]], "v has a row of length 1.1"),
    ],
)
def test_a_check_names_what_was_given(check, bad, said):
    with pytest.raises(ValueError, match=said):
        check(bad)


def test_checks_let_through_what_is_right():
    assert checks.count(2**53, "w") == 2**53 and checks.count(10**30, "w", maximum=None) == 10**30
    assert checks.nonnegative(0, "w") == 0.0 and checks.points([[1e100]]).shape == (1, 1)
    assert checks.normals([[1.0 + 9e-9]], 1).shape == (1, 1)
    rng = np.random.default_rng(3)
    assert checks.generator(rng) is rng and checks.generator(0).random() < 1
    assert checks.generator(3).random() == np.random.default_rng(3).random()
    assert checks.generator(3, 1).random() == np.random.default_rng([3, 1]).random()
    assert checks.loss_curvature(2.0, 3).tolist() == [2, 2, 2]
    v, b = checks.hyperplanes([1.0], [1.0, 2.0, 3.0], 1)
    assert v.shape == (1,) and b.tolist() == [1, 2, 3]
    value = [1.0, 2.0]
    assert checks.array(np.asarray(value), "w") is not value


def test_a_given_density_is_taken_as_it_is():
    net, X = case(5, 2, 3, 1)
    root = np.random.default_rng(2).normal(size=(5, 3))
    P = root @ root.T / np.trace(root @ root.T)
    found, form = implementation_free_bound(net, X, P), net.canonical()
    total = P.sum()
    for a, v, b in zip(form.a, form.v, form.b, strict=True):
        costs = [
            np.sqrt(np.trace(P @ A) * np.trace(P @ B)) for A, B in side_matrices(X, v[None], [b])
        ]
        total += 2 * abs(a) * min(costs)
    assert_allclose(found.value, total / 5, rtol=1e-9)
    assert_allclose(found.density, P, atol=1e-12)
    assert found.upper == np.inf and found.gap == 1 and found.net is None and found.certified
    assert not found.multiplier.any()


@pytest.mark.parametrize("seed", range(3))
def test_on_a_line_the_best_multiplier_is_that_of_a_grid(seed):
    net, X = case(5, 1, 3, seed)
    U, form = np.full((5, 1), 5**-0.5), net.canonical()
    cheapest = min(
        pair_cost(X, U, np.ones(1), t) for t in np.linspace(X.min() - 9, X.max() + 9, 301 * MORE)
    )
    costs = []
    for v, b in zip(form.v, form.b, strict=True):
        sides = side_matrices(X, v[None], [b])
        costs.append([np.sqrt((U.T @ A @ U * (U.T @ B @ U))[0, 0]) for A, B in sides])
    front, back = np.array(costs).T

    def value(mu):
        size = np.abs(form.a)
        bends = np.minimum(size * front, size * back + form.a * mu[:, None] * form.v[:, 0])
        return (5 + 2 * bends.sum(axis=1) + 2 * mu * form.beta[0]) / 5

    best = value(np.linspace(-cheapest, cheapest, 2001)).max()
    found = affine_aware_bound(net, X, "uniform")
    assert_allclose(found.value, best, rtol=3e-3)
    assert_allclose(found.value, value(found.multiplier)[0], rtol=1e-9)
    assert found.certified and found.upper == np.inf and found.net is None


def test_large_data_get_the_bound_without_pairs_and_the_flattest_rescaling(monkeypatch):
    net, X = case(5, 2, 3, 1)
    monkeypatch.setattr("stablib.anywidth.SEARCHED", 9)
    free, flat = implementation_free_bound(net, X), flattest_implementation(net, X)
    for found in (least_sharpness(net, X), affine_aware_bound(net, X)):
        assert_allclose([found.value, found.upper], [free.value, flat.sharpness], rtol=1e-7)
        assert_allclose(sharpness(found.net, X), found.upper, rtol=1e-9)
        assert_allclose(found.gap, 1 - found.value / found.upper, rtol=1e-9)
        assert_allclose(found.net(X), net(X), rtol=1e-9)
        assert found.certified and not found.multiplier.any()
    assert (
        affine_aware_bound(net, X, "uniform").value
        == implementation_free_bound(net, X, "uniform").value
    )


def test_where_cells_are_too_many_only_the_bound_without_pairs_is_proven(monkeypatch):
    net, X = case(4, 2, 2, 0)
    least = least_sharpness(net, X)
    monkeypatch.setattr("stablib.cells.SPLITS", 1)
    found, searched = least_sharpness(net, X), affine_aware_bound(net, X)
    free = implementation_free_bound(net, X)
    assert found.certified is True and not searched.certified
    assert_allclose(found.value, free.value, rtol=1e-9)
    assert_allclose(found.density, free.density, atol=1e-9)
    assert least.value * (1 - 1e-9) <= found.upper <= least.upper * 1.01
    assert_allclose(sharpness(found.net, X), found.upper, rtol=1e-9)
    assert_allclose(found.gap, 1 - found.value / found.upper, rtol=1e-9)
    assert searched.value <= searched.upper * (1 + 1e-9) and searched.value >= least.value * 0.99


def test_idle_pairs_may_leave_without_harm(monkeypatch):
    net, X = case(4, 2, 2, 0)
    monkeypatch.setattr("stablib.meeting.MANY", 0)
    assert least_sharpness(net, X).gap < 1e-6


def ridge_g_hat(X, v, b):
    z = np.maximum(X @ v - b, 0)
    return np.sqrt((z**2).mean() * ((z > 0) * (1 + (X**2).sum(axis=1))).mean())


def test_the_upper_bound_is_the_least_over_the_sides_that_it_names():
    for seed in range(4):
        net, X = case(6, 2, 4, seed)
        form, values = net.canonical(), []
        front = np.array([ridge_g_hat(X, v, b) for v, b in zip(form.v, form.b, strict=True)])
        back = np.array([ridge_g_hat(X, -v, -b) for v, b in zip(form.v, form.b, strict=True)])
        for turned in [back < front, *(form.b < X @ form.v.T)]:
            beta = form.beta + (form.a * turned) @ form.v
            ridges = np.abs(form.a) @ np.where(turned, back, front)
            reach = np.sqrt(1 + (X**2).sum(axis=1).mean())
            values.append(1 + 2 * ridges + 2 * np.std(X @ beta) * reach)
        assert_allclose(sharpness_upper_bound(net, X), min(values), rtol=1e-10)
        wide = upper_bound_implementation(net, X)
        assert sharpness(wide, X) <= min(values) and wide.k <= net.k + 2
        assert_allclose(wide(5 * X), net(5 * X), rtol=1e-9, atol=1e-9)
        alive = np.abs(net.w2) * np.linalg.norm(net.W1, axis=1)
        own = [
            a * ridge_g_hat(X, w / np.linalg.norm(w), -b / np.linalg.norm(w))
            for a, w, b in zip(alive, net.W1, net.b1, strict=True)
        ]
        assert_allclose(sharpness_upper_bound(net, X, own_side=True), 1 + 2 * sum(own), rtol=1e-10)


@pytest.mark.parametrize(
    ("side", "of"), [("mean", np.mean), ("larger", np.max), ("smaller", np.min)]
)
def test_the_printed_upper_bound_on_a_line_is_eq_19(side, of):
    net, X = case(6, 1, 3, 2)
    form = net.canonical()
    g_hat = [
        of([ridge_g_hat(X, v, b), ridge_g_hat(X, -v, -b)])
        for v, b in zip(form.v, form.b, strict=True)
    ]
    x = np.linspace(-30, 30, 200_001)[:, None]
    steepest = np.abs(form.a).sum() + np.abs(np.diff(net(x)) / np.diff(x[:, 0])).min()
    exact = 1 + 2 * np.abs(form.a) @ g_hat
    exact += 4 * steepest * X.std() * np.sqrt(1 + (X**2).mean())
    assert_allclose(_printed_upper_bound(net, X, side), exact, rtol=1e-6)


def test_slopes_that_cancel_leave_and_small_ones_stay():
    assert len(ShallowReLU([[1.0]], [0.0], [1e-8]).canonical().a) == 1
    pair = ShallowReLU([[1.0], [2.0]], [0.5, 1.0], [1e8, -0.5e8 * (1 - 1e-12)]).canonical()
    assert len(pair.a) == 0
    kept = ShallowReLU([[1.0], [-2.0]], [0.5, -1.0], [1.0, 0.5 * (1 + 1e-6)]).canonical()
    assert len(kept.a) == 1
    with pytest.raises(ValueError, match="c has the entry 0"):
        ShallowReLU([[1.0]], [0.0], [1.0]).rescale(0.0)


def test_first_weights_keep_to_their_range():
    for seed in range(5):
        net = ShallowReLU.initial(4, 100, seed=seed)
        assert max(abs(net.W1).max(), abs(net.b1).max()) <= 0.5
        assert max(abs(net.w2).max(), abs(net.b2)) <= 0.1
        assert abs(net.W1).max() > 0.45 and abs(net.w2).max() > 0.09 and abs(net.b1).max() > 0.45
    he = ShallowReLU.initial(8, 2000, scheme="he", scale=3.0)
    assert_allclose(he.W1.std(), 1.5, rtol=0.05)
    assert_allclose(he.w2.std(), 3 * (2 / 2000) ** 0.5, rtol=0.05)
    assert not he.b1.any() and he.b2 == 0
    with pytest.raises(ValueError, match="read-only"):
        net.W1[0, 0] = 1.0


def test_batches_with_replacement_are_drawn_anew_and_a_run_that_is_over_stays_over():
    net, X = case(6, 2, 3, 3)
    run = linearized_sgd(net, X, None, 0.01, 2, steps=40, replacement=True)
    assert set(run.batches.ravel()) == set(range(6)) and len(set(map(tuple, run.batches))) > 8
    with np.errstate(all="raise"):
        far = linearized_sgd(net, X, None, 1e6, 6, steps=60, runs=2)
    assert np.isinf(far.inside[:, -1]).all() and np.isinf(far.last).all()
    over = np.isinf(far.inside)
    assert (np.diff(over.astype(int), axis=1) >= 0).all()
    assert (np.isinf(far.outside) == over).all()


def test_the_operator_is_the_matrix():
    net, X = case(4, 2, 2, 0)
    y = np.arange(4.0)
    dense = dense_hessian(net, X, net(X) - y)
    operator = hessian_operator(net, X, y)
    assert operator.shape == dense.shape and operator.dtype == float
    assert_allclose(operator @ np.eye(len(dense)), dense, atol=1e-12)
    assert_allclose(operator.T @ np.arange(len(dense)), dense @ np.arange(len(dense)), atol=1e-10)
    with pytest.raises(ValueError, match=r"v has a row of length 0\.1;"):
        checks.normals([[0.1], [1.05]], 1)


@pytest.mark.parametrize("copies", [2, 3])
def test_equal_blocks_of_data_have_a_multiple_top_eigenvalue_and_one_blocks_flattest(copies):
    # Points far apart on orthogonal axes; each pair of neurons sees its own axis alone.
    X = 50.0 * np.vstack([s * np.eye(copies)[i] for i in range(copies) for s in (1, -1)])
    W1 = np.vstack([s * np.eye(copies)[i] for i in range(copies) for s in (1.0, -1.0)])
    net = ShallowReLU(W1, np.full(2 * copies, -1.0), 2.0 ** np.arange(2 * copies), 0.0)
    even = flattest_implementation(
        ShallowReLU(W1, np.full(2 * copies, -1.0), [1.0] * 2 * copies, 0), X
    )
    odd = flattest_implementation(net, X)
    for flat in (even, odd):
        assert flat.gap <= 1e-7 and flat.evaluations <= 80
        assert_allclose(sharpness(flat.net, X), flat.sharpness, rtol=1e-8)


def test_an_upper_end_is_the_number_that_was_tested(monkeypatch):
    net, X = case(4, 2, 2, 0)
    tried = []
    monkeypatch.setattr(Hessian, "below", lambda self, mu: len(tried) > 1 or tried.append(mu))
    H = Hessian.of(net, X)
    low, high = H.enclosed()
    value = top(dense_hessian(net, X))
    assert len(tried) == 2 and tried[0] < tried[1] < high
    assert_allclose([low, high, *tried], value, rtol=1e-10)
    monkeypatch.setattr(Hessian, "below", lambda self, mu: False)
    with pytest.raises(ArithmeticError, match="inertia"):
        H.enclosed()


def test_no_choice_of_sides_lies_below_the_residual_part():
    net, X = on_knots(0)
    H = Hessian.of(net, X, np.linspace(-50, 60, len(X)))
    sides = SideChoices(H, *pairs_on_data(net, X, 1e-9))
    margins = sides.margins(1e-3, np.zeros((3, 4)))
    assert margins.shape == (3,) and (margins == -np.inf).all()


@pytest.mark.parametrize("curvature", [None, [0.1, 5.0, 1.0, 0.0, 2.0, 9.0]])
def test_the_implementation_of_the_upper_bound_is_balanced_under_the_law_of_the_loss(curvature):
    net, X = case(6, 2, 4, 1)
    wide = upper_bound_implementation(net, X, curvature)
    weights = np.ones(6) if curvature is None else np.array(curvature)
    z = np.maximum(X @ wide.W1.T + wide.b1, 0)
    heights = weights @ z**2
    pulls = wide.w2**2 * ((weights * (1 + (X**2).sum(axis=1))) @ (z > 0))
    assert_allclose(heights, pulls, rtol=1e-9)
    bound = sharpness_upper_bound(net, X, curvature)
    assert sharpness(wide, X, None, weights) <= bound
    assert weights.mean() + 2 * (heights / 6).sum() <= bound * (1 + 1e-6)  # the trace, too


def test_without_any_curvature_of_the_loss_everything_is_flat():
    net, X = case(4, 2, 2, 0)
    flat = flattest_implementation(net, X, 0.0)
    assert (flat.sharpness, flat.gap) == (0, 0) and sharpness_upper_bound(net, X, 0.0) == 0


def test_a_point_next_to_a_far_plane_by_rounding_is_on_it():
    X, v = np.array([[3.0, 4.0], [0.0, 0.1]]), np.array([[0.6, 0.8]])
    offset = X[:1] @ v[0]
    for b in (np.nextafter(offset, 9), np.nextafter(offset, 0), offset):
        assert Planes(X, v, b).on.tolist() == [[0, 0], [0, 1]]
    assert Planes(X, v, offset * (1 + 1e-12)).on.tolist() == [[0, 1], [0, 1]]


def test_the_first_output_bias_is_random():
    b2 = [10 * ShallowReLU.initial(2, 100, seed=seed).b2 for seed in range(20)]
    assert min(b2) < -0.3 and max(b2) > 0.3 and len(set(b2)) == 20


def test_the_printed_upper_bound_takes_the_gradient_over_the_cells_of_the_data():
    net, X = case(6, 3, 3, 2)
    form = net.canonical()
    g_hat = [
        (ridge_g_hat(X, v, b) + ridge_g_hat(X, -v, -b)) / 2
        for v, b in zip(form.v, form.b, strict=True)
    ]
    slopes = [np.linalg.norm((net.w2 * (net.W1 @ x + net.b1 > 0)) @ net.W1) for x in X]
    spread = np.linalg.eigvalsh(np.cov(X.T, bias=True))[-1] ** 0.5
    exact = 1 + 2 * np.abs(form.a) @ g_hat
    exact += 4 * (np.abs(form.a).sum() + min(slopes)) * spread * np.sqrt(1 + (X**2).sum(1).mean())
    assert_allclose(_printed_upper_bound(net, X), exact, rtol=1e-10)


def test_small_labels_are_met_best_from_the_label_in_their_weighted_middle():
    X, y = np.array([[-2.0, 0], [2, 0], [0, 3], [0, -3]]), 0.01 * np.array([1.0, -1, 4, 2])
    best = memoriser(X, y)
    values = [sharpness(memoriser(X, y, b2), X) for b2 in y]
    assert best.b2 == y[np.argmin(values)] and best.k == 3
    with pytest.raises(ValueError, match=r"b has shape \(1, 2\)"):
        checks.hyperplanes([1.0], [[1.0, 2.0]], 1)


def test_the_gap_is_the_distance_of_bound_and_sharpness_where_the_search_gives_up(monkeypatch):
    net, X = case()
    monkeypatch.setattr("stablib.flattest._newton", lambda family, t: (t, 8.0, 6.0, 1))
    monkeypatch.setattr("stablib.flattest._interior_point", lambda family, t, *ends: (t, *ends, 2))
    found = flattest_implementation(net, X, loss_curvature=0.5)
    assert (found.sharpness, found.lower_bound, found.gap, found.evaluations) == (4, 3, 0.25, 3)


def test_a_slope_across_data_on_an_oblique_line_costs_next_to_nothing():
    net, t = case(d=2, k=2)[0], np.linspace(-1, 1, 5)[:, None]
    X = np.array([0.2, 0.4]) + t * np.array([2.0, -1.0])
    across = np.array([[1.0, 2.0]])
    tilted = ShallowReLU(
        np.vstack([net.W1, across, -across]), np.r_[net.b1, 5.0, -5.0], np.r_[net.w2, 1.0, -1.0], 0
    )
    least = least_sharpness(tilted, X)
    assert_allclose(least.upper, least_sharpness(net, X).upper, rtol=1e-3)
    far = 3 * np.random.default_rng(1).normal(size=(20, 2))
    assert_allclose(least.net(far), tilted(far), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda net, X: least_sharpness(net, X, tol=-1), "tol"),
        (lambda net, X: implementation_free_bound(net, X, density="best"), "density"),
        (lambda net, X: sharpness_interval(net, X, sides=-1), "sides"),
        (lambda net, X: sgd_threshold(net, X, batch_size=0), "batch_size"),
        (lambda net, X: sharpness(net, X, [1.0]), "y"),
        (lambda net, X: sharpness(net, X, loss_curvature=-1), "loss_curvature"),
        (lambda net, X: max_stability_norm(-1), "step_size"),
    ],
)
def test_what_is_wrong_is_named_first(call, name):
    with pytest.raises(ValueError, match=rf"^{name} "):
        call(*case())
