"""Figures of chapter 10: how near to a violation the search for one came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from . import style

_LEAST = 1e-4  # margins below are drawn as attained
_BELOW = -5.0  # where negative ones are drawn
_LOOKS = {
    "holds": style.FLATTEST,
    "holds corrected": style.SHARPNESS,
    "not reproduced": style.EDGE,
}


def margins(entries: Iterable[Mapping[str, Any]]) -> Figure:
    """The margin of every statement, one dot each, one row a chapter.

    Args:
        entries: of the ledger.
    """
    entries = list(entries)
    spots = [(e["chapter"], _place(_decisive(e))) for e in entries]
    floor, top = {}, 0.0
    for name in sorted({e["chapter"] for e in entries}, reverse=True):
        floor[name] = top
        top += 1.5 + max(spots.count(spot) for spot in spots if spot[0] == name)
    figure, axes = style.figure(6.4, 1.3 + 0.155 * top)
    taken: Counter[tuple[str, float]] = Counter()
    for e, spot in zip(entries, spots, strict=True):
        look = _LOOKS[e["verdict"]]
        axes.plot(
            spot[1],
            floor[e["chapter"]] + taken[spot],
            marker=look.get("marker", "X"),
            color=look["color"],
            markersize=8,
            markeredgecolor="white",
            linestyle="",
        )
        taken[spot] += 1
    ticks = [_BELOW, -4, -3, -2, -1, 0]
    axes.set_xticks(ticks, ["below 0", "attained", ".001", ".01", ".1", "1"])
    axes.set_yticks(list(floor.values()), [f"chapter {int(name[:2])}" for name in floor])
    axes.set(ylim=(-1, top), xlim=(_BELOW - 0.4, 0.3), xlabel="smallest margin met")
    axes.grid(axis="y", visible=False)
    for word, look in _LOOKS.items():
        if any(e["verdict"] == word for e in entries):
            marker = look.get("marker", "X")
            axes.plot([], [], color=look["color"], marker=marker, linestyle="", label=word)
    axes.legend(
        loc="lower center", bbox_to_anchor=(0.45, 1.0), ncols=3, handletextpad=0.1, frameon=False
    )
    return figure


def _decisive(entry: Mapping[str, Any]) -> float:
    corrected = entry["corrected_margin"]
    return entry["margin"] if corrected is None else corrected


def _place(margin: float) -> float:
    """Abscissa of a margin: its logarithm in steps of an eighth, so that near ones are stacked."""
    return _BELOW if margin < 0 else round(8 * np.log10(np.clip(margin, _LEAST, 1))) / 8
