"""Equivalent implementations against long double values, the neurons themselves, and norms."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from stablib import (
    EmpiricalWeight,
    ShallowReLU,
    equivalent_implementation,
    flattest_implementation,
    least_sharpness,
    r_norm,
    sharpness,
    sharpness_lower_bound,
    sharpness_upper_bound,
    stability_norm,
)
from tests.core.conftest import NETWORKS

pytestmark = pytest.mark.statement("def-3")

NOTHING = dict.fromkeys(("rescaled", "split", "turned", "padded"), False)


def only(**kind):
    return NOTHING | kind


KINDS = {
    "shuffled": NOTHING,
    "rescaled": only(rescaled=True),
    "split": only(split=True),
    "turned": only(turned=True),
    "padded": only(padded=True),
    "turned and split": only(turned=True, split=True),
    "all": {},
}
any_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


def values(net, X):
    """f and the sum of the sizes of what is added up, in long double."""
    X, W1, b1, w2 = (np.asarray(part, np.longdouble) for part in (X, net.W1, net.b1, net.w2))
    f = np.maximum(X @ W1.T + b1, 0) @ w2 + net.b2
    return f, (np.abs(X) @ np.abs(W1).T + np.abs(b1)) @ np.abs(w2) + abs(net.b2)


def assert_same_function(one, other, X):
    rng = np.random.default_rng(8)
    for scale in (1e-3, 1.0, 30.0, 1e4):
        P = np.vstack([scale * X, scale * rng.normal(size=(50, one.d))])
        (f, size), (g, more) = values(one, P), values(other, P)
        assert (np.abs(f - g) <= 1e-13 * (size + more)).all()


def assert_same_form(one, other):
    """Hyperplanes one by one, whatever their order."""
    first, second = one.canonical(), other.canonical()
    assert len(first.a) == len(second.a)
    for a, v, b in zip(first.a, first.v, first.b, strict=True):
        apart = np.linalg.norm(second.v - v, axis=1) + np.abs(second.b - b) / (1 + abs(b))
        assert apart.min() < 1e-13
        # On its hyperplane, slopes of both signs may have cancelled.
        assert_allclose(second.a[apart.argmin()], a, rtol=1e-11)
    slopes = np.abs(one.ridges().a).sum() + np.abs(other.ridges().a).sum()
    heights = np.abs(one.ridges().a) @ np.abs(one.ridges().b)
    heights += np.abs(other.ridges().a) @ np.abs(other.ridges().b)
    heights += np.abs(one.w2) @ np.abs(one.b1) + np.abs(other.w2) @ np.abs(other.b1)
    assert_allclose(first.beta, second.beta, rtol=0, atol=1e-13 * slopes)
    assert_allclose(first.c, second.c, rtol=0, atol=1e-13 * (heights + abs(one.b2)))


def neurons(net):
    """(W1_i, b1_i, w2_i) as rows, sorted."""
    rows = np.column_stack([net.W1, net.b1, net.w2]) + 0.0
    return rows[np.lexsort(rows.T)]


@any_kind
def test_no_point_far_or_near_tells_them_apart(any_network, kind):
    net, X = any_network
    for seed in range(10):
        assert_same_function(net, equivalent_implementation(net, seed=seed, **kind), X)


@any_kind
def test_they_have_the_same_canonical_form_and_so_all_norms(any_network, kind):
    net, X = any_network
    for seed in range(10):
        other = equivalent_implementation(net, seed=seed, **kind)
        assert_same_form(net, other)
        assert_allclose(stability_norm(other, X), stability_norm(net, X), rtol=1e-11)
        assert_allclose(r_norm(other), r_norm(net), rtol=1e-11)


@given(st.integers(0, 2**32), st.integers(1, 4), st.integers(0, 12), st.floats(0, 10))
def test_random_networks_of_any_width_and_spread_keep_their_function_and_form(seed, d, k, spread):
    rng = np.random.default_rng(seed)
    W1, b1, w2 = rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k)
    for i, j in pairwise(range(k)):  # plant shared hyperplanes, of either side
        if rng.random() < 0.3:
            factor = rng.choice([-3.0, -1.0, 0.3, 1.0])
            W1[j], b1[j] = factor * W1[i], factor * b1[i]
    net = ShallowReLU(W1, b1, w2, rng.normal())
    other = equivalent_implementation(net, seed=seed, spread=spread)
    assert_same_function(net, other, rng.normal(size=(5, d)))
    assert_same_form(net, other)
    again = equivalent_implementation(other, seed=seed + 1, spread=min(spread, 3.0))
    assert_same_function(net, again, rng.normal(size=(5, d)))


@pytest.mark.statement("lem-3")
@any_kind
def test_none_is_flatter_than_the_bounds_of_the_function_allow(any_network, kind):
    net, X = any_network
    low = sharpness_lower_bound(net, X)
    for seed in range(10):
        other = equivalent_implementation(net, seed=seed, spread=0.3 * (seed % 3), **kind)
        assert low <= sharpness(other, X) * (1 + 1e-9)
        assert low <= flattest_implementation(other, X).sharpness * (1 + 1e-9)
        assert_allclose(sharpness_lower_bound(other, X), low, rtol=1e-9)


@pytest.mark.statement("lem-3")
def test_random_ones_of_random_networks_obey_the_bound_too(random_networks):
    for net, X in random_networks(150, seed=21):
        other = equivalent_implementation(net, seed=net.k)
        assert sharpness_lower_bound(net, X) <= sharpness(other, X) * (1 + 1e-9)
        assert_allclose(sharpness_upper_bound(other, X), sharpness_upper_bound(net, X), rtol=1e-8)


@pytest.mark.statement("new-any-width")
def test_none_is_flatter_than_the_least_sharpness_over_all_widths(random_networks):
    for net, X in random_networks(25, seed=23, n_max=10, d_max=3, k_max=6):
        least = least_sharpness(net, X)
        for seed in range(12):
            other = equivalent_implementation(net, seed=seed, split=False, padded=seed % 2 == 0)
            assert least.value <= flattest_implementation(other, X).sharpness * (1 + 1e-9)


def test_with_all_steps_off_the_neurons_change_places(any_network):
    net, _ = any_network
    orders = set()
    for seed in range(20):
        other = equivalent_implementation(net, seed=seed, **NOTHING)
        assert_array_equal(neurons(other), neurons(net))
        assert other.b2 == net.b2
        orders.add(tuple(other.w2))
    assert len(orders) > 1 or net.k < 2


def test_rescaling_is_lognormal_with_the_given_spread():
    net = ShallowReLU(np.eye(500), np.ones(500), 2 * np.ones(500))
    for spread in (0.0, 0.2, 1.0, 10.0):
        other = equivalent_implementation(net, seed=4, spread=spread, **only(rescaled=True))
        t = np.log(other.w2 / 2)
        assert_allclose(other.b1 * other.w2, 2, rtol=1e-15)
        assert_allclose(t.std(), spread, rtol=0.1)
        assert abs(t.mean()) <= 0.15 * spread


def test_splitting_keeps_input_weights_and_adds_output_weights_up():
    net, _ = NETWORKS["generic"]()
    widths, against = set(), 0
    for seed in range(200):
        other = equivalent_implementation(net, seed=seed, **only(split=True))
        copies = []
        for i in range(net.k):
            mine = (net.W1[i] == other.W1).all(axis=1) & (other.b1 == net.b1[i])
            assert_allclose(other.w2[mine].sum(), net.w2[i], rtol=1e-14)
            against += (other.w2[mine] * net.w2[i] < 0).any()
            copies.append(mine.sum())
        assert sum(copies) == other.k > net.k and max(copies) <= 4
        widths |= set(copies)
    assert widths == {1, 2, 3, 4}
    assert 100 < against < 250  # of some 700 neurons


def test_turning_negates_neurons_and_pays_with_antipodal_pairs():
    net, _ = NETWORKS["generic"]()
    pairs = set()
    for seed in range(100):
        other = equivalent_implementation(net, seed=seed, **only(turned=True))
        left = np.ones(other.k, dtype=bool)
        turned = 0
        for row, b, a in zip(net.W1, net.b1, net.w2, strict=True):
            same = (row == other.W1).all(axis=1) & (other.b1 == b) & (other.w2 == a)
            back = (-row == other.W1).all(axis=1) & (other.b1 == -b) & (other.w2 == a)
            assert (same | back).sum() == 1
            left &= ~(same | back)
            turned += back.sum()
        assert turned >= 1 and left.sum() in (2, 4, 6)
        rows = np.column_stack([other.W1, other.b1, other.w2])[left]
        assert_array_equal(rows[np.lexsort(rows.T)], (-rows)[np.lexsort(-rows.T)])
        pairs.add(int(left.sum()) // 2)
    assert pairs == {1, 2, 3}


def test_no_pair_is_needed_where_the_affine_part_cancels():
    kink = ShallowReLU([[0.3], [-0.9]], [0.1, -0.3], [3.0, 1.0])  # both sides of one hyperplane
    widths = [equivalent_implementation(kink, seed=s, **only(turned=True)).k for s in range(50)]
    assert set(widths) == {2, 4, 6, 8}
    almost = ShallowReLU([[1.0], [-1.0 + 1e-6]], [0.0, 0.0], [1.0, 1.0])
    for seed in range(10):
        other = equivalent_implementation(almost, seed=seed, **only(turned=True))
        assert other.k >= 4
        assert_allclose(other([[1e6]]), 1e6, rtol=1e-12)
    constants = ShallowReLU(np.zeros((3, 2)), [1.0, -1.0, 0.0], [1.0, 2.0, 3.0])
    assert equivalent_implementation(constants, **only(turned=True)).k == 3


def test_padding_keeps_every_neuron_and_adds_nothing(any_network):
    net, X = any_network
    kinds = set()
    for seed in range(40):
        other = equivalent_implementation(net, seed=seed, **only(padded=True))
        rows, own = neurons(other).tolist(), neurons(net).tolist()
        for row in own:
            rows.remove(row)
        assert rows
        for *w, _, a in rows:
            kinds.add("no output" if a == 0 else "cancelling" if np.any(w) else "no input")
        more = np.array(rows)
        extra = ShallowReLU(more[:, : net.d], more[:, net.d], more[:, -1], other.b2 - net.b2)
        P = np.vstack([X, 100 * X])
        f, size = values(extra, P)
        assert (np.abs(f) <= 1e-14 * (size + abs(net.b2))).all()
    assert kinds == {"no output", "cancelling", "no input"}


def test_new_weights_are_of_the_size_of_the_old_ones():
    for name in ("huge scale", "tiny scale", "generic"):
        net, _ = NETWORKS[name]()
        others = [
            equivalent_implementation(net, seed=s, **only(turned=True, padded=True))
            for s in range(20)
        ]
        slope = np.quantile([np.abs(other.ridges().a).max() for other in others], 0.9)
        assert 0.9 < slope / np.abs(net.ridges().a).max() < 30


@pytest.mark.statement("new-splitting")
def test_split_neurons_are_no_flatter_and_as_flat_unless_they_work_against_each_other(
    random_networks,
):
    for net, X in random_networks(40, seed=22):
        flat = flattest_implementation(net, X)
        for seed in range(3):
            other = equivalent_implementation(net, seed=seed, **only(split=True, rescaled=True))
            split = flattest_implementation(other, X)
            assert split.sharpness >= flat.lower_bound * (1 - 1e-12)
            a, b = np.abs(net.ridges().a).sum(), np.abs(other.ridges().a).sum()
            if b <= a * (1 + 1e-9):
                assert_allclose(split.sharpness, flat.sharpness, rtol=3e-7)


@pytest.mark.statement("new-splitting")
def test_turned_neurons_can_be_far_flatter_than_any_rescaling():
    net, X = ShallowReLU([[1.0]], [100.0], [1.0]), np.array([[-1.0], [0.5], [1.0]])
    flat = [
        flattest_implementation(
            equivalent_implementation(net, seed=seed, **only(turned=True)), X
        ).sharpness
        for seed in range(100)
    ]
    assert min(flat) < 0.7 * flattest_implementation(net, X).sharpness


def test_points_on_a_hyperplane_stay_on_it():
    rng = np.random.default_rng(3)
    X = rng.integers(-3, 4, size=(30, 2)).astype(float)
    net = ShallowReLU(rng.integers(-2, 3, size=(8, 2)), rng.integers(-2, 3, size=8), np.ones(8))
    before = net.knots_on_data(X, 0.0)
    assert before > 10
    for seed in range(20):
        other = equivalent_implementation(net, seed=seed, split=False, padded=False, turned=False)
        assert other.knots_on_data(X, 0.0) == before


def test_a_seed_decides_everything_and_a_generator_goes_on():
    net, _ = NETWORKS["generic"]()
    first = equivalent_implementation(net, seed=5).parameters()
    assert_array_equal(first, equivalent_implementation(net, seed=5).parameters())
    assert not np.array_equal(first[:5], equivalent_implementation(net, seed=6).parameters()[:5])
    rng = np.random.default_rng(5)
    one, two = (equivalent_implementation(net, seed=rng).parameters() for _ in range(2))
    assert not np.array_equal(one[:5], two[:5])
    rng = np.random.default_rng(5)
    assert_array_equal(one, equivalent_implementation(net, seed=rng).parameters())


def test_sizes_that_float64_barely_holds_are_either_right_or_refused():
    X = np.array([[1.0, 2.0], [-1.0, 0.5], [0.3, -2.0]])
    for size in (1e-120, 1e120):
        net = ShallowReLU(size * np.array([[1.0, 2.0], [3.0, -1.0]]), [size, 0.0], [1.0, -2.0])
        for seed in range(10):
            other = equivalent_implementation(net, seed=seed)
            assert_allclose(stability_norm(other, X), stability_norm(net, X), rtol=1e-11, atol=0)
    refused = (
        ShallowReLU([[1e250, 0.0]], [0.0], [1e250]),
        ShallowReLU([[1e-305, 0.0]], [0.0], [1.0]),
    )
    for net in refused:
        with pytest.raises(ValueError, match="float64"):
            for seed in range(20):
                equivalent_implementation(net, seed=seed, spread=10.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"net": "net"}, "net is str; a ShallowReLU is needed"),
        ({"spread": -1.0}, "spread is -1; a number that is zero or positive is needed"),
        ({"spread": np.inf}, "spread has an infinite entry"),
        ({"spread": [1.0, 2.0]}, r"spread has shape \(2,\); a number is needed"),
        ({"spread": 11}, "spread is 11; at most 10 is possible"),
        ({"seed": -1}, "seed is -1; at least 0 is needed"),
        ({"seed": 1.5}, "seed is 1.5; a whole number is needed"),
    ],
)
def test_bad_arguments_are_named(options, message):
    options = {"net": ShallowReLU([[1.0]], [0.0], [1.0])} | options
    with pytest.raises(ValueError, match=message):
        equivalent_implementation(options.pop("net"), **options)


def test_the_own_law_of_the_data_may_be_any():
    """Norms under unequal weights do not see the implementation either."""
    net, X = NETWORKS["generic"]()
    law = EmpiricalWeight(X, np.arange(1.0, len(X) + 1) / np.arange(1.0, len(X) + 1).sum())
    other = equivalent_implementation(net, seed=7)
    assert_allclose(stability_norm(other, law), stability_norm(net, law), rtol=1e-12)


def test_padding_adds_dead_neurons_pairs_that_cancel_and_constants():
    net = ShallowReLU.initial(2, 8, seed=1)
    seen = set()
    for seed in range(30):
        padded = equivalent_implementation(net, seed=seed, split=False, turned=False, spread=0)
        own = {tuple(row) for row in np.column_stack([net.W1, net.b1])}
        rest = [i for i in range(padded.k) if (*padded.W1[i], padded.b1[i]) not in own]
        assert padded.k - len(rest) == net.k and 1 <= len(rest) <= 2 * (net.k // 2)
        for i in rest:
            if padded.w2[i] == 0:
                seen.add("dead")
            elif not padded.W1[i].any():
                seen.add("constant")
                assert padded.b1[i] > 0
            else:
                twin = [j for j in rest if j != i and (padded.W1[j] == padded.W1[i]).all()]
                assert any(padded.w2[j] == -padded.w2[i] for j in twin)
                seen.add("pair")
        far = 9 * np.random.default_rng(seed).normal(size=(5, 2))
        assert_allclose(padded(far), net(far), rtol=1e-9, atol=1e-9)
    assert seen == {"dead", "constant", "pair"}
