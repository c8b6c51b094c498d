"""The page of benchmarks says what was measured: its ratios, verdicts, exponents, pictures and sentences."""

import hashlib
import json
import re
import statistics
import sysconfig

import numpy as np
import pytest

from stablib import palette
from stablib.book import bench, commands, measured_pictures
from stablib.book.digits import duration, number
from stablib.book.environment import ROOT
from stablib.book.measured import FACTS, MEASURED, Measurements

FOUND = json.loads(MEASURED.read_text("utf-8"))
ROWS = {row["id"]: row for row in FOUND["rows"]}
TARGETS = {
    "gd-products": ("at_most", 1.5),
    "gd-torch": ("at_least", 8),
    "sgd-product-32": ("at_most", 1.3),
    "sgd-product-64": ("at_most", 1.3),
    "sgd-torch": ("at_least", 6),
    "sharpness-pyhessian-100": ("at_least", 3),
    "sharpness-pyhessian-512": ("at_least", 3),
    "sharpness-curvlinops-100": ("at_least", 30),
    "sharpness-curvlinops-512": ("at_least", 10),
    "g-definition": ("at_least", 100),
    "flattest-limit": ("at_least", 1),
    "threshold-1": ("at_least", 1),
    "threshold-16": ("at_least", 1),
    "figures": ("at_least", 1),
}


