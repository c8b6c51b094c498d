"""Bounds over all implementations, against a general solver of the dual and against implementations."""

import clarabel
import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import sparse

from stablib import (
    EmpiricalWeight,
    ShallowReLU,
    affine_aware_bound,
    equivalent_implementation,
    flattest_implementation,
    implementation_free_bound,
    least_sharpness,
    sharpness,
    sharpness_lower_bound,
)
from stablib.meeting import Meeting, bound_value
from tests.core.oracles import autograd_features


def _sides(X, v, b):
    """A and B of the unit ridge relu(v.x - b), written out."""
    z = X @ v - b
    on = (z > 0).astype(float)
    height = np.maximum(z, 0)
    return (X @ X.T + 1) * np.outer(on, on), np.outer(height, height)


def _cost(P, X, v, b):
    A, B = _sides(X, v, b)
    return np.sqrt(max(np.sum(P * A), 0) * max(np.sum(P * B), 0))


def _value(net, X, P, mu):
    """The bound from its definition, hyperplane by hyperplane."""
    form, total = net.canonical(), P.sum()
    for a, v, b in zip(form.a, form.v, form.b, strict=True):
        front, back = _cost(P, X, v, b), _cost(P, X, -v, -b)
        total += 2 * min(abs(a) * front, abs(a) * back + a * mu @ v)
    return (total + 2 * mu @ form.beta) / len(X)


def _dual_optimum(net, X, pairs=()):
    """Max over P, and over mu with |mu.v| <= s(v, b) + s(-v, -b) at the given pairs, by a general solver.

    Formulated in the entries of P itself, n (n + 1)/2 of them: with s^2 <= tr(PA) tr(PB) as a second-order
    cone for every side. Without pairs mu is zero.
    """
    form, n = net.canonical(), len(X)
    i, j = np.tril_indices(n)
    entries, unfold = len(i), np.where(i == j, 1.0, np.sqrt(2.0))
    d, m = X.shape[1], len(form.a)
    planes = [*zip(form.v, form.b, strict=True), *pairs]
    sides = [_sides(X, s * v, s * b) for v, b in planes for s in (1, -1)]
    size = entries + d + len(sides) + m  # P, mu, s of every side, yield of every hyperplane
    at_s, at_tau = entries + d, entries + d + len(sides)
    rows, right, cones = [], [], []

    def add(block, values, cone):
        rows.append(np.atleast_2d(block))
        right.append(np.atleast_1d(values))
        cones.append(cone)

    trace = np.zeros(size)
    trace[:entries] = i == j
    add(trace, 1.0, clarabel.ZeroConeT(1))
    if not pairs:
        add(np.eye(size)[entries : entries + d], np.zeros(d), clarabel.ZeroConeT(d))
    add(-np.eye(size)[:entries], np.zeros(entries), clarabel.PSDTriangleConeT(n))
    for number, (A, B) in enumerate(sides):
        a, b = np.zeros(size), np.zeros(size)
        a[:entries], b[:entries] = A[i, j] * unfold, B[i, j] * unfold
        s = np.eye(size)[at_s + number]
        add([-(a + b), -(a - b), -2 * s], np.zeros(3), clarabel.SecondOrderConeT(3))
    upper = []
    for h, (a, v) in enumerate(zip(form.a, form.v, strict=True)):
        tau = np.eye(size)[at_tau + h]
        front = tau - abs(a) * np.eye(size)[at_s + 2 * h]
        back = tau - abs(a) * np.eye(size)[at_s + 2 * h + 1]
        back[entries : entries + d] = -a * v
        upper += [front, back]
    for number, (v, _) in enumerate(planes if pairs else []):
        for sign in (1, -1):
            row = -np.eye(size)[at_s + 2 * number] - np.eye(size)[at_s + 2 * number + 1]
            row[entries : entries + d] = sign * v
            upper.append(row)
    if upper:
        add(upper, np.zeros(len(upper)), clarabel.NonnegativeConeT(len(upper)))
    objective = np.zeros(size)
    objective[:entries] = -np.where(i == j, 1.0, np.sqrt(2.0))
    objective[entries : entries + d] = -2 * form.beta
    objective[at_tau:] = -2
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    solution = clarabel.DefaultSolver(
        sparse.csc_matrix((size, size)),
        objective,
        sparse.csc_matrix(np.vstack(rows)),
        np.concatenate(right),
        cones,
        settings,
    ).solve()
    return -solution.obj_val / n


