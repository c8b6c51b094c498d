"""Columns of a row, each against an oracle that shares no code with it."""

import json
from pathlib import Path

import joblib
import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import stablib
from stablib import ShallowReLU
from stablib.training import TrainingRun, sweep
from stablib.training.files import digest
from stablib.training.grids import Sweep
from stablib.training.measure import COLUMNS, measured

RUN = TrainingRun("gaussian", n=12, k=15, step_size=0.1, d=3, scale=2.0)


@pytest.fixture(scope="module")
def trained():
    return RUN.execute()


def autograd_hessian(arrays):
    """Hessian of (1/2n) sum (f - y)^2 at the stored parameters, by torch."""
    W1, b1, w2, b2, X, y = (torch.tensor(arrays[n]) for n in ("W1", "b1", "w2", "b2", "X", "y"))
    k, d = W1.shape

    def loss(p):
        W, b, w, c = p[: k * d].reshape(k, d), p[k * d : k * d + k], p[k * d + k : -1], p[-1]
        return ((torch.relu(X @ W.T + b) @ w + c - y) ** 2).mean() / 2

    p = torch.cat([W1.ravel(), b1, w2, b2[None]])
    return torch.autograd.functional.hessian(loss, p).numpy(), float(loss(p))


def test_curvature_columns_are_those_of_the_autograd_hessian(trained):
    row, arrays = trained
    H, loss = autograd_hessian(arrays)
    assert row["reason"] == "tolerance" and loss < 1e-8
    assert_allclose(row["loss"], loss, rtol=1e-9)
    assert_allclose(row["sharpness"], np.linalg.eigvalsh(H)[-1], rtol=1e-9)
    assert_allclose(row["trace"], np.trace(H), rtol=1e-9)


def test_the_chain_of_the_paper_holds_in_a_row(trained):
    row, _ = trained
    lower = 1 + 2 * row["stability_norm"]
    assert lower <= 1 + 2 * row["parametric_stability_norm"] <= 1 + 2 * row["one_sided_norm"]
    assert 1 + 2 * row["one_sided_norm"] <= row["flattest_lower"] * (1 + 1e-12)
    assert row["flattest"] <= row["sharpness"] * (1 + 1e-4) <= 2 / 0.1 * (1 + 1e-3)


def test_norms_and_counts_of_a_row_follow_their_definitions(trained):
    row, arrays = trained
    W1, b1, X = arrays["W1"], arrays["b1"], arrays["X"]
    z = np.array([[w @ x + b for w, b in zip(W1, b1, strict=True)] for x in X])
    length = np.sqrt((W1**2).sum(1))
    assert_allclose(row["bias_norm"], np.sqrt((b1**2).sum()))
    assert_allclose(row["weight_norm"], np.sqrt((W1**2).sum()))
    assert_allclose(row["offset_median"], np.median(np.abs(b1) / length))
    assert_allclose(row["activity_mean"], (z > 0).sum() / z.size)
    assert row["dead"] == ((z > 0).sum(0) == 0).sum()
    for tol, name in ((1e-3, "knots_1e3"), (1e-5, "knots_1e5"), (1e-7, "knots_1e7")):
        assert row[name] == (np.abs(z) / length <= tol).sum()
    start = ShallowReLU.initial(3, 15, 2.0, "torch", 0)
    assert_allclose(row["bias_norm_init"], np.linalg.norm(start.b1))


def test_labels_that_are_no_classes_have_no_error(trained):
    row, _ = trained
    assert row["train_error"] is row["val_error"] is row["val_loss"] is None


def test_kernel_change_is_zero_at_the_start_and_relative(trained):
    _, arrays = trained
    start = RUN.start(3)
    at_start = arrays | {"W1": start.W1, "b1": start.b1, "w2": start.w2, "b2": np.array(start.b2)}
    told = {"steps": 0, "reason": "max_steps"}
    assert measured(RUN, at_start, told, {"kernel_change"}) == {"kernel_change": 0.0}
    no_weights = at_start | {"W1": 0 * start.W1, "b1": 0 * start.b1 - 1, "w2": 0 * start.w2}
    change = measured(RUN, no_weights, told, {"kernel_change"})["kernel_change"]
    assert 0.5 < change < 1  # the kernel is 1 everywhere then: only the output bias is left


