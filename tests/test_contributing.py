"""The examples of CONTRIBUTING.md do what the guide says."""

import doctest
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest

from stablib import ShallowReLU, gaussian
from stablib.book import execute, prose
from stablib.book.claims import registry

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def example(name):
    (body,) = re.findall(
        rf"<!-- example: {name} -->\n(`{{3,}})\w+\n(.*?)^\1$", GUIDE, re.MULTILINE | re.DOTALL
    )
    return body[1]


def module(name, full_name, monkeypatch):
    made = types.ModuleType(full_name)
    monkeypatch.setitem(sys.modules, full_name, made)
    exec(compile(example(name), f"CONTRIBUTING.md, {name}", "exec"), made.__dict__)
    return made


@pytest.fixture
def empty_register(monkeypatch):
    monkeypatch.setattr(registry, "CLAIMS", {})


def test_the_claim_is_registered_holds_and_can_fail(empty_register, monkeypatch):
    made = module("claim", "stablib.book.claims.ch02_example", monkeypatch)
    assert registry.CLAIMS["example-one"].chapter == "02"
    verdict = registry.CLAIMS["example-one"]()
    assert verdict.holds
    assert verdict.cases == 20
    monkeypatch.setattr(made, "sharpness", lambda net, X: 0.5)
    assert not registry.CLAIMS["example-one"]().holds


def test_the_figure_draws_both_quantities(monkeypatch):
    made = module("figure", "stablib.book.figures.ch02_example", monkeypatch)
    net, X = ShallowReLU.initial(3, 5), gaussian(n=12, d=3).X
    figure = made.sharpness_against_scale(net, X, np.geomspace(1, 10, 5))
    above, below = (line.get_ydata() for line in figure.axes[0].lines)
    assert (above >= below).all()


def test_the_chapter_runs_and_its_rules_hold(tmp_path):
    text = example("chapter")
    (tmp_path / "99_example.md").write_text(text, "utf-8")
    execute.execute(tmp_path / "99_example.md", tmp_path / "99_example.ipynb")
    assert "sharpness" in (tmp_path / "99_example.ipynb").read_text("utf-8")
    assert prose.untold(text) == []
    assert set(prose.told(text)) == set(prose.shown(text))
    names = {}
    exec(prose.imports(text), names)
    ((where, block),) = prose.solutions(text)
    solution = doctest.DocTestParser().get_doctest(block, names, where, None, 0)
    assert doctest.DocTestRunner().run(solution) == (0, 3)
