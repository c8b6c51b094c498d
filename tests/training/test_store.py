"""The store: files that are whole or not there, and tables that give back the same floats."""

import json
import math
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stablib.training.files import read_csv, read_networks, to_csv, to_npz, write_atomically
from stablib.training.store import Store

KINDS = {"hash": str, "eta": float, "steps": int, "reason": str}
RECORD = {
    "hash": "ab",
    "spec": {"eta": 0.1},
    "seconds": 1.0,
    "environment": {},
    "row": {"eta": 0.1, "steps": 3, "reason": "tolerance"},
}


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, "toy")


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_floats_survive_a_table_bit_for_bit(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("csv") / "toy.csv"
    rows = [
        {"hash": f"{i:x}", "eta": x, "steps": i, "reason": 'a, "b"'} for i, x in enumerate(numbers)
    ]
    path.write_text(to_csv(rows, KINDS))
    back = list(read_csv(path, KINDS).values())
    assert back == rows
    assert [math.copysign(1, row["eta"]) for row in back] == [math.copysign(1, x) for x in numbers]


def test_an_empty_cell_is_none_and_hashes_of_digits_stay_words(tmp_path):
    rows = [{"hash": "12345678", "eta": None, "steps": None, "reason": None}]
    rows += [{"hash": "12e45678", "eta": 1.0, "steps": 2, "reason": "stuck"}]
    (tmp_path / "t.csv").write_text(to_csv(rows, KINDS))
    assert list(read_csv(tmp_path / "t.csv", KINDS).values()) == rows


def test_whole_floats_can_be_told_from_counts():
    row = {"hash": "a", "eta": 2.0, "steps": 2, "reason": "x"}
    assert to_csv([row, row | {"eta": 1e300}], KINDS).split()[1:] == [
        "a,2.0,2,x",
        "a,1.0000000000000001e+300,2,x",
    ]


def test_a_table_that_does_not_exist_has_no_rows(tmp_path):
    assert read_csv(tmp_path / "nothing.csv", KINDS) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its first line names no column hash"),
        ("eta,steps\n1,2\n", "its first line names no column hash"),
        ("<<<<<<< HEAD\nhash,eta\na,1\n", "its first line names no column hash"),
        ("hash,eta\na\n", "line 2 of .* has 1 cells, but its first line names 2"),
        ("hash,eta\na,1\na,2\n", "line 3 of .* repeats the hash a"),
        ("hash,eta\na,fast\n", "line 2 of .* has 'fast' in the column eta; a number is needed"),
        ("hash,steps\na,1.5\n", "has '1.5' in the column steps; a whole number is needed"),
        (b"hash\n\xff\xfe\n", "is no CSV table"),
    ],
)
def test_a_broken_table_is_refused_and_left_alone(tmp_path, text, message):
    path = tmp_path / "toy.csv"
    raw = text if isinstance(text, bytes) else text.encode()
    path.write_bytes(raw)
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(path, KINDS)
    assert "\n" not in str(caught.value) and path.read_bytes() == raw


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path):
    path = tmp_path / "a.json"
    write_atomically(path, b"old")
    with pytest.raises(TypeError):
        write_atomically(path, "text, not bytes")
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_a_record_comes_back_and_infinite_cells_are_empty(store):
    record = RECORD | {"row": {"eta": math.inf, "steps": 3, "reason": "diverged"}}
    store.save(record, {})
    assert store.load("ab") == record | {"row": {"eta": None, "steps": 3, "reason": "diverged"}}
    assert store.load("cd") is None


KNOWN = {"spec": {}, "seconds": 1.0, "environment": 0}


@pytest.mark.parametrize(
    "content",
    [
        "",
        '{"table": "toy", "engi',
        "<<<<<<< HEAD\n{}\n",
        "[]",
        "{}",
        b"\xff\xfe",
        {"runs": {"ab": KNOWN | {"environment": 7}}},
        {"runs": {"ab": KNOWN | {"seconds": "long"}}},
        {"runs": {"ab": KNOWN | {"spec": 5}}},
        {"runs": {"ab": {}}},
        {"runs": ["ab"]},
        {"environments": None, "runs": {"ab": KNOWN}},
        {"environments": [3], "runs": {"ab": KNOWN}},
    ],
)
def test_a_broken_sidecar_is_refused_and_left_alone(store, content):
    if isinstance(content, dict):
        content = json.dumps({"engine": 1, "environments": [{}], "runs": {}} | content)
    raw = content if isinstance(content, bytes) else content.encode()
    store.sidecar.parent.mkdir()
    store.sidecar.write_bytes(raw)
    with pytest.raises(ValueError, match=r"toy\.json cannot be read as what is known") as caught:
        store.history()
    assert "\n" not in str(caught.value) and store.sidecar.read_bytes() == raw