def test_misclassified_images_are_counted():
    run = TrainingRun("mnist01", n=8, k=1, step_size=0.1, batch_size=4, dtype="float32")
    train, validation = run.datasets()
    # A network that says "0" whenever any of the 16 pixels in the middle is dark enough.
    centre = np.zeros((28, 28))
    centre[12:16, 12:16] = 1 / 16
    stored = {
        "W1": -centre.reshape(1, -1),
        "b1": np.array([1.0]),
        "w2": np.array([2.0]),
        "b2": np.array(-1.2),
        "X": train.X,
        "y": train.y,
    }
    told = {"steps": 0, "reason": "max_steps"}
    row = measured(run, stored, told, {"train_error", "val_error", "val_loss", "val_margin"})
    for name, data in (("train_error", train), ("val_error", validation)):
        f = np.array([2 * max(0.0, 1 - float(centre.ravel() @ x)) - 1.2 for x in data.X])
        wrong = sum((value > 0) != (label > 0) for value, label in zip(f, data.y, strict=True))
        assert row[name] == wrong / len(data.y)
    assert 0 < row["val_error"] < 0.3
    assert_allclose(row["val_loss"], ((f - validation.y) ** 2).sum() / 16000)
    exceeded = np.sort(f * validation.y)
    assert exceeded[798] <= row["val_margin"] <= exceeded[801]


def test_a_diverged_run_keeps_its_reason_and_empty_cells():
    run = TrainingRun("gaussian", n=12, k=4, step_size=50.0, d=3, scale=10.0)
    row, arrays = run.execute()
    assert row["reason"] == "diverged" and row["steps"] >= 1 and arrays == {}
    empty = {name for name, cell in row.items() if cell is None}
    assert empty == {column.name for column in COLUMNS} - {"steps", "reason"}
    assert row["step_size"] == 50.0 and row["batch_size"] == 12 and row["sampling"] == "full"


def test_a_stuck_run_has_no_flattest_implementation(trained):
    _, arrays = trained
    row = measured(RUN, arrays, {"steps": 9, "reason": "stuck"})
    assert row["flattest"] is row["flattest_lower"] is None and row["sharpness"] > 1


def test_rows_have_exactly_the_announced_columns_and_types(trained):
    row, _ = trained
    assert list(row) == list(RUN.columns())
    for name, kind in RUN.columns().items():
        assert row[name] is None or type(row[name]) is kind, name


def test_a_row_can_be_recomputed_from_the_stored_network(tmp_path):
    spec = Sweep.grid("toy", RUN, networks={}, step_size=[0.1], seed=[1])
    table = sweep(spec, root=tmp_path, progress=False)
    ((hash, (net, data)),) = table.networks.items()
    stored = {"W1": net.W1, "b1": net.b1, "w2": net.w2, "b2": net.b2, "X": data.X, "y": data.y}
    (row,) = table
    again = measured(spec.runs[0], stored, {"steps": row["steps"], "reason": row["reason"]})
    assert row["hash"] == hash
    for name, cell in again.items():
        assert row[name] == (pytest.approx(cell, rel=1e-12) if isinstance(cell, float) else cell), (
            name
        )


def test_a_new_column_is_measured_at_stored_networks_without_training(tmp_path, monkeypatch):
    """Older tables, here ones that lack their trace, are completed."""
    spec = Sweep.grid("toy", RUN, networks={}, step_size=[0.1, 0.2])
    first = sweep(spec, root=tmp_path, progress=False)
    path = tmp_path / "results/toy.csv"
    lines = [line.split(",") for line in path.read_text().splitlines()]
    place = lines[0].index("trace")
    path.write_text("".join(",".join(x[:place] + x[place + 1 :]) + "\n" for x in lines))
    sidecar = path.with_suffix(".json")
    known = json.loads(sidecar.read_text()) | {"digest": digest(path.read_bytes())}
    sidecar.write_text(json.dumps(known))
    for run in (tmp_path / "_runs/toy").iterdir():
        run.unlink()

    def train(self):
        raise AssertionError("no training is needed")

    monkeypatch.setattr(TrainingRun, "train", train)
    with joblib.parallel_config("threading", n_jobs=1):
        again = sweep(spec, root=tmp_path, progress=False)
    assert_allclose(again["trace"], first["trace"], rtol=1e-12)
    assert path.read_text().splitlines()[0].split(",") == lines[0]


def test_training_again_gives_the_same_row_bit_for_bit(trained):
    row, arrays = RUN.execute()
    assert row == trained[0]
    assert all((arrays[name] == trained[1][name]).all() for name in arrays)


def test_the_readme_describes_every_column():
    text = (Path(stablib.__file__).parents[1] / "results" / "README.md").read_text()
    for column in COLUMNS:
        meaning = column.means.replace("|", "\\|")
        assert f"| `{column.name}` | {meaning} |" in text
    assert all(f"| `{name}` |" in text for name in RUN.labels())
