"""The theorem for small batches, against second moments averaged over all batches and autograd features."""

from itertools import combinations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose

from stablib import (
    ShallowReLU,
    gaussian,
    max_stability_norm,
    memoriser,
    sgd_threshold,
    sharpness,
    stability_norm,
)
from stablib.small_batch import (
    max_small_batch_norm,
    sgd_threshold_bounds,
    small_batch_norm,
    takeover_batch,
)
from tests.core.oracles import autograd_features, weight_by_definition

pytestmark = pytest.mark.statement("new-small-batch")

# With all hyperplanes through (or behind) the data the norm is zero and the inequality an equality.
ROUNDING = 1e-9


def enumerated_threshold(phi, B, replacement):
    """2 over the largest <E, D E>/<E, C E>, from all batches, in a basis of the range of H."""
    n = phi.shape[1]
    batches = list(product(range(n), repeat=B) if replacement else combinations(range(n), B))
    U, s, _ = np.linalg.svd(phi, full_matrices=False)
    psi = U[:, s > 1e-5 * s[0]].T @ phi / s[0]
    one, D = np.eye(len(psi)), 0.0
    for batch in batches:
        part = psi[:, list(batch)] @ psi[:, list(batch)].T / B
        D = D + np.kron(part, part) / len(batches)
    H = psi @ psi.T / n
    C = (np.kron(H, one) + np.kron(one, H)) / 2
    return 2 / np.abs(np.linalg.eigvals(np.linalg.solve(C, D))).max() / s[0] ** 2


def noise(n, B, replacement):
    """q: the variance of a batch's mean over that of a single point."""
    if replacement:
        return 1 / B
    return (n - B) / (B * (n - 1)) if n > B else 0.0


def settings(n, most=4):
    """Batch sizes with and without replacement."""
    yield from ((B, False) for B in range(1, min(n, most) + 1))
    yield from ((B, True) for B in range(1, most + 1))


def test_it_is_the_sum_over_hyperplanes_of_the_lesser_weight_from_the_definition(any_network):
    net, X = any_network
    form = net.canonical()
    total = sum(
        abs(a) * min(weight_by_definition(X, v, b)[1], weight_by_definition(X, -v, -b)[1])
        for a, v, b in zip(form.a, form.v, form.b, strict=True)
    )
    assert_allclose(small_batch_norm(net, X), total, rtol=1e-12)
    assert small_batch_norm(net, X) >= stability_norm(net, X) * (1 - ROUNDING)


def test_a_kink_between_two_points_has_the_norm_root_two_and_an_affine_function_none():
    X = [[-1.0], [1.0]]
    kink = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0])
    assert_allclose(small_batch_norm(kink, X), 2**0.5, rtol=1e-15)
    line = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, -1.0])
    assert small_batch_norm(line, X) == 0.0
    assert small_batch_norm(ShallowReLU([[1.0]], [100.0], [1.0]), X) == 0.0


def test_no_rescaling_split_or_turned_form_has_a_trace_below_it(random_networks):
    rng = np.random.default_rng(5)
    for net, X in random_networks(40, seed=11):
        least = 1 + 2 * small_batch_norm(net, X)
        share = rng.uniform(-1, 2, net.k)
        split = ShallowReLU(
            np.vstack([net.W1, 2 * net.W1]),
            np.concatenate([net.b1, 2 * net.b1]),
            np.concatenate([share * net.w2, (1 - share) * net.w2 / 2]),
            net.b2,
        )
        assert_allclose(split(X), net(X), atol=1e-9)
        assert_allclose(small_batch_norm(split, X), small_batch_norm(net, X), rtol=1e-9)
        for one in (net, split, net.rescale(np.exp(rng.normal(size=net.k)))):
            trace = (autograd_features(one, X) ** 2).sum() / len(X)
            assert trace >= least * (1 - ROUNDING)
        # Turned neurons, w relu(z) = w relu(-z) + w z: an affine part is added, which the norm forgets.
        turned = ShallowReLU(-net.W1, -net.b1, net.w2, net.b2)
        assert_allclose(small_batch_norm(turned, X), small_batch_norm(net, X), rtol=1e-9)
        assert (autograd_features(turned, X) ** 2).sum() / len(X) >= least * (1 - ROUNDING)


