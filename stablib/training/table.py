"""A table of runs: columns as arrays, rows in a fixed order, readable in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..data import Dataset
from ..network import ShallowReLU

_FORMATS = {str: "", int: "d", float: ".6g"}


class StoredNetwork(NamedTuple):
    """A network that a table keeps, with the data it was trained on."""

    net: ShallowReLU
    data: Dataset


class Table:
    """Rows of a sweep; a column is an array, an empty cell of a number NaN, of a word "".

    Args:
        rows: one mapping a row, all with the same keys; None is an empty cell.
        kinds: column name to str, int or float, in the order of the columns.
        networks: the .npz file of networks that belong to some of the rows.

    Example:
        >>> table = Table(
        ...     [{"eta": 0.1, "steps": 7, "loss": None}, {"eta": 0.2, "steps": 5, "loss": 1e-9}],
        ...     {"eta": float, "steps": int, "loss": float},
        ... )
        >>> table["eta"], len(table.where(steps=5))
        (array([0.1, 0.2]), 1)
        >>> table.show("eta", "loss", loss=".1e")
        eta     loss
        0.1
        0.2  1.0e-09
    """

    def __init__(
        self, rows: list[Mapping[str, Any]], kinds: Mapping[str, type], networks: Path | None = None
    ) -> None:
        self.kinds = dict(kinds)
        self._rows = [{name: row[name] for name in self.kinds} for row in rows]
        self._networks = networks

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return tuple(self.kinds)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return (dict(row) for row in self._rows)

    def __getitem__(self, name: str) -> np.ndarray:
        """The column as an array; int only if no cell is empty."""
        self._known(name)
        cells = [row[name] for row in self._rows]
        if self.kinds[name] is str:
            return np.array(["" if cell is None else cell for cell in cells], dtype=str)
        if self.kinds[name] is int and None not in cells:
            return np.array(cells, dtype=np.int64)
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)

    def where(self, **values: Any) -> Table:
        """The rows whose cells have these values; "" is an empty cell of a word."""
        for name in values:
            self._known(name)
        wanted = {n: None if v == "" and self.kinds[n] is str else v for n, v in values.items()}
        kept = [
            row
            for row in self._rows
            if all((row[n] or None if v is None else row[n]) == v for n, v in wanted.items())
        ]
        return Table(kept, self.kinds, self._networks)

    def median(self, name: str, by: str = "step_size") -> np.ndarray:
        """Medians of a column over the rows alike in another, in the order of its distinct values.

        Empty cells are passed over; where all are empty the median is NaN.
        """
        values, groups = self[name], self[by]
        finite = np.isfinite(values)
        return np.array(
            [
                np.median(values[here & finite]) if (here & finite).any() else np.nan
                for here in (groups == group for group in np.unique(groups))
            ]
        )

    def by(self, *names: str) -> Table:
        """The rows sorted by these columns, empty cells first."""
        for name in names:
            self._known(name)

        def key(row: Mapping[str, Any]) -> list[tuple[bool, Any]]:
            return [(row[name] is not None, row[name]) for name in names]

        return Table(sorted(self._rows, key=key), self.kinds, self._networks)

    @cached_property
    def networks(self) -> dict[str, StoredNetwork]:
        """The stored networks of these rows, by hash: exactly the parameters that were measured."""
        from .files import read_networks

        if self._networks is None or not self._networks.exists():
            return {}
        stored = read_networks(self._networks, {row["hash"] for row in self._rows})
        return {
            name: StoredNetwork(
                ShallowReLU(*(arrays[p] for p in ("W1", "b1", "w2", "b2"))),
                Dataset(arrays["X"], arrays["y"]),
            )
            for name, arrays in stored.items()
        }

    def show(self, *names: str, **formats: str) -> Shown:
        """Some columns (all if none is named) as text and as HTML, numbers in the given formats."""
        for name in (*names, *formats):
            self._known(name)
        names = names or self.columns
        cells = []
        for row in self._rows:
            cells.append([_cell(row[n], formats.get(n, _FORMATS[self.kinds[n]])) for n in names])
        return Shown(names, cells, [self.kinds[name] is str for name in names])

    def __repr__(self) -> str:
        return repr(self.show())

    def _repr_html_(self) -> str:
        return self.show()._repr_html_()

    def _known(self, name: str) -> None:
        if not isinstance(name, str) or name not in self.kinds:
            raise ValueError(f"{name!r} is no column of the table; it has {', '.join(self.kinds)}")


class Shown:
    """A table as it is read: text in a terminal, HTML in a notebook."""

    def __init__(self, names: tuple[str, ...], cells: list[list[str]], words: list[bool]) -> None:
        self._names, self._cells, self._words = names, cells, words

    def __repr__(self) -> str:
        lines = [list(self._names), *self._cells]
        widths = [max(len(line[i]) for line in lines) for i in range(len(self._names))]
        justified = (
            (
                cell.ljust(width) if word else cell.rjust(width)
                for cell, width, word in zip(line, widths, self._words, strict=True)
            )
            for line in lines
        )
        return "\n".join("  ".join(line).rstrip() for line in justified)

    def _repr_html_(self) -> str:
        aligned = ["left" if word else "right" for word in self._words]

        def line(cells: list[str], tag: str) -> str:
            return "".join(
                f'<{tag} style="text-align: {side}">{html.escape(cell)}</{tag}>'
                for cell, side in zip(cells, aligned, strict=True)
            )

        body = "\n".join(f"<tr>{line(cells, 'td')}</tr>" for cells in self._cells)
        head = line(list(self._names), "th").replace("_", "_<wbr>")  # where a long name may break
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody>\n</table>"


def _cell(value: Any, form: str) -> str:
    return "" if value is None else format(value, form)
