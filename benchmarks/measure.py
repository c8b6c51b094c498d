# ruff: noqa: E402 - the number of threads has to be set before any of the libraries is loaded
"""Measure every target side by side in one run, and write benchmarks/measured.json: `make bench`.

make bench                      everything, some minutes
make bench ARGS=commands        only take over how long `make book` and `make test` took
"""

from __future__ import annotations

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[_name] = "1"

import datetime
import json
import sys
import time
from importlib.metadata import version
from typing import Any

import numpy as np
import stages

import stablib
from stablib.book.measured import MEASURED, Measurements
from stablib.training.files import write_atomically
from stablib.training.sweeps import environment

PACKAGES = {
    "torch": "torch",
    "PyHessian": "PyHessian",
    "curvlinops": "curvlinops-for-pytorch",
    "cvxpy": "cvxpy",
    "Clarabel": "clarabel",
    "SCS": "scs",
    "scikit-image": "scikit-image",
}


def main(arguments: list[str]) -> int:
    before = json.loads(MEASURED.read_text("utf-8")) if MEASURED.exists() else {"rows": []}
    if arguments == ["commands"]:
        kept = [row for row in before["rows"] if row["id"] not in ("book", "test")]
        found = before | {"rows": kept + stages.commands(before["rows"])}
    elif arguments:
        print(f"measure.py takes no {' '.join(arguments)}: `commands`, or nothing")
        return 2
    else:
        found = everything(before["rows"])
    write_atomically(MEASURED, (json.dumps(found, indent=1) + "\n").encode())
    print(Measurements(found).text())
    return 0


def everything(before: list[dict[str, Any]]) -> dict[str, Any]:
    # Here, so that `commands` needs none of what we are compared with.
    import certificates
    import engines
    import growth
    import images
    import torch
    import weights

    torch.set_num_threads(1)
    started, load = time.monotonic(), os.getloadavg()[0]

    def say(what: str) -> None:
        print(f"{time.monotonic() - started:5.0f} s  {what} ...", flush=True)

    say("steps of descent")
    rows, facts = engines.descent()
    rows += engines.stochastic()
    say("sharpness")
    minima = certificates.at_loss_1e_8()
    rows += certificates.sharpness_of_minima(minima)
    profile = certificates.profile(minima[512])
    say("the weight")
    rows += weights.all_offsets()
    say("the flattest rescaling, and general solvers")
    more, known = certificates.flattest(minima)
    rows += more
    facts |= known
    say("thresholds")
    rows += certificates.thresholds(minima)
    say("the bound over all implementations")
    rows += certificates.bound()
    say("images")
    rows += images.transforms()
    rows += stages.figures() + stages.commands(before)
    say("memory")
    facts["memory"] = stages.peak_memory()
    say("growth")
    growing = growth.growth()
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    about = {
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d"),
        "stablib": stablib.__version__,
        **environment(),
        "BLAS": f"{blas['name']} {blas['version']}",
        **{name: version(package) for name, package in PACKAGES.items()},
        "load": [round(load, 1), round(os.getloadavg()[0], 1)],
        "seconds": round(time.monotonic() - started),
    }
    return {
        "environment": about,
        "facts": facts,
        "profile": profile,
        "rows": rows,
        "growth": growing,
    }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
