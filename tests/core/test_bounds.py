import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import minimize

from stablib import (
    EmpiricalWeight,
    ShallowReLU,
    flattest_implementation,
    max_stability_norm,
    one_sided_norm,
    parametric_stability_norm,
    sharpness,
    sharpness_lower_bound,
    sharpness_upper_bound,
    stability_norm,
    sufficient_stability,
)
from stablib.bounds import _printed_upper_bound, upper_bound_implementation
from tests.core.oracles import autograd_features, autograd_hessian, weight_by_definition


@pytest.mark.statement("lem-3")
def test_the_chain_of_lemma_3_holds_on_every_named_network(any_network):
    net, X = any_network
    chain = [
        sharpness_lower_bound(net, X),
        1 + 2 * parametric_stability_norm(net, X),
        1 + 2 * one_sided_norm(net, X),
        flattest_implementation(net, X).sharpness,
        np.linalg.eigvalsh(autograd_hessian(net, X, net(X)))[-1],
    ]
    assert (np.diff(chain) >= -1e-9 * np.array(chain[1:])).all(), chain


@pytest.mark.statement("lem-3")
def test_the_chain_of_lemma_3_holds_on_random_networks(random_networks):
    for net, X in random_networks(300, seed=11):
        lower, top = sharpness_lower_bound(net, X), sharpness(net, X)
        assert lower <= (1 + 2 * one_sided_norm(net, X)) * (1 + 1e-9) <= top * (1 + 2e-9)


def _fit_to_noise(seed):
    """Three neurons fitted to 40 noisy labels by BFGS with restarts; most runs end at a kink instead."""
    rng = np.random.default_rng(seed)
    X, y = rng.normal(size=(40, 2)), rng.normal(size=40)

    def network(t):
        return ShallowReLU(t[:6].reshape(3, 2), t[6:9], t[9:12], t[12])

    def loss(t):
        z = X @ t[:6].reshape(3, 2).T + t[6:9]
        height = np.maximum(z, 0)
        r = height @ t[9:12] + t[12] - y
        pull = (z > 0) * t[9:12] * r[:, None] / 40
        gradient = [(pull.T @ X).ravel(), pull.sum(axis=0), height.T @ r / 40, [r.mean()]]
        return (r**2).mean() / 2, np.concatenate(gradient)

    t = rng.normal(size=13)
    for _ in range(9):
        end = minimize(loss, t, jac=True, method="BFGS", options={"gtol": 1e-9})
        t = end.x
    return network(t), X, y, np.abs(end.jac).max()


@pytest.mark.statement("lem-3")
def test_lemma_3_needs_no_interpolation_at_a_smooth_local_minimum():
    smooth = 0
    for seed in (34, 40, 43, 74, 82, 103, 134, 155):
        net, X, y, gradient = _fit_to_noise(seed)
        if gradient > 1e-7 or net.knots_on_data(X, 1e-4):
            continue
        smooth += 1
        features, full = autograd_features(net, X), autograd_hessian(net, X, y)
        assert np.abs(net(X) - y).max() > 0.5
        assert_allclose(full, features @ features.T / 40, atol=1e-6 * np.abs(full).max())
        assert sharpness(net, X, y) >= sharpness_lower_bound(net, X)
    assert smooth >= 3


def test_curvature_of_another_loss_multiplies_and_reweights(random_networks):
    rng = np.random.default_rng(1)
    for net, X in random_networks(100, seed=3):
        curvature = rng.exponential(size=len(X)) * (rng.random(len(X)) < 0.8)
        features = autograd_features(net, X)
        top = np.linalg.eigvalsh(features * curvature @ features.T / len(X))[-1]
        assert sharpness_lower_bound(net, X, curvature) <= top * (1 + 1e-9) + 1e-12
        assert_allclose(
            sharpness_lower_bound(net, X, 3.0), 3 * sharpness_lower_bound(net, X), rtol=1e-12
        )


def _weighted_features(net, X, curvature):
    return autograd_features(net, X) * np.sqrt(np.broadcast_to(curvature, len(X)) / len(X))


def _top(net, X, curvature=1.0):
    """The sharpness from its definition: autograd features, and their largest singular value."""
    return np.linalg.norm(_weighted_features(net, X, curvature), ord=2) ** 2


def _loss_curvatures(rng, n):
    """l'' at n points for residuals or logits of the size of 1, by the name of the loss."""
    r = rng.normal(scale=2, size=n)
    q = 1 / (1 + np.exp(-r))
    return {
        "squared": np.full(n, 2.0),
        "logistic with soft labels": q * (1 - q),
        "pseudo-Huber": (1 + r**2) ** -1.5,
        "Huber": (np.abs(r) < 1).astype(float),
        "log-cosh": 1 / np.cosh(r) ** 2,
    }


