"""Features, Hessians and bounds: random problems against definitions written out."""

import itertools

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from stablib import (
    flattest_implementation,
    gd_threshold,
    hessian_operator,
    max_stability_norm,
    one_sided_norm,
    parametric_stability_norm,
    sharpness,
    sharpness_interval,
    sharpness_lower_bound,
    sharpness_upper_bound,
    stability_norm,
    sufficient_stability,
    tangent_features,
    tangent_gram,
)
from stablib.bounds import upper_bound_implementation
from tests.core.oracles import autograd_features, autograd_hessian
from tests.trust.problems import SEEDS, gross, of, problem, problems
from tests.trust.stated import states

# Features and Hessians


@pytest.mark.statement("eq-45")
@pytest.mark.statement("eq-47")
@states(tangent_features, tangent_gram, sharpness)
@given(problems(), SEEDS)
def test_features_are_autograds_and_their_products_give_the_sharpness(given_problem, seed):
    net, X, _ = given_problem
    phi = autograd_features(net, X)
    top = np.abs(phi).max()
    assert_allclose(tangent_features(net, X), phi, rtol=1e-12, atol=1e-13 * top)
    curvature = 10 ** np.random.default_rng(seed).uniform(-3, 3, len(X))
    curvature[0] = 0 if len(X) > 1 else 1
    weighted = phi * np.sqrt(curvature)
    gram = weighted.T @ weighted
    assert_allclose(tangent_gram(net, X, curvature), gram, rtol=1e-10, atol=1e-13 * gram.max())
    assert_allclose(tangent_gram(net, X), phi.T @ phi, rtol=1e-10, atol=1e-13 * (phi**2).sum())
    # The same value from parameters' side and from data's side.
    for found, features in (
        (sharpness(net, X), phi),
        (sharpness(net, X, None, curvature), weighted),
    ):
        assert_allclose(found, np.linalg.norm(features, 2) ** 2 / len(X), rtol=1e-10)


@pytest.mark.statement("eq-44")
@states(hessian_operator)
@given(problems(n=6, k=4, scale=3), SEEDS)
def test_the_operator_multiplies_like_autograds_hessian_and_is_symmetric(given_problem, seed):
    net, X, y = given_problem
    rng = np.random.default_rng(seed)
    for labels in (None, y):
        formed = autograd_hessian(net, X, net(X) if labels is None else labels)
        u, w = rng.normal(size=(2, len(formed)))
        operator = hessian_operator(net, X, labels)
        size = np.linalg.norm(formed)
        assert operator.shape == formed.shape
        assert_allclose(operator @ u, formed @ u, rtol=0, atol=1e-12 * size * np.linalg.norm(u))
        assert abs(w @ (operator @ u) - u @ (operator @ w)) <= 1e-11 * size * len(u)


@pytest.mark.statement("eq-48")
@pytest.mark.statement("eq-52")
@pytest.mark.statement("new-own-side")
@pytest.mark.statement("new-identity")
@states(sharpness, one_sided_norm, parametric_stability_norm, stability_norm)
@given(problems())
def test_between_two_means_of_features_stand_the_sharpness_and_all_norms_below(given_problem):
    net, X, _ = given_problem
    phi = autograd_features(net, X)
    mean = phi.mean(axis=1)
    top = sharpness(net, X)
    z = net.preactivations(X)
    pulls = (z > 0).T @ np.column_stack([X, np.ones(len(X))])
    reach = np.maximum(z, 0).sum(axis=0)
    balanced = 1 + 2 / len(X) ** 2 * (np.abs(net.w2) * np.linalg.norm(pulls, axis=1)) @ reach
    norms = (one_sided_norm(net, X), parametric_stability_norm(net, X), stability_norm(net, X))
    chain = np.array([(phi**2).sum() / len(X), top, mean @ mean, balanced])
    chain = np.append(chain, 1 + 2 * np.array(norms))
    # Neurons without input weights are part of the constant: no norm counts them, features do.
    assert (np.diff(chain) <= 1e-12 * chain[:-1] + 1e-13 * gross(net, X)).all(), chain
    if net.W1.any(axis=1).all():
        assert_allclose(chain[4], balanced, rtol=1e-9)


