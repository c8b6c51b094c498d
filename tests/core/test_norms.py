import numpy as np
import pytest
from numpy.testing import assert_allclose

from stablib import (
    EmpiricalWeight,
    IsotropicWeight,
    ShallowReLU,
    one_sided_norm,
    parametric_stability_norm,
    r_norm,
    stability_norm,
)
from tests.core.oracles import weight_by_definition

# The data of the errata's antipodal example; g(e1, 0) = 0.288640 there.
X = np.array([[-1, 0.3], [0.5, -0.2], [1.5, 1], [-0.7, -1]])


def _pair(slopes):
    return ShallowReLU([[1.0, 0.0], [-1.0, 0.0]], [0.0, 0.0], slopes)


@pytest.mark.statement("eq-58")
@pytest.mark.parametrize(
    ("slopes", "one_sided", "parametric", "norm"),
    [
        ([1, -1], 0.656064, 0.577281, 0.0),
        ([1, 1], 0.656064, 0.577281, 0.577281),
        ([2, -0.5], None, 0.721601, 1.5 * 0.288640),
    ],
)
def test_antipodal_neurons_enter_the_norm_by_their_signed_sum(slopes, one_sided, parametric, norm):
    net = _pair(slopes)
    assert_allclose(stability_norm(net, X), norm, atol=1e-6)
    assert_allclose(parametric_stability_norm(net, X), parametric, atol=1e-6)
    if one_sided is not None:
        assert_allclose(one_sided_norm(net, X), one_sided, atol=1e-6)


def test_norms_of_distinct_ridges_are_sums_of_the_printed_weights(random_networks):
    for net, data in random_networks(60, seed=5):
        a, v, b = net.ridges()
        front = np.array([weight_by_definition(data, *vb)[0] for vb in zip(v, b, strict=True)])
        back = np.array(
            [weight_by_definition(data, -vi, -bi)[0] for vi, bi in zip(v, b, strict=True)]
        )
        assert_allclose(one_sided_norm(net, data), np.abs(a) @ front, rtol=1e-10, atol=1e-14)
        assert_allclose(
            parametric_stability_norm(net, data),
            np.abs(a) @ np.minimum(front, back),
            rtol=1e-10,
            atol=1e-14,
        )


@pytest.mark.statement("eq-58")
def test_the_three_norms_are_ordered(any_network):
    net, data = any_network
    norms = [f(net, data) for f in (stability_norm, parametric_stability_norm, one_sided_norm)]
    assert norms[0] <= norms[1] * (1 + 1e-9) and norms[1] <= norms[2] * (1 + 1e-9)


def test_in_one_dimension_the_norm_is_the_total_variation_of_f_prime_weighted_by_g():
    # From values of f on a grid alone: second differences against g, knots well apart from the data.
    rng = np.random.default_rng(3)
    data = np.linspace(-2, 2, 9)[:, None]
    knots = np.array([-1.3, -0.2, 0.7, 1.1])
    net = ShallowReLU(
        np.array([[1.0], [-2.0], [0.5], [-1.0]]),
        -np.array([1.0, -2.0, 0.5, -1.0]) * knots,
        rng.normal(size=4),
    )
    x = np.linspace(-3, 3, 60001)
    bends = np.diff(net(x[:, None]), 2) / (x[1] - x[0])
    g = EmpiricalWeight(data).g([1.0], x[1:-1])
    assert_allclose(np.abs(bends) @ g, stability_norm(net, data), rtol=1e-3)


def test_stability_norm_belongs_to_the_function_whatever_the_network(random_networks):
    rng = np.random.default_rng(0)
    for net, data in random_networks(40, seed=9):
        c, share = rng.uniform(0.2, 5, net.k), rng.uniform(-0.5, 1.5)
        split = ShallowReLU(
            np.vstack([net.W1, net.W1]),
            np.tile(net.b1, 2),
            np.concatenate([share * net.w2, (1 - share) * net.w2]),
            net.b2,
        )
        for other in (net.rescale(c), split):
            assert_allclose(
                stability_norm(other, data), stability_norm(net, data), rtol=1e-8, atol=1e-12
            )
            assert_allclose(r_norm(other), r_norm(net), rtol=1e-8)


def test_r_norm_is_the_stability_norm_with_weight_one():
    class One:
        def g(self, v, b):
            return np.ones(len(b))

    net = ShallowReLU.initial(3, 20, seed=1)
    form = net.canonical()
    assert r_norm(net) == pytest.approx(np.abs(form.a) @ One().g(form.v, form.b))
    assert r_norm(_pair([1, -1])) == 0


def test_a_weight_may_take_the_place_of_the_data():
    net = ShallowReLU([[1.0, 0.0]], [-1.0], [2.0])
    assert stability_norm(net, EmpiricalWeight(X)) == stability_norm(net, X)
    assert stability_norm(net, IsotropicWeight()) == pytest.approx(2 * 0.0241070289)


@pytest.mark.parametrize("norm", [stability_norm, parametric_stability_norm, one_sided_norm])
def test_bad_arguments_are_named(norm):
    with pytest.raises(ValueError, match="net is list; a ShallowReLU is needed"):
        norm([1.0], X)
    with pytest.raises(
        ValueError, match="X has 3 columns, but the network reads inputs of dimension 2"
    ):
        norm(_pair([1, 1]), np.ones((4, 3)))


@pytest.mark.statement("eq-58")
def test_the_neurons_sum_exceeds_the_norm_exactly_where_slopes_of_both_signs_share_a_charged_hyperplane():
    rng = np.random.default_rng(0)
    data = rng.normal(size=(12, 2))
    for trial in range(60):
        base = rng.normal(size=(4, 2)), rng.normal(size=4)
        if trial % 3 == 0:
            base[1][0] = 100.0  # this hyperplane passes all data by: g = 0, signs do not matter
        copies = rng.integers(1, 4, size=4)
        factor = rng.choice([-2.0, -1.0, 0.5, 3.0], size=copies.sum())
        W1 = np.repeat(base[0], copies, axis=0) * factor[:, None]
        b1 = np.repeat(base[1], copies) * factor
        w2 = rng.choice([-1.0, 1.0, 2.0], size=copies.sum())
        net = ShallowReLU(W1, b1, w2)
        plane = np.repeat(np.arange(4), copies)
        size = np.linalg.norm(base[0], axis=1)
        g = EmpiricalWeight(data).g(base[0] / size[:, None], -base[1] / size)
        mixed = any(g[h] > 0 and len(set(np.sign(w2[plane == h]))) > 1 for h in range(4))
        excess = parametric_stability_norm(net, data) - stability_norm(net, data)
        assert excess > 1e-6 if mixed else abs(excess) < 1e-12
