"""Figures of chapter 10: how near to a violation the search for one came."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from . import style

_LEAST = 1e-4  # margins below are drawn in the first column, "attained"
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
    chapters = sorted({e["chapter"] for e in entries})
    spots = [(e["chapter"], round(8 * np.log10(np.clip(_decisive(e), _LEAST, 1)))) for e in entries]
    tallest = max(spots.count(spot) for spot in spots)
    figure, axes = style.figure(6.4, 1.5 + 0.18 * (tallest + 1) * len(chapters))
    taken: Counter[tuple[str, int]] = Counter()
    for e, spot in zip(entries, spots, strict=True):
        look = _LOOKS[e["verdict"]]
        axes.plot(
            spot[1] / 8,
            chapters.index(e["chapter"]) + taken[spot] / (tallest + 1),
            marker=look.get("marker", "X"),
            color=look["color"],
            markersize=7,
            markeredgecolor="white",
            linestyle="",
        )
        taken[spot] += 1
    ticks = [-4, -3, -2, -1, 0]
    axes.set_xticks(ticks, ["attained", "0.001", "0.01", "0.1", "1"])
    axes.set_yticks(range(len(chapters)), [f"chapter {int(name[:2])}" for name in chapters])
    axes.set(ylim=(-0.2, len(chapters)), xlabel="smallest margin met")
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