@pytest.mark.parametrize(
    ("cells", "why"),
    [
        ({"eta": "fast"}, "its row has 'fast' in the column eta"),
        ({"steps": 2.5}, "its row has 2.5 in the column steps"),
        ({"reason": 1}, "its row has 1 in the column reason"),
        ({"eta": [0.1]}, "in the column eta"),
        ({"eta": True}, "in the column eta"),
    ],
)
def test_a_record_whose_cells_are_of_another_kind_is_passed_over(store, cells, why):
    store.save(RECORD, {})
    assert store.load("ab", KINDS) == RECORD
    store.save(RECORD | {"row": RECORD["row"] | {"eta": 1, "steps": None}}, {})  # 1 is a float, too
    assert store.load("ab", KINDS) is not None
    store.save(RECORD | {"row": RECORD["row"] | cells}, {})
    with pytest.warns(UserWarning, match=f"is passed over: .*{re.escape(why)}"):
        assert store.load("ab", KINDS) is None


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "Expecting value"),
        (b'{"hash": "ab", "row"', "Expecting"),
        (b"\xff\xfe\x00", "codec can't decode"),
        (b"[]", "indices must be"),
        (json.dumps(RECORD | {"hash": "cd"}).encode(), "it says that its hash is cd"),
        (json.dumps({k: v for k, v in RECORD.items() if k != "row"}).encode(), "no entry 'row'"),
        (json.dumps(RECORD | {"row": 7}).encode(), "is no table of cells"),
        (json.dumps(RECORD | {"seconds": "long"}).encode(), "could not convert"),
    ],
)
def test_a_broken_record_is_named_and_passed_over(store, content, why):
    store.runs.mkdir(parents=True)
    store.run_path("ab").write_bytes(content)
    with pytest.warns(
        UserWarning, match=f"ab.json is no record of a run and is passed over: .*{why}"
    ):
        assert store.load("ab") is None


def test_networks_come_back_bit_for_bit_and_the_file_is_reproducible(tmp_path):
    rng = np.random.default_rng(0)
    networks = {h: {"W1": rng.normal(size=(3, 2)).astype("f4"), "b2": np.array(0.1)} for h in "ab"}
    path = tmp_path / "n.npz"
    path.write_bytes(to_npz(networks))
    back = read_networks(path)
    for h, arrays in networks.items():
        for name, array in arrays.items():
            assert back[h][name].dtype == array.dtype and (back[h][name] == array).all()
    assert back["a"]["b2"].shape == ()
    assert to_npz(networks) == path.read_bytes()
    assert read_networks(path, {"b"}).keys() == {"b"}


@pytest.mark.parametrize("damage", ["cut", "text", "empty", "flipped"])
def test_a_broken_file_of_networks_is_refused(tmp_path, damage):
    raw = to_npz({"ab": {"W1": np.arange(1000.0)}})
    middle = len(raw) // 2
    content = {
        "cut": raw[:middle],
        "text": b"hello",
        "empty": b"",
        "flipped": raw[:middle] + bytes([raw[middle] ^ 255]) + raw[middle + 1 :],
    }[damage]
    path = tmp_path / "n.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"n\.npz is no readable file of networks"):
        read_networks(path)


def test_no_flipped_byte_and_no_cut_gives_other_arrays_or_another_error(tmp_path):
    rng = np.random.default_rng(0)
    true = {h: {"W1": rng.normal(size=(3, 2)), "zero": np.zeros(100)} for h in "ab"}
    raw, path = to_npz(true), tmp_path / "n.npz"
    damaged = [raw[:place] for place in range(0, len(raw), 7)]
    for mask in (1, 16, 255):
        damaged += [raw[:i] + bytes([raw[i] ^ mask]) + raw[i + 1 :] for i in range(len(raw))]
    refused = 0
    for content in damaged:
        path.write_bytes(content)
        try:
            found = read_networks(path)
        except ValueError:
            refused += 1
            continue
        # Some bytes say nothing about the content, and some the name of an array.
        for h, arrays in found.items():
            for name, array in arrays.items():
                if name in true.get(h, {}):
                    assert (array == true[h][name]).all()
    assert refused > len(damaged) / 2