@pytest.mark.statement("new-own-side")
def test_the_own_side_bound_lies_between_the_functions_bound_and_every_rescaling(random_networks):
    strictly = 0
    for net, X in random_networks(200, seed=21):
        own = sharpness_lower_bound(net, X, own_side=True)
        assert own == pytest.approx(1 + 2 * one_sided_norm(net, X), rel=1e-14)
        assert sharpness_lower_bound(net, X) <= own * (1 + 1e-12)
        assert own <= flattest_implementation(net, X).sharpness * (1 + 1e-9)
        strictly += own > sharpness_lower_bound(net, X) * (1 + 1e-9)
    assert strictly > 100


def test_the_own_side_bound_is_no_bound_for_other_implementations():
    # relu(x + 2) - relu(x + 1.5), turned round: the same function with the same two hyperplanes.
    X = np.random.default_rng(0).normal(size=(60, 1))
    net = ShallowReLU([[1.0], [1.0]], [2.0, 1.5], [1.0, -1.0])
    turned = ShallowReLU([[-1.0], [-1.0]], [-2.0, -1.5], [1.0, -1.0], 0.5)
    assert_allclose(net(X), turned(X), atol=1e-12)
    other = flattest_implementation(turned, X).sharpness
    assert sharpness_lower_bound(net, X, own_side=True) > 5 > 1.1 > other
    assert sharpness_lower_bound(net, X) <= other


@pytest.mark.statement("new-own-side")
def test_the_own_side_bound_reweights_with_the_loss(random_networks):
    rng = np.random.default_rng(4)
    for net, X in random_networks(60, seed=22):
        for curvature in _loss_curvatures(rng, len(X)).values():
            own = sharpness_lower_bound(net, X, curvature, own_side=True)
            assert sharpness_lower_bound(net, X, curvature) <= own * (1 + 1e-12)
            assert own <= _top(net, X, curvature) * (1 + 1e-9)


def _least_trace(net, X, curvature):
    """The infimum of the trace over rescalings, found by BFGS over log c from features by autograd."""
    k, d = net.k, net.d
    parts = (_weighted_features(net, X, curvature) ** 2).sum(axis=1)
    inner = parts[: k * d].reshape(k, d).sum(axis=1) + parts[k * d : k * d + k]
    outer, last = parts[k * d + k : -1], parts[-1]

    def trace(t):
        up, down = inner * np.exp(2 * t), outer * np.exp(-2 * t)
        return up.sum() + down.sum(), 2 * (up - down)

    start = np.zeros(k)
    return last + minimize(trace, start, jac=True, method="BFGS", options={"gtol": 1e-9}).fun


@pytest.mark.statement("new-trace")
@pytest.mark.statement("eq-105")
def test_the_own_side_upper_bound_is_the_least_trace_over_rescalings(random_networks):
    rng = np.random.default_rng(5)
    for net, X in random_networks(40, seed=23):
        for curvature in _loss_curvatures(rng, len(X)).values():
            bound = sharpness_upper_bound(net, X, curvature, own_side=True)
            assert_allclose(bound, _least_trace(net, X, curvature), rtol=1e-6)


def test_the_own_side_upper_bound_sums_g_hat_where_each_neuron_fires(random_networks):
    for net, X in random_networks(40, seed=24):
        a, v, b = net.ridges()
        bound = 1 + 2 * np.abs(a) @ EmpiricalWeight(X).g_hat(v, b)
        assert_allclose(sharpness_upper_bound(net, X, own_side=True), bound, rtol=1e-10)


def test_the_two_own_side_bounds_enclose_the_flattest_rescaling(any_network):
    net, X = any_network
    flat = flattest_implementation(net, X).sharpness
    assert sharpness_lower_bound(net, X, own_side=True) <= flat * (1 + 1e-9)
    assert flat <= sharpness_upper_bound(net, X, own_side=True) * (1 + 1e-9)


def test_a_neuron_with_no_input_weights_counts_in_the_trace_and_no_rescaling_removes_it():
    X = np.array([[3.0], [-4.0]])
    net = ShallowReLU([[0.0]], [0.7], [2.0])
    bound = 1 + 2 * 2 * 0.7 * np.sqrt(1 + 12.5)
    assert sharpness_upper_bound(net, X, own_side=True) == pytest.approx(bound, rel=1e-12)
    assert flattest_implementation(net, X).lower_bound > 3
    assert sharpness_upper_bound(net, X) == 1  # the same constant without the neuron


