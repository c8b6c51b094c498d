"""Files from elsewhere: nothing in them is ever run, and one that is damaged is named in one sentence."""

import ast
from pathlib import Path

import numpy as np
import pytest

import stablib
from stablib.__main__ import _data
from stablib.data.idx import IMAGES, LABELS, parse_idx

SOURCES = sorted(Path(stablib.__file__).parent.rglob("*.py"))
UNPICKLERS = {"pickle", "cPickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal"}


def calls(tree, name):
    """Calls of anything that ends in this name: np.load(...), load(...)."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            parts = ast.unparse(node.func).split(".")
            if parts[-1] == name:
                yield parts[0], {k.arg: ast.unparse(k.value) for k in node.keywords}, node


def unpickles(source):
    """What in a source could run what a file says."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        yield from (name for name in names if name.split(".")[0] in UNPICKLERS)
    for module, keywords, node in calls(tree, "load"):
        if module == "torch" and keywords.get("weights_only") != "True":
            yield ast.unparse(node)
        if keywords.get("allow_pickle", "False") != "False" or None in keywords:
            yield ast.unparse(node)
    for name in ("read_pickle", "eval", "exec"):
        yield from (ast.unparse(node) for *_, node in calls(tree, name))


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from pickle import load",
        "np.load(path, allow_pickle=True)",
        "np.load(path, **options)",
        "torch.load(path)",
        "torch.load(path, weights_only=False)",
        "eval(text)",
    ],
)
def test_the_search_finds_what_would_run_a_file(source):
    assert list(unpickles(source))


def test_no_source_of_the_library_unpickles_or_evaluates_a_file():
    assert len(SOURCES) > 100
    found = {path.name: list(unpickles(path.read_text(encoding="utf-8"))) for path in SOURCES}
    assert {name: what for name, what in found.items() if what} == {}


class Bomb:
    """Unpickled, it leaves a file."""

    def __reduce__(self):
        return Path.touch, (Path("exploded"),)


def test_objects_in_a_file_of_data_are_refused_and_not_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.savez("data.npz", X=np.array([[Bomb()]], dtype=object), y=[0.0])
    with pytest.raises(ValueError, match=r"data\.npz cannot be read as an \.npz file of arrays"):
        _data("data.npz")
    assert not Path("exploded").exists()
    np.load("data.npz", allow_pickle=True)["X"]  # the bomb is a bomb
    assert Path("exploded").exists()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_damaged_data_are_the_same_arrays_or_one_sentence(tmp_path, save):
    X, y, path = np.arange(6.0).reshape(3, 2), np.arange(3.0), tmp_path / "data.npz"
    save(path, X=X, y=y)
    raw, refused = path.read_bytes(), 0
    damaged = [raw[:place] for place in range(0, len(raw), 5)]
    damaged += [raw[:i] + bytes([raw[i] ^ 255]) + raw[i + 1 :] for i in range(len(raw))]
    for content in damaged:
        path.write_bytes(content)
        try:
            found = _data(str(path))
        except ValueError as error:
            refused += 1
            assert str(error).startswith(str(path)) and "\n" not in str(error)
        else:
            assert np.array_equal(found[0], X) and np.array_equal(found[1], y)
    assert refused > len(damaged) / 2


IDX = {
    IMAGES: bytes([0, 0, 8, 3, 0, 0, 0, 5, 0, 0, 0, 3, 0, 0, 0, 2]) + bytes(30),
    LABELS: bytes([0, 0, 8, 1, 0, 0, 0, 4]) + bytes([7, 2, 1, 0]),
}


@pytest.mark.parametrize("magic", IDX)
def test_an_idx_file_with_one_bit_of_its_header_wrong_is_named(magic):
    raw = IDX[magic]
    assert parse_idx(raw, magic, "digits").size
    for place in range(16 if magic == IMAGES else 8):
        for bit in range(8):
            content = raw[:place] + bytes([raw[place] ^ (1 << bit)]) + raw[place + 1 :]
            with pytest.raises(ValueError, match=r"^digits ") as caught:
                parse_idx(content, magic, "digits")
            assert "\n" not in str(caught.value)
