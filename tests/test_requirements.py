"""The lock file says the same on every machine."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from stablib.book.environment import ROOT
from stablib.book.lock import portable

LINES = (ROOT / "requirements.txt").read_text("utf-8").splitlines()
PINS = [line for line in LINES if line.strip() and not line.lstrip().startswith("#")]
DIRECT = [
    Requirement(line.partition("#")[0].strip())
    for line in (ROOT / "requirements.in").read_text("utf-8").splitlines()
    if line.partition("#")[0].strip()
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
LOCKED = {
    canonicalize_name(name): version for name, _, version in (pin.partition("==") for pin in PINS)
}


@pytest.mark.parametrize("line", PINS)
def test_every_line_is_one_package_at_one_plain_version(line):
    assert re.fullmatch(r"[A-Za-z0-9][\w.-]*==\d[\w.]*( ; [^;@/]+)?", line)


def test_no_line_knows_a_machine_or_an_index():
    for line in LINES:
        assert not re.search(r"file:|https?:|--|@|(^|\s)/|[A-Za-z]:\\|\+\w+$", line), line


def test_no_package_is_listed_twice():
    assert len(LOCKED) == len(PINS)


@pytest.mark.parametrize("requirement", DIRECT, ids=str)
def test_every_direct_requirement_is_locked_at_a_version_that_fits(requirement):
    assert requirement.specifier.contains(LOCKED[canonicalize_name(requirement.name)])


def extras():
    lists = [PROJECT["dependencies"], *PROJECT["optional-dependencies"].values()]
    found = [Requirement(text) for texts in lists for text in texts]
    return [requirement for requirement in found if requirement.name != PROJECT["name"]]


@pytest.mark.parametrize("requirement", extras(), ids=str)
def test_what_the_package_asks_for_is_locked_at_a_version_that_fits(requirement):
    names = {canonicalize_name(direct.name) for direct in DIRECT}
    assert canonicalize_name(requirement.name) in names
    assert requirement.specifier.contains(LOCKED[canonicalize_name(requirement.name)])


def test_every_direct_requirement_belongs_to_the_library_or_an_extra():
    asked = {canonicalize_name(requirement.name) for requirement in extras()}
    assert {canonicalize_name(direct.name) for direct in DIRECT} == asked


def test_local_versions_are_dropped_when_the_file_is_compiled():
    compiled = "torch==2.13.0+cpu\n    # via -r requirements.in\nnumpy==2.4.6 ; python_version<'4'"
    assert portable(compiled) == compiled.replace("+cpu", "")


def test_the_lock_file_asks_for_no_cuda_package_on_a_machine_without_a_gpu():
    pinned = (ROOT / "requirements.txt").read_text("utf-8")
    assert not re.search(r"(?m)^(nvidia|cuda|triton)", pinned)
    cuda = "nvidia-nccl-cu13==2.29.7\n    # via torch\ntriton==3.7.1\n    # via torch\n"
    assert portable(f"numpy==2.4.6\n{cuda}zict==3.0.0\n") == "numpy==2.4.6\nzict==3.0.0\n"
