import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from stablib import ShallowReLU
from tests.core.oracles import torch_function


@pytest.mark.statement("eq-7")
def test_values_are_those_of_a_torch_expression_in_the_parameter_order_of_eq_9(any_network):
    net, X = any_network
    f, theta = torch_function(net, X)
    assert_allclose(
        net(X), f(theta).detach().numpy(), rtol=1e-12, atol=1e-12 * (1 + np.abs(net(X)).max())
    )


@pytest.mark.statement("eq-7")
def test_torch_round_trip_keeps_every_parameter_and_value(any_network):
    net, X = any_network
    if net.k == 0:
        pytest.skip("torch has no layer without units")
    module = net.to_torch()
    assert_array_equal(ShallowReLU.from_torch(module).parameters(), net.parameters())
    out = module(torch.tensor(X)).detach().numpy()[:, 0]
    assert_allclose(out, net(X), rtol=1e-12, atol=1e-12 * (1 + np.abs(out).max()))


def test_a_module_of_its_own_class_is_read_and_its_missing_biases_are_zero():
    class Own(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.inner, self.outer = (
                torch.nn.Linear(3, 4, bias=False),
                torch.nn.Linear(4, 1, bias=False),
            )

        def forward(self, x):
            return self.outer(torch.relu(self.inner(x)))

    module = Own()
    net = ShallowReLU.from_torch(module)
    X = np.random.default_rng(0).normal(size=(5, 3))
    assert_allclose(net(X), module(torch.tensor(X).float()).detach().numpy()[:, 0], atol=1e-6)
    assert net.b2 == 0 and not net.b1.any()


class _Tanh(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner, self.outer = torch.nn.Linear(2, 3), torch.nn.Linear(3, 1)

    def forward(self, x):
        return self.outer(torch.tanh(self.inner(x)))


class _Other(torch.nn.Module):
    """Small parameters, so that every smooth activation looks alike but for a millionth."""

    def __init__(self, activation):
        super().__init__()
        self.outer, self.inner = torch.nn.Linear(3, 1), torch.nn.Linear(2, 3)
        self.activation = activation
        for parameter in self.parameters():
            parameter.data *= 1e-3

    def forward(self, x):
        return self.outer(self.activation(self.inner(x)))


@pytest.mark.parametrize(
    "activation",
    [torch.tanh, lambda z: z, lambda z: torch.nn.functional.leaky_relu(z, 1e-4)],
    ids=["tanh", "identity", "leaky"],
)
def test_a_class_with_another_activation_is_refused_at_any_scale(activation):
    with pytest.raises(ValueError, match="computes something else"):
        ShallowReLU.from_torch(_Other(activation))


def test_half_precision_and_the_order_of_declaration_do_not_matter():
    torch.manual_seed(0)
    net = ShallowReLU.from_torch(_Other(torch.relu))
    assert (net.k, net.d) == (3, 2)
    wide = torch.nn.Sequential(torch.nn.Linear(50, 300), torch.nn.ReLU(), torch.nn.Linear(300, 1))
    half = ShallowReLU.from_torch(wide.bfloat16())
    assert_array_equal(half.w2, wide[2].weight.detach().double().numpy()[0])


L, R = torch.nn.Linear, torch.nn.ReLU


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (torch.nn.Sequential(L(2, 3), torch.nn.Tanh(), L(3, 1)), "layer 1 of the module is Tanh"),
        (torch.nn.Sequential(L(2, 3), R(), L(3, 2)), "last layer maps 3 numbers to 2"),
        (torch.nn.Sequential(L(2, 3), R()), "layer 2 of the module is missing"),
        (torch.nn.Sequential(L(2, 3), R(), L(3, 1), R()), "has 4 layers"),
        (L(2, 1), "has 1 Linear layers"),
        (_Tanh(), "computes something else"),
        ("net", "module is str"),
    ],
)
def test_other_modules_are_refused_by_what_is_wrong_with_them(module, message):
    with pytest.raises(ValueError, match=message):
        ShallowReLU.from_torch(module)


def test_rescaling_keeps_the_function(any_network):
    net, X = any_network
    c = np.random.default_rng(0).uniform(0.1, 10, net.k)
    assert_allclose(net.rescale(c)(X), net(X), rtol=1e-10, atol=1e-10 * (1 + np.abs(net(X)).max()))


