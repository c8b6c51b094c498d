"""Every public function and every theorem has a property test, or a reason why it has none."""

import ast
import dataclasses
import inspect
import types
from functools import cache
from importlib import import_module
from itertools import chain
from pathlib import Path

import pytest

from stablib.book import api_links, names
from stablib.book.environment import ROOT
from stablib.book.ledger import read
from tests.trust.stated import full_name, states

HERE = Path(__file__).parent

# Public names without a property test.
ARGUED = {
    "stablib.curvature.Interval": "a pair of numbers; what it knows is read beside sharpness_interval",
    "stablib.findings.Step.amount": "a difference of two fields",
    "stablib.diagnosis.Diagnosis.plot": "a picture: its numbers are those of the fields",
    "stablib.training.monitor.StabilityMonitor.figure": "a picture of the table",
    "stablib.training.specs.Spec.columns": "abstract",
    "stablib.training.specs.Spec.execute": "abstract",
    "stablib.training.specs.Spec.complete": "nothing unless a kind of run says otherwise",
    "stablib.training.specs.Spec.labels": "abstract but for its default",
    "stablib.training.runs.TrainingRun.columns": "a list of names",
    "stablib.training.runs.TrainingRun.variant": "a few words",
    "stablib.training.runs.TrainingRun.datasets": "the data sets above, by the fields' seeds",
    "stablib.training.runs.TrainingRun.start": "ShallowReLU.initial, by the fields' seeds",
    "stablib.training.runs.TrainingRun.train": "descent; the tests of stored tables retrain rows",
    "stablib.training.runs.TrainingRun.execute": "seconds each; the stored tables are recomputed",
    "stablib.training.runs.TrainingRun.complete": "the same at a stored network",
}

# Theorems whose statement has nothing that random cases could vary, or too little for its price.
ELSEWHERE = {
    "eq-5": "a limit in the radius: the ledger halves it",
    "new-three-notions": "the almost-sure threshold takes long products of random matrices",
    "new-splitting": "an inequality between two minima, each found to 1e-9 over one set of networks",
    "eq-33": "a supremum that test functions only approach",
    "eq-84": "weak convergence of one sequence",
    "eq-140": "an asymptotic of the density at one corner",
    "new-separation-rate": "fits of growing width, minutes each",
    "prop-1": "limits of sequences; the ledger has the sequences",
    "eq-119": "the infimum of a gradient, which takes a search over cells",
}


@cache
def property_tests():
    """All tests of this folder's property files that hypothesis runs, by name."""
    found = {}
    for path in sorted(HERE.glob("test_properties*.py")):
        module = import_module(f"tests.trust.{path.stem}")
        for name, thing in vars(module).items():
            if name.startswith("test_") and getattr(thing, "is_hypothesis_test", False):
                assert name not in found, f"{name} is the name of two tests"
                found[name] = thing
    return found


def stated():
    """Full names of what property tests are about."""
    return set(chain.from_iterable(getattr(t, "states", ()) for t in property_tests().values()))


def own_members(thing):
    """Methods and properties that a class defines and documents itself."""
    for name, member in vars(thing).items():
        inner = getattr(member, "__func__", None) or getattr(member, "func", None) or member
        inner = getattr(inner, "fget", None) or inner
        if not name.startswith("_") and inspect.isfunction(inner) and inner.__doc__:
            yield full_name(inner)


def public():
    """Full names of the functions on the library's page, of its classes and of their members.

    A record, frozen or a tuple, counts by its members alone: of its fields there is nothing to state.
    """
    page = (ROOT / "pages" / "api.md").read_text("utf-8")
    for shown in api_links.shown_by_hand(page):
        thing = names.found(shown)
        if not (dataclasses.is_dataclass(thing) or hasattr(thing, "_fields")):
            yield full_name(thing)
        if inspect.isclass(thing):
            yield from own_members(thing)


def test_every_public_function_has_a_property_test_or_a_reason_why_not():
    without = set(public()) - stated() - set(ARGUED)
    assert without == set()


def test_reasons_are_given_for_public_names_without_a_test_only():
    assert set(ARGUED) <= set(public())
    assert set(ARGUED) & stated() == set()


def test_every_theorem_has_a_property_test_or_a_reason_why_not():
    theorems = {entry["id"] for entry in read() if entry["kind"] == "theorem"}
    marks = chain.from_iterable(getattr(t, "pytestmark", ()) for t in property_tests().values())
    tested = {mark.args[0] for mark in marks if mark.name == "statement"}
    assert theorems - tested - set(ELSEWHERE) == set()
    assert set(ELSEWHERE) <= theorems - tested


def names_in(code):
    """All names in a code object and in those nested within."""
    inner = (c for c in code.co_consts if isinstance(c, types.CodeType))
    return set(code.co_names).union(*map(names_in, inner))


def reached(test):
    """Names that a test uses, itself or through functions of its own module and of this folder."""
    found, left = set(), [test.hypothesis.inner_test]
    while left:
        function = left.pop()
        for name in names_in(function.__code__) - found:
            found.add(name)
            thing = function.__globals__.get(name)
            if inspect.isfunction(thing) and thing.__module__.startswith("tests."):
                left.append(thing)
    return found


@pytest.mark.parametrize("name", property_tests())
def test_a_property_test_uses_what_it_is_about(name):
    test = property_tests()[name]
    said = getattr(test, "states", frozenset())
    assert said or getattr(test, "pytestmark", ()), "no function and no statement"
    for full in said:
        short = full.rpartition(".")[2]
        if not short.startswith("__"):
            assert short in reached(test)


def test_a_mark_carries_full_names():
    @states(Path, Path.exists, ast.parse)
    def test():
        pass

    assert "ast.parse" in test.states
    assert any(name.endswith("Path.exists") for name in test.states)
