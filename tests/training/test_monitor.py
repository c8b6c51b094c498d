"""The monitor: what it records, against autograd, and that training does not notice it."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

from stablib import gaussian, sharpness_lower_bound
from stablib.network import ShallowReLU
from stablib.training import StabilityMonitor

DATA = gaussian(12, 3, 0)


def module(dtype=torch.float64):
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1)).to(
        dtype
    )


def train(model, steps, monitor=None, rate=0.2):
    dtype = next(model.parameters()).dtype
    X, y = torch.tensor(DATA.X, dtype=dtype), torch.tensor(DATA.y, dtype=dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    seen = []
    for _ in range(steps):
        optimizer.zero_grad()
        (((model(X)[:, 0] - y) ** 2).mean() / 2).backward()
        optimizer.step()
        seen.append([part.detach().clone() for part in model.parameters()])
        if monitor is not None:
            monitor.step(rate)
    return seen


def top_of_autograd(parts):
    W1, b1, w2, b2 = (part.double() for part in parts)
    X, y = torch.tensor(DATA.X), torch.tensor(DATA.y)
    sizes = [part.numel() for part in (W1, b1, w2, b2)]

    def loss(p):
        a, b, c, e = p.split(sizes)
        f = torch.relu(X @ a.reshape(W1.shape).T + b) @ c + e
        return ((f - y) ** 2).mean() / 2

    flat = torch.cat([part.ravel() for part in (W1, b1, w2, b2)])
    hessian = torch.autograd.functional.hessian(loss, flat)
    return float(torch.linalg.eigvalsh(hessian)[-1]), float(loss(flat))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_records_are_those_of_the_autograd_hessian(dtype):
    model = module(dtype)
    first = [part.detach().clone() for part in model.parameters()]
    monitor = StabilityMonitor(model, DATA.X, DATA.y, every=5)
    seen = train(model, 20, monitor)
    table = monitor.table()
    assert table["step"].tolist() == [0, 5, 10, 15, 20]
    for row, parts in zip(table, [first, *seen[4::5]], strict=True):
        top, loss = top_of_autograd(parts)
        assert_allclose(row["sharpness"], top, rtol=1e-9)
        assert_allclose(row["loss"], loss, rtol=1e-9)
        W1, b1, w2, b2 = (part.double().numpy() for part in parts)
        net = ShallowReLU(W1, b1, w2[0], b2[0])
        assert_allclose(row["bound"], sharpness_lower_bound(net, DATA.X), rtol=1e-12)
    assert np.isnan(table["edge"][0]) and (table["edge"][1:] == 10).all()


def test_training_does_not_notice_it():
    watched, alone = module(), module()
    monitor = StabilityMonitor(watched, DATA.X, DATA.y, every=1)
    state = torch.get_rng_state()
    with_it = train(watched, 10, monitor)
    assert torch.equal(state, torch.get_rng_state())
    for a, b in zip(with_it, train(alone, 10), strict=True):
        assert all(torch.equal(x, y) for x, y in zip(a, b, strict=True))


def test_the_step_size_is_that_of_the_optimiser_as_it_changes():
    model = module()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    monitor = StabilityMonitor(model, DATA.X, DATA.y[:, None], optimizer=optimizer, every=1)
    optimizer.param_groups[0]["lr"] = 0.1
    monitor.step()
    assert monitor.table()["edge"].tolist() == [4, 20]


def test_the_end_is_recorded_once():
    monitor = StabilityMonitor(module(), DATA.X, DATA.y, every=4)
    for _ in range(6):
        monitor.step(0.1)
    monitor.record(0.1)
    monitor.record(0.1)
    assert monitor.table()["step"].tolist() == [0, 4, 6]


def test_a_module_that_has_diverged_gets_a_record_of_nan():
    model = module()
    monitor = StabilityMonitor(model, DATA.X, DATA.y, every=1)
    with torch.no_grad():
        model[0].weight.fill_(float("nan"))
    monitor.step(0.1)
    row = list(monitor.table())[-1]
    assert row["edge"] == 20 and np.isnan([row["loss"], row["sharpness"], row["bound"]]).all()


def test_the_figure_shows_all_records():
    monitor = StabilityMonitor(module(), DATA.X, DATA.y, every=1)
    monitor.step(0.1)
    above, below = monitor.figure().axes
    assert [len(line.get_xdata()) for line in (*above.lines, *below.lines)] == [2] * 4


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"every": 0}, "every"),
        ({"every": -1}, "every"),
        ({"X": DATA.X[:, :2]}, "X"),
        ({"y": DATA.y[:5]}, "y"),
        ({"model": torch.nn.Linear(3, 1)}, "Linear-ReLU-Linear"),
        ({"optimizer": 0.1}, "optimizer"),
    ],
)
def test_bad_input_is_named(change, says):
    given = {"model": module(), "X": DATA.X, "y": DATA.y} | change
    with pytest.raises(ValueError, match=says):
        StabilityMonitor(given.pop("model"), given.pop("X"), given.pop("y"), **given)


@pytest.mark.parametrize("step_size", [0, -0.1, float("nan")])
def test_a_step_size_must_be_positive(step_size):
    monitor = StabilityMonitor(module(), DATA.X, DATA.y, every=1)
    with pytest.raises(ValueError, match="step_size"):
        monitor.step(step_size)


def test_importing_it_loads_neither_torch_nor_matplotlib():
    code = (
        "import sys, stablib.training.monitor; "
        "assert not {'torch', 'matplotlib'} & set(sys.modules), 'loaded'"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