def _random(n, d, k, seed):
    rng = np.random.default_rng(seed)
    net = ShallowReLU(rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k), rng.normal())
    return net, rng.normal(size=(n, d))


def _top(net, X):
    features = autograd_features(net, X)
    return np.linalg.eigvalsh(features.T @ features / len(X))[-1]


@pytest.mark.statement("new-implementation-free")
@pytest.mark.parametrize(("n", "d", "k"), [(5, 1, 3), (9, 2, 6), (12, 4, 8), (20, 5, 12)])
def test_the_implementation_free_bound_is_what_a_general_solver_of_its_dual_finds(n, d, k):
    net, X = _random(n, d, k, seed=n)
    bound = implementation_free_bound(net, X)
    assert_allclose(bound.value, _dual_optimum(net, X), rtol=1e-6)
    assert bound.gap <= 1e-7


@pytest.mark.statement("new-any-width")
@pytest.mark.parametrize("seed", range(4))
def test_the_least_sharpness_on_a_line_is_what_a_general_solver_finds_over_many_pairs(seed):
    net, X = _random(8, 1, 4, seed)
    # Fewer pairs than there are allow more: the optimum over a grid is above, and close.
    grid = [(np.ones(1), b) for b in np.linspace(X.min() - 1, X.max() + 1, 400)]
    grid += [(np.ones(1), x + side) for x in X[:, 0] for side in (-1e-6, 1e-6)]
    least = least_sharpness(net, X)
    assert least.certified and least.gap <= 1e-6
    most = _dual_optimum(net, X, grid)
    assert least.value <= most * (1 + 1e-6)
    assert_allclose(least.value, most, rtol=2e-4)


@pytest.mark.statement("new-implementation-free", "lem-3")
def test_the_uniform_density_gives_lemma_3_and_the_best_one_no_less(any_network):
    net, X = any_network
    uniform = implementation_free_bound(net, X, "uniform")
    assert_allclose(uniform.value, sharpness_lower_bound(net, X), rtol=1e-12)
    assert implementation_free_bound(net, X).value >= uniform.value * (1 - 1e-12)
    assert_allclose(uniform.density, np.full((len(X), len(X)), 1 / len(X)), rtol=1e-12)


@pytest.fixture(scope="module")
def bounds(any_network):
    """The three bounds of a named network, found once: the dearest part of the tests that ask for them."""
    functions = (implementation_free_bound, affine_aware_bound, least_sharpness)
    return [function(*any_network) for function in functions]


@pytest.mark.statement("new-implementation-free", "new-affine-aware", "new-any-width")
def test_the_order_of_all_bounds_holds_on_every_named_network(any_network, bounds):
    net, X = any_network
    free, aware, least = bounds
    chain = [
        sharpness_lower_bound(net, X),
        free.value,
        aware.value,
        least.upper,
        flattest_implementation(net, X).sharpness,
        _top(net, X),
    ]
    assert (np.diff(chain) >= -2e-6 * np.array(chain[1:])).all(), chain
    assert least.certified
    assert least.gap <= 2e-6  # few points: every split is visited
    assert affine_aware_bound(net, X, "uniform").value <= least.upper * (1 + 1e-9)


@pytest.mark.statement("new-any-width")
def test_the_flattest_network_found_computes_the_function_everywhere(any_network, bounds):
    net, X = any_network
    least = bounds[2]
    Z = 3 * np.random.default_rng(0).normal(size=(40, net.d))
    assert_allclose(least.net(Z), net(Z), rtol=1e-8, atol=1e-8 * (1 + np.abs(net(Z)).max()))
    assert_allclose(_top(least.net, X), least.upper, rtol=1e-9)


def test_the_network_of_the_implementation_free_bound_is_the_function_up_to_an_affine_one():
    net, X = _random(9, 3, 6, seed=1)
    bound = implementation_free_bound(net, X)
    Z = 3 * np.random.default_rng(0).normal(size=(60, 3))
    Z1 = np.hstack([Z, np.ones((60, 1))])
    rest = bound.net(Z) - net(Z)
    assert_allclose(Z1 @ np.linalg.lstsq(Z1, rest, rcond=None)[0], rest, atol=1e-9)
    assert_allclose(_top(bound.net, X), bound.upper, rtol=1e-9)


