"""All tables of the book, and how they are computed from nothing."""

from __future__ import annotations

import shutil
from pathlib import Path

from stablib.training import Sweep, Table, sweep
from stablib.training.sweeps import home
from stablib.training.turns import turn

from .approximation import APPROXIMATION
from .controls import CONTROLS
from .fits import FITS
from .kinks import KINKS, eta_star
from .specs import MAIN

SWEEPS = (*MAIN, *CONTROLS)  # of training runs
OTHERS = (FITS, APPROXIMATION)  # of another kind, with columns of their own


def named(name: str) -> Sweep:
    """The sweep behind a table.

    Raises:
        ValueError: if the book has no such table.
    """
    for spec in (*SWEEPS, *OTHERS):
        if spec.name == name:
            return spec
    names = ", ".join(spec.name for spec in (*SWEEPS, *OTHERS))
    raise ValueError(f"name is {name!r}; one of {names} is needed")


def run_all(progress: bool = True, *, root: str | Path | None = None) -> dict[str, Table]:
    """Compute all tables of the book from nothing; if that was interrupted, go on where it stopped.

    The tables in results/ are not read, and are replaced one by one as their sweeps end. What earlier
    sweeps left in _runs is removed first, unless it belongs to a call of this function that was
    interrupted, or that is at work in another process: the two then share it, table by table.

    Args:
        progress: whether bars count the runs.
        root: the folder of `results` and `_runs`, as for `sweep`.

    Returns:
        The tables by name.

    Raises:
        RuntimeError: if a run fails; it is named, and the finished ones are kept.
    """
    every = (*SWEEPS, *OTHERS)
    folder = (home() if root is None else Path(root)) / "_runs"
    begun = folder / "all_from_nothing"
    with turn(folder / ".all.turn", "all tables", print):
        if not begun.exists():
            for name in (*(spec.name for spec in every), *KINKS):
                with turn(folder / f".{name}.turn", f"the table {name}", print):
                    shutil.rmtree(folder / name, ignore_errors=True)
            begun.touch()
    tables = {spec.name: sweep(spec, root=root, progress=progress, anew=True) for spec in every}
    eta_star(root, progress, anew=True)
    begun.unlink(missing_ok=True)
    return tables