def ratio(row):
    """Of a row of the file, worked out without the code of the page."""
    theirs = row["theirs"] * (len(row["ours"]) // len(row["theirs"]))
    if "at_most" in row:
        return statistics.median(a / b for a, b in zip(row["ours"], theirs, strict=True))
    return statistics.median(b / a for a, b in zip(row["ours"], theirs, strict=True))


def shown(text):
    """A printed number as a number, and the half of its last digit."""
    digits = text.replace(",", "")
    behind = len(digits.partition(".")[2])
    return float(digits), 0.51 * 10.0**-behind if behind else 0.006 * float(digits)


@pytest.mark.parametrize("name", TARGETS)
def test_every_target_was_measured(name):
    sense, value = TARGETS[name]
    assert ROWS[name][sense] == value
    assert len(ROWS[name]["ours"]) >= (1 if name == "figures" else 5)


def test_the_environment_is_told():
    needed = {"python", "numpy", "scipy", "numba", "torch", "PyHessian", "curvlinops", "cvxpy"}
    needed |= {"Clarabel", "SCS", "scikit-image", "processor", "cores", "BLAS", "date", "load"}
    assert needed <= FOUND["environment"].keys()


def test_the_table_shows_the_stored_times():
    lines = Measurements.stored().table().splitlines()[2:]
    assert len(lines) == len(ROWS)
    for line, row in zip(lines, FOUND["rows"], strict=True):
        what, against, _, middle, target = (
            cell.strip() for cell in line.replace("\xa0", " ").strip("|").split(" | ")
        )
        assert what == f"{row['what']}; {row['size']}" and against.startswith(row["against"])
        limited = row["against"].startswith("a limit")
        value, slack = shown(re.match(r"[\d.,]+", middle)[0])
        assert value == pytest.approx(100 / ratio(row) if limited else ratio(row), abs=slack)
        if limited:
            goal, met = "≤ 100 %", ratio(row) >= 1
        elif "at_most" in row:
            goal, met = f"≤ {row['at_most']}", ratio(row) <= row["at_most"]
        elif "at_least" in row:
            goal, met = f"≥ {row['at_least']}", ratio(row) >= row["at_least"]
        else:
            assert target == "–"
            continue
        assert target == f"{goal}: {'met' if met else 'missed'}"


def test_the_facts_are_those_of_the_file():
    table = Measurements.stored().facts_table()
    assert FOUND["facts"].keys() == FACTS.keys()
    for name, (says, most, _) in FACTS.items():
        (line,) = [line for line in table.splitlines() if says in line]
        assert line.endswith("met |") == (FOUND["facts"][name] <= most)


def test_a_power_law_has_its_exponent():
    task = {"what": "f", "base": [1, 1, 1]}
    times = {"seconds": [9.0, 2.0, 8.0, 32.0], "counted": [1.0, 2.0, 4.0, 8.0]}
    about = {"environment": {}, "facts": {}, "profile": {}, "rows": []}
    found = Measurements({**about, "growth": [{**task, "letters": {"n": times}}]})
    assert found.growth["f"]["n"].exponents == pytest.approx((2.0, 1.0))


@pytest.mark.parametrize("name", measured_pictures.PICTURES)
def test_the_pictures_are_those_of_the_measurements(name):
    drawn = getattr(measured_pictures, name)(Measurements.stored())
    assert measured_pictures.PICTURES[name].read_text("utf-8") == drawn, (
        "run `python -m stablib.book.measured_pictures`"
    )


def test_the_dots_and_targets_stand_where_the_ratios_are():
    """Read back from the picture: log speed is one linear function of the place, for dots and targets."""
    text = measured_pictures.PICTURES["ratios"].read_text("utf-8")
    dots = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', text)]
    goals = [float(x) for x in re.findall(r'class="goal" x1="([\d.]+)"', text)]
    speeds = [1 / ratio(r) if "at_most" in r else ratio(r) for r in FOUND["rows"]]
    aims = [
        1 / r["at_most"] if "at_most" in r else r["at_least"]
        for r in FOUND["rows"]
        if {"at_most", "at_least"} & r.keys()
    ]
    places, values = np.array([*dots, *goals]), np.log([*speeds, *aims])
    line = np.polyfit(values, places, 1)
    assert line[0] > 0
    np.testing.assert_allclose(np.polyval(line, values), places, atol=1.0)
    missed = sum(
        f'fill="{palette.PAPER}"' in circle for circle in re.findall(r"<circle[^>]*>", text)
    )
    assert missed == len(Measurements.stored().missed())


def test_every_number_of_the_page_is_asked_for_by_name_and_there():
    page = (ROOT / "pages" / "benchmarks.md").read_text("utf-8")
    filled = Measurements.stored().filled(page)
    assert "{measured}" not in filled and filled.count("\n|") > 40
    prose = re.sub(r"\{measured\}`[^`]*`|```.*?```|`[^`]*`|\$[^$]*\$", "", page, flags=re.DOTALL)
    assert re.findall(r"\d+\.\d+", prose) == []
    with pytest.raises(ValueError, match="asks for no-such"):
        Measurements.stored().filled("{measured}`no-such`")


def test_numbers_and_durations_are_short():
    assert [number(x) for x in (0.123456, 1.4142, 7.06, 31.62, 99.96, 123456.7)] == [
        "0.123", "1.41", "7.06", "31.6", "100", "123,000",
    ]  # fmt: skip
    assert [duration(x) for x in (1.36e-5, 0.5, 119.0, 3600.0)] == [
        "13.6 µs", "500 ms", "119 s", "60.0 min",
    ]  # fmt: skip


def test_whole_commands_leave_their_seconds(tmp_path, monkeypatch):
    path = tmp_path / "deep" / "seconds.json"
    commands.note_seconds("book", 12.34, path)
    commands.note_seconds("test", 56.78, path)
    kept = json.loads(path.read_text())
    assert (kept["book"]["seconds"], kept["test"]["seconds"]) == (12.3, 56.8)


@pytest.mark.parametrize(
    ("command", "arguments", "code", "kept"),
    [
        ("book", [], 0, 1),
        ("book", [], 1, 0),
        ("test", ["--only", "lint"], 0, 0),
        ("check", [], 0, 0),
    ],
)
def test_only_what_was_done_whole_is_timed(monkeypatch, command, arguments, code, kept):
    noted = []
    monkeypatch.setitem(commands._DO, command, lambda arguments: code)
    monkeypatch.setattr(commands, "note_seconds", lambda *args: noted.append(args))
    assert commands.run(command, arguments) == code
    assert len(noted) == kept


def test_an_environment_that_is_ready_is_left_alone_and_another_is_named(tmp_path, monkeypatch):
    content = bench.REQUIREMENTS.read_bytes() + sysconfig.get_path("purelib").encode()
    stamp = tmp_path / "stablib-ready"
    stamp.write_text(hashlib.sha256(content).hexdigest())
    said = []
    assert bench.prepare(said.append, tmp_path).parent.parent == tmp_path
    assert said == []
    stamp.write_text("older")
    monkeypatch.setattr(bench.venv, "create", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bench.prepare(said.append, tmp_path)
    assert "Setting up" in said[0]