@pytest.mark.statement("new-implementation-free", "new-affine-aware")
def test_the_value_is_what_density_and_multiplier_give(any_network, bounds):
    net, X = any_network
    for bound in bounds[:2]:
        assert_allclose(np.trace(bound.density), 1, rtol=1e-12)
        assert np.linalg.eigvalsh(bound.density)[0] >= -1e-12
        assert_allclose(bound.value, _value(net, X, bound.density, bound.multiplier), rtol=1e-9)


@pytest.mark.statement("new-affine-aware")
@pytest.mark.parametrize("d", [1, 2, 3])
def test_no_pair_on_any_of_many_hyperplanes_costs_less_than_the_multiplier_pays(d):
    rng = np.random.default_rng(d)
    for seed in range(3):
        net, X = _random(8, d, 4, seed)
        for density in (None, "uniform"):
            bound = affine_aware_bound(net, X, density)
            assert bound.certified
            for _ in range(400):
                v = rng.normal(size=d)
                if rng.random() < 0.5:  # nearly through d of the points, where pairs are cheapest
                    some = X[rng.choice(8, d, replace=False)]
                    v = np.linalg.svd(some[1:] - some[0])[2][-1] + 1e-4 * rng.normal(size=d)
                    b = some[0] @ v / np.linalg.norm(v) + 1e-4 * rng.normal()
                else:
                    b = 1.5 * rng.normal()
                v = v / np.linalg.norm(v)
                pair = _cost(bound.density, X, v, b) + _cost(bound.density, X, -v, -b)
                assert abs(bound.multiplier @ v) <= pair * (1 + 1e-7)


@pytest.mark.statement("new-affine-aware")
@pytest.mark.parametrize("seed", range(4))
def test_on_a_line_the_uniform_bound_is_its_closed_form(seed):
    net, X = _random(10, 1, 5, seed)
    form, weight = net.canonical(), EmpiricalWeight(X)
    one = np.ones(1)
    points = np.sort(X[:, 0])
    # Between data points the sum of both weights is convex; fine steps, and the data points from both sides.
    b = np.concatenate(
        [np.linspace(points[0] - 2, points[-1] + 2, 40001), points - 1e-9, points + 1e-9]
    )
    most = (weight.g_tilde(one, b) + weight.g_tilde(-one, -b)).min()
    front = weight.g_tilde(form.v, form.b)
    back = weight.g_tilde(-form.v, -form.b)
    best = max(
        1
        + 2
        * (
            np.minimum(abs(form.a) * front, abs(form.a) * back + form.a * mu).sum()
            + mu * form.beta[0]
        )
        for mu in np.linspace(-most, most, 20001)
    )
    assert_allclose(affine_aware_bound(net, X, "uniform").value, best, rtol=1e-4)


@pytest.mark.statement("new-affine-aware")
def test_an_affine_function_has_no_bends_and_still_costs():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(40, 1))
    line = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, -1.0])
    assert implementation_free_bound(line, X).value == pytest.approx(1, abs=1e-9)
    b = np.linspace(-3, 3, 20001)
    weight, one = EmpiricalWeight(X), np.ones(1)
    price = (weight.g_tilde(one, b) + weight.g_tilde(-one, -b)).min()
    assert affine_aware_bound(line, X, "uniform").value == pytest.approx(1 + 2 * price, rel=1e-4)
    steep = line.rescale(1.0)
    steep = ShallowReLU(steep.W1, steep.b1, 3 * steep.w2)
    assert affine_aware_bound(steep, X, "uniform").value == pytest.approx(1 + 6 * price, rel=1e-4)


@pytest.mark.statement("new-implementation-free", "new-any-width")
def test_no_random_implementation_is_flatter(random_networks):
    for number, (net, X) in enumerate(random_networks(12, seed=5, n_max=9, d_max=4, k_max=5)):
        free, least = implementation_free_bound(net, X), least_sharpness(net, X)
        for seed in range(15):
            other = equivalent_implementation(net, seed=100 * number + seed)
            for form in (other, flattest_implementation(other, X).net):
                assert sharpness(form, X) >= least.value * (1 - 1e-9) >= free.value * (1 - 1e-6)


