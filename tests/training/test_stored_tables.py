"""The committed tables, recomputed from the committed networks."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

import stablib
from stablib import ShallowReLU, sharpness, sharpness_lower_bound
from stablib.book import tables
from stablib.training.specs import ENGINE

RESULTS = Path(stablib.__file__).parents[1] / "results"
NAMES = sorted(path.stem for path in RESULTS.glob("*.csv"))


def table(name):
    """Rows by hash, read without the library."""
    with (RESULTS / f"{name}.csv").open(newline="") as file:
        return {row["hash"]: row for row in csv.DictReader(file)}


def networks(name):
    path = RESULTS / "networks" / f"{name}.npz"
    if not path.exists():
        return {}
    found = {}
    with np.load(path) as file:
        for key in file.files:
            found.setdefault(key.split("/")[0], {})[key.split("/")[1]] = file[key]
    return found


def test_every_sweep_of_the_book_has_its_table_with_all_its_runs():
    for spec in (*tables.SWEEPS, *tables.OTHERS):  # a reader may have added runs, or tables
        assert {run.hash for run in spec.runs} <= table(spec.name).keys()


@pytest.mark.parametrize("name", NAMES)
def test_the_sidecar_knows_every_row(name):
    sidecar = json.loads((RESULTS / f"{name}.json").read_text())
    assert sidecar["engine"] == ENGINE
    assert sidecar["runs"].keys() == table(name).keys()
    for run in sidecar["runs"].values():
        assert run["seconds"] >= 0 and "numpy" in sidecar["environments"][run["environment"]]


@pytest.mark.parametrize("name", NAMES)
def test_stored_networks_give_their_rows(name):
    rows = table(name)
    for hash, stored in networks(name).items():
        row, a = rows[hash], {n: v.astype(np.float64) for n, v in stored.items()}
        f = np.maximum(a["X"] @ a["W1"].T + a["b1"], 0) @ a["w2"] + a["b2"]
        # The residuals are differences of numbers of size one, so little is left of their digits.
        assert_allclose(float(row["loss"]), ((f - a["y"]) ** 2).mean() / 2, rtol=1e-7)
        net = ShallowReLU(a["W1"], a["b1"], a["w2"], a["b2"])
        assert_allclose(float(row["sharpness"]), sharpness(net, a["X"], a["y"]), rtol=1e-9)
        assert_allclose(
            1 + 2 * float(row["stability_norm"]), sharpness_lower_bound(net, a["X"]), rtol=1e-10
        )


@pytest.mark.parametrize("name", NAMES)
def test_converged_rows_satisfy_the_chain(name):
    for row in table(name).values():
        if row.get("reason") != "tolerance":  # fits are no training runs
            continue
        norm, flattest = float(row["stability_norm"]), float(row["flattest"])
        assert 1 + 2 * norm <= float(row["flattest_lower"]) * (1 + 1e-9)
        assert flattest <= float(row["sharpness"]) * (1 + 1e-4)


def test_networks_are_small_enough_to_be_committed():
    assert all(p.stat().st_size <= 10_000_000 for p in RESULTS.rglob("*.npz"))
