"""Figures of chapter 10: how near to a violation the search for one came."""

from __future__ import annotations

import base64
import html
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from ... import palette
from ..ledger import anchor
from ..pictures import shown
from . import style

_LEAST = 1e-4  # margins below are drawn as attained
_BELOW = -5.0  # where negative ones are drawn
_TICKS = {_BELOW: "below 0", -4: "attained", -3: ".001", -2: ".01", -1: ".1", 0: "1"}
_STEP = 8.5  # between stacked dots
_MARKS = {
    "holds": '<circle cx="{x:.1f}" cy="{y:.1f}" r="3.7" '
    f'fill="var(--book-flattest, {palette.FLATTEST})"/>',
    "holds corrected": '<path d="M{x:.1f},{y:.1f}m-4.2,3.4h8.4l-4.2,-7.4z" '
    f'fill="var(--book-sharpness, {palette.SHARPNESS})"/>',
    "not reproduced": '<path d="M{x:.1f},{y:.1f}m-3.4,-3.4l6.8,6.8m0,-6.8l-6.8,6.8" '
    f'stroke-width="2.4" stroke="var(--book-edge, {palette.EDGE})"/>',
}
_LOOKS = {
    "holds": style.FLATTEST,
    "holds corrected": style.SHARPNESS,
    "not reproduced": style.EDGE,
}


class Margins:
    """The margin of every statement, one dot each, one row a chapter; on a page each dot leads to its row.

    Args:
        entries: of the ledger.
    """

    def __init__(self, entries: Iterable[Mapping[str, Any]]) -> None:
        self.entries = list(entries)

    def __repr__(self) -> str:
        words = Counter(e["verdict"] for e in self.entries)
        return ", ".join(f"{number} {word}" for word, number in words.items())

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, str], dict[str, Any]]:
        still = margins(self.entries)
        plt.close(still)  # else the notebook shows it once more
        picture, size = shown(still)
        bundle = {"text/html": self.svg(), "text/plain": repr(self)}
        return bundle | {"image/png": base64.b64encode(picture).decode()}, {"image/png": size}

    def svg(self) -> str:
        """The picture, in the colours of the page."""
        floor, top = _floors(self.entries)
        high = _STEP * top + 48

        def y(level: float) -> float:
            return high - 34 - _STEP * level

        parts = [
            f'<text x="{_abscissa(at):.1f}" y="{high - 8}" text-anchor="middle">{name}</text>'
            f'<line x1="{_abscissa(at):.1f}" x2="{_abscissa(at):.1f}" y1="4" y2="{high - 26}"/>'
            for at, name in _TICKS.items()
        ]
        parts += [
            f'<text x="0" y="{y(level) + 4:.1f}">ch. {int(name[:2])}</text>'
            for name, level in floor.items()
        ]
        taken: Counter[tuple[str, float]] = Counter()
        for e in self.entries:
            spot = e["chapter"], _place(decisive(e))
            level = floor[e["chapter"]] + taken[spot]
            taken[spot] += 1
            said = html.escape(f"{e['id']}: {e['says']} ({e['verdict']}, {decisive(e):.3g})")
            mark = _MARKS[e["verdict"]].format(x=_abscissa(spot[1]), y=y(level))
            parts.append(
                f'<a href="#ledger-{anchor(e["id"])}" aria-label="{said}"><title>{said}</title>{mark}</a>'
            )
        label = "One dot for each statement, by chapter, at the smallest margin that was met"
        body = "\n".join(parts)
        head = (
            f'<svg class="margins" viewBox="0 0 420 {high:.0f}" role="group" aria-label="{label}">'
        )
        return f"{head}\n{body}\n</svg>"


def _abscissa(place: float) -> float:
    return 70 + 68 * (place - _BELOW)


def _floors(entries: list[Mapping[str, Any]]) -> tuple[dict[str, float], float]:
    """Where each chapter's dots begin to be stacked, the first chapter on top, and where all end."""
    spots = [(e["chapter"], _place(decisive(e))) for e in entries]
    floor, top = {}, 0.0
    for name in sorted({e["chapter"] for e in entries}, reverse=True):
        floor[name] = top
        top += 1.5 + max(spots.count(spot) for spot in spots if spot[0] == name)
    return floor, top


def margins(entries: Iterable[Mapping[str, Any]]) -> Figure:
    """The same as a still picture.

    Args:
        entries: of the ledger.
    """
    entries = list(entries)
    spots = [(e["chapter"], _place(decisive(e))) for e in entries]
    floor, top = _floors(entries)
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
    axes.set_xticks(list(_TICKS), list(_TICKS.values()))
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


def decisive(entry: Mapping[str, Any]) -> float:
    """The margin that decides: of the corrected form, where there is one."""
    corrected = entry["corrected_margin"]
    return entry["margin"] if corrected is None else corrected


def _place(margin: float) -> float:
    """Abscissa of a margin: its logarithm in steps of an eighth, so that near ones are stacked."""
    return _BELOW if margin < 0 else round(8 * np.log10(np.clip(margin, _LEAST, 1))) / 8
