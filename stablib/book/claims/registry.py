"""The register of claims: an id, what is said and where, and the function that looks for a violation."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FOUND = "STABLIB_VERDICTS"  # names, in the environment, a ledger whose verdicts `check` shows
ROUNDING = 1e-12  # where a statement holds with equality, its margin is zero up to this much


@dataclass(frozen=True)
class Verdict:
    """What a search for violations met.

    Attributes:
        margin: the smallest distance to a violation of what the paper says, relative where that has a
            meaning; negative where the paper's form fails.
        cases: how many cases were looked at.
        corrected_margin: the same for the corrected form, where the paper's form fails.
        counterexample: the case in which the paper's form fails, in words.
    """

    margin: float
    cases: int
    corrected_margin: float | None = None
    counterexample: str | None = None

    @classmethod
    def of(cls, margins: Iterable[float]) -> Verdict:
        """The verdict of several cases, each by its margin.

        Example:
            >>> Verdict.of([0.3, 0.1, 0.2])
            holds in all 3 cases; smallest margin 0.1
        """
        margin, cases = _smallest(margins)
        return cls(margin, cases)

    @classmethod
    def equal(cls, errors: Iterable[float], tolerance: float) -> Verdict:
        """The verdict on an equality: the share of the tolerance that no error has used up.

        Args:
            errors: relative errors, one per case.
            tolerance: the largest error that rounding, or the stated method, can explain.

        Example:
            >>> Verdict.equal([1e-13, 2e-12], 1e-11)
            holds in all 2 cases; smallest margin 0.8
        """
        return cls.of(1 - abs(float(error)) / tolerance for error in errors)

    @classmethod
    def corrected(
        cls, printed: Iterable[float], corrected: Iterable[float], counterexample: str
    ) -> Verdict:
        """The verdict on a statement whose printed form fails, beside the form that holds.

        Args:
            printed: margins of the paper's form; one at least should be negative.
            corrected: margins of the corrected form.
            counterexample: where the printed form fails, in words.

        Example:
            >>> Verdict.corrected([0.2, -0.5], [0.1, 0.3, 0.2], "f(x) = x")
            holds corrected in all 3 cases; smallest margin 0.1; as printed -0.5, for f(x) = x
        """
        margin, cases = _smallest(corrected)
        return cls(_smallest(printed)[0], cases, margin, counterexample)

    @classmethod
    def from_ledger(cls, path: Path) -> dict[str, Verdict]:
        """The verdicts that a ledger's file holds, by id."""
        entries: list[dict[str, Any]] = json.loads(Path(path).read_text("utf-8"))
        return {
            e["id"]: cls(
                math.nan if e["margin"] is None else e["margin"],  # no number is no success
                e["cases"],
                e["corrected_margin"],
                e["counterexample"],
            )
            for e in entries
        }

    @property
    def decisive(self) -> float:
        """The margin that decides: of the corrected form, where there is one."""
        return self.margin if self.corrected_margin is None else self.corrected_margin

    @property
    def holds(self) -> bool:
        """Whether no case violates the statement; a margin that is not a number is no success."""
        return self.decisive >= 0

    def __repr__(self) -> str:
        if not self.holds:
            return f"VIOLATED in one of {self.cases:,} cases; margin {self.decisive:.3g}"
        kind = "holds" if self.corrected_margin is None else "holds corrected"
        text = f"{kind} in all {self.cases:,} cases; smallest margin {self.decisive:.3g}"
        if self.corrected_margin is not None:
            text += f"; as printed {self.margin:.3g}, for {self.counterexample}"
        return text.replace("in all 1 cases", "in 1 case")


def _smallest(margins: Iterable[float]) -> tuple[float, int]:
    margins = [float(margin) for margin in margins]
    if not margins:
        raise ValueError("margins is empty; a claim needs at least one case")
    least = float(np.min(margins))  # NaN if one is, unlike min()
    return (0.0 if abs(least) < ROUNDING else least), len(margins)


@dataclass(frozen=True)
class Claim:
    """A statement and its check; called without arguments it searches its own cases.

    Attributes:
        id: short name, such as "lem-3".
        chapter: number of the chapter that shows it, such as "02".
        kind: "theorem" (or formula), "figure", or "claim" (made in prose).
        says: the statement in one line.
        where: its place in the paper, or "new".
        check: the search.
        cases: makes the cases that `check` is called with; None where it makes its own.
    """

    id: str
    chapter: str
    kind: str
    says: str
    where: str
    check: Callable[..., Verdict]
    cases: Callable[[], Any] | None = None

    def __call__(self, *cases: Any) -> Verdict:
        """The verdict over the given cases, or over the claim's own."""
        if not cases and self.cases is not None:
            cases = (self.cases(),)
        return self.check(*cases)

    def word(self, verdict: Verdict) -> str:
        """The verdict in one of the ledger's words.

        A theorem that fails is an open question: either the theorem or the code is wrong. What is seen
        in an experiment may fail; it is then not reproduced.
        """
        if verdict.holds:
            return "holds" if verdict.corrected_margin is None else "holds corrected"
        return "open" if self.kind == "theorem" else "not reproduced"


CLAIMS: dict[str, Claim] = {}  # filled once, by the decorator, while modules are imported

KINDS = ("theorem", "figure", "claim")


def claim(
    id: str,
    *,
    kind: str,
    says: str,
    where: str,
    cases: Callable[[], Any] | None = None,
) -> Callable[[Callable[..., Verdict]], Claim]:
    """Register a function of a module chNN (or chNN_topic) as the check of a statement of chapter NN.

    Args:
        id: of the statement, such as "lem-3".
        kind: "theorem", "figure" or "claim".
        says: the statement in one line.
        where: the paper's number, or "new".
        cases: makes the cases that the function is called with, unless others are given.

    Raises:
        ValueError: if the id is taken, or there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind is {kind!r}; one of {', '.join(KINDS)} is needed")

    def register(check: Callable[..., Verdict]) -> Claim:
        if id in CLAIMS:
            raise ValueError(f"the claim {id!r} is registered twice")
        chapter = check.__module__.rpartition(".ch")[2][:2]
        CLAIMS[id] = Claim(id, chapter, kind, says, where, check, cases)
        return CLAIMS[id]

    return register


@dataclass(frozen=True)
class Checked:
    """Claims with their verdicts, as a page shows them."""

    rows: tuple[tuple[Claim, Verdict], ...]

    def __repr__(self) -> str:
        lines = []
        for entry, verdict in self.rows:
            lines += [f"{entry.id}: {entry.says}", f"    {verdict!r}"]
        return "\n".join(lines)


def check(*ids: str) -> Checked:
    """Search for violations of some statements now, over the cases of the ledger.

    Where all of them have just been searched for by the same code, as in `make test`, the variable
    STABLIB_VERDICTS names the file of what was found, and that is shown.

    Args:
        ids: of the statements, such as "lem-3".

    Raises:
        ValueError: if there is no claim of that id.
    """
    import importlib
    import pkgutil

    from .. import claims

    for module in pkgutil.iter_modules(claims.__path__):
        importlib.import_module(f"{claims.__name__}.{module.name}")
    for id in ids:
        if id not in CLAIMS:
            raise ValueError(f"there is no claim {id!r}; there are {', '.join(CLAIMS)}")
    found = Verdict.from_ledger(Path(os.environ[FOUND])) if os.environ.get(FOUND) else {}
    return Checked(tuple((CLAIMS[id], found.get(id) or CLAIMS[id]()) for id in ids))
