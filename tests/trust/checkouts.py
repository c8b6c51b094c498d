"""A checkout of its own with a few small chapters, for tests of what may befall one."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from stablib.book.environment import ROOT

# As `make` calls it: a process that only waits, and in it the one that works.
OUTER = """
import signal, sys
from types import SimpleNamespace
from stablib.book.environment import ROOT, run_inside
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(run_inside(SimpleNamespace(root=ROOT, python=sys.executable), sys.argv[1:]))
"""
INNER = """
import sys
sys.path.insert(0, {root!r})
from stablib.book.commands import run
sys.exit(run(sys.argv[1], sys.argv[2:]))
"""


def make(root, chapters):
    """Copy the library to `root`, with chapters by name, their texts; return `root`."""
    leave = shutil.ignore_patterns("__pycache__", "*.npz")
    shutil.copytree(ROOT / "stablib", root / "stablib", ignore=leave)
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, root / name)
    (root / "chapters").mkdir()
    for name, text in chapters.items():
        (root / "chapters" / f"{name}.md").write_text(text, "utf-8")
    return root


def start(root, *arguments, **options):
    """Start a command in a checkout, in a group of processes of its own."""
    (root / "stablib/book/__main__.py").write_text(INNER.format(root=str(root)), "utf-8")
    return python(root, "-c", OUTER, *arguments, start_new_session=True, **options)


def python(root, *arguments, env=(), **options):
    """Start Python with the library of a checkout."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), **dict(env)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def without_privileges():
    """Give up, before a program is started, root's right to write where nobody may (Linux)."""
    import ctypes

    if os.name == "posix" and os.geteuid() == 0:
        libc = ctypes.CDLL(None, use_errno=True)
        for privilege in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
            if libc.prctl(24, privilege, 0, 0, 0):  # PR_CAPBSET_DROP
                raise OSError(ctypes.get_errno(), "prctl")


def lock_up(root):
    """Take away the permission to write anything under `root`."""
    for path in [*Path(root).rglob("*"), Path(root)]:
        path.chmod(path.stat().st_mode & ~0o222)


def unlock(root):
    """Give it back, so that the folder can be removed."""
    for path in [Path(root), *Path(root).rglob("*")]:
        path.chmod(path.stat().st_mode | 0o200)
