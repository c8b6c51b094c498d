"""The quick tests, and the arguments about mutants, name what there is; the run itself takes an hour."""

import ast
import re
import tomllib
from functools import cache

from tests.mutation.__main__ import CORE, HERE, OUT, ROOT


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
        assert rule["because"] and re.compile(rule["pattern"])
        texts = [
            (ROOT / "stablib" / f"{m}.py").read_text("utf-8") for m in rule.get("modules", CORE)
        ]
        assert any(
            re.search(rule["pattern"], line) for text in texts for line in text.splitlines()
        ), rule
