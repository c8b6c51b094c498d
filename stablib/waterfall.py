"""The slack of a diagnosis as a waterfall: from what the step size allows down to 1 + 2 stability norm."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .palette import BOUND, EDGE, FLATTEST, QUIET, SHARPNESS

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .diagnosis import Diagnosis
    from .findings import Step

SPAN = 8.0  # beyond this ratio of the largest to the smallest number the axis is logarithmic


def waterfall(found: Diagnosis) -> Figure:
    """Draw the steps of the slack from top to bottom, each a bar from where it starts to where it ends.

    Bars show differences; where the way down spans more than a factor of eight the axis is logarithmic,
    and they show factors.

    Args:
        found: the diagnosis.

    Returns:
        A matplotlib Figure that no window or list of open figures knows of; notebooks show it.
    """
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    class Picture(Figure):
        # Without pyplot a notebook knows no way to show a Figure.
        def _repr_png_(self) -> bytes:
            out = BytesIO()
            self.savefig(out, format="png", dpi=100, metadata={"Software": None})
            return out.getvalue()

    rows = _rows(found)
    with rc_context({"font.size": 13, "mathtext.fontset": "cm"}):
        figure = Picture(figsize=(6.0, 1.0 + 0.38 * len(rows)), dpi=100, layout="constrained")
        draw(figure.add_subplot(), rows, found.flattest.value)
    return figure


class Level(NamedTuple):
    """A number that the way down passes, with its name."""

    name: str
    value: float
    color: str
    marker: str


def _rows(found: Diagnosis) -> list[Level | Step]:
    """From top to bottom: named levels, and the steps between them."""
    rows: list[Level | Step] = []
    for step in found.slack:
        if step.name == "dynamics":
            rows.append(Level("2/\u03b7", step.before, EDGE, "D"))
        if step.name == "residual":
            rows.append(Level("sharpness", step.before, SHARPNESS, "o"))
        rows.append(step)
    rows.append(Level("1 + 2 norm", found.slack[-1].after, BOUND, "^"))
    return rows


def draw(axes: Axes, rows: list[Level | Step], flattest: float | None = None) -> None:
    """Draw a way down: levels as marks, the steps between them as bars.

    Args:
        axes: empty axes.
        rows: levels and steps from top to bottom, each where the one before it ends.
        flattest: the sharpness of the flattest rescaling, drawn as a line; None for no line.
    """
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import LogLocator, NullLocator

    levels = [row for row in rows if isinstance(row, Level)]
    steps = [row for row in rows if not isinstance(row, Level)]
    ends = [level.value for level in levels] + [step.after for step in steps]
    ends += [] if flattest is None else [flattest]
    least, most = min(ends), max(ends)
    logarithmic = most / SPAN > least
    if logarithmic:
        axes.set_xscale("log")
        low, high = np.log10([least, most])
        if high - low < 2:  # otherwise powers of ten are ticks enough
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.xaxis.set_minor_locator(NullLocator())
        ends = [low - 0.06 * (high - low), high + 0.2 * (high - low)]
        axes.set_xlim(*10 ** np.clip(ends, -307, 308))
    else:
        room = 0.2 * (most - least) or 0.1 * most
        axes.set_xlim(least - 0.3 * room, most + room)
    if flattest is not None:
        axes.axvline(flattest, color=FLATTEST, linewidth=2.2, zorder=1)
        axes.annotate(
            f"flattest rescaling {flattest:.4g}",
            (flattest, -0.75),
            color=FLATTEST,
            ha="center",
            va="bottom",
            annotation_clip=False,
        )
    for y, row in enumerate(rows):
        if isinstance(row, Level):
            axes.plot(row.value, y, row.marker, color=row.color, markersize=9, zorder=3)
            text, color, right = f"{row.value:.4g}", row.color, row.value
        else:
            left, right = sorted((row.before, row.after))
            axes.barh(y, right - left, left=left, height=0.55, color=QUIET, zorder=2)
            text, color = _amount(row, logarithmic), QUIET
        axes.annotate(
            text,
            (right, y),
            (8, 0),
            textcoords="offset points",
            color=color,
            va="center",
            path_effects=[withStroke(linewidth=4, foreground="white")],  # it may cross the line
        )
        if y + 1 < len(rows):  # where this row ends, the next one starts
            end = row.value if isinstance(row, Level) else row.after
            axes.plot([end, end], [y, y + 1], color=QUIET, linewidth=0.8, zorder=1)
    axes.set_ylim(len(rows) - 0.4, -0.7)
    axes.set_yticks(range(len(rows)), [row.name for row in rows])
    for label, row in zip(axes.get_yticklabels(), rows, strict=True):
        if isinstance(row, Level):
            label.set_color(row.color)
    axes.set_xlabel("sharpness, logarithmic: bars are factors" if logarithmic else "sharpness")
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)


def _amount(step: Step, logarithmic: bool) -> str:
    """The label of a bar: a factor on a logarithmic axis, else a difference; what cannot be seen is 0."""
    if logarithmic:
        up = step.after > step.before * (1 + 5e-4)
        ratio = step.after / step.before if up else step.before / step.after
        sign = "\u00d7" if up else "\u00f7"
        return f"{sign} {ratio:.3g}"
    if abs(step.amount) < 1e-5 * step.before:
        return "0"
    sign = "\u2212" if step.amount > 0 else "+"
    return f"{sign}{abs(step.amount):.3g}"