def test_ridges_and_constant_neurons_make_up_the_function(any_network):
    net, X = any_network
    a, v, b = net.ridges()
    assert_allclose(np.linalg.norm(v, axis=1), 1, rtol=1e-14)
    ridges = sum(a[i] * np.maximum(X @ v[i] - b[i], 0) for i in range(len(a)))
    constant = net.w2[~net.W1.any(axis=1)] @ np.maximum(net.b1[~net.W1.any(axis=1)], 0) + net.b2
    assert_allclose(ridges + constant, net(X), rtol=1e-10, atol=1e-10 * (1 + np.abs(net(X)).max()))


def test_ridges_survive_weights_whose_squares_overflow_or_vanish():
    for size in (1e-200, 1e200):
        a, v, b = ShallowReLU([[3 * size, 4 * size]], [5 * size], [1.0]).ridges()
        assert_allclose(v, [[0.6, 0.8]])
        assert_allclose(a, 5 * size)
        assert_allclose(b, -1.0)


def test_canonical_form_is_the_same_function_with_distinct_oriented_hyperplanes(random_networks):
    for net, X in random_networks(300):
        form = net.canonical()
        far = 50 * X
        assert_allclose(form(far), net(far), rtol=1e-9, atol=1e-9 * (1 + np.abs(net(far)).max()))
        for v in form.v:
            assert v[np.flatnonzero(v)[0]] > 0
        planes = np.column_stack([form.v, form.b])
        for i in range(len(planes)):
            assert (np.abs(planes[:i] - planes[i]).max(axis=1) > 1e-9).all()


def test_canonical_form_of_the_named_networks_is_their_function(any_network):
    net, X = any_network
    assert_allclose(net.canonical()(X), net(X), rtol=1e-8, atol=1e-9 * (1 + np.abs(net(X)).max()))


def test_signed_slopes_of_antipodal_neurons_add():
    form = ShallowReLU(
        [[1.0, 0], [-1.0, 0]], [0, 0], [2.0, -0.5]
    ).canonical()  # 2 relu(x) - .5 relu(-x)
    assert_allclose(form.a, [1.5])
    assert_allclose(form.beta, [0.5, 0])


def test_neurons_share_a_hyperplane_up_to_rounding_and_near_misses_are_counted():
    v = np.array([0.6, 0.8])
    together = ShallowReLU([v, -3 * v * (1 + 1e-15)], [1.0, -3.0], [1.0, 1.0]).canonical()
    assert len(together.a) == 1 and together.near_merges == 0
    apart = ShallowReLU([v, v], [1.0, 1.0 + 1e-7], [1.0, 1.0]).canonical()
    assert len(apart.a) == 2 and apart.near_merges == 1
    assert len(ShallowReLU([v, v], [1.0, 1.0 + 1e-7], [1.0, 1.0]).canonical(tol=1e-6).a) == 1
    # Two entries that rounding has put on either side of zero: the same hyperplane all the same.
    tilted = ShallowReLU([[1e-17, 1.0], [-1e-17, 1.0]], [0.0, 0.0], [1.0, 1.0]).canonical()
    assert len(tilted.a) == 1 and tilted.a[0] == pytest.approx(2.0)


def test_knots_on_data_counts_pairs_by_distance():
    rng = np.random.default_rng(0)
    net, X = (
        ShallowReLU(rng.normal(size=(30, 2)), rng.normal(size=30), np.ones(30)),
        rng.normal(size=(40, 2)),
    )
    count = sum(
        abs(net.W1[i] @ x + net.b1[i]) / np.hypot(*net.W1[i]) <= 0.05 for i in range(30) for x in X
    )
    assert count > 10 and net.knots_on_data(X, tol=0.05) == count


