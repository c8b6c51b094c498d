import re
import warnings
import xml.dom.minidom

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import stablib
from stablib import Diagnosis, ShallowReLU, diagnose
from stablib.findings import Link, chain_checks
from tests.core.conftest import NETWORKS, _random
from tests.core.oracles import (
    autograd_features,
    autograd_hessian,
    torch_function,
    weight_by_definition,
)


def gradient(net, X, y):
    f, theta = torch_function(net, X)
    ((f(theta) - torch.tensor(y)) ** 2).mean().div(2).backward()
    return theta.grad.numpy()


def labels(net, X, size=0.1, seed=0):
    size *= max(1, 1e-6 * np.abs(net(X)).max())  # residuals that rounding leaves alone
    return net(X) + size * np.random.default_rng(seed).normal(size=len(X))


def norms_by_definition(net, X):
    """One-sided, parametric and (for hyperplanes that are all different) merged norm, neuron by neuron."""
    own = cheaper = 0.0
    for w, b, w2 in zip(net.W1, net.b1, net.w2, strict=True):
        length = np.linalg.norm(w)
        if length:
            front = weight_by_definition(X, w / length, -b / length)[0]
            back = weight_by_definition(X, -w / length, b / length)[0]
            own += abs(w2) * length * front
            cheaper += abs(w2) * length * min(front, back)
    return own, cheaper


@pytest.fixture
def trained():
    data = stablib.gaussian(n=20, d=3, seed=0)
    start = ShallowReLU.initial(3, 30, scale=3, seed=1)
    run = stablib.gradient_descent(start, data.X, data.y, 0.1, warmup=500, tol=1e-9)
    assert run.reason == "tolerance"
    return run.net, data.X, data.y


@pytest.fixture
def noisy_minimum():
    """A smooth minimum that does not interpolate: two neurons cannot fit noise at thirty points."""
    rng = np.random.default_rng(5)
    X, y = rng.normal(size=(30, 2)), rng.normal(size=30)
    run = stablib.gradient_descent(ShallowReLU.initial(2, 2, seed=5), X, y, 0.2, tol=0)
    assert np.linalg.norm(gradient(run.net, X, y)) < 1e-9
    assert run.net.knots_on_data(X, 1e-5) == 0
    return run.net, X, y


# Its numbers


def test_sharpness_trace_loss_and_gradient_are_those_of_autograd(any_network):
    net, X = any_network
    y = labels(net, X)
    found = diagnose(net, X, y)
    hessian = autograd_hessian(net, X, y)
    top = np.linalg.eigvalsh(hessian)[-1]
    assert_allclose(found.sharpness.value, top, rtol=1e-9)
    assert found.sharpness.low <= found.sharpness.value <= found.sharpness.high
    assert found.sharpness.high <= found.sharpness.low * (1 + 2e-10)
    assert_allclose(found.trace, np.trace(hessian), rtol=1e-10)
    assert_allclose(found.loss, np.mean((net(X) - y) ** 2) / 2, rtol=1e-10)
    size = np.linalg.norm(gradient(net, X, y))
    assert_allclose(found.gradient_norm, size, rtol=1e-9)
    zero = np.mean(y**2) / 2
    assert_allclose(found.decrease, size**2 / (2 * top) / max(zero, found.loss), rtol=1e-8)
    assert_allclose(found.gd_threshold.value, 2 / top, rtol=1e-9)
    assert found.gd_threshold.low <= 2 / found.sharpness.value <= found.gd_threshold.high


def test_bounds_are_those_of_the_definition(any_network):
    net, X = any_network
    found = diagnose(net, X, net(X))
    own, _ = norms_by_definition(net, X)
    assert_allclose(found.own_side_bound.value, 1 + 2 * own, rtol=1e-9)
    assert found.lower_bound.value == stablib.sharpness_lower_bound(net, X)
    assert found.upper_bound.value == stablib.sharpness_upper_bound(net, X)
    flat = stablib.flattest_implementation(net, X)
    assert (found.flattest.value, found.flattest.high) == (flat.sharpness, flat.sharpness)
    assert_allclose(found.flattest.low, flat.lower_bound, rtol=1e-15)


@pytest.mark.statement("eq-23")
def test_the_chain_holds_on_every_network_at_labels_that_it_interpolates(any_network):
    net, X = any_network
    found = diagnose(net, X, net(X))
    assert found.lower_bound.value <= found.flattest.value * (1 + 1e-12)
    assert found.own_side_bound.value <= found.flattest.value * (1 + 1e-12)
    assert found.flattest.value <= found.sharpness.value * (1 + 1e-9)
    edge = diagnose(net, X, net(X), step_size=1.999 / found.sharpness.value)
    assert [check.verdict for check in edge.chain] == ["holds"] * 4
    beyond = diagnose(net, X, net(X), step_size=2.001 / found.sharpness.value)
    assert beyond.chain[2].verdict == "fails"
    assert [check.verdict for check in beyond.chain[:2]] == ["holds"] * 2


