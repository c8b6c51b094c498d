"""Files that are there as a whole or not at all, and the two forms in which results are kept: CSV and npz."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all, whatever happens.

    Args:
        path: of the file; its folder is made.
        content: all of it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    while True:
        try:
            with open(partial, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(partial, path)
            return
        except FileNotFoundError:
            # A process whose clock is wrong took it for a half that was left behind. If there is no
            # folder either, that is another matter.
            if not path.parent.is_dir():
                raise
        except OSError as error:
            partial.unlink(missing_ok=True)
            if error.errno is None:
                raise
            raise OSError(error.errno, error.strerror, str(path)) from error  # not the half's name
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
    except Exception as error:  # zipfile, zlib and NumPy know some ten kinds of damage
        raise ValueError(f"{path} is no readable file of networks: {error}") from None
    return found


def digest(content: bytes) -> str:
    """Sixteen hexadecimal digits of a text, the same for all ends of lines that git may choose.

    Example:
        >>> digest(b"hash,loss\\r\\n") == digest(b"hash,loss\\n") != digest(b"hash,lose\\n")
        True
    """
    return hashlib.sha256(content.replace(b"\r\n", b"\n")).hexdigest()[:16]


def write_if_new(path: Path, content: bytes) -> None:
    """Leave a file alone that has this content."""
    if not path.exists() or path.read_bytes() != content:
        write_atomically(path, content)
