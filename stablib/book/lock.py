"""requirements.in, compiled into requirements.txt: every package, direct or not, at one version."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

# An index or a folder of wheels on one machine is of no use on another, so none is written down.
COMMAND = (
    "pip",
    "compile",
    "--quiet",
    "--python-version=3.11",
    "--no-emit-index-url",
    "--no-emit-find-links",
    "--custom-compile-command=make lock",
)


# What torch's CUDA build asks for on top; its CPU build, which is enough here, knows none of it.
CUDA = re.compile(r"(?m)^(?:(?:cuda|nvidia)-[\w-]+|triton)==\S+\n(?: +#.*\n?)*")


def portable(text: str) -> str:
    """Drop what is right on one machine only: local versions (2.13.0+cpu), and packages for CUDA.

    Example:
        >>> portable("numpy==2.4.6\\nnvidia-nvtx==13.0\\n    # via torch\\ntorch==2.13.0+cpu")
        'numpy==2.4.6\\ntorch==2.13.0'
    """
    return CUDA.sub("", re.sub(r"(?m)^([\w.-]+==[^\s+;]+)\+[\w.]+", r"\1", text))


def lock(root: Path, arguments: list[str], say: Callable[[str], object] = print) -> int:
    """Compile root/requirements.in; versions that still fit stay as they are.

    Args:
        root: the checkout.
        arguments: more of uv's own, such as --upgrade.
        say: where progress goes.

    Returns:
        uv's exit code; requirements.txt changes only when that is 0.
    """
    target, temporary = root / "requirements.txt", root / "requirements.txt.tmp"
    if target.exists():
        temporary.write_bytes(target.read_bytes())
    say("Compiling requirements.in ...")
    command = [sys.executable, "-m", "uv", *COMMAND, *arguments, "requirements.in"]
    try:
        code = subprocess.call([*command, "--output-file", temporary.name], cwd=root)
        if code == 0:
            temporary.write_text(portable(temporary.read_text("utf-8")), "utf-8", newline="\n")
            os.replace(temporary, target)
            say(f"{target.name} is up to date; the next command installs what changed in it.")
    finally:
        temporary.unlink(missing_ok=True)
    return code
