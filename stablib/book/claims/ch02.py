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
    cases=cases.everything,
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
    says="1 + 2 norm <= flattest rescaling <= sharpness <= 2/eta",
    where="(23)",
    cases=lambda: map(cases.row, cases.trained()),
)
def chain(rows: Iterable[Mapping[str, Any]]) -> Verdict:
    """Smallest relative step of the chain 1 + 2 norm <= flattest <= sharpness <= 2/eta over all rows.

    The flattest rescaling takes the minimum as interpolating and the sharpness does not, so the middle
    step is allowed the 1e-4 that a loss of 1e-8 can shift it.
    """
    margins: list[float] = []
    for row in rows:
        bound, edge = 1 + 2 * row["stability_norm"], 2 / row["step_size"]
        margins += [
            1 - bound / row["flattest"],
            1 + 1e-4 - row["flattest"] / row["sharpness"],
            1 - row["sharpness"] / edge,
        ]
    return Verdict.of(margins)
