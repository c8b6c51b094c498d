"""The monitor: what it records, against autograd and definitions, and that training does not notice it."""

import random
import subprocess
import sys
import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from stablib import ShallowReLU, gaussian
from stablib.training import StabilityMonitor
from tests.core.oracles import autograd_hessian, weight_by_definition

DATA = gaussian(12, 3, 0)


class LastLayerFirst(torch.nn.Module):
    """A module of one's own: declared backwards, no output bias, values of shape (n,)."""

    def __init__(self):
        super().__init__()
        self.last = torch.nn.Linear(8, 1, bias=False)
        self.first = torch.nn.Linear(3, 8)

    def forward(self, x):
        return self.last(torch.relu(self.first(x)))[:, 0]


def module(dtype=torch.float64, kind="sequence"):
    torch.manual_seed(0)
    if kind == "class":
        return LastLayerFirst().to(dtype)
    layers = torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)
    return torch.nn.Sequential(*layers).to(dtype)


def train(model, steps, monitor=None, rate=0.2):
    """A plain loop of gradient descent; parameters and gradients after every step."""
    dtype = next(model.parameters()).dtype
    X, y = torch.tensor(DATA.X, dtype=dtype), torch.tensor(DATA.y, dtype=dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    seen = []
    for _ in range(steps):
        optimizer.zero_grad()
        ((model(X).reshape(-1) - y) ** 2).mean().div(2).backward()
        optimizer.step()
        if monitor is not None:
            monitor.step(rate)
        seen.append([x.detach().clone() for p in model.parameters() for x in (p, p.grad)])
    return seen


def recorded(model):
    """The module's own Hessian by autograd, its loss, and its norm by definition, in float64."""
    inner, outer = (model[0], model[2]) if hasattr(model, "__len__") else (model.first, model.last)
    W1, b1 = inner.weight.detach().double().numpy(), inner.bias.detach().double().numpy()
    w2 = outer.weight.detach().double().numpy()[0]
    b2 = 0.0 if outer.bias is None else float(outer.bias.detach())
    H = autograd_hessian(ShallowReLU(W1, b1, w2, b2), DATA.X, DATA.y)
    values = np.maximum(DATA.X @ W1.T + b1, 0) @ w2 + b2
    norm = 0.0
    for row, offset, slope in zip(W1, b1, w2, strict=True):
        length = np.linalg.norm(row)
        v, b = row / length, -offset / length
        sides = (weight_by_definition(DATA.X, sign * v, sign * b)[0] for sign in (1, -1))
        norm += abs(slope) * length * min(sides)
    return {
        "sharpness": np.linalg.eigvalsh(H)[-1],
        "loss": np.mean((values - DATA.y) ** 2) / 2,
        "stability_norm": norm,
        "bound": 1 + 2 * norm,
    }


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["double", "single"])
@pytest.mark.parametrize("kind", ["sequence", "class"])
def test_records_are_autograd_s_sharpness_and_the_norm_by_definition(kind, dtype):
    model = module(dtype, kind)
    monitor = StabilityMonitor(model, DATA.X, DATA.y, every=5)
    expected = [recorded(model)]
    for _ in range(4):
        train(model, 5, monitor)
        expected.append(recorded(model))
    table = monitor.table()
    assert table["step"].tolist() == [0, 5, 10, 15, 20]
    for row, wanted in zip(table, expected, strict=True):
        for name, value in wanted.items():
            assert_allclose(row[name], value, rtol=1e-9, err_msg=name)
    assert_array_equal(table["step_size"], [np.nan, 0.2, 0.2, 0.2, 0.2])
    assert_array_equal(table["edge"], [np.nan, 10, 10, 10, 10])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32], ids=["double", "single"])
def test_training_does_not_notice_it(dtype):
    watched, alone = module(dtype), module(dtype)
    monitor = StabilityMonitor(watched, DATA.X, DATA.y, every=1)
    with_it, without = train(watched, 30, monitor), train(alone, 30)
    for a, b in zip(with_it, without, strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))
    assert watched.training and watched[0].weight.dtype == dtype


def test_no_random_number_is_drawn():
    def states():
        numpy = np.random.get_state()  # noqa: NPY002  the global one is what must not move
        return torch.get_rng_state().tolist(), random.getstate(), numpy[1].tolist(), numpy[2:]

    model = module()
    before = states()
    monitor = StabilityMonitor(model, DATA.X, DATA.y, every=1)
    monitor.step(0.1)
    monitor.table()
    plt.close(monitor.figure())
    assert states() == before


def test_records_keep_no_hold_of_what_the_user_changes():
    model, X = module(), DATA.X.copy()
    wanted = recorded(model)
    monitor = StabilityMonitor(model, X, DATA.y, every=1)
    X[:] = 0
    monitor.step(0.1)
    with torch.no_grad():
        model[0].weight.zero_()
    assert_allclose(monitor.table()["sharpness"], wanted["sharpness"], rtol=1e-9)


def test_the_step_size_is_that_of_the_optimiser_as_a_schedule_changes_it():
    model = module()
    other = torch.nn.Parameter(torch.zeros(1))
    groups = [{"params": [other], "lr": 7.0}, {"params": model.parameters(), "lr": 0.5}]
    optimizer = torch.optim.SGD(groups)
    warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: step / 2)
    monitor = StabilityMonitor(model, DATA.X, DATA.y[:, None], optimizer=optimizer, every=1)
    for _ in range(2):
        optimizer.step()
        warmup.step()
        monitor.step()
    monitor.step(0.1)
    monitor.step()
    # A warm-up starts at 0: no curvature is too large for it.
    assert monitor.table()["step_size"].tolist() == [0, 0.25, 0.5, 0.1, 0.5]
    assert monitor.table()["edge"].tolist() == [np.inf, 8, 4, 20, 4]


