"""Claims of chapter 02, the stability theorem."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ...bounds import sharpness_lower_bound
from ...curvature import sharpness
from . import cases
from .cases import Case
from .registry import Verdict, claim


@claim(
    "lem-3",
    kind="theorem",
    says="sharpness >= 1 + 2 * stability norm",
    where="Lemma 3, (34)",
    cases=lambda: [*cases.everything(), *cases.hunted()],
)
def lemma_3(cases: Iterable[Case]) -> Verdict:
    """Relative distance of the sharpness above the bound, for networks on their data."""

    def margins() -> Iterable[float]:
        for net, X, *_ in cases:
            value = sharpness(net, X)
            yield (value - sharpness_lower_bound(net, X)) / value

    return Verdict.of(margins())


@claim(
    "eq-23",
    kind="theorem",
    says="1 + 2 norm <= flattest rescaling <= sharpness <= 2/eta, so norm <= 1/eta - 1/2",
    where="(23)",
    cases=lambda: map(cases.row, cases.trained()),
)
def chain(rows: Iterable[Mapping[str, Any]]) -> Verdict:
    """Smallest relative step of the chain 1 + 2 norm <= flattest <= sharpness <= 2/eta over all rows.

    The flattest rescaling takes the minimum as interpolating and the sharpness does not, so the middle
    step is allowed the 1e-4 that a loss of 1e-8 can shift it. The line below (23) has 1 + 2 norm where
    the norm is meant: 1 + 2 norm <= 1/eta - 1/2 is the printed form, with its relative margin.
    """
    printed: list[float] = []
    margins: list[float] = []
    for row in rows:
        bound, edge = 1 + 2 * row["stability_norm"], 2 / row["step_size"]
        margins += [
            1 - bound / row["flattest"],
            1 + 1e-4 - row["flattest"] / row["sharpness"],
            1 - row["sharpness"] / edge,
        ]
        printed.append(1 - bound / ((edge - 1) / 2))
    if min(printed) >= 0:  # small step sizes do not tell the two lines apart
        return Verdict.of(margins)
    return Verdict.corrected(
        printed,
        margins,
        "a minimum near the edge of stability at a large step size: 1 + 2 norm is then above 1/eta - 1/2",
    )
