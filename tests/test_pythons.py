"""Which versions of Python are supported: said alike, found where they run, and none warns of our code."""

import re
import sys
import tomllib
import warnings

import pytest

from stablib.book import environment, pythons, suite

ROOT = environment.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
VERSIONS = [f"{major}.{minor}" for major, minor in pythons.SUPPORTED]


def test_the_supported_versions_are_said_alike():
    known = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)]
    assert known == VERSIONS
    assert PROJECT["requires-python"] == f">={VERSIONS[0]}"
    assert pythons.SUPPORTED[0] == environment.OLDEST
    readme = " ".join((ROOT / "README.md").read_text("utf-8").split())
    assert f"Python {', '.join(VERSIONS[:-1])} and {VERSIONS[-1]} are supported" in readme


@pytest.mark.parametrize("folder", ["stablib", "tests", "benchmarks"])
def test_python_warns_of_nothing_when_it_reads_the_code(folder):
    paths = list((ROOT / folder).rglob("*.py"))
    assert paths
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for path in paths:
            compile(path.read_text("utf-8"), path, "exec", dont_inherit=True)


def program(folder, name, prints):
    path = folder / name
    path.write_text(f"#!/bin/sh\necho {prints}\n")
    path.chmod(0o755)
    return path


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-ins are scripts of a shell")
def test_other_interpreters_are_found_if_they_are_what_they_are_called(tmp_path, monkeypatch):
    other = program(tmp_path, "python3.77", "3.77")
    program(tmp_path, "python3.78", "install it first")
    own = "python{}.{}".format(*sys.version_info)
    program(tmp_path, own, own.removeprefix("python"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    asked = [(3, 77), (3, 78), (3, 79), sys.version_info[:2]]
    assert pythons.others(asked) == {"3.77": other}


def test_the_step_belongs_to_the_long_tests_and_skips_where_there_is_no_other(monkeypatch):
    monkeypatch.delenv("STABLIB_FULL", raising=False)
    assert suite.run_suite(["--only", "pythons"], say=str) == 2
    monkeypatch.setenv("STABLIB_FULL", "1")
    monkeypatch.setattr(pythons, "others", dict)
    lines = []
    assert suite.run_suite(["--only", "pythons"], say=lines.append) == 0
    assert lines[-1] == "0 passed, 0 failed"
    assert any("no other supported Python" in line for line in lines)
