"""The committed tables: what Figure 5 claims, and rows recomputed by other means from stored networks."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from scipy.sparse.linalg import LinearOperator, eigsh

from stablib import EmpiricalWeight
from stablib.book import specs, tables
from stablib.book.claims import CLAIMS, Verdict, cases, ch02, ch08
from stablib.training import sweep
from stablib.training.table import Table
from tests.core.oracles import weight_by_definition


def _stored(spec):
    table = sweep(spec, progress=False)
    assert len(table) == len(spec.runs)
    return table


@pytest.fixture(scope="module")
def fig5():
    return _stored(specs.FIG5)


@pytest.fixture(scope="module")
def overview():
    return _stored(specs.OVERVIEW)


def test_no_table_of_the_book_lacks_a_row():
    # sweep() would compute what is missing; here that must not be needed.
    from stablib.training.files import read_csv
    from stablib.training.sweeps import home

    for spec in tables.SWEEPS:
        kinds = {"hash": str} | spec.runs[0].columns()
        rows = read_csv(home() / "results" / f"{spec.name}.csv", kinds)
        assert {run.hash for run in spec.runs} <= rows.keys(), spec.name


@pytest.mark.statement("fig-5a")
def test_figure_5a_sharpness_stays_below_the_edge_and_all_curves_fall(fig5):
    ended = fig5["reason"] == "tolerance"
    assert len(set(fig5["step_size"])) >= 10 and (fig5["loss"][ended] < 1e-8).all()
    assert set(fig5["step_size"][~ended]) <= {1e-4}, "only the smallest steps may be capped"
    assert ch08.figure_5a(fig5).holds
    edge = fig5["sharpness"] * fig5["step_size"] / 2
    assert (edge[fig5["step_size"] >= 0.01] > 0.85).all(), (
        "large steps end at the edge of stability"
    )


@pytest.mark.statement("fig-5b")
def test_figure_5b_the_validation_error_falls_with_the_step_size(fig5):
    assert ch08.figure_5b(fig5).holds


@pytest.mark.statement("eq-23")
def test_the_chain_holds_on_every_stored_minimum(fig5, overview):
    assert ch02.chain(fig5).holds and ch02.chain(overview).holds


@pytest.mark.statement("lem-3")
def test_lemma_3_holds_on_every_stored_network(fig5, overview):
    for table, name in ((fig5, "fig5"), (overview, "overview")):
        ended = table["step_size"][table["reason"] == "tolerance"]
        assert len(table.networks) == len(set(ended)) == len(cases.stored(name))
        assert ch02.lemma_3(cases.stored(name)).holds


def _lanczos_of_autograd_products(net, X, y):
    """Top eigenvalue of the Hessian of the loss from torch's Hessian-vector products alone."""
    module = net.to_torch()
    X, y = torch.tensor(X), torch.tensor(y)
    parameters = list(module.parameters())
    loss = ((module(X)[:, 0] - y) ** 2).mean() / 2
    gradient = torch.cat(
        [g.ravel() for g in torch.autograd.grad(loss, parameters, create_graph=True)]
    )

    def product(v):
        v = torch.tensor(v.ravel())
        out = torch.autograd.grad(gradient @ v, parameters, retain_graph=True)
        return torch.cat([g.ravel() for g in out]).numpy()

    p = len(gradient)
    operator = LinearOperator((p, p), matvec=product, dtype=np.float64)
    start = np.random.default_rng(0).normal(size=p)
    return eigsh(operator, k=1, v0=start, tol=1e-12, return_eigenvectors=False)[0]


@pytest.mark.parametrize("step_size", [0.001, 0.2])
def test_sharpness_of_a_stored_digit_network_is_that_of_autograd_and_lanczos(fig5, step_size):
    row = next(iter(fig5.where(step_size=step_size)))
    net, data = fig5.networks[row["hash"]]
    assert_allclose(row["sharpness"], _lanczos_of_autograd_products(net, data.X, data.y), rtol=1e-9)


def test_stability_norm_of_a_stored_network_is_the_sum_of_the_printed_weights(overview):
    row = next(iter(overview.where(step_size=0.1)))
    net, data = overview.networks[row["hash"]]
    a, v, b = net.ridges()
    g = [
        min(weight_by_definition(data.X, vi, bi)[0], weight_by_definition(data.X, -vi, -bi)[0])
        for vi, bi in zip(v, b, strict=True)
    ]
    assert_allclose(row["stability_norm"], np.abs(a) @ g, rtol=1e-10)
    assert_allclose(EmpiricalWeight(data.X).g(v, b), g, rtol=1e-10)


def test_images_stay_real_mnist_and_validation_errors_are_counts(fig5):
    assert (np.round(fig5["val_error"] * 8000) / 8000 == fig5["val_error"]).all()
    assert_allclose(fig5["train_error"], 0)


@pytest.mark.parametrize(
    ("column", "factor"), [("sharpness", 1.3), ("flattest", 100.0), ("stability_norm", 20.0)]
)
def test_a_wrong_number_in_the_table_is_a_violation(fig5, column, factor):
    rows = [dict(row) for row in fig5]
    rows[-1][column] *= factor
    wrong = Table(rows, fig5.kinds)
    assert not ch02.chain(wrong).holds and not ch08.figure_5a(wrong).holds


def test_a_rising_error_or_a_missing_number_is_a_violation(fig5):
    rows = [dict(row) for row in fig5]
    rows[-1]["val_error"] = 0.5
    assert not ch08.figure_5b(Table(rows, fig5.kinds)).holds
    rows[-1]["val_error"] = None
    assert not ch08.figure_5b(Table(rows, fig5.kinds)).holds


def test_a_verdict_needs_cases_and_tells_a_violation():
    assert not Verdict.of([0.1, float("nan")]).holds and not Verdict.of([float("nan"), 0.1]).holds
    assert "VIOLATED" in repr(Verdict.of([0.1, -0.1]))
    with pytest.raises(ValueError, match="at least one case"):
        Verdict.of([])


def test_every_claim_says_what_and_where():
    assert {"lem-3", "eq-23", "fig-5a", "fig-5b"} <= CLAIMS.keys()
    for id, claim in CLAIMS.items():
        assert (
            claim.id == id
            and claim.says
            and claim.where
            and claim.kind in {"theorem", "figure", "claim"}
        )
