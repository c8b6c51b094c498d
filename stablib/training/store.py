"""Where results live: a file for every finished run, and from them tables that can be committed.

A run that ends is written at once to _runs/NAME/HASH.json (its arrays, before that, to HASH.npz), each
under a temporary name first and then renamed: any number of processes may write, a kill loses no
finished run, and no reader ever sees half a file. Tables are results/NAME.csv, with the story of
every row in results/NAME.json, and results/networks/NAME.npz. The .json keeps a digest of the .csv, so
that a table which was edited by hand or cut is named, and not taken for a result.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from .files import digest, read_csv, read_networks, to_csv, to_npz, write_atomically, write_if_new


class Store:
    """The files of one table under one root folder.

    Args:
        root: the folder that holds `results` and `_runs`.
        name: of the table.
    """

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self.table = root / "results" / f"{name}.csv"
        self.sidecar = root / "results" / f"{name}.json"
        self.networks = root / "results" / "networks" / f"{name}.npz"
        self.runs = root / "_runs" / name
        self.writing = self.runs / ".writing"  # there while a table and its sidecar are replaced
        self.turn = root / "_runs" / f".{name}.turn"  # of the process that computes and writes

    def check_writable(self) -> None:
        """Find out before anything is computed whether its result can be written."""
        for path in (self.run_path("check"), self.table, self.networks):
            path.parent.mkdir(parents=True, exist_ok=True)
            (trial := path.with_name(f".{path.name}.trial")).touch()
            trial.unlink(missing_ok=True)

    def sweep_up(self) -> None:
        """Remove the halves of files that killed processes left."""
        partials = [*self.runs.glob(".*.partial")]
        for file in (self.table, self.sidecar, self.networks):
            partials += file.parent.glob(f".{file.name}.*.partial")
        for partial in partials:
            with contextlib.suppress(OSError):  # another process may be doing the same
                age = time.time() - partial.stat().st_mtime
                # Writing takes a moment, not minutes. If a clock is wrong and it was no half, its
                # process writes it again.
                if abs(age) > 600:
                    partial.unlink()

    def run_path(self, hash: str) -> Path:
        """The file that says that a run is finished."""
        return self.runs / f"{hash}.json"

    def save(self, record: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> dict[str, Any]:
        """Keep a finished run: a record with hash, spec, row, seconds and environment, and arrays.

        Returns the record as it was written, infinite cells empty.
        """
        hash = record["hash"]
        row = {
            name: None if isinstance(cell, float) and not math.isfinite(cell) else cell
            for name, cell in record["row"].items()
        }
        if arrays:  # first, since the .json is what says that the run is finished
            write_atomically(self.runs / f"{hash}.npz", to_npz({hash: arrays}))
        record = {**record, "row": row}
        text = json.dumps(record, indent=1, allow_nan=False) + "\n"
        write_atomically(self.run_path(hash), text.encode())
        return record

    def load(self, hash: str, kinds: Mapping[str, type] | None = None) -> dict[str, Any] | None:
        """The record of a finished run; None if there is none. A broken file is named and passed over.

        `kinds` says of which type, str, int or float, a cell must be that is not empty.
        """
        path = self.run_path(hash)
        try:
            record = json.loads(path.read_bytes())
            if record["hash"] != hash:
                raise ValueError(f"it says that its hash is {record['hash']}")
            if not isinstance(record["row"], dict) or not isinstance(record["spec"], dict):
                raise ValueError("its row or its spec is no table of cells")
            float(record["seconds"]), dict(record["environment"])
            for name, kind in (kinds or {}).items():
                cell = record["row"].get(name)
                if type(cell) not in (kind, type(None)) and (kind, type(cell)) != (float, int):
                    raise ValueError(f"its row has {cell!r} in the column {name}")
        except FileNotFoundError:
            return None
        except (KeyError, TypeError, ValueError, OSError) as error:
            why = f"it has no entry {error}" if isinstance(error, KeyError) else error
            warnings.warn(f"{path} is no record of a run and is passed over: {why}", stacklevel=2)
            return None
        return record

    def arrays(self, row: Mapping[str, Any], tabled: bool) -> dict[str, np.ndarray] | None:
        """The arrays that a row was computed from; None if they were not kept.

        A row of the table may come from another machine than the run of the same hash in _runs, whose
        network then differs in the last digits: arrays are taken from there only if the rows agree.
        """
        hash, path = row["hash"], self.runs / f"{row['hash']}.npz"
        if tabled and self.networks.exists():
            found = read_networks(self.networks, {hash})
            if hash in found:
                return found[hash]
        record = self.load(hash) if path.exists() else None
        if record is None:
            return None
        for name in row.keys() & record["row"].keys() - {"hash"}:
            here, there = row[name], record["row"][name]
            if here != there and {here, there} != {None, ""}:  # a CSV knows no empty word
                return None
        try:
            return read_networks(path, {hash}).get(hash)
        except ValueError as error:
            warnings.warn(f"{error}; it is passed over", stacklevel=2)
            return None

    def history(self) -> tuple[Any, dict[str, dict[str, Any]]]:
        """What the sidecar says: the engine's number, and each row's spec, seconds and environment.

        Raises:
            ValueError: if it is no sidecar, or if the table is not as it was written with it; both files
                are left as they are.
        """
        try:
            sidecar = json.loads(read := self.sidecar.read_bytes())
            histories = {
                hash: {
                    "spec": dict(run["spec"]),
                    "seconds": float(run["seconds"]),
                    "environment": dict(sidecar["environments"][run["environment"]]),
                }
                for hash, run in sidecar["runs"].items()
            }
            engine, written = sidecar["engine"], sidecar.get("digest")
        except FileNotFoundError:
            return None, {}
        except (KeyError, IndexError, TypeError, AttributeError, ValueError, OSError) as error:
            why = f"it has no entry {error}" if isinstance(error, KeyError) else error
            raise ValueError(
                f"{self.sidecar} cannot be read as what is known of the rows of {self.table.name}: "
                f"{why}; restore it, or remove both files to have them written anew"
            ) from None
        # Older sidecars have no digest; and between the two files a process may have been killed.
        if written is None or not self.table.exists() or self.writing.exists():
            return engine, histories
        if digest(self.table.read_bytes()) != written:
            if self.sidecar.read_bytes() != read:  # both were replaced just now
                return self.history()
            rows = read_csv(self.table, {}).keys()
            lost, foreign = sorted(histories.keys() - rows), sorted(rows - histories.keys())
            what = [f"the row {hash} is missing" for hash in lost[:1]]
            what += [f"no run has the hash {hash}" for hash in foreign[:1]]
            raise ValueError(
                f"{self.table} was changed after it was written "
                f"({' and '.join(what) or 'its rows are there, but not their cells or their order'}); "
                f"restore it, or remove it and {self.sidecar.name} to have them written anew"
            )
        return engine, histories

    def write_table(
        self,
        rows: list[Mapping[str, Any]],
        columns: list[str],
        histories: Mapping[str, Mapping[str, Any]],
        about: Mapping[str, Any],
    ) -> None:
        """Write the CSV and its sidecar, if they are not there already, word for word."""
        environments: list[Any] = []
        runs = {}
        for row in rows:
            if (history := histories.get(row["hash"])) is not None:
                if history["environment"] not in environments:
                    environments.append(history["environment"])
                place = environments.index(history["environment"])
                runs[row["hash"]] = {**history, "environment": place}
        table = to_csv(rows, columns).encode()
        sidecar = {"table": self.name, **about, "digest": digest(table)}
        sidecar |= {"environments": environments, "runs": runs}
        self.runs.mkdir(parents=True, exist_ok=True)
        self.writing.touch()
        write_if_new(self.sidecar, (json.dumps(sidecar, indent=1) + "\n").encode())
        write_if_new(self.table, table)
        self.writing.unlink(missing_ok=True)

    def kept(self) -> int:
        """How many networks the table's file holds."""
        if not self.networks.exists():
            return 0
        with np.load(self.networks, allow_pickle=False) as file:
            return len({key.partition("/")[0] for key in file.files})

    def write_networks(self, networks: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Write the networks of a table, if they are not there already, bit for bit."""
        write_if_new(self.networks, to_npz(networks))
