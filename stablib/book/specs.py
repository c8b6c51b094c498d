"""The book's own experiments: the runs behind every table in results/."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from stablib.training import Sweep, Table, TrainingRun, sweep
from stablib.training.sweeps import home

# Chapter 00: twelve Gaussian points in the plane with labels of pure noise, one start, eight step sizes.
OVERVIEW = Sweep.grid(
    "overview",
    TrainingRun(
        data="gaussian", n=12, d=2, k=100, step_size=0.1, scale=4.0, warmup=2_000, limit=600_000
    ),
    networks={},
    step_size=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.4),
)

# Fig. 5, Section 6: MNIST 0 against 1 at the paper's sizes. The paper leaves the initialisation open but
# for "about 10 times larger than standard methods" (App. N); FIG5_STARTS shows why this one was taken.
_MNIST = TrainingRun(
    data="mnist01",
    n=512,
    k=200,
    step_size=0.02,
    batch_size=16,
    scheme="torch",
    scale=10.0,
    warmup=100,
    patience=2000,
    limit=100_000,
    dtype="float32",
)
FIG5 = Sweep.grid(
    "fig5",
    _MNIST,
    networks={"batch_size": 16, "sampling": "uniform"},
    step_size=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2),
)

# The same run from six starts, stopped after 20,000 epochs at the latest.
FIG5_STARTS = Sweep(
    "fig5_starts",
    tuple(
        replace(_MNIST, scheme=scheme, scale=scale, warmup=warmup, limit=20_000)
        for scheme in ("torch", "he")
        for scale, warmup in ((1.0, 100), (10.0, 100), (10.0, 0))
    ),
)

SWEEPS = (OVERVIEW, FIG5, FIG5_STARTS)


def run_all(progress: bool = True, *, root: str | Path | None = None) -> dict[str, Table]:
    """Compute all tables of the book from nothing; if that was interrupted, go on where it stopped.

    The tables in results/ are not read, and are replaced one by one as their sweeps end. What earlier
    sweeps left in _runs is removed first, unless it belongs to an interrupted call of this function.

    Args:
        progress: whether bars count the runs.
        root: the folder of `results` and `_runs`, as for `sweep`.

    Returns:
        The tables by name.

    Raises:
        RuntimeError: if a run fails; it is named, and the finished ones are kept.
    """
    folder = (home() if root is None else Path(root)) / "_runs"
    begun = folder / "all_from_nothing"
    if not begun.exists():
        for spec in SWEEPS:
            if (folder / spec.name).exists():
                shutil.rmtree(folder / spec.name)
        folder.mkdir(parents=True, exist_ok=True)
        begun.touch()
    tables = {spec.name: sweep(spec, root=root, progress=progress, anew=True) for spec in SWEEPS}
    begun.unlink(missing_ok=True)
    return tables
