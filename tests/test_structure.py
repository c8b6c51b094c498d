"""Imports go downwards, and the pictures of the architecture page are those of the code."""

import ast
import subprocess
import sys

import pytest

from stablib.book import structure


def test_no_room_imports_from_a_room_below_it_not_even_inside_a_function():
    graph = structure.imports(later=True)
    assert len(graph) > 100
    assert structure.upward(graph) == []


def test_no_modules_import_each_other_in_a_circle():
    height = structure.floors(structure.imports(later=False))
    assert height["stablib.checks"] < height["stablib.network"] < height["stablib.curvature"]


def test_modules_and_functions_stay_small_enough_to_be_read_at_once():
    for name, path in structure.modules().items():
        text = path.read_text("utf-8")
        assert text.count("\n") <= 340, f"{name} is too long: which of its two subjects moves out?"
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                docstring = ast.get_docstring(node, clean=False) or ""
                size = node.end_lineno - node.lineno - docstring.count("\n")
                assert size <= 90, f"{node.name} of {name} does more than one thing"


@pytest.mark.parametrize("name", structure.PICTURES)
def test_the_pictures_are_those_of_the_code(name):
    drawn = structure.pictures()[name]
    assert structure.PICTURES[name].read_text("utf-8") == drawn, (
        "the imports have changed: run `python -m stablib.book.structure`"
    )


def test_what_is_read_from_the_code_is_what_python_loads():
    """An independent witness: which of our modules are loaded when one is imported."""
    graph = structure.imports(later=False)

    def reach(name):
        found, open_ = set(), [name]
        while open_:
            new = graph[open_.pop()] - found
            found |= new
            open_ += new
        return found

    for name in ("stablib.bounds", "stablib.training.sweeps"):
        code = f"import sys, {name}; print(*[m for m in sys.modules if m.startswith('stablib')])"
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        loaded = set(done.stdout.split()) - {name}
        parents = {
            ".".join(m.split(".")[:i]) for m in {*loaded, name} for i in range(1, m.count(".") + 1)
        }
        assert loaded - parents == reach(name) - {name} - parents


@pytest.fixture
def checkout(tmp_path):
    def write(**texts):
        for name, text in texts.items():
            path = tmp_path / "stablib" / f"{name.replace('__', '/', 1)}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return write


def test_imports_are_found_in_every_form_and_those_for_type_checkers_are_not(checkout):
    root = checkout(
        a="from typing import TYPE_CHECKING\nfrom . import b\nif TYPE_CHECKING:\n    from .c import x\n",
        b="def later():\n    from stablib.radon import e\n",
        c="import stablib.b\nclass C:\n    from .radon.e import y\n",
        radon__e="from ..a import z\nfrom .. import b\n",
    )
    eager = structure.imports(later=False, root=root)
    assert eager["stablib.a"] == {"stablib.b"}
    assert eager["stablib.b"] == set()
    assert eager["stablib.c"] == {"stablib.b", "stablib.radon.e"}
    assert eager["stablib.radon.e"] == {"stablib.a", "stablib.b"}
    both = structure.imports(later=True, root=root)
    assert structure.upward(both) == [
        "stablib.b imports stablib.radon.e",
        "stablib.c imports stablib.radon.e",
    ]


def test_a_circle_is_named():
    with pytest.raises(ValueError, match="a imports b imports a"):
        structure.floors({"a": {"b"}, "b": {"a"}})
