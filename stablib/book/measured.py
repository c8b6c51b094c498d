"""What the benchmarks measured, for the page that shows it: ratios, verdicts, growth, numbers for sentences.

`make bench` writes benchmarks/measured.json: seconds, turn by turn. Everything else is worked out here, when
the book is built. On a page of pages/, {measured}`NAME` is replaced by a number, and an empty `measurements`,
`facts`, `growth` or `machine` block by a table.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from .digits import duration, number, set_
from .environment import ROOT

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MEASURED = ROOT / "benchmarks" / "measured.json"
FITTED = 3  # of the sizes, the largest: through these the lines of growth are drawn

# What no clock measures: its name, what it is, the most that was aimed at, how it is written.
FACTS = {
    "trajectory": ("2,000 steps of `gradient_descent` against torch's", 1e-9, "{:.0e}"),
    "flattest-gap": ("gap of `flattest_implementation`, n = 512", 1e-9, "{:.0e}"),
    "flattest-solves": ("its eigen-solves", 10, "{:.0f}"),
    "memory": ("GB of memory, two runs of Figure 5 at once", 2.0, "{:.2f}"),
}


@dataclass(frozen=True)
class Measurement:
    """One comparison: CPU seconds of both sides, and what was aimed at.

    Attributes:
        id: its name on the page.
        what: that is ours.
        size: of the problem.
        against: what it is compared with.
        ours: seconds, one number a turn.
        theirs: seconds, one number a turn, or one for all.
        at_least: how often our time should fit into theirs.
        at_most: how often their time may fit into ours.
        note: a few words.

    Example:
        >>> m = Measurement("a", "`f`", "n = 1", "a loop", (1.0, 2.0), (8.0, 12.0), at_least=5)
        >>> m.quartiles, m.met, m.ratio()
        ((6.5, 7.0, 7.5), True, '7.00')
    """

    id: str
    what: str
    size: str
    against: str
    ours: tuple[float, ...]
    theirs: tuple[float, ...]
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""

    @property
    def speeds(self) -> np.ndarray:
        """How often our time fits into theirs, one number a turn."""
        return np.asarray(self.theirs) / np.asarray(self.ours)

    @property
    def quartiles(self) -> tuple[float, float, float]:
        """First quartile, median and third quartile of `speeds`."""
        low, middle, high = map(float, np.quantile(self.speeds, (0.25, 0.5, 0.75)))
        return low, middle, high

    @property
    def goal(self) -> float | None:
        """What `speeds` should reach; None where nothing was aimed at."""
        return self.at_least if self.at_most is None else 1 / self.at_most

    @property
    def met(self) -> bool | None:
        """Whether the median reaches the goal; None where there is none."""
        return None if self.goal is None else bool(self.quartiles[1] >= self.goal)

    @property
    def limited(self) -> bool:
        """Whether the other side is no code but a time that is allowed."""
        return self.against.startswith("a limit of")

    @property
    def ratios(self) -> np.ndarray:
        """What the table shows: `speeds`, their inverses for an upper limit, per cents of a time allowed."""
        if self.limited:
            return 100 / self.speeds
        return self.speeds if self.at_most is None else 1 / self.speeds

    def ratio(self) -> str:
        """The median ratio."""
        return number(float(np.median(self.ratios))) + (" %" if self.limited else "")

    def spread(self) -> str:
        """The quartiles of the ratio."""
        low, high = np.quantile(self.ratios, (0.25, 0.75))
        return f"{number(low)} to {number(high)}"

    def target(self) -> str:
        """The target in words, such as ≥ 8; a dash where there is none."""
        if self.limited:
            return "≤ 100 %"
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        return "–" if self.at_least is None else f"≥ {self.at_least:g}"

    def verdict(self) -> str:
        """Met, missed, or a dash."""
        return {None: "–", True: "met", False: "missed"}[self.met]


@dataclass(frozen=True)
class Growth:
    """How a time grows as one size doubles: seconds and operations counted, from the base on."""

    base: tuple[int, int, int]
    seconds: tuple[float, ...]
    counted: tuple[float, ...]

    @property
    def exponents(self) -> tuple[float, float]:
        """Slopes of log time and of log operations against log size, at the largest sizes."""
        x = np.log(2.0) * np.arange(FITTED)
        time, count = (
            float(np.polyfit(x, np.log(values[-FITTED:]), 1)[0])
            for values in (self.seconds, self.counted)
        )
        return time, count


class Measurements:
    """All that one run of the benchmarks measured.

    Args:
        found: the content of measured.json.
    """

    def __init__(self, found: Mapping[str, Any]) -> None:
        self.environment: dict[str, Any] = dict(found["environment"])
        self.facts: dict[str, float] = dict(found["facts"])
        self.profile: dict[str, float] = dict(found["profile"])
        self.rows = [
            Measurement(**{**row, "ours": tuple(row["ours"]), "theirs": tuple(row["theirs"])})
            for row in found["rows"]
        ]
        self.load = " to ".join(map(str, self.environment.get("load", ())))
        # By what grows, and by the letter of the size.
        self.growth = {
            task["what"]: {
                letter: Growth(
                    tuple(task["base"]), tuple(times["seconds"]), tuple(times["counted"])
                )
                for letter, times in task["letters"].items()
            }
            for task in found["growth"]
        }

    @classmethod
    def stored(cls) -> Measurements:
        """Those of the checkout."""
        return cls(json.loads(MEASURED.read_text("utf-8")))

    def missed(self) -> list[Measurement]:
        """The rows whose median misses the target."""
        return [row for row in self.rows if row.met is False]

    def table(self) -> str:
        """All comparisons, in Markdown."""
        lines = [
            "| what | against | our time | ratio (quartiles) | target |",
            "|---|---|---|---|---|",
        ]
        for row in self.rows:
            against = f"{row.against} ({row.note})" if row.note else row.against
            spread = f" ({row.spread()})" if len(row.ours) > 1 else ""
            target = row.target() if row.met is None else f"{row.target()}: {row.verdict()}"
            ours = duration(np.median(row.ours))
            cells = f"{row.what}; {row.size}", against, ours, row.ratio() + spread, target
            lines.append(f"| {' | '.join(map(set_, cells))} |")
        return "\n".join(lines)

    def facts_table(self) -> str:
        """What no clock measures, in Markdown."""
        lines = ["| what | found | target |", "|---|---|---|"]
        for name, (says, most, form) in FACTS.items():
            verdict = "met" if self.facts[name] <= most else "missed"
            found = set_(form.format(self.facts[name]))
            lines.append(f"| {says} | {found} | {set_(f'≤ {most:g}: {verdict}')} |")
        return "\n".join(lines)

    def growth_table(self) -> str:
        """Exponents by function and size, those of the counted operations in brackets; in Markdown."""
        lines = [
            "| what | base (n, d, k) | time there | in n | in d | in k |",
            "|---|---|---|---|---|---|",
        ]
        for what, letters in self.growth.items():
            first = next(iter(letters.values()))
            cells = [what, str(first.base), duration(first.seconds[0])]
            for letter in "ndk":
                if letter in letters:
                    fitted, counted = letters[letter].exponents
                    cells.append(f"{fitted:.2f} ({counted:.2f})")
                else:
                    cells.append("")
            lines.append("| " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def machine(self) -> str:
        """Versions and machine, in Markdown."""
        said = {**self.environment, "load": self.load}
        said["seconds"] = f"{said['seconds']} for the whole run"
        lines = [
            "| of the run | |",
            "|---|---|",
            *(f"| {name} | {value} |" for name, value in said.items()),
        ]
        return "\n".join(lines)

    @cached_property
    def numbers(self) -> dict[str, str]:
        """What sentences may ask for, by name."""
        goals = [row for row in self.rows if row.goal is not None]
        exponents = [g.exponents for letters in self.growth.values() for g in letters.values()]
        out = {
            "targets": str(len(goals) + len(FACTS)),
            "missed": str(len(self.missed()) + sum(self.facts[n] > f[1] for n, f in FACTS.items())),
            "missed-names": ", ".join(
                f"{r.what} ({r.size}) against {r.against}" for r in self.missed()
            )
            or "none",
            "load": self.load,
            "minutes": f"{self.environment['seconds'] / 60:.0f}",
            "widest-growth": f"{max(fitted - counted for fitted, counted in exponents):.1f}",
        }
        for row in self.rows:
            out |= {
                row.id: row.ratio(),
                f"{row.id}-ours": duration(np.median(row.ours)),
                f"{row.id}-theirs": duration(np.median(row.theirs)),
                f"{row.id}-target": row.target(),
                f"{row.id}-verdict": row.verdict(),
            }
        for name, value in self.profile.items():
            out[f"profile-{name}"] = str(value) if isinstance(value, int) else duration(value)
        out |= {name: FACTS[name][2].format(value) for name, value in self.facts.items()}
        return {name: set_(value) for name, value in out.items()}

    def filled(self, text: str) -> str:
        """A page with its numbers and tables.

        Raises:
            ValueError: if the page asks for a number that is not there.
        """
        blocks = {
            "measurements": self.table,
            "facts": self.facts_table,
            "growth": self.growth_table,
            "machine": self.machine,
        }
        for name, block in blocks.items():
            text = text.replace(f"```{{{name}}}\n```", block())
        for name in re.findall(r"\{measured\}`([^`]*)`", text):
            if name not in self.numbers:
                raise ValueError(f"the page asks for {name}, which the benchmarks did not measure")
            text = text.replace(f"{{measured}}`{name}`", self.numbers[name])
        return text

    def text(self) -> str:
        """One line a row, for the terminal."""
        lines = []
        for row in self.rows:
            name = f"{row.what}, {row.size}, against {row.against}".replace("`", "")
            lines.append(f"{name:100} {row.ratio():>8} {row.target():>6}  {row.verdict()}")
        return "\n".join(lines)


def _on_source(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname == "pages/benchmarks":
        source[0] = Measurements.stored().filled(source[0])


def setup(app: Sphinx) -> dict[str, Any]:
    """Fill the page before it is read."""
    app.connect("source-read", _on_source)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