def test_a_neuron_with_no_output_weight_adds_nothing_to_the_infimum():
    net = ShallowReLU([[1.0]], [5.0], [0.0])
    assert sharpness_upper_bound(net, [[1.0], [2.0]], own_side=True) == 1


def _with_affine_pair(net, X, behind, p=None):
    """The function of `net` with chosen hyperplanes turned and two neurons for the affine rest (App. K)."""
    form = net.canonical()
    p = np.full(len(X), 1 / len(X)) if p is None else p
    sign = np.where(behind, -1.0, 1.0)
    beta = form.beta + (form.a * behind) @ form.v
    c = form.c - (form.a * behind) @ form.b
    h = beta / np.linalg.norm(beta) if beta.any() else np.eye(net.d)[0]
    size, tau = np.linalg.norm(beta), p @ X @ h
    return ShallowReLU(
        np.vstack([sign[:, None] * form.v, h, -h]),
        np.concatenate([-sign * form.b, [-tau, tau]]),
        np.concatenate([form.a, [size, -size]]),
        c + size * tau,
    )


def _sides(net, X, p=None):
    """The choices of sides that the bound tries, by the definition of g_hat."""
    form = net.canonical()
    hyperplanes = list(zip(form.v, form.b, strict=True))
    cheaper = [
        weight_by_definition(X, -v, -b, p)[1] < weight_by_definition(X, v, b, p)[1]
        for v, b in hyperplanes
    ]
    return [np.array(cheaper, bool), *(form.b < X @ form.v.T)]


@pytest.mark.statement("lem-2")
def test_some_implementation_of_two_more_neurons_stays_below_the_upper_bound(random_networks):
    for net, X in random_networks(60, seed=8):
        flattest = np.inf
        for behind in _sides(net, X):
            other = _with_affine_pair(net, X, behind)
            assert_allclose(other(X), net(X), rtol=1e-8, atol=1e-8)
            flattest = min(flattest, flattest_implementation(other, X).sharpness)
        assert flattest <= sharpness_upper_bound(net, X) * (1 + 1e-9)


def _spectral_descent(net, X, curvature):
    """A flat rescaling for a weighted loss: BFGS over log c on the 8-norm of the spectrum."""
    k, d = net.k, net.d
    features = _weighted_features(net, X, curvature)
    owner = np.concatenate([np.repeat(np.arange(k), d), np.arange(k), np.arange(k), [k]])
    power = np.concatenate([np.ones(k * d + k), -np.ones(k), [0.0]])

    def norm(t):
        scaled = features * np.exp(power * np.append(t, 0)[owner])[:, None]
        U, s, _ = np.linalg.svd(scaled, full_matrices=False)
        total = (s / s[0]) ** 16
        value = np.log(total.sum()) / 8 + 2 * np.log(s[0])
        pull = power * ((U**2) @ (total / total.sum()))
        return value, 2 * np.bincount(owner, pull, k + 1)[:k]

    parts = (features**2) @ np.ones(len(X))
    up = np.bincount(owner, parts * (power > 0), k + 1)[:k]
    down = np.bincount(owner, parts * (power < 0), k + 1)[:k]
    # From the least trace; a neuron without slope only costs, the less the larger its factor.
    start = 0.25 * np.log(np.maximum(down, 1e-300) / np.maximum(up, 1e-300 + 1e-30 * down))
    start[down == 0] = 0
    t = minimize(norm, start, jac=True, method="BFGS").x
    return min(_top(net.rescale(np.exp(s)), X, curvature) for s in (start, t))


@pytest.mark.statement("new-weighted-loss")
@pytest.mark.statement("app-J")
def test_the_upper_bound_of_another_loss_is_met_by_two_more_neurons(random_networks):
    rng = np.random.default_rng(6)
    for net, X in random_networks(15, seed=25, n_max=9, k_max=5):
        for name, curvature in _loss_curvatures(rng, len(X)).items():
            bound = sharpness_upper_bound(net, X, curvature)
            assert bound <= curvature.max() * sharpness_upper_bound(net, X) * (1 + 1e-12)
            if not curvature.any():
                assert bound == 0
                continue
            p = curvature / curvature.sum()
            flattest = min(
                _spectral_descent(_with_affine_pair(net, X, behind, p), X, curvature)
                for behind in _sides(net, X, p)
            )
            assert flattest <= bound * (1 + 1e-9), name
            certified = min(
                flattest_implementation(
                    _with_affine_pair(net, X, behind, p), X, curvature
                ).sharpness
                for behind in _sides(net, X, p)
            )
            assert certified <= min(flattest, bound) * (1 + 1e-7), name
            assert sharpness_lower_bound(net, X, curvature) <= flattest * (1 + 1e-9), name


