"""Two builds from nothing are the same but for times; and what tells them apart finds every difference."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from stablib.book import reproduce

ROOT = Path(__file__).resolve().parents[1]
TREE = {
    "page.html": b"<p>0.1</p>",
    "deep/picture.png": b"\x89PNG",
    "ledger.json": b'[{"id": "lem-3", "margin": 0.25, "seconds": 1.5}]',
}


def written(folder, changes=()):
    for name, data in {**TREE, **dict(changes)}.items():
        if data is not None:
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    return folder


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, []),
        ({"ledger.json": TREE["ledger.json"].replace(b"1.5", b"2.75")}, []),
        (
            {"ledger.json": TREE["ledger.json"].replace(b"0.25", b"0.26")},
            ["ledger.json: not the same"],
        ),
        (
            {"ledger.json": b'[{"margin": 0.25, "id": "lem-3", "seconds": 1.5}]'},
            ["ledger.json: not the same"],
        ),
        ({"page.html": b"<p>0.1</p> "}, ["page.html: not the same"]),
        ({"deep/picture.png": None}, ["deep/picture.png: in the first only"]),
        ({"new.js": b""}, ["new.js: in the second only"]),
    ],
)
def test_every_difference_but_one_of_times_is_found(tmp_path, changes, said):
    first, second = written(tmp_path / "a"), written(tmp_path / "b", changes)
    assert reproduce.differences(first, second) == said


def test_a_build_that_fails_says_so(tmp_path):
    with pytest.raises(ValueError, match=r"no stablib/__init__\.py"):
        reproduce.build_elsewhere(tmp_path, {})
    (tmp_path / "stablib").mkdir()
    (tmp_path / "stablib" / "__init__.py").touch()
    with pytest.raises(RuntimeError, match=r"the build in .* failed: .*No module named"):
        reproduce.build_elsewhere(tmp_path, {})


def test_a_build_elsewhere_has_one_thread_whatever_this_process_has(tmp_path, monkeypatch):
    """BLAS rounds otherwise with two, which moves the last digits of margins."""
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    book = tmp_path / "stablib" / "book"
    book.mkdir(parents=True)
    for folder in (book, book.parent):
        (folder / "__init__.py").touch()
    tells = "import json, os; open('env.json', 'w').write(json.dumps(dict(os.environ)))"
    (book / "reproduce.py").write_text(tells)
    assert reproduce.build_elsewhere(tmp_path, {"TZ": "UTC"}) == tmp_path / "_build" / "anew"
    given = json.loads((tmp_path / "env.json").read_text())
    assert given["OMP_NUM_THREADS"] == given["OPENBLAS_NUM_THREADS"] == "1"
    assert given["TZ"] == "UTC" and given["PYTHONPATH"] == str(tmp_path)


@pytest.mark.skipif(not os.environ.get("STABLIB_FULL"), reason="executes all chapters twice")
def test_two_builds_in_two_places_are_the_same(tmp_path):
    """Pages, notebooks, ledger and small tables; paths, processes, hashes and time zones differ."""
    listed = subprocess.check_output(["git", "ls-files", "-z"], cwd=ROOT, text=True)
    places = tmp_path / "a", tmp_path / "a path that is much longer, with spaces" / "b" / "checkout"
    for place in places:
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, place / name)
    one = reproduce.build_elsewhere(places[0], {"PYTHONHASHSEED": "0", "TZ": "UTC"}, "--together=2")
    other = reproduce.build_elsewhere(
        places[1],
        {"PYTHONHASHSEED": "4242", "TZ": "Pacific/Kiritimati"},
        "--together=1",
        "--backwards",
    )
    for part in reproduce.PARTS:
        assert reproduce.differences(one / part, other / part) == []
    assert len(list((one / "notebooks").glob("*.ipynb"))) > 8
    assert len(json.loads((one / "ledger" / "ledger.json").read_text())) > 100
