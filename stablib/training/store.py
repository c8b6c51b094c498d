"""Where results live: a file for every finished run, and from them tables that can be committed.

A run that ends is written at once to _runs/NAME/HASH.json (its arrays, before that, to HASH.npz), each
under a temporary name first and then renamed: any number of processes may write, a kill loses no
finished run, and no reader ever sees half a file. Tables are results/NAME.csv, with the story of
every row in results/NAME.json, and results/networks/NAME.npz.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import math
import os
import time
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all, whatever happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def to_csv(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> str:
    """Rows as CSV, floats with 17 significant digits, which give back the same floats.

    Example:
        >>> to_csv([{"eta": 0.1, "steps": 7, "loss": None}], ["eta", "steps", "loss"])
        'eta,steps,loss\\n0.10000000000000001,7,\\n'
    """
    columns = list(columns)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in columns])
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    text = format(value, ".17g")
    return text if any(mark in text for mark in ".en") else text + ".0"


def read_csv(path: Path, kinds: Mapping[str, type]) -> dict[str, dict[str, Any]]:
    """Rows of a table by hash; columns that `kinds` does not know are passed over.

    Args:
        path: a .csv file of `to_csv`; one that is missing has no rows.
        kinds: column name to str, int or float.

    Raises:
        ValueError: if the file is no such table; it is left as it is.
    """
    if not path.exists():
        return {}
    try:
        lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    except (UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"{path} is no CSV table: {error}") from None
    if not lines or "hash" not in lines[0]:
        raise ValueError(f"{path} is no table of runs: its first line names no column hash")
    header, rows = lines[0], {}
    for number, line in enumerate(lines[1:], 2):
        if len(line) != len(header):
            raise ValueError(
                f"line {number} of {path} has {len(line)} cells, but its first line names {len(header)}"
            )
        cells = dict(zip(header, line, strict=True))
        if cells["hash"] in rows:
            raise ValueError(f"line {number} of {path} repeats the hash {cells['hash']}")
        row: dict[str, Any] = {"hash": cells["hash"]}
        for name, kind in kinds.items():
            if name in cells:
                try:
                    row[name] = None if cells[name] == "" else kind(cells[name])
                except ValueError:
                    raise ValueError(
                        f"line {number} of {path} has {cells[name]!r} in the column {name}; "
                        f"{'a whole number' if kind is int else 'a number'} is needed"
                    ) from None
        rows[cells["hash"]] = row
    return rows


def to_npz(networks: Mapping[str, Mapping[str, np.ndarray]]) -> bytes:
    """Arrays by hash and name as the bytes of an .npz file with keys HASH/NAME."""
    file = io.BytesIO()
    np.savez_compressed(
        file, **{f"{h}/{n}": a for h, arrays in networks.items() for n, a in arrays.items()}
    )
    return file.getvalue()


def read_networks(path: Path, hashes: set[str] | None = None) -> dict[str, dict[str, np.ndarray]]:
    """Arrays of an .npz file with keys HASH/NAME, by hash and name.

    Raises:
        ValueError: if the file cannot be read as such.
    """
    found: dict[str, dict[str, np.ndarray]] = {}
    try:
        with np.load(path, allow_pickle=False) as file:
            for key in file.files:
                name, _, array = key.partition("/")
                if hashes is None or name in hashes:
                    found.setdefault(name, {})[array] = file[key]
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} is no readable file of networks: {error}") from None
    return found


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

    def sweep_up(self) -> None:
        """Remove the halves of files that killed processes left."""
        for partial in self.runs.glob(".*.partial"):
            with contextlib.suppress(OSError):  # another process may be doing the same
                if (
                    time.time() - partial.stat().st_mtime > 600
                ):  # writing takes a moment, not minutes
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

    def load(self, hash: str) -> dict[str, Any] | None:
        """The record of a finished run; None if there is none. A broken file is named and passed over."""
        path = self.run_path(hash)
        try:
            record = json.loads(path.read_bytes())
            if record["hash"] != hash:
                raise ValueError(f"it says that its hash is {record['hash']}")
            if not isinstance(record["row"], dict) or not isinstance(record["spec"], dict):
                raise ValueError("its row or its spec is no table of cells")
            float(record["seconds"]), dict(record["environment"])
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
        if record is None or any(
            record["row"].get(n, row[n]) != row[n] for n in row if n != "hash"
        ):
            return None
        try:
            return read_networks(path, {hash}).get(hash)
        except ValueError as error:
            warnings.warn(f"{error}; it is passed over", stacklevel=2)
            return None

    def history(self) -> tuple[Any, dict[str, dict[str, Any]]]:
        """What the sidecar says: the engine's number, and each row's spec, seconds and environment."""
        try:
            sidecar = json.loads(self.sidecar.read_bytes())
            return sidecar["engine"], {
                hash: {**run, "environment": sidecar["environments"][run["environment"]]}
                for hash, run in sidecar["runs"].items()
            }
        except FileNotFoundError:
            return None, {}
        except (KeyError, IndexError, TypeError, AttributeError, ValueError) as error:
            warnings.warn(
                f"{self.sidecar} is no sidecar of a table and is passed over: {error}", stacklevel=2
            )
            return None, {}

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
        sidecar = {"table": self.name, **about, "environments": environments, "runs": runs}
        write_if_new(self.sidecar, (json.dumps(sidecar, indent=1) + "\n").encode())
        write_if_new(self.table, to_csv(rows, columns).encode())

    def kept(self) -> int:
        """How many networks the table's file holds."""
        if not self.networks.exists():
            return 0
        with np.load(self.networks, allow_pickle=False) as file:
            return len({key.partition("/")[0] for key in file.files})

    def write_networks(self, networks: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Write the networks of a table, if they are not there already, bit for bit."""
        write_if_new(self.networks, to_npz(networks))


def write_if_new(path: Path, content: bytes) -> None:
    """Leave a file alone that has this content."""
    if not path.exists() or path.read_bytes() != content:
        write_atomically(path, content)