@pytest.mark.statement("new-weighted-loss")
def test_the_reweighted_upper_bound_never_exceeds_the_largest_curvature_times_the_plain_one(
    random_networks,
):
    rng = np.random.default_rng(7)
    for net, X in random_networks(300, seed=26):
        curvature = rng.exponential(size=len(X)) ** 3 * (rng.random(len(X)) < 0.7)
        for own in (False, True):
            plain = sharpness_upper_bound(net, X, own_side=own)
            weighted = sharpness_upper_bound(net, X, curvature, own_side=own)
            assert weighted <= curvature.max() * plain * (1 + 1e-12)
            assert_allclose(sharpness_upper_bound(net, X, 3.0, own_side=own), 3 * plain, rtol=1e-12)


def test_the_sides_of_the_plain_bound_are_tried_for_another_loss_too():
    # With the sides that are cheaper under the reweighted data alone, the bound would be 1.86 times as high.
    X, curvature = np.array([[1.3], [-2.2]]), np.array([0.2, 1.0])
    net = ShallowReLU([[1.0], [-1.0]], [-1.15, -1.55], [1.3, -1.1])
    assert sharpness_upper_bound(net, X, curvature) <= sharpness_upper_bound(net, X)


def test_points_without_curvature_have_no_say(random_networks):
    rng = np.random.default_rng(8)
    for net, X in random_networks(60, seed=27, k_max=5):
        extra = np.vstack([X, 100 * rng.normal(size=(3, net.d))])
        kept = np.append(rng.exponential(size=len(X)), np.zeros(3))
        share = len(X) / len(extra)
        for bound in (sharpness_lower_bound, sharpness_upper_bound):
            for own in (False, True):
                with_them = bound(net, extra, kept, own_side=own)
                without = share * bound(net, X, kept[:-3], own_side=own)
                # Their cells offer further choices of the sides, so the upper bound may only gain.
                assert with_them <= without * (1 + 1e-9)
                if own or bound is sharpness_lower_bound:
                    assert_allclose(with_them, without, rtol=1e-9)


@pytest.mark.statement("lem-2")
def test_the_implementation_of_the_upper_bound_is_flatter_than_the_bound(any_network):
    net, X = any_network
    rng = np.random.default_rng(9)
    for curvature in (1.0, *_loss_curvatures(rng, len(X)).values()):
        wide = upper_bound_implementation(net, X, curvature)
        assert wide.k <= net.k + 2
        elsewhere = 3 * rng.normal(size=(20, net.d))
        size = 1 + np.abs(net(elsewhere)).max() + np.abs(net(X)).max()
        assert_allclose(wide(elsewhere), net(elsewhere), atol=1e-9 * size)
        # The pair stands a little beside the mean; where all points project there, this is all it costs.
        bound = sharpness_upper_bound(net, X, curvature)
        assert _top(wide, X, curvature) <= bound * (1 + 1e-8)


@pytest.mark.statement("lem-2")
def test_the_implementation_of_the_upper_bound_is_flatter_than_the_bound_at_random(random_networks):
    rng = np.random.default_rng(10)
    for net, X in random_networks(100, seed=28):
        for curvature in _loss_curvatures(rng, len(X)).values():
            wide = upper_bound_implementation(net, X, curvature)
            assert wide.k <= net.k + 2
            assert _top(wide, X, curvature) <= sharpness_upper_bound(net, X, curvature) * (1 + 1e-8)


def test_the_affine_pair_stands_beside_a_data_point_at_the_mean():
    X = np.array([[-1.0], [0.0], [1.0]])
    wide = upper_bound_implementation(ShallowReLU([[1.0]], [5.0], [1.0]), X)
    assert wide.knots_on_data(X, 1e-9) == 0
    assert_allclose(wide(X), X[:, 0] + 5, atol=1e-12)


@pytest.mark.statement("lem-2")
@pytest.mark.parametrize("side", ["smaller", "mean", "larger"])
def test_with_no_neuron_to_spare_the_papers_lemma_2_fails(side):
    # f = relu(x + D) - .999 relu(-x - D): every implementation of width 2 is a rescaling.
    near, far = np.random.default_rng(0).normal(size=(20, 1)), [[-12.0]]
    inside = np.vstack([np.random.default_rng(0).normal(size=(199, 1)), far])
    for D, X in ((10, near), (100, near), (1000, near), (10, inside)):
        net = ShallowReLU([[1.0], [-1.0]], [D, -D], [1.0, -0.999])
        printed = _printed_upper_bound(net, X, side)
        assert flattest_implementation(net, X).lower_bound > 2 * printed
        assert flattest_implementation(net, X).sharpness < sharpness_upper_bound(
            net, X, own_side=True
        )
        wide = _with_affine_pair(net, X, np.array([True]))
        assert wide.k == 3
        assert flattest_implementation(wide, X).sharpness < printed