def test_the_trace_comes_down_to_it_when_every_neuron_fires_on_its_cheaper_side(random_networks):
    for net, X in random_networks(20, seed=12):
        a, v, b = net.canonical()[:3]
        turn = np.array(
            [
                np.sign(
                    weight_by_definition(X, -n, -o)[1] - weight_by_definition(X, n, o)[1] + 1e-300
                )
                for n, o in zip(v, b, strict=True)
            ]
        )
        net = ShallowReLU(turn[:, None] * v, -turn * b, a)
        z = np.maximum(X @ net.W1.T + net.b1, 0)
        height2 = (z**2).sum(axis=0)
        pull2 = net.w2**2 * ((1 + (X**2).sum(axis=1)) @ (z > 0))
        fires = height2 > 0
        if not fires.all():
            continue
        level = net.rescale((height2 / pull2) ** 0.25)
        trace = (autograd_features(level, X) ** 2).sum() / len(X)
        assert_allclose(trace, 1 + 2 * small_batch_norm(net, X), rtol=1e-9)


def test_the_theorem_holds_with_the_threshold_of_all_batches_as_step_size(any_network):
    net, X = any_network
    X = X[:5]
    phi = autograd_features(net, X)
    for B, replacement in settings(len(X)):
        eta = enumerated_threshold(phi, B, replacement)
        bound = max_small_batch_norm(eta, B, len(X), replacement=replacement)
        assert 2 * small_batch_norm(net, X) + 1 <= (2 * bound + 1) * (1 + ROUNDING)
        low, high = sgd_threshold_bounds(net, X, B, replacement=replacement)
        assert low * (1 - ROUNDING) <= eta <= high * (1 + ROUNDING)


def test_the_bounds_of_the_threshold_are_the_quotients_written_out(any_network):
    net, X = any_network
    phi, n = autograd_features(net, X), len(X)
    scale = np.abs(phi).max()
    phi = phi / scale
    H = phi @ phi.T / n
    h, U = np.linalg.eigh(H)
    size2 = (phi**2).sum(axis=0)
    for B, replacement in settings(n):
        q = noise(n, B, replacement)
        white = 2 * np.trace(H) / ((1 - q) * (H**2).sum() + q * (size2**2).mean())
        sharpest = 2 * h[-1] / ((1 - q) * h[-1] ** 2 + q * ((U[:, -1] @ phi) ** 4).mean())
        low = 2 / ((1 - q) * h[-1] + q * size2.max())
        found = np.array(sgd_threshold_bounds(net, X, B, replacement=replacement)) * scale**2
        assert_allclose(found, [low, min(white, sharpest)], rtol=1e-9)
        plain = min(2 / h[-1], 2 / (q * np.trace(H)) if q else np.inf)
        assert found[1] <= plain * (1 + ROUNDING)
        assert found[0] * (1 - q + size2.max() / size2.mean()) >= plain * (1 - ROUNDING)


def test_the_bounds_enclose_the_exact_threshold_at_other_sizes(random_networks):
    for net, X in random_networks(40, seed=13, n_max=40, d_max=8, k_max=12):
        for B, replacement in settings(len(X)):
            eta = sgd_threshold(net, X, B, replacement=replacement)
            low, high = sgd_threshold_bounds(net, X, B, replacement=replacement)
            assert low * (1 - ROUNDING) <= eta <= high * (1 + ROUNDING)
            bound = max_small_batch_norm(eta, B, len(X), replacement=replacement)
            assert 2 * small_batch_norm(net, X) + 1 <= (2 * bound + 1) * (1 + ROUNDING)


