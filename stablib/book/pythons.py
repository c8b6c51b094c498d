"""The unit tests under the other versions of Python that a machine has; a step of `test-full`.

An environment is made for each, with what requirements.txt lists but torch, whose CUDA build weighs
gigabytes: the tests that need it are skipped there.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from stablib.book import pipeline
from stablib.book.environment import ROOT, interpreter

SUPPORTED = ((3, 11), (3, 12), (3, 13))


def others(supported: Iterable[tuple[int, int]] = SUPPORTED) -> dict[str, Path]:
    """The supported interpreters on the path that run, by version, but for the one that runs this.

    Args:
        supported: versions, such as (3, 12).
    """
    found = {}
    for major, minor in supported:
        name = f"{major}.{minor}"
        program = shutil.which(f"python{name}")
        if program and (major, minor) != sys.version_info[:2] and _says(program) == name:
            found[name] = Path(program)
    return found


def _says(program: str) -> str:
    # Some version managers leave a program of that name which only tells how to install it.
    asks = "import sys; print('{}.{}'.format(*sys.version_info))"
    answer = subprocess.run([program, "-c", asks], capture_output=True, text=True, check=False)
    return answer.stdout.strip()


def without_torch(requirements: str) -> str:
    """The lines of requirements.txt but torch.

    Example:
        >>> without_torch("sympy==1.14\\n    # via torch\\ntorch==2.13.0\\ntornado==6.5")
        'sympy==1.14\\n    # via torch\\ntornado==6.5'
    """
    return re.sub(r"(?m)^torch==.*\n", "", requirements)


def environment(version: str, program: Path, say: Callable[[str], object] = print) -> Path:
    """Make an environment of a version in _build/pythons, or complete it; return its interpreter.

    Args:
        version: such as "3.12".
        program: an interpreter of that version.
        say: where progress goes.

    Raises:
        RuntimeError: if that fails; pip's last words are named.
    """
    folder = pipeline.BUILD / "pythons" / version
    python = interpreter(folder)
    if not python.exists():
        say(f"Creating {folder} with {program} ...")
        _run([str(program), "-m", "venv", str(folder)])
    listed = folder / "requirements.txt"
    listed.write_text(without_torch((ROOT / "requirements.txt").read_text("utf-8")), "utf-8")
    say(f"Installing into {folder} what requirements.txt lists, but torch ...")
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    _run([*pip, "--requirement", str(listed)])
    _run([*pip, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    return python


def _run(command: list[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {(done.stdout + done.stderr)[-2000:]}")
