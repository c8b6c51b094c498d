"""Cheap runs for the tests of the store: they write down that they were executed."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from stablib.training import Spec, Sweep, sweep


@dataclass(frozen=True)
class Toy(Spec):
    step_size: float
    log: str
    data_seed: int = 0
    seed: int = 0
    seconds: float = 0.0
    reason: str = "tolerance"

    def labels(self):
        return {"step_size": self.step_size, "data_seed": self.data_seed, "seed": self.seed}

    def columns(self):
        return {
            "step_size": float,
            "data_seed": int,
            "seed": int,
            "reason": str,
            "root": float,
            "maybe": float,
        }

    def execute(self):
        with Path(self.log).open("a") as log:
            log.write(self.hash + "\n")
        time.sleep(self.seconds)
        if self.reason == "fails":
            raise ArithmeticError("the toy is broken")
        row = {"reason": self.reason, "root": self.step_size**0.5, "maybe": None}
        w = np.array([self.step_size])
        arrays = {"W1": w[:, None], "b1": w, "w2": w, "b2": w[0], "X": np.ones((1, 1)), "y": w}
        return self.labels() | row, arrays


def executed(log):
    """Hashes in the order in which the runs were executed."""
    return Path(log).read_text().split() if Path(log).exists() else []


if __name__ == "__main__":
    root, log, runs = sys.argv[1:]
    base = Toy(step_size=1.0, log=log, seconds=0.1)
    sweep(Sweep.grid("toy", base, networks={}, seed=range(int(runs))), root=root, progress=False)
