"""Ask for the table of a sweep: what is known is read, what is missing is computed."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from types import NoneType
from typing import Any

import numpy as np
from joblib import Parallel, delayed, parallel_config
from joblib.parallel import get_active_backend

import stablib

from .bars import SteadyBar
from .files import read_csv, read_networks
from .grids import Sweep
from .specs import ENGINE, Spec
from .store import Store
from .table import Table
from .turns import end_with, turn

JOBS = 2  # at a time, where joblib.parallel_config says nothing


def sweep(
    spec: Sweep, *, root: str | Path | None = None, progress: bool = True, anew: bool = False
) -> Table:
    """The table of a sweep.

    Rows are known by the hash of their run: those in results/NAME.csv or in _runs/NAME are read, and
    only the missing ones are computed, by joblib with the backend of `joblib.parallel_config` (two
    local processes if none is set). A run is stored the moment it ends, so that a sweep that was
    killed goes on where it stopped. A table that has gained rows is written at the end; rows of other
    runs that were in it stay. Of two processes that compute the same table, the second waits for the
    first, says so, and then computes what is left; who only reads waits for nobody.

    Args:
        spec: the runs, and the name of the table.
        root: the folder of `results` and `_runs`; by default the checkout that stablib was imported
            from, or else the current folder.
        progress: whether a bar counts the runs, if there is something to compute.
        anew: pass over the table that is there, and let the new one have no other rows than these.

    Returns:
        The rows of these runs, sorted, with the stored networks among them.

    Raises:
        ValueError: if a table, its sidecar or a file of networks in `results` cannot be read, or if the
            table was changed after it was written; all of them are left as they are.
        RuntimeError: if a run fails; it is named, and the finished ones are kept.
        OSError: if something is missing in a table of a folder that cannot be written to, before
            anything is computed; or if the disk is full.

    Source: Section 6; the tables' columns are described in results/README.md.
    """
    if not isinstance(spec, Sweep):
        raise ValueError(f"spec is {type(spec).__name__}; a Sweep is needed")
    if not isinstance(root, (str, Path, NoneType)):
        raise ValueError(f"root is {type(root).__name__}; the path of a folder is needed")
    store = Store(home() if root is None else Path(root), spec.name)
    store.sweep_up()
    if not anew and (table := _swept(store, spec, anew, progress, reading=True)) is not None:
        return table
    with turn(store.turn, f"the table {spec.name}", _tell):
        store.check_writable()
        return _swept(store, spec, anew, progress)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _swept(
    store: Store, spec: Sweep, anew: bool, progress: bool, reading: bool = False
) -> Table | None:
    """The table of a sweep; None if it is not there as it should be and one may only read."""
    kinds = {"hash": str} | spec.runs[0].columns()
    wanted = {run.hash: run for run in spec.runs}

    listed = {} if anew else read_csv(store.table, kinds)
    engine, histories = (ENGINE, {}) if anew else store.history()
    if engine not in (ENGINE, None):
        listed, histories = {}, {}  # no run of today has the hash of one of these rows
    if store.networks.exists():
        read_networks(store.networks, set())  # better refused now than after hours
    rows = {hash: row for hash, row in listed.items() if row.keys() == kinds.keys()}
    if reading and not wanted.keys() <= rows.keys():
        return None
    for hash in wanted.keys() - rows.keys():
        record = store.load(hash, kinds)
        if record and kinds.keys() <= {"hash", *record["row"]}:
            _enter(record, rows, histories, kinds)
    missing = {hash: (listed.get(hash), histories.get(hash)) for hash in wanted if hash not in rows}
    for record in _compute(store, wanted, missing, progress):
        _enter(record, rows, histories, kinds)

    tabled = {hash for hash in rows if rows[hash] is listed.get(hash)}
    kept = _kept(spec, rows, wanted, tabled, store) if spec.networks is not None else []
    lost = {hash: None for hash in kept if store.arrays(rows[hash], hash in tabled) is None}
    if reading and lost:
        return None
    for record in _compute(store, wanted, lost, progress):
        _enter(record, rows, histories, kinds)
    tabled -= lost.keys()

    order = list(spec.runs[0].labels())
    table = _sorted(rows.values(), order)
    whole = store.table.exists() and not store.writing.exists()
    if lost or rows.keys() != listed.keys() or len(tabled) < len(rows) or not whole:
        if reading:
            return None
        about = {"engine": ENGINE, "stablib": stablib.__version__}
        store.write_table(table, list(kinds), histories, about)
    if spec.networks is not None:
        stored = read_networks(store.networks, set(kept)) if store.networks.exists() else {}
        if list(stored) != kept or not tabled.issuperset(kept) or len(stored) < store.kept():
            if reading:
                return None
            store.write_networks({h: store.arrays(rows[h], h in tabled) for h in kept})
    return Table([row for row in table if row["hash"] in wanted], kinds, store.networks)


def home() -> Path:
    """The checkout that stablib was imported from, if there is one, or the current folder."""
    checkout = Path(stablib.__file__).resolve().parents[1]
    return checkout if (checkout / "pyproject.toml").exists() else Path.cwd()


def _enter(
    record: Mapping[str, Any],
    rows: dict[str, dict[str, Any]],
    histories: dict[str, dict[str, Any]],
    kinds: Mapping[str, type],
) -> None:
    hash, row = record["hash"], record["row"]
    rows[hash] = {"hash": hash} | {name: row[name] for name in kinds if name != "hash"}
    histories[hash] = {name: record[name] for name in ("spec", "seconds", "environment")}


def _compute(
    store: Store, wanted: Mapping[str, Spec], missing: Mapping[str, Any], progress: bool
) -> Iterable[dict[str, Any]]:
    """Records of the missing runs, each as it ends."""
    if not missing:
        return
    asking = os.getpid()
    calls = [
        delayed(_finish)(store, wanted[hash], known, asking) for hash, known in missing.items()
    ]
    backend, jobs = get_active_backend()
    options: dict[str, Any] = {"batch_size": 1, "return_as": "generator_unordered"}
    if jobs is None and type(backend).__name__ == "LokyBackend":
        # Nothing was configured. One thread each: the sums of a matrix product, and so the last digits
        # of a run, depend on the number of threads.
        guarded = {"initializer": end_with, "initargs": (asking,)}
        with parallel_config("loky", n_jobs=JOBS, inner_max_num_threads=1, **guarded):
            ended = Parallel(**options)(calls)
    else:
        if not backend.supports_return_generator:
            options["return_as"] = "list"
        ended = Parallel(**options)(calls)
    bar = SteadyBar(
        total=len(wanted),
        initial=len(wanted) - len(missing),
        desc=store.name,
        unit="run",
        smoothing=0,  # runs differ a hundredfold: the time left is told by all of them, not the last
        disable=not progress,
    )
    with bar:
        for record, arrays in ended:
            if not store.run_path(record["hash"]).exists():  # computed where there is another disk
                store.save(record, arrays)
            bar.update()
            yield record


def _finish(
    store: Store, run: Spec, known: Any, asking: int | None = None
) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Complete a row from stored arrays, or run; store the result at once.

    `known` is the row in the table, if there is one, and its history; None asks for a run in any case.
    `asking` is the process that wants it.
    """
    if os.getppid() == asking:
        end_with(asking)
    row, story, arrays = None, None, None
    if known is not None:
        old, story = known
        if old is None and (record := store.load(run.hash, run.columns())):
            row, story = {"hash": run.hash} | record["row"], record
            arrays = store.arrays(row, tabled=False)
        elif old is not None:
            row, arrays = old, store.arrays(old, tabled=True)
        row = run.complete(row, arrays) if row else None
    if row is None or story is None:
        began = time.perf_counter()
        try:
            row, arrays = run.execute()
        except Exception as error:
            what = ", ".join(f"{name}={value}" for name, value in run.canonical().items())
            raise RuntimeError(
                f"run {run.hash} of {store.name} failed ({what}): {error}"
            ) from error
        seconds = round(time.perf_counter() - began, 3)
        story = {"seconds": seconds, "environment": environment()}
    record = {
        "hash": run.hash,
        "engine": ENGINE,
        "spec": run.canonical(),
        "seconds": story["seconds"],
        "environment": story["environment"],
        "row": {name: cell for name, cell in row.items() if name != "hash"},
    }
    return store.save(record, arrays or {}), arrays or {}