@pytest.mark.parametrize(("distance", "flattest"), [(10, 20.99), (100, 205.5), (1000, 2050.8)])
def test_g_hat_of_lemma_2_is_one_sided_in_width_k(distance, flattest):
    # relu(x + D) alone: no antipodal pair, no affine rest; only the side where it fires gives a bound.
    X = np.random.default_rng(0).normal(size=(20, 1))
    net = ShallowReLU([[1.0]], [distance], [1.0])
    flat = flattest_implementation(net, X)
    assert flat.sharpness == pytest.approx(flattest, rel=1e-3)
    assert _printed_upper_bound(net, X, "mean") < flat.lower_bound
    assert flat.sharpness < _printed_upper_bound(net, X, "larger")
    assert flat.sharpness < sharpness_upper_bound(net, X, own_side=True)


@pytest.mark.statement("eq-119")
def test_the_upper_bound_is_sharper_than_lemma_2_as_printed(random_networks):
    for net, X in random_networks(200, seed=29):
        printed = _printed_upper_bound(net, X, "smaller")
        assert sharpness_upper_bound(net, X) <= printed * (1 + 1e-12)


def test_theorem_1_at_the_edge_is_lemma_3():
    assert max_stability_norm(0.1) == pytest.approx(9.5)
    assert max_stability_norm(4.0) < 0
    net, X = ShallowReLU.initial(3, 10, seed=0), np.random.default_rng(0).normal(size=(20, 3))
    assert stability_norm(net, X) <= max_stability_norm(2 / sharpness(net, X))


@pytest.mark.statement("app-J")
def test_theorem_1_for_another_loss_is_lemma_3_at_the_edge(random_networks):
    rng = np.random.default_rng(3)
    assert max_stability_norm(0.1, 2.0) == pytest.approx(4.5)  # (f - y)^2 without the half
    assert max_stability_norm(0.1, [1.0, 0.0, 5.0]) == pytest.approx(4.5)
    assert max_stability_norm(0.1, 1.0) == max_stability_norm(0.1)
    assert max_stability_norm(0.1, [0.0, 0.0]) == np.inf
    for net, X in random_networks(100, seed=30):
        for curvature in _loss_curvatures(rng, len(X)).values():
            if curvature.any():
                norm = stability_norm(net, EmpiricalWeight(X, curvature / curvature.sum()))
                edge = max_stability_norm(2 / _top(net, X, curvature), curvature)
                assert norm <= edge + 1e-9 * (1 + abs(edge))


def test_sufficient_stability_is_the_upper_bound_against_two_over_the_step_size():
    net, X = ShallowReLU.initial(3, 10, seed=0), np.random.default_rng(0).normal(size=(20, 3))
    edge = 2 / sharpness_upper_bound(net, X)
    assert sufficient_stability(net, X, 0.999 * edge) and not sufficient_stability(
        net, X, 1.001 * edge
    )


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: max_stability_norm(0), "step_size is 0; a positive number is needed"),
        (lambda: max_stability_norm(-0.1), "step_size is -0.1; a positive number is needed"),
        (lambda: max_stability_norm("0.1"), "step_size is str"),
        (lambda: max_stability_norm(True), "step_size is True; a number is needed"),
        (lambda: max_stability_norm(float("nan")), "step_size has NaN"),
        (lambda: sharpness_lower_bound(3, [[1.0]]), "net is int"),
        (
            lambda: sharpness_upper_bound(ShallowReLU([[1.0]], [0], [1]), [[]]),
            r"X has shape \(1, 0\)",
        ),
        (
            lambda: sharpness_lower_bound(ShallowReLU([[1.0]], [0], [1]), [[1.0]], [-1]),
            "negative entry -1",
        ),
        (lambda: max_stability_norm(0.1, [1.0, -2.0]), "negative entry -2"),
        (lambda: max_stability_norm(0.1, []), r"loss_curvature has shape \(0,\)"),
        (lambda: max_stability_norm(0.1, [[1.0]]), r"loss_curvature has shape \(1, 1\)"),
        (
            lambda: sharpness_upper_bound(ShallowReLU([[1e200]], [0], [1]), [[1.0]], own_side=True),
            "exceed what float64 holds",
        ),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()