def gated_hessian(net, X, y, active):
    """Phi Phi'/n and the residual part with given activities (n, k), block by block."""
    n, d, k = len(X), net.d, net.k
    z, r = np.maximum(net.preactivations(X), 0), net(X) - y
    X1 = np.column_stack([X, np.ones(n)])
    inner = np.einsum("ji,i,jc->ijc", active, net.w2, X1)  # (k, n, d + 1)
    phi = np.vstack([inner.transpose(0, 2, 1).reshape(-1, n), z.T, np.ones((1, n))])
    H = phi @ phi.T / n
    for i in range(k):
        pull = (active[:, i] * r) @ X1 / n
        mine = slice(i * (d + 1), (i + 1) * (d + 1))
        H[mine, k * (d + 1) + i] += pull
        H[k * (d + 1) + i, mine] += pull
    return H


@states(sharpness_interval)
@given(problems(n=6, k=3, scale=2, reach=0, least_k=1), SEEDS, st.booleans())
def test_the_range_over_sides_is_that_of_all_choices(given_problem, seed, interpolates):
    net, X, y = given_problem
    rng = np.random.default_rng(seed)
    b1 = net.b1.copy()
    for _ in range(3):  # hyperplanes through points
        i, j = rng.integers(net.k), rng.integers(len(X))
        b1[i] = -(X[j] @ net.W1[i])
    net = of(net, b1=b1)
    y = net(X) if interpolates else y
    z = net.preactivations(X)
    open_ = np.abs(z) <= 1e-9 * np.linalg.norm(net.W1, axis=1)
    pairs = np.argwhere(open_ & net.W1.any(axis=1))
    found = sharpness_interval(net, X, None if interpolates else y, sides=1e-9)
    assert found.pairs == len(pairs)
    if len(pairs) > 6:
        return
    tops = []
    for choice in itertools.product([0.0, 1.0], repeat=len(pairs)):
        active = (z > 0).astype(float)
        active[tuple(pairs.T)] = choice
        tops.append(np.linalg.eigvalsh(gated_hessian(net, X, y, active))[-1])
    assert_allclose(found, [min(tops), max(tops)], rtol=1e-9)


@pytest.mark.statement("new-local-minima")
@states(sharpness, sharpness_lower_bound)
@given(problems(n=12, d=2, k=2, scale=2, reach=1), SEEDS)
def test_where_no_gradient_is_left_a_residual_takes_no_part_in_the_sharpness(given_problem, seed):
    net, X, _ = given_problem
    phi = autograd_features(net, X)
    r = np.random.default_rng(seed).normal(size=len(X)) * np.abs(net(X)).max()
    U, s, _ = np.linalg.svd(phi.T, full_matrices=False)
    U = U[:, s > 1e-10 * s[0]]
    r -= U @ (U.T @ r)
    active = net.preactivations(X) > 0
    if net.w2.all() and np.abs(active.T @ (r[:, None] * X)).max(initial=0) < 1e-9 * np.abs(r).max():
        assert_allclose(sharpness(net, X, net(X) + r), sharpness(net, X), rtol=1e-6)
    assert sharpness_lower_bound(net, X) <= sharpness(net, X) * (1 + 1e-12)


# Bounds of other losses, and of Theorem 1 and 3


@pytest.mark.statement("app-J")
@pytest.mark.statement("new-weighted-loss")
@states(sharpness_lower_bound, sharpness_upper_bound, sharpness, max_stability_norm)
@example(problem(3, 1, 5, seed=795920), [0, 1, 1, 0, 0])  # a side tried at a point of no curvature
@example(problem(1, 1, 0), [3, 0, 0, 0, 0])  # no neuron
@given(problems(n=5, d=3, k=5, scale=3), st.lists(st.integers(0, 3), min_size=5, max_size=5))
def test_whole_numbers_of_curvature_are_so_many_copies_of_a_point(given_problem, times):
    net, X, _ = given_problem
    times = np.array(times[: len(X)])
    if not times.any():
        return
    copies, mean = np.repeat(X, times, axis=0), times.mean()
    near = 1e-12 + 1e-13 * gross(net, X)
    for bound in (sharpness_lower_bound, sharpness_upper_bound):
        for own_side in (False, True):
            plain = mean * bound(net, copies, own_side=own_side)
            found = bound(net, X, times.astype(float), own_side=own_side)
            if bound is sharpness_upper_bound and not own_side and not times.all():
                # Points that have no curvature still are places whose sides are tried.
                assert found <= plain * (1 + 1e-8) + near
            else:
                assert_allclose(found, plain, rtol=1e-8, atol=near)
    top = sharpness(net, X, None, times.astype(float))
    assert_allclose(top, mean * sharpness(net, copies), rtol=1e-9)
    assert sharpness_lower_bound(net, X, times) <= top * (1 + 1e-9)
    norm = stability_norm(net, copies)
    assert norm <= max_stability_norm(2 / top, times) * (1 + 1e-9) + near