def test_sgd_thresholds_are_those_of_their_function_and_gradient_descents_at_the_full_batch(
    trained,
):
    net, X, y = trained
    found = diagnose(net, X, y)
    assert [link.name for link in found.sgd_thresholds] == [
        "SGD, batch size 1",
        "SGD, batch size 16",
    ]
    for link, size in zip(found.sgd_thresholds, (1, 16), strict=True):
        assert link.low <= stablib.sgd_threshold(net, X, size) <= link.high
    (full,) = diagnose(net, X, y, batch_size=20).sgd_thresholds
    assert_allclose(full.value, 2 / stablib.sharpness(net, X), rtol=1e-8)


def test_sgds_threshold_is_a_link_of_the_chain(trained):
    net, X, y = trained
    threshold = stablib.sgd_threshold(net, X, 2)
    for factor, verdict in ((0.99, "holds"), (1.01, "fails")):
        check = diagnose(net, X, y, factor * threshold, batch_size=2).chain[-1]
        assert (check.claim, check.verdict) == ("eta <= SGD, batch size 2", verdict)


def test_the_flattest_rescaling_is_not_held_against_labels_at_which_it_is_flatter_still(trained):
    net, X, _ = trained
    net = stablib.flattest_implementation(net, X).net
    flatter = []
    for seed in range(20):
        found = diagnose(net, X, labels(net, X, 1e-4, seed), 0.01)
        flatter.append(found.sharpness.value < found.flattest.value * (1 - 1e-8))
        assert found.chain[1].verdict == "holds"
    assert any(flatter)


def test_an_inequality_between_intervals_that_overlap_is_undecided():
    def link(low, high):
        return Link("", low, low, high, "proven", "", "")

    def verdicts(flattest, sharpness):
        return [
            check.verdict
            for check in chain_checks(link(1, 1), link(*flattest), link(*sharpness), 0.0, 0.5, None)
        ]

    assert verdicts((2, 2), (3, 3)) == ["holds", "holds", "holds", "holds"]
    assert verdicts((2, 4), (3, 5)) == ["holds", "undecided", "undecided", "holds"]
    assert verdicts((6, 7), (4.5, 5)) == ["holds", "fails", "fails", "holds"]


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99, 1.01])
def test_the_smallest_batch_is_the_first_whose_threshold_reaches_the_step_size(trained, share):
    net, X, y = trained
    step_size = share * 2 / stablib.sharpness(net, X)
    found = diagnose(net, X, y, step_size)
    stable = [B for B in range(1, 21) if stablib.sgd_threshold(net, X, B) >= step_size]
    assert found.smallest_batch.value == (min(stable) if stable else None)
    assert ("no batch is large enough" in found.smallest_batch.status) == (not stable)
    if stable:
        assert found.smallest_batch.status == "proven"
        assert re.search(rf"smallest batch +{min(stable)}  proven", str(found))
    assert diagnose(net, X, y, step_size, 2).smallest_batch is None
    assert diagnose(net, X, y).smallest_batch is None


# The slack


def test_slack_is_that_of_plain_formulas_and_sums_exactly(trained):
    net, X, _ = trained
    y = labels(net, X)
    found = diagnose(net, X, y, step_size=0.05)
    features = autograd_features(net, X)
    top = np.linalg.eigvalsh(features.T @ features / len(X))[-1]
    mean = np.sum(features.mean(axis=1) ** 2)
    own, cheaper = norms_by_definition(net, X)
    full = np.linalg.eigvalsh(autograd_hessian(net, X, y))[-1]
    expected = {
        "dynamics": 40 - full,
        "residual": full - top,
        "test vector": top - mean,
        "balance": mean - (1 + 2 * own),
        "orientation": 2 * (own - cheaper),
        "merging": 0.0,
    }
    assert [step.name for step in found.slack] == list(expected)
    assert_allclose(
        [step.amount for step in found.slack], list(expected.values()), rtol=1e-8, atol=1e-9
    )
    whole = 40 - found.lower_bound.value
    assert_allclose(sum(step.amount for step in found.slack), whole, rtol=1e-14)
    assert_allclose(sum(step.share for step in found.slack), 1, rtol=1e-13)
    assert_allclose(
        [step.share for step in found.slack], np.array(list(expected.values())) / whole, atol=1e-9
    )


