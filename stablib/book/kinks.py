"""The critical step size eta*: predicted from one run with a small step, then bracketed by bisection."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from stablib.training import Sweep, Table, TrainingRun, sweep

from .controls import base
from .specs import SEEDS

# Halvings of the bracket, and how far the sharpness may be from the small step's on the flat branch, as a
# share. Beyond eta* it follows 2/eta, so that this is also how far beyond it a run may go unnoticed.
# Batches bend the branch itself: by 5 % at half of eta* already.
ROUNDS = {"fig4": 8, "fig8": 5}
FLAT = {"fig4": 0.01, "fig8": 0.1}
KINKS = ("fig4_kink", "fig8_kink")  # the tables of these runs


def small_step(name: str, scale: float, seed: int) -> TrainingRun:
    """The run from which eta* is predicted."""
    step_size = {
        "fig4": {1.0: 0.02, 3.0: 0.01, 10.0: 0.002},
        "fig8": {1.0: 0.01, 5.0: 0.002, 10.0: 0.0005, 15.0: 0.0005},
    }
    run = replace(base(name), scale=scale, seed=seed, step_size=step_size[name][scale])
    # From a small start the loss is below 1e-8 before a long warm-up ends, and a step size that is too large
    # has no time to show it.
    return replace(run, warmup=0) if (name, scale) == ("fig4", 1.0) else run


STARTS = tuple(
    (name, scale, seed)
    for name, scales, seeds in (
        ("fig4", (1.0, 3.0, 10.0), SEEDS),
        ("fig8", (1.0, 5.0, 10.0, 15.0), (0,)),
    )
    for scale in scales
    for seed in seeds
)


def eta_star(
    root: str | Path | None = None,
    progress: bool = True,
    anew: bool = False,
    starts: Iterable[tuple[str, float, int]] = STARTS,
) -> Table:
    """Predicted and bracketed critical step sizes, one row a start.

    The prediction is 2/sharpness of the run with the small step. The bracket begins at half and at twice
    that, and is halved, in the logarithm, by one run a round: a run whose sharpness is within 1 % of the
    small step's (10 % with batches) is below eta*, any other above.

    Args:
        root: the folder of `results` and `_runs`, as for `sweep`.
        progress: whether bars count the runs.
        anew: pass over the tables that are there.
        starts: experiment, scale and seed of each row.

    Returns:
        Columns experiment, scale, seed, sharpness (of the small step), predicted, low and high.
    """
    starts = list(starts)
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys(start[0] for start in starts):
        own = [small_step(*start) for start in starts if start[0] == name]
        runs = list(own)

        def known(runs: list[TrainingRun], name: str = name) -> dict[str, dict[str, Any]]:
            table = sweep(
                Sweep(f"{name}_kink", tuple(runs)), root=root, progress=progress, anew=anew
            )
            return {row["hash"]: row for row in table}

        table = known(runs)
        tops = [table[run.hash]["sharpness"] for run in own]
        brackets = [[1 / top, 4 / top] for top in tops]
        for _ in range(ROUNDS[name]):
            trials = [
                replace(run, step_size=float(f"{np.sqrt(low * high):.6g}"))
                for run, (low, high) in zip(own, brackets, strict=True)
            ]
            runs += trials
            table = known(runs)
            for trial, top, bracket in zip(trials, tops, brackets, strict=True):
                reached = table[trial.hash]["sharpness"]
                flat = reached is not None and abs(reached / top - 1) <= FLAT[name]
                bracket[0 if flat else 1] = trial.step_size
        for run, top, (low, high) in zip(own, tops, brackets, strict=True):
            rows.append(
                {
                    "experiment": name,
                    "scale": run.scale,
                    "seed": run.seed,
                    "sharpness": top,
                    "predicted": 2 / top,
                    "low": low,
                    "high": high,
                }
            )
    kinds: dict[str, type] = {"experiment": str, "scale": float, "seed": int}
    return Table(rows, kinds | dict.fromkeys(("sharpness", "predicted", "low", "high"), float))
