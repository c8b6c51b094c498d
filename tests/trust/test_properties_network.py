"""Networks as functions: their terms, their hyperplanes, and other networks that compute the same."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from stablib import (
    EmpiricalWeight,
    ShallowReLU,
    affine_aware_bound,
    equivalent_implementation,
    implementation_free_bound,
    r_norm,
    sharpness,
    sharpness_lower_bound,
    small_batch_norm,
    stability_norm,
)
from stablib.bounds import upper_bound_implementation
from tests.trust.problems import SEEDS, gross, of, problems
from tests.trust.stated import states


def terms(net, X):
    """The size of what is added up to a value, over the points."""
    size = (np.abs(X) @ np.abs(net.W1).T + np.abs(net.b1)) @ np.abs(net.w2)
    return (size + np.abs(net.b2)).max() + 1e-300


def places(net, X, seed):
    """Points near the data, far away, and beside the hyperplanes."""
    rng = np.random.default_rng(seed)
    _, v, b = net.ridges()
    near = X + np.abs(X).max() * rng.normal(size=X.shape)
    return np.vstack([X, near, 1e4 * near, v * b[:, None]])


# The function


@pytest.mark.statement("eq-7")
@states(
    ShallowReLU.__call__,
    ShallowReLU.preactivations,
    ShallowReLU.parameters,
    ShallowReLU.k,
    ShallowReLU.d,
)
@given(problems())
def test_a_value_is_the_sum_of_its_terms_one_after_the_other(given_problem):
    net, X, _ = given_problem
    for x, value, row in zip(X, net(X), net.preactivations(X), strict=True):
        total = net.b2
        for w, b, a, z in zip(net.W1, net.b1, net.w2, row, strict=True):
            own = sum(float(p) * float(q) for p, q in zip(w, x, strict=True)) + b
            assert abs(own - z) <= 1e-13 * (np.abs(w) @ np.abs(x) + abs(b))
            total += a * max(own, 0.0)
        assert abs(total - value) <= 1e-13 * terms(net, X)
    order = [*net.W1.ravel(), *net.b1, *net.w2, net.b2]
    assert_array_equal(net.parameters(), order)
    assert (net.k, net.d) == net.W1.shape


@states(ShallowReLU.to_torch, ShallowReLU.from_torch)
@given(problems())
def test_torch_computes_the_same_and_gives_every_parameter_back(given_problem):
    net, X, _ = given_problem
    module = net.to_torch()
    values = module(torch.tensor(X)).detach().numpy()[:, 0]
    assert_allclose(values, net(X), rtol=0, atol=1e-13 * terms(net, X))
    assert_array_equal(ShallowReLU.from_torch(module).parameters(), net.parameters())


@states(ShallowReLU.rescale, ShallowReLU.ridges)
@given(problems(), SEEDS)
def test_rescaling_there_and_back_is_no_change_and_no_ridge_moves(given_problem, seed):
    net, X, _ = given_problem
    c = 10 ** np.random.default_rng(seed).uniform(-4, 4, net.k)
    other = net.rescale(c)
    assert_allclose(other(X), net(X), rtol=0, atol=1e-13 * terms(net, X))
    assert_allclose(other.rescale(1 / c).parameters(), net.parameters(), rtol=1e-14)
    for one, two in zip(other.ridges(), net.ridges(), strict=True):
        assert_allclose(one, two, rtol=1e-13)


@states(ShallowReLU.initial)
@given(
    st.integers(1, 6),
    st.integers(1, 9),
    st.integers(-6, 6),
    st.sampled_from(["torch", "he"]),
    SEEDS,
)
def test_a_scale_multiplies_every_parameter_and_a_seed_decides_them(d, k, power, scheme, seed):
    one = ShallowReLU.initial(d, k, scheme=scheme, seed=seed)
    other = ShallowReLU.initial(d, k, 10.0**power, scheme, seed=np.random.default_rng(seed))
    assert_allclose(other.parameters(), 10.0**power * one.parameters(), rtol=1e-15)
    if scheme == "torch":
        assert np.abs(np.append(one.W1, one.b1)).max() <= d**-0.5
        assert np.abs(np.append(one.w2, one.b2)).max() <= k**-0.5
    else:
        assert not one.b1.any()
        assert one.b2 == 0


# Its hyperplanes


def merged(net):
    """Distinct hyperplanes of neurons with the sums of their slopes, by comparing every pair."""
    found = []
    for a, v, b in zip(*net.ridges(), strict=True):
        for entry in found:
            same = np.abs(entry[1] - v).max() < 1e-9 and abs(entry[2] - b) < 1e-9 * max(1, abs(b))
            back = np.abs(entry[1] + v).max() < 1e-9 and abs(entry[2] + b) < 1e-9 * max(1, abs(b))
            if same or back:
                entry[0] += a
                entry[3] += abs(a)
                break
        else:
            found.append([a, v, b, abs(a)])
    return [(a, v, b) for a, v, b, size in found if abs(a) > 1e-9 * size]


@pytest.mark.statement("text-7-rnorm")
@pytest.mark.statement("eq-58")
@states(ShallowReLU.canonical, r_norm, stability_norm)
@given(problems(), SEEDS)
def test_the_canonical_form_is_the_function_with_every_hyperplane_once(given_problem, seed):
    net, X, _ = given_problem
    form = net.canonical()
    x = places(net, X, seed)
    size = terms(net, x) + gross(net, x)
    assert_allclose(form(x), net(x), rtol=0, atol=1e-12 * size)
    expected = merged(net)
    assert len(form.a) == len(expected)
    slopes = sum(abs(a) for a, _, _ in expected)
    assert_allclose(r_norm(net), slopes, rtol=1e-9)
    g = EmpiricalWeight(X).g
    norm = sum(abs(a) * g(v[None], [b])[0] for a, v, b in expected)
    assert_allclose(stability_norm(net, X), norm, rtol=1e-7, atol=1e-13 * gross(net, X))
    for v in form.v:
        assert v[np.flatnonzero(v)[0]] > 0


@states(ShallowReLU, ShallowReLU.canonical)
@given(problems())
def test_the_canonical_form_of_a_canonical_form_is_itself(given_problem):
    net, _, _ = given_problem
    form = net.canonical()
    again = ShallowReLU(form.v, -form.b, form.a, form.c).canonical()
    assert len(again.a) == len(form.a)
    assert_allclose(again.a, form.a, rtol=1e-12)
    assert_allclose(again.v, form.v, atol=1e-14)
    assert_allclose(again.b, form.b, rtol=1e-12)
    assert not again.beta.any()


@pytest.mark.statement("eq-29")
@states(ShallowReLU.canonical)
@given(problems(least_k=1, scale=2, reach=1), SEEDS)
def test_each_slope_of_the_form_is_what_the_function_bends_by_there(given_problem, seed):
    net, _, _ = given_problem
    form = net.canonical()
    rng = np.random.default_rng(seed)
    _, v, b = net.ridges()
    for a, normal, offset in zip(form.a, form.v, form.b, strict=True):
        away = rng.normal(size=net.d)
        place = offset * normal + (away - away @ normal * normal) * (1 + abs(offset))
        distance = np.abs(v @ place - b)
        others = distance[distance > 1e-6 * (1 + abs(offset))]  # not the hyperplane itself
        step = 0.5 * others.min(initial=1.0)
        x = np.array([place + step * normal, place - step * normal, place])
        bend = np.array([1, 1, -2]) @ net(x) / step
        assert abs(bend - a) <= 1e-12 * terms(net, x) / step + 1e-8 * np.abs(form.a).max()


@states(ShallowReLU.knots_on_data)
@given(problems(), st.floats(-12, 1))
def test_knots_on_data_are_counted_pair_by_pair(given_problem, power):
    net, X, _ = given_problem
    z, tol = net.preactivations(X), 10.0**power
    pairs = 0
    for i in range(net.k):
        length = float(np.linalg.norm(net.W1[i]))
        pairs += sum(abs(z[j, i]) <= tol * length for j in range(len(X)))
    assert net.knots_on_data(X, tol) == pairs
    assert net.knots_on_data(X, 2 * tol) >= pairs


# Other networks of the same function


@pytest.mark.statement("def-3")
@pytest.mark.statement("new-implementation-free")
@states(equivalent_implementation, implementation_free_bound, sharpness_lower_bound)
@given(problems(scale=3), SEEDS, st.floats(0, 2))
def test_another_implementation_is_another_network_of_the_same_function(
    given_problem, seed, spread
):
    net, X, _ = given_problem
    other = equivalent_implementation(net, seed=seed, spread=spread)
    x = places(net, X, seed)
    size = terms(net, x) + gross(net, x) + terms(other, x)
    assert other.k >= net.k
    assert_allclose(other(x), net(x), rtol=0, atol=1e-12 * size)
    ends = gross(net, X) + gross(other, X)
    for norm in (stability_norm, small_batch_norm, lambda net, X: r_norm(net)):
        assert_allclose(norm(other, X), norm(net, X), rtol=1e-7, atol=1e-11 * ends)
    # Below the sharpness of any of them: 1 + 2 norm, and the same with any other density matrix.
    top = sharpness(other, X)
    assert sharpness_lower_bound(net, X) <= top * (1 + 1e-9) + 1e-11 * ends
    root = np.random.default_rng(seed).normal(size=(len(X), 2))
    density = root @ root.T / (root**2).sum()
    assert implementation_free_bound(net, X, density).value <= top * (1 + 1e-9) + 1e-11 * ends


@pytest.mark.statement("new-affine-aware")
@states(affine_aware_bound)
@settings(max_examples=max(15, settings().max_examples // 4))
@given(problems(d=1, scale=2, reach=1), SEEDS)
def test_on_a_line_no_implementation_is_flatter_than_the_affine_part_allows(given_problem, seed):
    net, X, _ = given_problem
    aware = affine_aware_bound(net, X, "uniform")
    assert aware.certified
    other = equivalent_implementation(net, seed=seed)
    ends = gross(net, X) + gross(other, X)
    assert aware.value <= sharpness(other, X) * (1 + 1e-7) + 1e-11 * ends
    assert aware.value >= sharpness_lower_bound(net, X) * (1 - 1e-9)


@pytest.mark.statement("eq-110")
@states(upper_bound_implementation)
@given(problems(scale=2, reach=1), SEEDS)
def test_the_implementation_of_the_upper_bound_is_the_function_in_two_more_neurons(
    given_problem, seed
):
    net, X, _ = given_problem
    other = upper_bound_implementation(net, X)
    x = places(net, X, seed)
    size = terms(net, x) + gross(net, x) + terms(other, x)
    assert other.k <= net.k + 2
    assert_allclose(other(x), net(x), rtol=0, atol=1e-11 * size)


def test_the_bend_of_a_network_with_one_slope_changed_is_another():
    net = ShallowReLU([[1.0], [2.0]], [0.0, -1.0], [1.0, -1.0])
    assert merged(net)[0][0] != merged(of(net, w2=[2.0, -1.0]))[0][0]