@pytest.mark.parametrize("scheme", ["torch", "he"])
def test_initialisations_have_their_spread_and_scale_multiplies_everything(scheme):
    torch.manual_seed(0)
    net = ShallowReLU.initial(50, 2000, scheme=scheme, seed=1)
    if scheme == "torch":
        inner, outer = torch.nn.Linear(50, 2000), torch.nn.Linear(2000, 1)
        spreads = [p.std().item() for p in (inner.weight, inner.bias, outer.weight)]
    else:
        inner, outer = torch.empty(2000, 50), torch.empty(1, 2000)
        torch.nn.init.kaiming_normal_(inner), torch.nn.init.kaiming_normal_(outer)
        spreads = [inner.std().item(), 0.0, outer.std().item()]
    assert_allclose([net.W1.std(), net.b1.std(), net.w2.std()], spreads, rtol=0.08)
    tripled = ShallowReLU.initial(50, 2000, scale=3.0, scheme=scheme, seed=1)
    assert_allclose(tripled.parameters(), 3 * net.parameters(), rtol=1e-15)


def test_parameters_are_copies_and_cannot_be_written():
    W1 = np.ones((2, 3))
    net = ShallowReLU(W1, np.zeros(2), np.ones(2))
    W1[:] = 5
    assert net.W1.max() == 1
    with pytest.raises(ValueError, match="read-only"):
        net.W1[0, 0] = 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 2.0], [0.0], [1.0]), r"W1 has shape \(2,\)"),
        ((np.zeros((2, 0)), [0, 0], [1, 1]), r"W1 has shape \(2, 0\); .*d >= 1"),
        (([[1.0]], [0.0, 1.0], [1.0]), r"b1 has shape \(2,\), but W1 has 1 rows"),
        (([[1.0]], [0.0], [[1.0]]), r"w2 has shape \(1, 1\)"),
        (([[np.nan]], [0.0], [1.0]), r"W1 has NaN at \(0, 0\)"),
        (([[1.0]], [np.inf], [1.0]), r"b1 has an infinite entry at \(0,\)"),
        (([["one"]], [0.0], [1.0]), "W1 is an array of dtype <U3"),
        (([[1.0], [1.0, 2.0]], [0, 0], [1, 1]), "W1 is ragged"),
        (([[1j]], [0.0], [1.0]), "W1 is an array of dtype complex128"),
        (([[1.0]], [0.0], [1.0], [1.0, 2.0]), r"b2 has shape \(2,\); a number is needed"),
        (([[1.0]], [0.0], [1.0], "zero"), "b2 is str"),
    ],
)
def test_bad_parameters_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        ShallowReLU(*arguments)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda net: net([[1.0]]), "X has 1 columns, but the network reads inputs of dimension 2"),
        (lambda net: net(np.zeros((0, 2))), r"X has shape \(0, 2\); a non-empty"),
        (lambda net: net("data"), "X is str"),
        (lambda net: net.rescale(-1.0), "c has the entry -1; positive"),
        (lambda net: net.rescale([1.0, 2.0]), r"c has shape \(2,\); one factor per neuron"),
        (lambda net: net.canonical(tol=-1), "tol is -1"),
        (lambda net: ShallowReLU.initial(0, 3), "d is 0; at least 1"),
        (lambda net: ShallowReLU.initial(2.5, 3), "d is 2.5; a whole number"),
        (
            lambda net: ShallowReLU.initial(2, 3, scheme="xavier"),
            "scheme is 'xavier'; 'torch' or 'he'",
        ),
        (lambda net: ShallowReLU.initial(2, 3, scale=0), "scale is 0; a positive"),
        (lambda net: ShallowReLU.initial(2, 3, seed="one"), "seed is 'one'; a whole number"),
        (lambda net: ShallowReLU.initial(2, 3, seed=-1), "seed is -1; at least 0"),
        (lambda net: ShallowReLU.initial(2, 10**400), "k has 401 digits"),
        (lambda net: net(np.ma.masked_array([[1.0, 2.0]], mask=[[1, 0]])), "X has masked entries"),
        (lambda net: net(torch.ones(3, 2).to_sparse()), "X is a torch tensor whose entries"),
        (lambda net: net([[1e200, 0.0]]), r"X has an entry of size 1e\+200"),
    ],
)
def test_bad_arguments_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call(ShallowReLU([[1.0, 0.0]], [0.0], [1.0]))


def test_torch_tensors_are_taken_wherever_arrays_are():
    W1 = torch.ones(2, 3, requires_grad=True)
    net = ShallowReLU(W1, torch.zeros(2), torch.ones(2, dtype=torch.bfloat16), torch.tensor(1.0))
    assert_array_equal(net(torch.ones(1, 3)), [7.0])
