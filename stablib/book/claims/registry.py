"""The register of claims: an id, what is said and where, and the function that looks for a violation."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Verdict:
    """What a search for violations met.

    Attributes:
        margin: the smallest distance to a violation, relative where that has a meaning; negative
            would refute the statement.
        cases: how many cases were looked at.
    """

    margin: float
    cases: int

    @classmethod
    def of(cls, margins: Iterable[float]) -> Verdict:
        """The verdict of several cases, each by its margin.

        Example:
            >>> Verdict.of([0.3, 0.1, 0.2])
            holds in all 3 cases; smallest margin 0.1
        """
        margins = [float(margin) for margin in margins]
        if not margins:
            raise ValueError("margins is empty; a claim needs at least one case")
        return cls(float(np.min(margins)), len(margins))  # NaN if one is, unlike min()

    @property
    def holds(self) -> bool:
        """Whether no case violates the statement; a margin that is not a number is no success."""
        return self.margin >= 0

    def __repr__(self) -> str:
        if self.holds:
            return f"holds in all {self.cases} cases; smallest margin {self.margin:.3g}"
        return f"VIOLATED in one of {self.cases} cases; margin {self.margin:.3g}"


@dataclass(frozen=True)
class Claim:
    """A statement and its check; call it with the cases to be searched."""

    id: str
    kind: str
    says: str
    where: str
    check: Callable[..., Verdict]

    def __call__(self, *args: Any) -> Verdict:
        """The verdict over the given cases."""
        return self.check(*args)


CLAIMS: dict[str, Claim] = {}  # filled once, by the decorator, while modules are imported


def claim(
    id: str, *, kind: str, says: str, where: str
) -> Callable[[Callable[..., Verdict]], Claim]:
    """Register a function as the check of a statement.

    Args:
        id: of the statement, such as "lem-3".
        kind: "theorem", "figure" or "claim".
        says: the statement in one line.
        where: the paper's number.

    Raises:
        ValueError: if the id is taken.
    """

    def register(check: Callable[..., Verdict]) -> Claim:
        if id in CLAIMS:
            raise ValueError(f"the claim {id!r} is registered twice")
        CLAIMS[id] = Claim(id, kind, says, where, check)
        return CLAIMS[id]

    return register
