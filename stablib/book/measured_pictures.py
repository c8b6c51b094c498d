"""The two pictures of the benchmarks' page, drawn from what was measured.

`make bench` writes them; so does `python -m stablib.book.measured_pictures`. A test keeps them equal to the
measurements.
"""

from __future__ import annotations

import html
from collections.abc import Callable
from math import ceil, floor, log10

from stablib import palette
from stablib.book.environment import ROOT
from stablib.book.measured import Measurement, Measurements

PICTURES = {
    "ratios": ROOT / "assets" / "benchmarks.svg",
    "growth": ROOT / "assets" / "growth.svg",
}
WIDTH = 372  # in pixels of a page; a phone shows eight tenths of them
LEFT, RIGHT = 12, 360  # of the axis of ratios
ROW = 49
STYLE = (
    f"text{{font:13px sans-serif;fill:{palette.INK};paint-order:stroke;stroke:{palette.PAPER};"
    "stroke-width:3}"
    f".q{{fill:{palette.QUIET}}}.e{{text-anchor:end}}"
    f".m{{text-anchor:middle}}.b{{font-weight:600}}path,line{{fill:none;stroke:{palette.FAINT}}}"
)


def ratios(found: Measurements) -> str:
    """All comparisons on one logarithmic axis, how often our time fits into theirs: an SVG.

    A dot is the median, the bar behind it the quartiles, an upright line the target; full where it is met, an
    open dot where it is missed, grey where nothing was aimed at.

    Args:
        found: the measurements.
    """
    rows = found.rows
    reach = [value for row in rows for value in (*row.quartiles, row.goal or 1.0)]
    low, high = floor(log10(min(reach)) * 4) / 4, ceil(log10(max(reach)) * 4) / 4

    def place(speed: float) -> float:
        return LEFT + (RIGHT - LEFT) * (log10(speed) - low) / (high - low)

    bottom = 44 + ROW * len(rows)
    head = "their time over ours: to the right, ours is faster"
    parts = [f'<text x="{LEFT}" y="16" class="q">{head}</text>']
    for power in range(ceil(low), floor(high) + 1):
        x, strong = place(10.0**power), power == 0
        stroke = f' style="stroke:{palette.GREY};stroke-width:1.6"' if strong else ""
        parts.append(f'<line x1="{x:.1f}" y1="26" x2="{x:.1f}" y2="{bottom}"{stroke}/>')
        inside = min(max(x, 24), WIDTH - 24)  # half the widest label
        parts.append(
            f'<text x="{inside:.1f}" y="{bottom + 17}" class="m q">{10**power:,.4g} ×</text>'
        )
    for index, row in enumerate(rows):
        parts += _row(row, _name(row, rows), 42 + ROW * index, place)
    return _svg(bottom + 26, parts)


def _name(row: Measurement, rows: list[Measurement]) -> str:
    """What is ours, and of its size only what tells it from its neighbours."""
    same = [r for r in rows if (r.what, r.against) == (row.what, row.against)]
    common = set.intersection(*(set(r.size.split(", ")) for r in same))
    own = [part for part in row.size.split(", ") if part not in common]
    short = next((part for part in own if part.startswith("n =")), own[0] if own else "")
    return ", ".join([row.what, *([short] if short else [])]).replace("`", "")


