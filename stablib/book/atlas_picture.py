"""The map of the book as a picture: boxes that are links, arrows for "is used by"."""

from __future__ import annotations

import html
from dataclasses import dataclass

from .atlas import Result, results

WIDTH, HEIGHT = 126, 50  # of a box, in the units of the drawing; three fit beside each other
GAP, RISE = 11, 22  # between boxes of a row, and between rows
INK = "currentColor"


@dataclass(frozen=True)
class Box:
    """A result in the picture; from the fifth row on, one of ours.

    Attributes:
        result: name of the result that it leads to.
        column: of its left side, 0 to 2.
        row: counted from above.
        lines: what it says, at most two lines of 21 letters for each column that it covers.
        columns: how many it covers.
        title: what stands above the lines, if not the result's name.
    """

    result: str
    column: int
    row: int
    lines: tuple[str, ...]
    columns: int = 1
    title: str = ""

    @property
    def left(self) -> int:
        """Its left side."""
        return 4 + self.column * (WIDTH + GAP)

    @property
    def top(self) -> int:
        """Its upper side."""
        if self.ours:  # below a heading, and with no arrows between them
            return 340 + (self.row - 4) * (HEIGHT + GAP)
        return 30 + self.row * (HEIGHT + RISE)

    @property
    def ours(self) -> bool:
        """Whether it goes beyond the paper."""
        return self.row >= 4

    @property
    def width(self) -> int:
        """How wide it is."""
        return self.columns * WIDTH + (self.columns - 1) * GAP


BOXES = (
    Box("Lemma 1", 0, 0, ("stable minima are flat:", "λ ≤ 2/η")),
    Box("Lemma 3", 1, 0, ("minima of f are sharp:", "λ ≥ 1 + 2‖f‖")),
    Box("Lemma 2", 2, 0, ("some network of f", "is flat enough")),
    Box("Theorem 1", 0, 1, ("stable solutions bend little:", "‖f‖ ≤ 1/η − 1/2"), 2),
    Box("Theorem 3", 2, 1, ("a condition that suf-", "fices for stability")),
    Box("Proposition 4", 0, 2, ("‖f‖ = ∫|Δf|ρ: the price", "of a crease as a map"), title="Prop. 4, 5"),
    Box("Proposition 1", 1, 2, ("limits have bounded", "norm, too")),
    Box("Theorem 2", 2, 2, ("one step size for net-", "works of every width")),
    Box("Figure 4 (a)", 0, 3, ("seen in training:", "noise and digits"), title="Figures 1, 4, 5, 8"),
    Box("Proposition 2", 1, 3, ("a pyramid no stable", "network comes near")),
    Box("Proposition 3", 2, 3, ("k neurons near any", "smooth function")),
    Box("Exact threshold", 0, 4, ("what SGD tolerates,", "for each batch size")),
    Box("Any width", 1, 4, ("least sharpness over", "all networks of f")),
    Box("Least trace", 2, 4, ("what Lemma 2's sum", "really is")),
    Box("Small batches", 0, 5, ("a Theorem 1 with", "a larger norm")),
    Box("Separation", 1, 5, ("how dear it is to come", "near the pyramid")),
    Box("Join the dots", 2, 5, ("what noise on a line", "costs")),
)  # fmt: skip

# (from, to): the first is used by the second. All are neighbours in the drawing.
USES = (
    ("Lemma 1", "Theorem 1"),
    ("Lemma 3", "Theorem 1"),
    ("Lemma 2", "Theorem 3"),
    ("Theorem 1", "Proposition 4"),
    ("Theorem 1", "Proposition 1"),
    ("Proposition 1", "Proposition 2"),
    ("Theorem 3", "Theorem 2"),
    ("Proposition 3", "Theorem 2"),
)


class AtlasPicture:
    """The drawing, for a page: it takes the page's colours, and its boxes lead to the statements."""

    def __repr__(self) -> str:
        lines = [f"{box.title or box.result}: {' '.join(box.lines)}" for box in BOXES]
        return "\n".join([*lines, *(f"{left} is used by {right}" for left, right in USES)])

    def _repr_html_(self) -> str:
        places = {result.name: result for result in results()}
        names = {box.result: box for box in BOXES}
        width = 8 + 3 * WIDTH + 2 * GAP
        height = max(box.top for box in BOXES) + HEIGHT + 4
        parts = [
            _heading("The paper", 18),
            _heading("Beyond it", names["Exact threshold"].top - 12),
            *(_arrow(names[left], names[right]) for left, right in USES),
            *(_box(box, places[box.result]) for box in BOXES),
        ]
        return (
            f'<svg class="atlas-picture" viewBox="0 0 {width} {height}" role="group" '
            'style="width: 100%; max-width: 36rem; display: block; margin: 0 auto" '
            'aria-label="Boxes with the main results, and arrows from each to those that use it">\n'
            '<defs><marker id="atlas-tip" viewBox="0 0 6 6" refX="5" refY="3" markerWidth="7" '
            'markerHeight="7" orient="auto"><path d="M0 0 L6 3 L0 6 z" '
            f'fill="{INK}" opacity="0.6"/></marker></defs>\n' + "\n".join(parts) + "\n</svg>"
        )


def _heading(text: str, y: float) -> str:
    return f'<text x="4" y="{y}" font-size="12.5" font-weight="600" fill="{INK}">{text}</text>'


def _box(box: Box, result: Result) -> str:
    middle = box.left + box.width / 2
    ground = (
        'fill="var(--pst-color-primary, currentColor)" fill-opacity="0.1"'
        if box.ours
        else 'fill="none"'
    )
    said = "".join(
        f'<text x="{middle}" y="{box.top + 31 + 12.5 * i}" font-size="10.6" text-anchor="middle" '
        f'fill="{INK}">{html.escape(line)}</text>'
        for i, line in enumerate(box.lines)
    )
    return (
        f'<a href="{result.address}" style="text-decoration: none">'
        f'<rect x="{box.left}" y="{box.top}" width="{box.width}" height="{HEIGHT}" rx="5" {ground} '
        'stroke="var(--pst-color-primary, currentColor)" stroke-width="1.2"/>'
        f'<text x="{middle}" y="{box.top + 16}" font-size="12.5" font-weight="600" '
        'text-anchor="middle" fill="var(--pst-color-link, currentColor)">'
        f"{html.escape(box.title or box.result)}</text>{said}</a>"
    )


def _arrow(start: Box, end: Box) -> str:
    """From box to box, straight down or up, in the middle of the narrower one."""
    narrow = start if start.columns <= end.columns else end
    x = narrow.left + narrow.width / 2
    down = start.row < end.row
    y0, y1 = (start.top + HEIGHT, end.top) if down else (start.top, end.top + HEIGHT)
    return (
        f'<path d="M{x} {y0} V{y1 - 2 if down else y1 + 2}" stroke="{INK}" stroke-width="1.4" '
        'opacity="0.6" fill="none" marker-end="url(#atlas-tip)"/>'
    )