@pytest.mark.statement("new-any-width")
@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_moving_or_turning_the_data_in_a_wider_space_changes_nothing(shift):
    net, X = _random(7, 2, 3, seed=2)
    least = least_sharpness(net, X).value
    Q = np.linalg.qr(np.random.default_rng(1).normal(size=(4, 2)))[0]
    wide = ShallowReLU(net.W1 @ Q.T, net.b1, net.w2, net.b2)
    # A direction in which the data do not vary lets a linear part go free.
    aside = np.linalg.svd(Q.T)[2][-1]
    tilted = ShallowReLU(
        np.vstack([wide.W1, aside, -aside]),
        np.append(wide.b1, [1.0, -1.0]),
        np.append(wide.w2, [shift, -shift]),
        wide.b2,
    )
    found = least_sharpness(tilted, X @ Q.T)
    assert_allclose([found.value, found.upper], least, rtol=2e-6)
    Z = np.random.default_rng(3).normal(size=(20, 4))
    assert_allclose(found.net(Z), tilted(Z), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize(
    ("net", "X"),
    [
        (ShallowReLU(np.zeros((0, 2)), [], [], 1.5), np.random.default_rng(0).normal(size=(5, 2))),
        (ShallowReLU([[1.0, 0.0]], [0.0], [0.0]), [[1.0, 2.0], [3.0, 4.0]]),
        (ShallowReLU([[1.0]], [0.3], [2.0]), [[1.0]]),
        (ShallowReLU([[1.0]], [0.3], [2.0]), [[1.0], [1.0], [1.0]]),
    ],
    ids=["no neuron", "constant", "one point", "one point three times"],
)
def test_what_costs_nothing_has_least_sharpness_one(net, X):
    least = least_sharpness(net, X)
    assert least.value == pytest.approx(1, abs=1e-9)
    assert least.upper == pytest.approx(1, abs=1e-6)
    assert affine_aware_bound(net, X).value == pytest.approx(1, abs=1e-9)


def test_at_the_papers_size_both_sides_meet():
    net, X = _random(100, 20, 40, seed=0)
    assert implementation_free_bound(net, X).gap <= 1e-6


def test_in_many_dimensions_the_multiplier_is_not_called_proven():
    net, X = _random(40, 5, 3, seed=0)
    bound, least = affine_aware_bound(net, X), least_sharpness(net, X)
    assert not bound.certified and bound.multiplier.any()
    assert least.certified and not least.multiplier.any()
    assert least.value == pytest.approx(implementation_free_bound(net, X).value, rel=1e-7)
    assert least.upper <= flattest_implementation(net, X).sharpness * (1 + 1e-9)


@pytest.mark.parametrize(
    ("density", "message"),
    [
        ("best", "density"),
        (np.eye(3) / 3, r"density has shape \(3, 3\)"),
        (np.eye(4), "trace 4"),
        (np.diag([2.0, -1.0, 0.0, 0.0]), "least eigenvalue -1"),
    ],
)
def test_a_density_that_is_none_is_refused(density, message):
    net, X = _random(4, 2, 2, seed=0)
    for bound in (implementation_free_bound, affine_aware_bound):
        with pytest.raises(ValueError, match=message):
            bound(net, X, density)


def test_other_things_than_networks_and_data_are_refused():
    net, X = _random(4, 2, 2, seed=0)
    for bound in (implementation_free_bound, affine_aware_bound, least_sharpness):
        with pytest.raises(ValueError, match="net"):
            bound("net", X)
        with pytest.raises(ValueError, match="X"):
            bound(net, X[:, :1])


@pytest.mark.parametrize("d", [1, 2, 3])
def test_on_symmetric_data_a_slope_costs_its_mean_absolute_deviation(d):
    rng = np.random.default_rng(d)
    half, beta, mean = rng.normal(size=(4, d)), rng.normal(size=d), rng.normal(size=d)
    X = mean + np.vstack([half, -half])
    net = ShallowReLU([beta, -beta], [0.3, -0.3], [1.0, -1.0])
    deviation = X @ beta - mean @ beta
    floor = 1 + np.abs(deviation).mean()
    found = affine_aware_bound(net, X, "uniform")
    assert found.certified == (d < 3)  # in space, these points are not in general position
    assert floor <= found.value * (1 + 1e-9)
    # The multiplier of the proof, on many hyperplanes.
    mu = ((X - mean) * np.sign(deviation)[:, None]).mean(axis=0) / 2
    assert np.isclose(2 * mu @ beta, floor - 1)
    for _ in range(300):
        v = rng.normal(size=d)
        v /= np.linalg.norm(v)
        z = X @ v - mean @ v - rng.normal()
        price = 0.0
        for side in (z, -z):
            on = side > 0
            mass = np.hstack([X, np.ones((8, 1))])[on].sum(axis=0) / 8
            price += np.maximum(side, 0).mean() * np.linalg.norm(mass)
        assert abs(mu @ v) <= price * (1 + 1e-12)


def test_side_by_side_two_networks_have_the_mean_of_their_gram_matrices():
    rng = np.random.default_rng(0)
    net = ShallowReLU(rng.normal(size=(4, 2)), rng.normal(size=4), rng.normal(size=4), 0.7)
    X, t = rng.normal(size=(9, 2)), 0.3
    other = equivalent_implementation(net, seed=1)
    parts = [(net, (1 - t) ** 0.5), (other, t**0.5)]
    both = ShallowReLU(
        np.vstack([c * part.W1 for part, c in parts]),
        np.concatenate([c * part.b1 for part, c in parts]),
        np.concatenate([c * part.w2 for part, c in parts]),
        (1 - t) * net.b2 + t * other.b2,
    )
    assert np.allclose(both(X), net(X))
    grams = [phi.T @ phi for phi in (autograd_features(part, X) for part in (net, other, both))]
    assert np.allclose(grams[2], (1 - t) * grams[0] + t * grams[1])


@pytest.mark.parametrize(
    "function", [implementation_free_bound, affine_aware_bound, least_sharpness]
)
def test_a_search_ends_at_the_gap_that_was_asked_for(function):
    rng = np.random.default_rng(3)
    net = ShallowReLU(rng.normal(size=(8, 2)), rng.normal(size=8), rng.normal(size=8))
    X = rng.normal(size=(15, 2))
    loose, tight = function(net, X, tol=0.05), function(net, X)
    assert loose.value <= tight.upper and tight.value <= loose.upper
    assert loose.gap <= 0.05 and tight.gap <= 1e-6
    with pytest.raises(ValueError, match="tol"):
        function(net, X, tol=0.0)


def test_a_multiplier_that_pays_too_much_is_scaled_down_before_it_proves_anything(monkeypatch):
    net, X = _random(5, 2, 3, seed=3)
    for proof in (False, True):
        meeting = Meeting(net, X, affine=True)
        meeting.run()
        U, mu = meeting.latest
        mu = 3 * mu / meeting.worst(U, mu, prove=True).ratio
        meeting.value, meeting.proven, meeting.latest = -np.inf, False, (U, mu)
        monkeypatch.setattr("stablib.meeting.PROOFS", 1)
        if proof:
            meeting.prove()
        else:
            meeting._improve_bound(U, mu)
        assert bool(meeting.proven) is proof
        worst = meeting.worst(U, meeting.mu, prove=True)
        assert 0.9 < worst.ratio <= worst.proven <= 1 + (1e-8 if proof else 1e-2)
        assert_allclose(meeting.value, bound_value(meeting.form, meeting.own, U, meeting.mu))
        assert meeting.value <= meeting.upper * (1 + 1e-9)


@pytest.mark.parametrize("seed", [1, 3])
def test_a_loose_search_still_ends_with_a_network_no_sharper_than_the_flattest_rescaling(seed):
    net, X = _random(5, 1, 2, seed)
    loose, tight = least_sharpness(net, X, tol=0.5), least_sharpness(net, X)
    assert 1e-2 < loose.gap <= 0.5 and loose.certified
    assert loose.value <= tight.upper * (1 + 1e-9) and tight.value <= loose.upper * (1 + 1e-9)
    assert loose.upper <= flattest_implementation(net, X).sharpness * (1 + 1e-12)
    assert_allclose(sharpness(loose.net, X), loose.upper, rtol=1e-12)
    assert_allclose(loose.gap, 1 - loose.value / loose.upper, rtol=1e-12)
    assert_allclose(loose.net(X), net(X), rtol=1e-9, atol=1e-9)
    given = affine_aware_bound(net, X, loose.density)
    assert (given.gap, given.net, given.upper) == (1.0, None, np.inf)
    assert given.value >= loose.value * (1 - 1e-9)
