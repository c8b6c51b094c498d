"""`python -m tests.mutation`: break the core in thousands of ways, and count which the quick tests notice."""

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections import Counter, defaultdict
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BUILD = ROOT / "_build" / "mutants"
TOOL = BUILD / "tool"
WORK = BUILD / "work"
CORE = [
    "anywidth",
    "bounds",
    "canonical",
    "cells",
    "checks",
    "conic",
    "curvature",
    "equivalents",
    "flattest",
    "given",
    "hessian",
    "linearized",
    "meansquare",
    "meeting",
    "memorising",
    "network",
    "norms",
    "pairs",
    "planes",
    "sides",
    "small_batch",
    "stability",
    "univariate",
    "weights",
]
OUT = {
    "__init__": "names alone",
    "__main__": "the command line: words",
    "diagnosis": "asks the core, and puts the answers into one report",
    "findings": "the records of that report",
    "links": "the sentences and links of its chain",
    "report": "its text and its page",
    "waterfall": "its picture",
    "jit": "hands loops to Numba",
    "palette": "colours",
    "modules": "reads torch modules: its tests need torch, which takes seconds to import",
}
# Sentences of errors are not broken: tests say what a sentence must name, not how.
SETTINGS = """
[tool.mutmut]
source_paths = ["stablib"]
do_not_mutate_patterns = ['raise \\w+\\(', '^\\s*f?"']
"""


def main(arguments):
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    parser.add_argument("--only", default="*", metavar="PATTERN", help="such as 'stablib.norms.*'")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth mutant alone")
    chosen = parser.parse_args(arguments)
    install()
    prepare()
    code = run(chosen.only, chosen.every)
    if code == 0:
        verdicts = json.loads((BUILD / "verdicts.json").read_text())
        print("\n".join(table(verdicts, argued())))
        print("\n".join(survivors(verdicts, argued())))
    return code


def install():
    """Put mutmut beside the environment, once: the book does not need it."""
    wanted = (HERE / "requirements.txt").read_bytes()
    stamp = TOOL / "requirements.txt"
    if stamp.exists() and stamp.read_bytes() == wanted:
        return
    shutil.rmtree(TOOL, ignore_errors=True)
    pip = [sys.executable, "-m", "uv", "pip", "install", "--no-deps", "--target", str(TOOL)]
    subprocess.run([*pip, "-r", str(HERE / "requirements.txt")], check=True)
    stamp.write_bytes(wanted)


def prepare():
    """A copy of library and tests in which every function of the core has its mutants beside it."""
    shutil.rmtree(WORK, ignore_errors=True)
    for folder in ("stablib", "tests"):
        shutil.copytree(ROOT / folder, WORK / folder, ignore=shutil.ignore_patterns("__pycache__"))
    settings = (ROOT / "pyproject.toml").read_text("utf-8") + SETTINGS
    (WORK / "pyproject.toml").write_text(settings, "utf-8")
    sys.path.append(str(TOOL))
    os.chdir(WORK)
    from mutmut.mutation.file_mutation import mutate_file_contents

    names = []
    for module in CORE:
        path = WORK / "stablib" / f"{module}.py"
        made = mutate_file_contents(f"stablib/{module}.py", path.read_text("utf-8"))
        path.write_text(made.code, "utf-8")
        names += [f"stablib.{module}.{name}" for name in made.mutant_names]
    (WORK / "names.txt").write_text("\n".join(names) + "\n", "utf-8")


def run(only, every):
    """Run the quick tests against the mutants; return pytest's exit code."""
    one = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"), "1")
    path = os.pathsep.join([str(WORK), str(TOOL)])
    # Else pytest looks for its settings above the file of verdicts, and finds the library unchanged.
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "-q"]
    command += ["-p", "tests.mutation.forks"]
    command += ["-W", "error::RuntimeWarning"]  # an overflow that is not said is a fault
    command += ["-p", "no:logging", "-p", "no:cacheprovider"]
    command += ["@tests/mutation/quick.txt", "--names", "names.txt"]
    command += ["--mutants", str(BUILD / "verdicts.json"), "--only", only, "--every", str(every)]
    return subprocess.call(command, cwd=WORK, env={**os.environ, **one, "PYTHONPATH": path})


def argued():
    """Replacements that change nothing that is promised, each with a reason."""
    return tomllib.loads((HERE / "equivalent.toml").read_text("utf-8"))["argued"]


def table(verdicts, rules):
    """Lines of a table, one per module, and the score."""
    counts = defaultdict(Counter)
    for name, verdict in verdicts.items():
        alive = verdict in ("survived", "untested")
        kind = ("argued" if is_argued(name, rules) else "survived") if alive else "killed"
        counts[name.split(".")[1]][kind] += 1
    lines = ["| module | mutants | killed | survived | argued |", "|---|---|---|---|---|"]
    whole = sum(counts.values(), Counter())
    for module, c in [*sorted(counts.items()), ("all", whole)]:
        lines.append(
            f"| {module} | {c.total()} | {c['killed']} | {c['survived']} | {c['argued']} |"
        )
    score = whole["killed"] / max(1, whole.total() - whole["argued"])
    raw = whole["killed"] / max(1, whole.total())
    return [*lines, "", f"killed: {score:.1%} of what is not argued away, {raw:.1%} of all"]


def survivors(verdicts, rules):
    """What nothing noticed and nobody argued for: names, and the line before and after."""
    for name, verdict in verdicts.items():
        if verdict in ("survived", "untested") and not is_argued(name, rules):
            old, new = changed(name)
            yield f"{name}\n    - {old}\n    + {new}"


def is_argued(name, rules):
    """Whether one replacement that is argued for leads from the line to its mutant, or its function is."""
    module, (old, new) = name.split(".")[1], changed(name)
    if any(function_of(name) in rule.get("functions", ()) for rule in rules):
        return True
    return any(
        old[: found.start()] + found.expand(rule["becomes"]) + old[found.end() :] == new
        for rule in rules
        if "pattern" in rule and module in rule.get("modules", [module])
        for found in re.finditer(rule["pattern"], old)
    )


def function_of(name):
    """The function that a mutant is one of, such as meeting.Meeting.prove."""
    module, inner = name.rpartition("__mutmut_")[0].split(".", 2)[1:]
    return f"{module}{inner[1:].replace('ǁ', '.')}" if "ǁ" in inner else f"{module}.{inner[2:]}"


def changed(name):
    """The line that a mutant changes, before and after."""
    module, function = name.split(".", 2)[1:]
    bodies = _bodies(module)
    before = bodies[function.rpartition("__mutmut_")[0] + "__mutmut_orig"]
    for old, new in zip(before, bodies[function], strict=False):
        if old != new and "__mutmut_" not in old:
            return old.strip(), new.strip()
    return "", ""


_FOUND = {}


def _bodies(module):
    if module not in _FOUND:
        text = (WORK / "stablib" / f"{module}.py").read_text("utf-8")
        lines = text.splitlines()
        _FOUND[module] = {
            node.name: lines[node.lineno - 1 : node.end_lineno]
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef)
        }
    return _FOUND[module]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
