"""The examples in the library's docstrings do what they say."""

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    for path in ROOT.glob("stablib/**/*.py")
    if ">>> " in path.read_text("utf-8")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_of_a_module_do_what_they_say(name):
    module = importlib.import_module(name)
    runner, tried = doctest.DebugRunner(optionflags=FLAGS), 0
    for example in doctest.DocTestFinder().find(module, name):
        try:
            runner.run(example)
        except doctest.UnexpectedException as raised:
            raise raised.exc_info[1]  # noqa: B904 (the line of the example is what counts)
        except doctest.DocTestFailure as failed:
            step = failed.example
            pytest.fail(f"{example.name}: {step.source}gives {failed.got}not {step.want}")
        tried += len(example.examples)
    assert tried


def test_an_example_that_is_wrong_is_found(tmp_path, monkeypatch):
    (tmp_path / "sums.py").write_text(
        'def one():\n    """One.\n\n    >>> one()\n    2\n    """\n    return 1\n'
    )
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(pytest.fail.Exception, match=r"sums\.one: one\(\)\ngives 1\nnot 2"):
        test_the_examples_of_a_module_do_what_they_say("sums")