@pytest.mark.statement("thm-1")
@pytest.mark.statement("eq-16")
@states(max_stability_norm, gd_threshold, stability_norm, parametric_stability_norm)
@given(problems(), st.floats(0.01, 1.0))
def test_at_a_stable_step_size_the_norms_are_within_what_theorem_1_allows(given_problem, share):
    net, X, _ = given_problem
    step_size = share * gd_threshold(net, X)
    allowed = max_stability_norm(step_size)
    for norm in (stability_norm, parametric_stability_norm):
        assert norm(net, X) <= allowed * (1 + 1e-12) + 1e-13 * gross(net, X)


@pytest.mark.statement("lem-2")
@pytest.mark.statement("thm-3")
@states(sharpness_upper_bound, upper_bound_implementation, sufficient_stability)
@settings(max_examples=max(25, settings().max_examples // 4))
@given(problems(n=6, k=4, scale=3, reach=2), st.floats(0.5, 1.5))
def test_where_the_condition_of_theorem_3_holds_an_implementation_is_stable(given_problem, share):
    net, X, _ = given_problem
    bound = sharpness_upper_bound(net, X)
    step_size = share * 2 / bound
    assert sufficient_stability(net, X, step_size) == (bound <= 2 / step_size)
    # The pair of the affine part meets beside the mean, by 1e-12 of the data's size at least.
    flat = flattest_implementation(upper_bound_implementation(net, X), X)
    assert flat.lower_bound <= bound * (1 + 1e-9) + 1e-11 * gross(net, X)
    if sufficient_stability(net, X, step_size) and flat.sharpness <= bound:
        assert step_size <= gd_threshold(flat.net, X) * (1 + 1e-12)


@pytest.mark.statement("new-trace")
@pytest.mark.statement("eq-105")
@pytest.mark.statement("eq-103")
@states(sharpness_upper_bound, flattest_implementation)
@given(problems(k=4, scale=3), SEEDS)
def test_the_own_side_bound_is_the_least_trace_over_rescalings(given_problem, seed):
    net, X, _ = given_problem
    phi = autograd_features(net, X)
    k, d = net.k, net.d
    size2 = (phi**2).sum(axis=1) / len(X)
    inner = size2[: k * d].reshape(k, d).sum(axis=1) + size2[k * d : k * d + k]
    outer = size2[k * d + k : -1]
    least = 1 + 2 * np.sqrt(inner * outer).sum()
    bound = sharpness_upper_bound(net, X, own_side=True)
    assert_allclose(bound, least, rtol=1e-9)
    c2 = 10 ** np.random.default_rng(seed).uniform(-2, 2, k)
    assert least <= (1 + c2 @ inner + (1 / c2) @ outer) * (1 + 1e-12)
    assert flattest_implementation(net, X).lower_bound <= bound * (1 + 1e-9)


@pytest.mark.statement("new-flattest-dual")
@states(flattest_implementation, sharpness)
@given(problems(n=6, k=4, scale=3), SEEDS)
def test_the_sharpness_is_convex_among_rescalings_and_every_density_bounds_it(given_problem, seed):
    net, X, _ = given_problem
    rng = np.random.default_rng(seed)
    t = rng.normal(size=(2, net.k))
    ends = [sharpness(net.rescale(np.exp(s)), X) for s in t]
    middle = sharpness(net.rescale(np.exp(t.mean(axis=0))), X)
    assert middle <= sum(ends) / 2 * (1 + 1e-10)
    flat = flattest_implementation(net, X)
    root = rng.normal(size=(len(X), 2))
    P = root @ root.T / (root**2).sum()
    z = net.preactivations(X)
    total = P.sum()
    for i in range(net.k):
        on, up = z[:, i] > 0, np.maximum(z[:, i], 0)
        A = net.w2[i] ** 2 * np.outer(on, on) * (X @ X.T + 1)
        total += 2 * np.sqrt(max(np.trace(P @ A), 0) * max(up @ P @ up, 0))
    assert total / len(X) <= flat.sharpness * (1 + 1e-9)
    assert flat.lower_bound <= flat.sharpness * (1 + 1e-12)
    assert flat.sharpness <= min([*ends, middle]) * (1 + 1e-9)