def environment() -> dict[str, Any]:
    """What a result may depend on: versions, processor, operating system."""
    processor = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
        processor = next(
            line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")
        )
    except (OSError, StopIteration, IndexError):
        pass
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in ("numpy", "scipy", "numba")},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": processor,
        "cores": os.cpu_count(),
    }


def _sorted(rows: Iterable[dict[str, Any]], order: list[str]) -> list[dict[str, Any]]:
    def key(row: Mapping[str, Any]) -> list[tuple[bool, Any]]:
        return [(row[name] is not None, row[name]) for name in (*order, "hash")]

    return sorted(rows, key=key)


def _kept(
    spec: Sweep,
    rows: Mapping[str, dict[str, Any]],
    wanted: Mapping[str, Spec],
    tabled: set[str],
    store: Store,
) -> list[str]:
    """Hashes of the networks to keep: per step size, the converged run of the smallest seeds."""
    best: dict[float, str] = {}
    for row in _sorted(rows.values(), ["step_size", "data_seed", "seed"]):
        hash, step_size = row["hash"], row["step_size"]
        candidate = all(row[name] == value for name, value in spec.networks.items())
        if step_size in best or row["reason"] != "tolerance" or not candidate:
            continue
        if hash in wanted or store.arrays(row, hash in tabled) is not None:
            best[step_size] = hash
    return list(best.values())
