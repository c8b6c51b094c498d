"""Computing all tables of the book from nothing."""

import joblib
import pytest
from toy_runs import Toy, executed

from stablib.book import specs, tables
from stablib.training import Sweep


@pytest.fixture
def toys(tmp_path, monkeypatch):
    log = str(tmp_path / "log")
    first = Sweep.grid("one", Toy(step_size=1.0, log=log), seed=range(3))
    second = Sweep.grid("two", Toy(step_size=1.0, log=log), step_size=[2.0, 3.0])
    monkeypatch.setattr(tables, "SWEEPS", (first, second))
    monkeypatch.setattr(tables, "OTHERS", ())
    monkeypatch.setattr(tables, "eta_star", lambda *_, **__: None)
    with joblib.parallel_config("threading", n_jobs=1):
        yield log


def test_all_tables_are_computed_from_nothing_each_time(toys, tmp_path):
    made = tables.run_all(False, root=tmp_path)
    assert {name: len(table) for name, table in made.items()} == {"one": 3, "two": 2}
    tables.run_all(False, root=tmp_path)
    assert len(executed(toys)) == 10


def test_an_interrupted_computation_goes_on_where_it_stopped(toys, tmp_path, monkeypatch):
    tables.run_all(False, root=tmp_path)
    once = executed(toys)
    whole = tables.SWEEPS
    broken = whole[1].also(reason=["fails"])
    monkeypatch.setattr(tables, "SWEEPS", (whole[0], broken))
    with pytest.raises(RuntimeError, match="the toy is broken"):
        tables.run_all(False, root=tmp_path)
    assert len(executed(toys)) == len(once) + 6
    monkeypatch.setattr(tables, "SWEEPS", whole)
    tables.run_all(False, root=tmp_path)
    assert len(executed(toys)) == len(once) + 6


def test_figure_5_has_the_papers_sizes():
    for run in specs.FIG5.runs:
        assert (run.data, run.n, run.k, run.tol) == ("mnist01", 512, 200, 1e-8)
        assert run.batch_size == 16 and run.patience == 2000
    assert len({run.step_size for run in specs.FIG5.runs}) >= 6
