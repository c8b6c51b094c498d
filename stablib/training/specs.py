"""What a run is: frozen specs that can be written as JSON, and the hash by which a result is known."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np

ENGINE = (
    1  # counts the changes of training that change its results: results of another one are not read
)


@dataclass(frozen=True)
class Spec:
    """Base of all specs: numbers and words that decide a run, and nothing else.

    A field that has its default value does not enter the hash. So a field that is added later leaves
    old results valid; a default that a field once had must never change.
    """

    def canonical(self) -> dict[str, Any]:
        """The fields that differ from their defaults, and the kind of the run."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {
            f.name for f in fields(self) if f.default is not MISSING and given[f.name] == f.default
        }
        given = {k: v.canonical() if isinstance(v, Spec) else v for k, v in given.items()}
        return {"kind": type(self).__name__} | {k: v for k, v in given.items() if k not in plain}

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that name the run's result."""
        text = json.dumps(
            {"engine": ENGINE, "spec": self.canonical()},
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def labels(self) -> dict[str, Any]:
        """The first columns of the run's row, in the order in which tables are sorted."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def columns(self) -> dict[str, type]:
        """Names and types (str, int, float) of the columns of the run's row, without the hash."""
        raise NotImplementedError

    def execute(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Run; return the row's cells (None for an empty one) and the arrays to be kept with it."""
        raise NotImplementedError

    def complete(
        self, row: dict[str, Any], arrays: dict[str, np.ndarray] | None
    ) -> dict[str, Any] | None:
        """A row that lacks a column made whole without a new run; None if that cannot be done."""
        return None
