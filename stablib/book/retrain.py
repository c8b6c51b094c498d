"""Train one row of a table again, from nothing, and hold it against what is stored."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..training.grids import Sweep
from ..training.table import Table

# Measured where training ended. Another processor rounds otherwise, and SGD then ends about 1 % away.
COMPARED = ("sharpness", "flattest", "stability_norm", "one_sided_norm", "weight_norm")


class Retrained(NamedTuple):
    """A fresh run beside the stored one: same reason to stop, and the largest relative difference."""

    reason: str
    same_reason: bool
    difference: float

    def __repr__(self) -> str:
        same = "as stored" if self.same_reason else "NOT as stored"
        return f"ended by {self.reason} ({same}); largest relative difference {self.difference:.4f}"


def retrain(spec: Sweep, table: Table) -> Retrained:
    """Run the only run of a sweep once more and compare it with its stored row.

    Args:
        spec: a sweep of one run, such as FIG5.only(step_size=0.2).
        table: the stored table with that row.

    Raises:
        ValueError: if the sweep has more than one run, or the table lacks its row.
    """
    if len(spec.runs) != 1:
        raise ValueError(f"the sweep has {len(spec.runs)} runs; one is needed, see Sweep.only")
    run = spec.runs[0]
    stored = next((row for row in table if row["hash"] == run.hash), None)
    if stored is None:
        raise ValueError(f"the table has no row {run.hash}; the run has not been stored")
    fresh, _ = run.execute()
    difference = max(abs(fresh[name] / stored[name] - 1) for name in COMPARED)
    return Retrained(
        fresh["reason"], fresh["reason"] == stored["reason"], float(np.round(difference, 4))
    )