def _row(row: Measurement, name: str, y: int, place: Callable[[float], float]) -> list[str]:
    low, middle, high = (place(speed) for speed in row.quartiles)
    colour = {None: palette.QUIET, True: palette.FLATTEST, False: palette.SHARPNESS}[row.met]
    fill = palette.PAPER if row.met is False else colour
    lane = y + 26
    value = row.ratio() if row.limited else f"{row.ratio()} ×"
    parts = [
        f'<text x="{LEFT}" y="{y}">{html.escape(name)}</text>',
        f'<text x="{LEFT}" y="{y + 15}" class="q">{html.escape(row.against)}</text>',
        f'<text x="{RIGHT}" y="{y}" class="e b">{value}</text>',
        f'<line x1="{low:.1f}" y1="{lane}" x2="{high:.1f}" y2="{lane}" '
        f'style="stroke:{colour};stroke-width:4;opacity:.45"/>',
    ]
    if row.goal is not None:
        x = place(row.goal)
        parts.append(
            f'<line class="goal" x1="{x:.1f}" y1="{lane - 8}" x2="{x:.1f}" y2="{lane + 8}" '
            f'style="stroke:{palette.EDGE};stroke-width:2.4"/>'
        )
    parts.append(
        f'<circle cx="{middle:.1f}" cy="{lane}" r="5" fill="{fill}" stroke="{colour}" stroke-width="2"/>'
    )
    return parts


COLOURS = {"n": palette.FLATTEST, "d": palette.OTHER, "k": palette.SHARPNESS}
PANEL = 88, 88  # the drawing of one function: width without the names of its lines, height


def growth(found: Measurements) -> str:
    """For each function its time over that at the base, as n, d and k double: an SVG of small drawings.

    Dots are measured, lines are the operations counted at the same sizes, moved onto the last dot.

    Args:
        found: the measurements.
    """
    wide, high = PANEL
    every = [line for letters in found.growth.values() for line in letters.values()]
    top = max(max(line.seconds) / line.seconds[0] for line in every)
    parts = []
    for index, (what, letters) in enumerate(found.growth.items()):
        x0, y0 = 14 + 186 * (index % 2), 36 + (high + 64) * (index // 2)

        def put(step: int, ratio: float, x0: int = x0, y0: int = y0) -> tuple[float, float]:
            up = min(max(log10(ratio) / log10(top), -0.06), 1.0)
            return x0 + wide * step / 3, y0 + high * (1 - up)

        name, _, which = html.escape(what.replace("`", "")).partition(", ")
        frame = f"M{x0} {y0}V{y0 + high}H{x0 + wide}"
        parts.append(f'<text x="{x0}" y="{y0 - 22}" class="b">{name}</text>')
        parts.append(f'<text x="{x0}" y="{y0 - 7}" class="q">{which}</text>')
        parts.append(f'<path d="{frame}" style="stroke:{palette.GREY}"/>')
        for step in range(4):
            x, y = x0 + wide * step / 3, y0 + high + 15
            parts.append(f'<text x="{x:.0f}" y="{y}" class="m q">{2**step}</text>')
        taken: list[float] = []
        steepest = sorted(
            letters.items(), key=lambda item: -item[1].seconds[-1] / item[1].seconds[0]
        )
        for letter, line in steepest:
            colour, (fitted, counted) = COLOURS[letter], line.exponents
            measured = [s / line.seconds[0] for s in line.seconds]
            expected = [c / line.counted[-1] * measured[-1] for c in line.counted]
            path = "L".join("{:.1f} {:.1f}".format(*put(i, r)) for i, r in enumerate(expected))
            parts.append(f'<path d="M{path}" style="stroke:{colour};stroke-width:1.4"/>')
            for step, ratio in enumerate(measured):
                x, y = put(step, ratio)
                parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{colour}"/>')
            y = put(3, measured[-1])[1] + 5
            y = max(y, taken[-1] + 15) if taken else y
            taken.append(y)
            parts.append(
                f'<text x="{x0 + wide + 9}" y="{y:.0f}" style="fill:{colour}">'
                f"{letter}: {fitted:.1f} ({counted:.1f})</text>"
            )
    return _svg((high + 64) * ceil(len(found.growth) / 2), parts)


def _svg(height: float, parts: list[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}">'
        f"<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</svg>\n"
    )


def write() -> None:
    """Write both pictures."""
    found = Measurements.stored()
    for name, draw in (("ratios", ratios), ("growth", growth)):
        PICTURES[name].write_text(draw(found), "utf-8")


if __name__ == "__main__":
    write()
