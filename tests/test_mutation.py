"""The quick tests, and the arguments about mutants, name what there is; the run itself takes an hour."""

import ast
import re
import tomllib
from functools import cache

from tests.mutation.__main__ import CORE, HERE, OUT, ROOT, function_of


@cache
def functions(path):
    return {
        n.name
        for n in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(n, ast.FunctionDef)
    }


def test_every_quick_test_exists():
    lines = (HERE / "quick.txt").read_text("utf-8").split()
    assert lines == sorted(set(lines))
    for line in lines:
        file, *names = line.partition("[")[0].split("::")
        assert set(names) <= functions(ROOT / file), line


def test_every_module_of_the_core_is_mutated_or_left_out_for_a_reason():
    assert {*CORE, *OUT} == {path.stem for path in (ROOT / "stablib").glob("*.py")}
    assert not {*CORE} & {*OUT} and all(OUT.values())


def test_every_argued_replacement_has_a_reason_and_a_place():
    for rule in tomllib.loads((HERE / "equivalent.toml").read_text("utf-8"))["argued"]:
        assert rule["because"] and ("pattern" in rule) != ("functions" in rule)
        for function in rule.get("functions", ()):
            module, name = function.split(".", 1)
            assert name.rpartition(".")[2] in functions(ROOT / "stablib" / f"{module}.py"), function
        if "functions" in rule:
            continue
        texts = [
            (ROOT / "stablib" / f"{m}.py").read_text("utf-8") for m in rule.get("modules", CORE)
        ]
        assert any(
            re.search(rule["pattern"], line) for text in texts for line in text.splitlines()
        ), rule


def test_the_function_of_a_mutant_is_read_from_its_name():
    assert function_of("stablib.meeting.xǁMeetingǁ_start__mutmut_2") == "meeting.Meeting._start"
    assert function_of("stablib.flattest.x__newton__mutmut_11") == "flattest._newton"
    assert function_of("stablib.norms.x_r_norm__mutmut_1") == "norms.r_norm"