def test_the_factor_between_threshold_and_ceilings_is_met_by_neurons_that_share_no_point():
    # Alone, a point shrinks up to 2/|phi_j|^2: at B = 1 that is the lower end, where points hardly interact.
    X, y = gaussian(100, 20)
    net = memoriser(X, 1e6 * y)
    low, high = sgd_threshold_bounds(net, X, 1)
    assert_allclose(sgd_threshold(net, X, 1), low, rtol=1e-6)
    size2 = (autograd_features(net, X) ** 2).sum(axis=0)
    trace, spread = size2.mean(), size2.max() / size2.mean()
    assert 2 / trace < 2 / sharpness(net, X) and spread > 3
    assert_allclose(low, 2 / trace / spread, rtol=1e-9)
    assert high > 1.5 * low


def test_batches_of_all_points_leave_only_two_over_the_sharpness(any_network):
    net, X = any_network
    assert max_small_batch_norm(0.3, len(X), len(X)) == np.inf
    assert_allclose(sgd_threshold_bounds(net, X, len(X)), 2 / sharpness(net, X), rtol=1e-12)


def test_single_points_bound_the_larger_norm_by_what_theorem_1_allows_the_smaller():
    assert max_small_batch_norm(0.1, 1, 7) == max_stability_norm(0.1)
    assert max_small_batch_norm(0.1, 1, 7, replacement=True) == max_stability_norm(0.1)
    assert max_small_batch_norm(0.1, 1, 1) == np.inf
    assert_allclose(max_small_batch_norm(0.1, 3, 7), 1 / (0.1 * 4 / 18) - 0.5)
    assert max_small_batch_norm(0.1, 10, 7, replacement=True) == 99.5


def test_the_takeover_is_where_both_ceilings_meet(any_network):
    net, X = any_network
    n, phi = len(X), autograd_features(net, X)
    phi = phi / np.abs(phi).max()
    top = np.linalg.norm(phi, ord=2) ** 2 / n
    share = {
        "network": top / ((phi**2).sum() / n),
        "function": (1 + 2 * stability_norm(net, X)) / (1 + 2 * small_batch_norm(net, X)),
    }
    for of, least in share.items():
        assert_allclose(takeover_batch(net, X, of=of, replacement=True), 1 / least, rtol=1e-9)
        B = takeover_batch(net, X, of=of)
        assert 1 - ROUNDING <= B <= takeover_batch(net, X, of=of, replacement=True) + ROUNDING
        if n > 1:
            assert_allclose((n - B) / (B * (n - 1)), least, rtol=1e-8)


def test_below_the_takeover_the_small_batch_theorem_asks_for_more_and_above_for_less(
    random_networks,
):
    for net, X in random_networks(30, seed=14):
        n, eta = len(X), 0.01
        turn = takeover_batch(net, X, of="function")
        for B in range(1, n):
            small = (0.5 + small_batch_norm(net, X)) / (0.5 + max_small_batch_norm(eta, B, n))
            large = (0.5 + stability_norm(net, X)) / (0.5 + max_stability_norm(eta))
            if abs(B - turn) > 1e-6:
                assert (small > large) == (turn > B)


def test_what_does_not_fit_is_refused_in_words():
    net, X = ShallowReLU([[1.0]], [0.0], [1.0]), [[1.0], [2.0]]
    with pytest.raises(ValueError, match="of is 'neuron'; 'network' or 'function' is needed"):
        takeover_batch(net, X, of="neuron")
    with pytest.raises(ValueError, match="step_size is -1; a positive number"):
        max_small_batch_norm(-1, 1, 2)
    with pytest.raises(ValueError, match="batch_size is 3, but X has 2 rows"):
        max_small_batch_norm(0.1, 3, 2)
    with pytest.raises(ValueError, match="n is 0; at least 1"):
        max_small_batch_norm(0.1, 1, 0)
    with pytest.raises(ValueError, match="X has 2 columns"):
        small_batch_norm(net, [[1.0, 2.0]])
    for call in (takeover_batch, lambda net, X: sgd_threshold_bounds(net, X, 1)):
        with pytest.raises(ValueError, match="a ShallowReLU is needed"):
            call("net", X)
        with pytest.raises(ValueError, match="X has 3 columns"):
            call(net, [[1.0, 2.0, 3.0]])
