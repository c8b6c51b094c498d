"""The table that a sweep gives to a chapter."""

import numpy as np
import pytest

from stablib.training import Table

KINDS = {"hash": str, "eta": float, "steps": int, "reason": str}
ROWS = [
    {"hash": "b", "eta": 0.2, "steps": 10, "reason": "tolerance"},
    {"hash": "a", "eta": 0.1, "steps": None, "reason": None},
    {"hash": "c", "eta": None, "steps": 7, "reason": "<stuck>"},
]


@pytest.fixture
def table():
    return Table(ROWS, KINDS)


def test_columns_are_arrays(table):
    assert table["eta"].dtype == np.float64 and np.isnan(table["eta"][2])
    assert table["steps"].dtype == np.float64 and np.isnan(table["steps"][1])
    assert table["reason"].tolist() == ["tolerance", "", "<stuck>"]
    assert table.where(reason="tolerance")["steps"].dtype == np.int64
    assert len(table) == 3 and table.columns == ("hash", "eta", "steps", "reason")


def test_rows_are_copies(table):
    for row in table:
        row["eta"] = 7
    assert list(table) == ROWS


def test_rows_can_be_chosen_and_sorted(table):
    assert table.where(eta=0.1)["hash"].tolist() == ["a"]
    assert table.by("eta")["hash"].tolist() == ["c", "a", "b"]
    assert len(table.where(eta=5.0)) == 0 and table.where(eta=5.0)["eta"].shape == (0,)


def test_medians_are_those_of_the_rows_alike_and_pass_over_empty_cells():
    values = [(2.0, 5.0), (1.0, 3.0), (2.0, None), (1.0, 4.0), (2.0, 7.0), (1.0, 9.0), (3.0, None)]
    table = Table([{"eta": e, "loss": v} for e, v in values], {"eta": float, "loss": float})
    assert np.array_equal(table.median("loss", by="eta"), [4.0, 6.0, np.nan], equal_nan=True)


def test_it_is_shown_with_chosen_columns_and_formats(table):
    shown = table.show("eta", "reason", eta=".2e")
    assert repr(shown) == "     eta  reason\n2.00e-01  tolerance\n1.00e-01\n          <stuck>"
    page = shown._repr_html_()
    assert page.count("<tr>") == 4 and "&lt;stuck&gt;" in page and "<stuck>" not in page
    assert "hash" in repr(table) and "<table>" in table._repr_html_()


def test_an_empty_table_is_shown():
    assert repr(Table([], KINDS).show("eta")) == "eta"


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t["x"],
        lambda t: t.where(x=1),
        lambda t: t.by("x"),
        lambda t: t.show("x"),
        lambda t: t.show(x=".3f"),
    ],
)
def test_an_unknown_column_is_named(table, call):
    with pytest.raises(ValueError, match="'x' is no column of the table; it has hash, eta, steps"):
        call(table)


def test_a_table_without_a_file_has_no_networks(table, tmp_path):
    assert table.networks == {}
    assert Table(ROWS, KINDS, tmp_path / "none.npz").networks == {}
