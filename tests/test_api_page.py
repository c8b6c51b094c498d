"""The page of the library: every public name once, and links between it and the chapters."""

import ast
import re
from collections import Counter

import pytest

import stablib
from stablib.book import api_links, names
from stablib.book.environment import ROOT

PAGE = (ROOT / "pages" / "api.md").read_text("utf-8")
BENEATH = (ROOT / "pages" / "api_beneath.md").read_text("utf-8")


def whole_page():
    """Both pages as Sphinx reads them."""
    return api_links.whole(PAGE) + api_links.whole(BENEATH, PAGE)


def names_in_the_text():
    """Public functions and classes as the library's files spell them: nothing is imported."""
    for path in sorted((ROOT / "stablib").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if parts[1] == "book" or path.name.startswith("__"):
            continue
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                marks = " ".join(ast.unparse(mark) for mark in node.decorator_list)
                if not re.search("jit|intrinsic", marks):  # loops for Numba, called by ours only
                    yield ".".join([*parts, node.name])


def test_every_public_name_is_on_the_page_once():
    shown = Counter(names.home(name) for name in api_links.shown_by_hand(whole_page()))
    assert {name for name, times in shown.items() if times > 1} == set()
    assert set(shown) == set(names_in_the_text())


def test_every_name_of_the_top_is_shown_by_hand_and_as_it_is_imported():
    shown = set(api_links.shown_by_hand(PAGE))
    assert {f"stablib.{name}" for name in stablib.__all__} - {"stablib.__version__"} <= shown
    assert {f"stablib.training.{name}" for name in ("Trained", "Spec", "Table", "sweep")} <= shown


def test_a_name_is_shown_as_readers_import_it():
    for name in api_links.shown_by_hand(whole_page()):
        assert name == names.shown(names.home(name))


def test_every_public_method_of_a_class_on_the_page_is_listed():
    for entry in re.findall(r"autoclass:: (\S+)\n((?:   :\w.*\n)?)", whole_page()):
        listed = set(re.findall(r"\w+", entry[1].partition(":members:")[2]))
        assert listed == methods_in_the_text(names.home(entry[0])), entry[0]


def methods_in_the_text(full):
    module, _, name = full.rpartition(".")
    path = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    (found,) = (
        node
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name == name
    )
    return {
        node.name
        for node in found.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and ast.get_docstring(node)
    }


# From code to names


CODE = """
import stablib as s
from stablib import sharpness, gaussian as data_set
from stablib.radon import pyramid
sgd = 3
print(s.r_norm, pyramid.density(0, 2), sharpness, sgd)
"""


def test_uses_are_read_from_the_code():
    assert names.used([CODE]) == {
        "stablib.curvature.sharpness",
        "stablib.data.synthetic.gaussian",
        "stablib.norms.r_norm",
        "stablib.radon.pyramid.density",
    }


def test_a_name_that_is_assigned_is_no_name_of_the_library():
    assert "sgd" not in names.imports(["from stablib import sgd", "sgd = 3"])


def test_names_of_the_book_are_none_of_the_library():
    assert names.home("stablib.book.names.home") is None


def test_a_sentence_names_the_chapters_that_show_and_those_that_rest_on_a_name(tmp_path):
    notebook = '{"cells": [{"cell_type": "code", "source": "from stablib import mnist01"}]}'
    (tmp_path / "03_digits.ipynb").write_text(notebook)
    (tmp_path / "09_beyond.ipynb").write_text('{"cells": []}')
    said = api_links.used_in("stablib.mnist01", tmp_path)
    assert said == (
        "Used in chapter :doc:`3 </chapters/03_digits>`. "
        "Behind figures or checks of chapter :doc:`9 </chapters/09_beyond>`."
    )
    assert api_links.used_in("stablib.r_norm", tmp_path) == ""


def test_only_names_of_the_library_become_links():
    html = (
        '<span class="n">pyramid</span><span class="o">.</span><span class="n">density</span>'
        '<span class="p">(</span><span class="n">x</span><span class="p">)</span>'
    )
    linked = api_links.link_code(
        html, {"pyramid": "stablib.radon.pyramid"}, lambda full: f"#{full}"
    )
    assert linked.startswith('<a class="api-link" href="#stablib.radon.pyramid.density"><span')
    assert linked.count("<a ") == 1
    assert re.sub("<[^>]*>", "", linked) == "pyramid.density(x)"


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("stablib.curvature.sharpness", ["stablib.sharpness"]),
        ("stablib.training.descent.sgd", ["stablib.sgd"]),
        ("stablib.network.ShallowReLU.rescale", ["stablib.ShallowReLU.rescale"]),
        ("stablib.sharpness", []),
        ("numpy.array", []),
    ],
)
def test_a_role_may_use_any_name_that_python_would_import(asked, shown):
    assert api_links.other_names(asked) == shown