def test_the_end_is_recorded_once_with_the_step_size_told_last():
    monitor = StabilityMonitor(module(), DATA.X, DATA.y, every=4)
    for _ in range(6):
        monitor.step(0.1)
    monitor.record()
    monitor.record()
    assert monitor.table()["step"].tolist() == [0, 4, 6]
    assert monitor.table()["edge"].tolist()[1:] == [20, 20]


def test_a_loop_that_diverges_runs_to_its_end():
    model = module()
    monitor = StabilityMonitor(model, DATA.X, DATA.y, every=1)
    train(model, 60, monitor, rate=30.0)
    table = monitor.table()
    assert not all(p.isfinite().all() for p in model.parameters())
    for name in ("loss", "sharpness", "bound"):
        finite = np.isfinite(table[name])
        assert finite[0] and not finite[-1] and not np.isinf(table[name]).any()
    assert_allclose(table["edge"][1:], 2 / 30)


# Products of the first pair overflow in the loss, of the others in the Hessian alone.
@pytest.mark.parametrize(("inner", "outer"), [(1e200, 1e200), (1e160, 1e-160), (1e100, 1e-100)])
def test_what_overflows_is_nan(inner, outer):
    model = module()
    monitor = StabilityMonitor(model, DATA.X, DATA.y, every=1)
    with torch.no_grad():
        for part, factor in zip(model.parameters(), (inner, inner, outer, 1), strict=True):
            part.mul_(factor)
    monitor.step(0.1)
    first, last = monitor.table()
    assert np.isnan(last["sharpness"]) and last["edge"] == 20
    if inner * outer == 1:  # a rescaling: loss and norm are those of the function
        assert_allclose([last["loss"], last["bound"]], [first["loss"], first["bound"]], rtol=1e-9)
    else:
        assert np.isnan([last["loss"], last["bound"]]).all()


def test_a_parameter_that_is_nan_makes_a_record_of_nan():
    model = module()
    monitor = StabilityMonitor(model, DATA.X, DATA.y, every=1)
    with torch.no_grad():
        model[2].bias.fill_(float("nan"))
    monitor.step(0.1)
    row = list(monitor.table())[-1]
    assert (row["step"], row["edge"]) == (1, 20)
    assert np.isnan([row["loss"], row["sharpness"], row["stability_norm"], row["bound"]]).all()


def test_the_figure_shows_all_records():
    monitor = StabilityMonitor(module(), DATA.X, DATA.y, every=1)
    monitor.step(0.1)
    figure = monitor.figure()
    above, below = figure.axes
    table = monitor.table()
    drawn = {line.get_label(): line.get_ydata() for line in above.lines}
    assert_array_equal(drawn[r"$2/\eta$"], table["edge"])
    assert_array_equal(drawn["sharpness"], table["sharpness"])
    assert_array_equal(drawn["1 + 2 norm"], table["bound"])
    assert_array_equal(below.lines[0].get_ydata(), table["loss"])
    assert (above.get_yscale(), below.get_yscale()) == ("log", "log")
    plt.close(figure)


@pytest.mark.parametrize("scale", [0.0, 1e200], ids=["loss zero", "loss infinite"])
def test_the_figure_can_be_drawn_without_a_loss_to_show(scale):
    net = ShallowReLU([[1.0, 0.0, 0.0]], [0.5], [1.0]).to_torch()
    with torch.no_grad():
        for part in net.parameters():
            part.mul_(scale)
    with np.errstate(over="ignore"):
        monitor = StabilityMonitor(net, DATA.X, np.zeros(12))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = monitor.figure()
        figure.canvas.draw()
    assert not figure.axes[1].lines
    plt.close(figure)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"every": 0}, "every is 0"),
        ({"every": -1}, "every is -1"),
        ({"every": 2.5}, "every is 2.5"),
        ({"X": DATA.X[:, :2]}, "X has 2 columns"),
        ({"X": DATA.X * np.nan}, "X has NaN"),
        ({"y": DATA.y[:5]}, r"y has shape \(5,\)"),
        ({"y": DATA.y[None]}, r"y has shape \(1, 12\)"),
        ({"model": torch.nn.Linear(3, 1)}, "Linear-ReLU-Linear"),
        ({"model": ShallowReLU.initial(3, 2)}, "model is ShallowReLU"),
        ({"model": torch.nn.Sequential(*list(module())[:2])}, "layer 2 of the module is missing"),
        ({"optimizer": 0.1}, "optimizer is float"),
        ({"optimizer": torch.optim.SGD(module().parameters())}, "no parameter of the model"),
    ],
)
def test_bad_input_is_named(change, says):
    given = {"model": module(), "X": DATA.X, "y": DATA.y} | change
    with pytest.raises(ValueError, match=says):
        StabilityMonitor(given.pop("model"), given.pop("X"), given.pop("y"), **given)


@pytest.mark.parametrize("step_size", [0, -0.1, float("nan"), float("inf"), "0.1"])
def test_a_step_size_must_be_positive_at_every_step(step_size):
    monitor = StabilityMonitor(module(), DATA.X, DATA.y, every=5)
    for call in (monitor.step, monitor.record):
        with pytest.raises(ValueError, match="step_size"):
            call(step_size)
    monitor.record()
    assert len(monitor.table()) == 1  # what is refused is no step


def test_importing_it_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys, stablib.training.monitor; "
        "assert not {'torch', 'matplotlib'} & set(sys.modules), 'loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