def test_each_step_starts_where_the_last_one_ended(any_network):
    net, X = any_network
    found = diagnose(net, X, labels(net, X))
    assert found.slack[0].before == found.sharpness.value
    assert found.slack[-1].after == found.lower_bound.value
    for one, next_one in zip(found.slack, found.slack[1:], strict=False):
        assert one.after == next_one.before
    for step in found.slack[1:]:  # all but the residual part lead down
        assert step.amount >= -1e-12 * step.before


def test_merging_is_what_cancels_on_a_hyperplane():
    net, X = NETWORKS["antipodal pair that cancels"]()
    _, cheaper = norms_by_definition(net, X)
    rest = ShallowReLU(net.W1[2:], net.b1[2:], net.w2[2:], net.b2)
    assert_allclose(
        diagnose(net, X, net(X)).slack[-1].amount,
        2 * (cheaper - norms_by_definition(rest, X)[1]),
        rtol=1e-10,
    )


# Its neurons


def test_special_neurons_are_found_one_by_one(any_network):
    net, X = any_network
    found = diagnose(net, X, net(X)).neurons
    z = np.array([[w @ x + b for x in X] for w, b in zip(net.W1, net.b1, strict=True)])
    assert found.dead == tuple(i for i in range(net.k) if (z[i] <= 0).all())
    assert found.always_on == tuple(i for i in range(net.k) if (z[i] > 0).all())
    assert found.constant == tuple(i for i in range(net.k) if not any(net.W1[i]))
    assert found.no_output == tuple(i for i in range(net.k) if net.w2[i] == 0)
    distances = [
        abs(z[i]) / np.linalg.norm(net.W1[i]) for i in range(net.k) if i not in found.constant
    ]
    if distances:
        assert_allclose(found.nearest, np.min(distances), rtol=1e-12)
    else:
        assert found.nearest is None


def test_pairs_on_data_open_a_range_of_the_sharpness():
    X = np.array([[0.0], [1.0], [3.0]])
    net = ShallowReLU([[1.0], [-2.0]], [0.0, 5.0], [1.0, 1.0])
    found = diagnose(net, X, net(X), step_size=0.1)
    assert (found.neurons.on_data, found.neurons.pairs, found.neurons.nearest) == ((0,), 1, 0.0)
    shifted = [
        autograd_hessian(ShallowReLU(net.W1, [b, 5.0], net.w2), X, net(X)) for b in (-1e-9, 1e-9)
    ]
    low, high = sorted(np.linalg.eigvalsh(hessian)[-1] for hessian in shifted)
    assert high > 1.01 * low
    assert_allclose([found.over_sides.low, found.over_sides.high], [low, high], rtol=1e-7)
    assert found.over_sides.status == "proven"
    assert any("not twice differentiable" in note for note in found.notes)
    middle = diagnose(net, X, net(X), step_size=4 / (low + high))
    assert any("inside the range" in note for note in middle.notes)


@pytest.mark.parametrize(("seed", "status"), [(0, "proven"), (3, "estimate")])
def test_a_range_that_was_searched_is_proven_only_where_its_bounds_meet_it(seed, status):
    rng = np.random.default_rng(seed)
    X, W1 = rng.normal(size=(14, 3)), rng.normal(size=(60, 3))
    net = ShallowReLU(W1, -(W1 * X[rng.integers(0, 3, 60)]).sum(axis=1), rng.normal(size=60))
    found = diagnose(net, X, net(X))
    interval = stablib.sharpness_interval(net, X, sides=1e-5)
    assert found.neurons.pairs == interval.pairs == 60 and not interval.certified
    assert_allclose([found.over_sides.low, found.over_sides.high], interval, rtol=1e-9)
    assert found.over_sides.status == status
    least, most = interval.outer
    if status == "estimate":
        assert least < 0.9999 * interval[0] or most > 1.0001 * interval[1]
        assert f"{least:#.7g} to {most:#.7g}" in found.over_sides.proof
    for _ in range(50):  # no choice of sides leaves what is said to be proven
        moved = ShallowReLU(W1, net.b1 + 1e-9 * rng.choice([-1, 1], 60), net.w2)
        features = autograd_features(moved, X)
        top = np.linalg.eigvalsh(features.T @ features / 14)[-1]
        assert least * (1 - 1e-6) <= top <= most * (1 + 1e-6)


def test_without_pairs_the_range_over_sides_is_the_sharpness():
    net, X = _random(9, 3, 6)
    found = diagnose(net, X, net(X))
    assert found.neurons.pairs == 0
    assert (found.over_sides.low, found.over_sides.high) == (
        found.sharpness.low,
        found.sharpness.high,
    )


