"""What is known without measuring again: the seconds of stored runs, of `make book` and of `make test`."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from turns import row

from stablib.book.commands import SECONDS
from stablib.book.environment import ROOT

FIGURES = ("fig4", "fig5", "fig8")
# The largest of the runs: SGD on MNIST, measured as the tables measure it, after a few epochs.
RUN = """
from dataclasses import replace
from pathlib import Path
from stablib.book.specs import MNIST
replace(MNIST, patience=0, limit=50).execute()
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def figures() -> list[dict[str, Any]]:
    """The runs of Figures 4, 5 and 8, from their tables: the sum of their seconds, on two cores at a time."""
    runs = {}
    for name in FIGURES:
        runs |= json.loads((ROOT / "results" / f"{name}.json").read_text("utf-8"))["runs"]
    seconds = sum(run["seconds"] for run in runs.values()) / 2
    what = "Figures 4, 5 and 8 from nothing"
    size = f"{len(runs)} runs on two cores"
    note = "from the runs' own records"
    limit = "a limit of 60 min"
    return [row("figures", what, size, limit, [seconds], [3600.0], at_least=1, note=note)]


def commands(before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """`make book` and `make test` as they last ran here, whole; if they did not, what was known before."""
    known = {row["id"]: row for row in before}
    path = ROOT / SECONDS
    took = json.loads(path.read_text("utf-8")) if path.exists() else {}
    rows = []
    for name, what, minutes in (
        ("book", "`make book`, results stored", 10),
        ("test", "`make test`, every check", 20),
    ):
        if name in took:
            limit = f"a limit of {minutes} min"
            size = f"{took[name]['cores']} cores"
            ours = [took[name]["seconds"]]
            rows.append(row(name, what, size, limit, ours, [60.0 * minutes], at_least=1))
        elif name in known:
            rows.append(known[name])
    return rows


def peak_memory() -> float:
    """GB of two runs at once, as a sweep makes them on two cores: the most that one holds, twice; on Linux.

    Not ru_maxrss: a process inherits that from the one that starts it.
    """
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=True)
    return 2 * int(done.stdout.split()[-1]) * 1024 / 1e9
