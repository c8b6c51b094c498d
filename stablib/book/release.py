"""A release: the wheel and the source archive of a tagged commit, after a look at what must agree."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from stablib.book.environment import ROOT


def problems(root: Path = ROOT) -> list[str]:
    """What keeps this checkout from being a release, one sentence each.

    Args:
        root: the checkout, with its __init__.py, CHANGELOG.md and CITATION.cff.
    """
    source = (root / "stablib" / "__init__.py").read_text("utf-8")
    found = re.search(r'^__version__ = "([^"]+)"', source, re.MULTILINE)
    version = found[1] if found else "unknown"
    said = []
    if _git(root, "status", "--porcelain"):
        said.append("there are changes that are not committed; commit them, or put them aside")
    tags = _git(root, "tag", "--points-at", "HEAD").split()
    if f"v{version}" not in tags:
        there = f"it has {', '.join(tags)}" if tags else "it has none"
        said.append(f"this commit needs the tag v{version} (`git tag v{version}`); {there}")
    if not re.search(rf"^## {re.escape(version)}\b", _text(root / "CHANGELOG.md"), re.MULTILINE):
        said.append(f"CHANGELOG.md has no part for version {version}")
    if not re.search(
        rf"^version: [\"']?{re.escape(version)}[\"']?$", _text(root / "CITATION.cff"), re.MULTILINE
    ):
        said.append(f"CITATION.cff does not cite version {version}")
    return said


def release(say: Callable[[str], object] = print, root: Path = ROOT) -> int:
    """Build the archives of this commit into _build/release, or say what is missing; the exit code.

    Args:
        say: where progress goes.
        root: the checkout.
    """
    said = problems(root)
    if said:
        say("\n".join(["This is no release yet:", *(f"  {line}" for line in said)]))
        return 1
    folder = root / "_build" / "release"
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    code = subprocess.call(command, cwd=root)
    if code == 0:
        say(f"The wheel and the source archive are in {folder}")
    return code


def _git(root: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def _text(path: Path) -> str:
    return path.read_text("utf-8") if path.exists() else ""