# Minima of all kinds


def test_no_named_network_raises_or_warns(any_network):
    net, X = any_network
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (0, 0.1):
            found = diagnose(net, X, labels(net, X, size), step_size=0.1, batch_size=1)
            assert str(found) and found._repr_html_()


def test_a_minimum_that_does_not_interpolate_is_diagnosed_and_says_what_is_empty(noisy_minimum):
    net, X, y = noisy_minimum
    found = diagnose(net, X, y, step_size=0.1, batch_size=4)
    loss = np.mean((net(X) - y) ** 2) / 2
    (sgd,) = found.sgd_thresholds
    assert (sgd.value, sgd.low, sgd.high) == (None, None, None)
    assert sgd.status.startswith("empty: ") and f"{loss:.5g}" in sgd.status
    assert found.chain[-1].verdict == "undecided"
    assert found.flattest.value > 0 and "labels f(X)" in found.flattest.proof
    assert not any("no smooth minimum" in note for note in found.notes)
    assert any("does not interpolate" in note for note in found.notes)
    assert found.lower_bound.value <= found.sharpness.value
    # At a smooth minimum the residual part of the Hessian vanishes.
    assert found.slack[1].name == "residual" and abs(found.slack[1].amount) < 1e-6
    text = str(found)
    assert f"{loss:.5g}" in text and "empty" in text


def test_a_point_that_is_no_minimum_is_told_with_its_gradient():
    net, X = _random(9, 3, 6)
    y = labels(net, X, 1.0)
    found = diagnose(net, X, y)
    (note,) = (note for note in found.notes if "no smooth minimum" in note)
    assert f"{np.linalg.norm(gradient(net, X, y)):#.7g}" in note


def test_a_minimum_is_not_called_none(trained):
    assert not any("no smooth minimum" in note for note in diagnose(*trained).notes)


def test_a_constant_has_sharpness_one_and_no_slack():
    net, X = NETWORKS["no neuron"]()
    found = diagnose(net, X, net(X), step_size=2.0)
    assert_allclose(
        [found.sharpness.value, found.flattest.value, found.lower_bound.value], 1, rtol=1e-12
    )
    assert all(abs(step.amount) < 1e-12 for step in found.slack)
    assert [check.verdict for check in found.chain] == ["holds"] * 4


@pytest.mark.parametrize("size", [1e-200, 1e-60, 1e60])
@pytest.mark.parametrize("step_size", [1e-200, 1e200])
def test_numbers_many_decades_apart_are_shown_without_a_warning(size, step_size):
    net, X = _random(6, 3, 4)
    net = ShallowReLU(size * net.W1, size * net.b1, net.w2, net.b2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = diagnose(net, X, net(X), step_size)
        assert max(map(len, str(found).splitlines())) <= 100
        assert found.plot()._repr_png_()
    z = (X @ net.W1.T + net.b1) / size / np.linalg.norm(net.W1 / size, axis=1)
    assert_allclose(found.neurons.nearest, np.abs(z).min(), rtol=1e-9)


def test_what_exceeds_float64_is_one_sentence():
    net = ShallowReLU([[1e160]], [0.0], [1e160])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match="exceed what float64 holds"):
            diagnose(net, [[1.0]], [0.0])


# What it takes


def test_a_torch_module_gives_the_same_numbers_as_its_network(trained):
    net, X, y = trained
    ours = diagnose(net, X, y, 0.1, 2)
    theirs = diagnose(net.to_torch(), torch.tensor(X), torch.tensor(y), 0.1, 2)
    assert str(theirs) == str(ours)
    assert theirs.slack == ours.slack and theirs.chain == ours.chain


def test_a_module_without_biases_and_one_of_its_own_class_are_read():
    class Own(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.first = torch.nn.Linear(3, 4, bias=False)
            self.last = torch.nn.Linear(4, 1, bias=False)

        def forward(self, x):
            return self.last(torch.relu(self.first(x)))

    module, X = Own(), np.random.default_rng(0).normal(size=(6, 3))
    net = ShallowReLU(module.first.weight, np.zeros(4), module.last.weight[0], 0.0)
    assert str(diagnose(module, X, net(X))) == str(diagnose(net, X, net(X)))


L, R = torch.nn.Linear, torch.nn.ReLU
WANTED = "; diagnose() reads Linear-ReLU-Linear with one output"


@pytest.mark.parametrize(
    ("module", "message"),
    [
        (torch.nn.Sequential(L(3, 4), torch.nn.Tanh(), L(4, 1)), "layer 1 of the module is Tanh"),
        (
            torch.nn.Sequential(L(3, 4), R(), L(4, 4), R(), L(4, 1)),
            "the module has 5 layers",
        ),
        (
            torch.nn.Sequential(L(3, 4), R(), L(4, 2)),
            "the module's last layer maps 4 numbers to 2",
        ),
        (torch.nn.Sequential(L(3, 4), R()), "layer 2 of the module is missing"),
        (L(3, 1), "the module has 1 Linear layers"),
    ],
)
def test_other_modules_are_refused_in_one_sentence(module, message):
    with pytest.raises(ValueError) as caught:
        diagnose(module, np.ones((2, 3)), [1.0, 2.0])
    assert str(caught.value) == message + WANTED


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"net": "net"}, "net is str; a ShallowReLU or a torch module is needed"),
        ({"net": None}, "net is NoneType; a ShallowReLU or a torch module is needed"),
        ({"X": np.ones((2, 4))}, "X has 4 columns, but the network reads inputs of dimension 3"),
        ({"y": np.ones(3)}, r"y has shape \(3,\), but X has 2 rows"),
        ({"y": [1.0, np.nan]}, "y has NaN at"),
        ({"step_size": 0}, "step_size is 0; a positive number is needed"),
        ({"step_size": "0.1"}, "step_size is str"),
        ({"batch_size": 0}, "batch_size is 0; at least 1 is needed"),
        ({"batch_size": 1.5}, "batch_size is 1.5; a whole number is needed"),
        ({"batch_size": 3}, "batch_size is 3, but X has 2 rows; at most that is needed"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(change, message):
    good = {"net": ShallowReLU.initial(3, 4), "X": np.ones((2, 3)), "y": np.ones(2)}
    with pytest.raises(ValueError, match=message):
        diagnose(**(good | change))


# What it shows


def test_its_text_is_narrow_and_shows_numbers_with_six_digits(any_network):
    net, X = any_network
    found = diagnose(net, X, labels(net, X), step_size=0.1)
    text = str(found)
    assert repr(found) == text and text.isascii()
    assert max(map(len, text.splitlines())) <= 100
    for link in (found.sharpness, found.lower_bound, found.flattest, found.gd_threshold):
        (shown,) = re.findall(rf"^  {re.escape(link.name)}  +(\S+)  proven", text, re.M)
        assert_allclose(float(shown), link.value, rtol=1e-6)
        assert len(re.sub(r"e.*|\D", "", shown).lstrip("0")) >= 6


def test_its_html_is_well_formed_and_has_no_colours_of_its_own(any_network):
    net, X = any_network
    page = diagnose(net, X, labels(net, X), step_size=0.1)._repr_html_()
    table = xml.dom.minidom.parseString(page)
    rows = [
        sum(int(cell.getAttribute("colspan") or 1) for cell in row.childNodes)
        for row in table.getElementsByTagName("tr")
    ]
    assert set(rows) == {5} and len(rows) > 20
    assert not re.search(r"color|background|class=|<style|href|src", page)


@pytest.mark.parametrize("step_size", [None, 0.001, 0.2])
def test_its_picture_names_every_step_and_level(trained, step_size):
    from matplotlib.figure import Figure

    found = diagnose(*trained, step_size)
    figure = found.plot()
    assert isinstance(figure, Figure)
    assert figure._repr_png_().startswith(b"\x89PNG")
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    levels = (
        ["sharpness", "1 + 2 norm"]
        if step_size is None
        else ["2/\u03b7", "sharpness", "1 + 2 norm"]
    )
    assert [name for name in names if name in levels] == levels
    assert [name for name in names if name not in levels] == [step.name for step in found.slack]
    # Each bar goes from where the step starts to where it ends.
    for bar, step in zip(axes.patches, found.slack, strict=True):
        ends = sorted((step.before, step.after))
        assert_allclose([bar.get_x(), bar.get_x() + bar.get_width()], ends, rtol=1e-12)
    texts = " ".join(text.get_text() for text in axes.texts)
    assert f"flattest rescaling {found.flattest.value:.4g}" in texts
    spans = (2 / step_size if step_size else found.sharpness.value) / found.lower_bound.value
    assert axes.get_xscale() == ("log" if spans > 8 else "linear")


def test_drawing_leaves_no_figure_open(trained):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    diagnose(*trained).plot()
    assert plt.get_fignums() == before


def test_a_diagnosis_does_not_change():
    net, X = _random(9, 3, 6)
    found = diagnose(net, X, net(X))
    assert isinstance(found, Diagnosis)
    with pytest.raises(AttributeError):
        found.loss = 0.0
