"""The map of the book: every numbered statement and figure, where it stands, and what its check said.

A result names its place (a chapter and an anchor on its page) and its row in the ledger, so that the
map can say of each what the search for a violation came to.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from . import ledger

_CELL = "text-align: left; vertical-align: top; white-space: normal"


@dataclass(frozen=True)
class Result:
    """One statement or figure.

    Attributes:
        name: as a reader knows it, "Theorem 1".
        says: in a few words.
        chapter: its number, "02".
        anchor: of its place on the chapter's page.
        claim: its id in the ledger; None where a proof is all there is.
    """

    name: str
    says: str
    chapter: str
    anchor: str
    claim: str | None

    @property
    def address(self) -> str:
        """Where it stands, relative to the pages of the chapters."""
        return f"{ledger.chapter(self.chapter)}.html#{self.anchor}"


# What the paper numbers, in the order in which one needs it.
PAPER = {
    "Stable minima are flat, flat minima bend little": (
        Result("Definition 1", "linear stability", "01", "def-1", "def-1"),
        Result("Lemma 1", "a stable minimum has λ ≤ 2/η", "01", "lem-1", "lem-1"),
        Result("Definition 2", "a solution fits every label", "02", "def-2", "def-3"),
        Result("(11)", "the stability norm ‖f‖", "02", "def-stability-norm", "eq-15"),
        Result("Lemma 3", "λ ≥ 1 + 2‖f‖, however f is written", "02", "lem-3", "lem-3"),
        Result("Definition 3", "a stable solution has one stable network", "02", "def-3", "def-3"),
        Result("(23)", "the chain between the two lemmas", "00", "fig-chain", "eq-23"),
        Result("Theorem 1", "stable solutions have ‖f‖ ≤ 1/η − 1/2", "02", "thm-1", "thm-1"),
        Result("Figure 1", "larger steps, smoother predictors", "00", "fig-1", "fig-1"),
    ),
    "The price of a crease": (
        Result("Proposition 4", "both readings of |Δf| are one measure", "03", "prop-4", "prop-4"),
        Result("Proposition 5", "‖f‖ as a limit of integrals ∫|Δf|ρ", "03", "prop-5", "prop-5"),
        Result("Figure 2", "a predictor, its creases, their price map ρ", "03", "fig-2", "fig-2"),
        Result("Figure 3", "g and ρ of two points and of normal data", "04", "fig-3", "fig-3"),
    ),
    "Out of reach of one hidden layer": (
        Result("Proposition 1", "limits keep a bounded norm", "05", "check-prop-1", "prop-1"),
        Result("Proposition 2", "the pyramid has infinite norm", "05", "prop-2", "prop-2"),
        Result("Figure 6", "the pyramid and its edges", "05", "fig-6", "fig-6"),
        Result("Figure 7", "its edges among the lines", "05", "fig-7", "fig-7"),
    ),
    "Within reach": (
        Result("Lemma 2", "some network of f is flat enough", "06", "lem-2", "lem-2"),
        Result("Theorem 3", "a condition that suffices for stability", "06", "thm-3", "thm-3"),
        Result("Proposition 3", "k neurons near any smooth function", "06", "prop-3", "prop-3"),
        Result("Theorem 2", "stable at one step size for every k", "06", "thm-2", "thm-2"),
    ),
    "In training": (
        Result("Figure 4 (a)", "random labels: the chain over η", "07", "fig-4a", "fig-4a"),
        Result("Figure 4 (b)", "the norm of the biases", "07", "fig-4b", "fig-4b"),
        Result("Figure 5 (a)", "digits: the chain over η", "08", "fig-5a", "fig-5a"),
        Result("Figure 5 (b)", "digits: the validation error", "08", "fig-5b", "fig-5b"),
        Result("Figure 8", "flat up to η*, then on the line 2/η", "08", "fig-8", "fig-8"),
    ),
}

# What this book adds.
OURS = {
    "What SGD tolerates": (
        Result("Three notions", "mean square, mean, single runs", "01", "fig-notions",
               "new-three-notions"),
        Result("Exact threshold", "of SGD, in mean square, for every batch size", "01",
               "thm-mean-square", "new-sgd-threshold"),
        Result("Small batches", "a Theorem 1 with a larger norm", "09", "thm-small-batch",
               "new-small-batch"),
        Result("Both ceilings", "are that threshold up to a factor", "09", "prop-ceilings",
               "new-small-batch"),
        Result("SGD's own edge", "is where its training ends", "08", "fig-own-edge",
               "new-sgd-edge"),
    ),
    "Between the bound and the sharpness": (
        Result("Two ends", "|Eφ|² ≤ λ ≤ E|φ|² holds all of it", "02", "prop-two-ends",
               "new-identity"),
        Result("Local minima", "Theorem 1 needs no interpolation", "02", "prop-local-minima",
               "new-local-minima"),
        Result("General losses", "a weight for each point", "02", "prop-weighted-loss",
               "new-weighted-loss"),
        Result("Flattest rescaling", "computed with a proof", "02", "prop-flattest",
               "new-flattest-dual"),
        Result("Inertia test", "a sharpness with a proof", "02", "prop-inertia", "new-interval"),
        Result("Every density", "a sharper bound for all networks of f", "09",
               "thm-implementation-free", "new-implementation-free"),
        Result("Affine part", "counts, too", "09", "thm-affine-aware", "new-affine-aware"),
        Result("Symmetric data", "a slope costs its mean deviation", "09", "prop-symmetric",
               "new-affine-aware"),
        Result("Side by side", "networks of any width are convex", "09", "lem-side-by-side", None),
        Result("Any width", "the least sharpness, from both sides", "09", "thm-any-width",
               "new-any-width"),
    ),
    "What functions cost": (
        Result("Saddle", "a harmonic function is not free", "03", "prop-saddle", "new-harmonic"),
        Result("Separation", "near the pyramid, the norm grows like a logarithm", "05",
               "cor-separation", "new-separation-rate"),
        Result("Rate", "the pyramid's norm grows like log²", "05", "fig-divergence",
               "new-pyramid-rate"),
        Result("Least trace", "what Lemma 2's sum really is", "06", "check-new-trace",
               "new-trace"),
        Result("Critical step", "η* = 2/λ of a small-step run", "07", "fig-eta-star",
               "new-eta-star"),
    ),
    "Noise": (
        Result("Memoriser", "flat networks for any labels", "09", "prop-memoriser",
               "new-memoriser"),
        Result("Join the dots", "on a line, noise has its price", "09", "thm-dots",
               "new-shattering"),
        Result("Knots", "on data points, at most minima", "09", "fig-knots", "new-nonsmooth"),
    ),
}  # fmt: skip


def results() -> Iterator[Result]:
    """All of them, the paper's first."""
    for groups in (PAPER, OURS):
        for group in groups.values():
            yield from group


class Atlas:
    """A table of results: each leads to its place, and its verdict to its row in the ledger.

    Args:
        groups: results by the heading above them, such as PAPER or OURS.
    """

    def __init__(self, groups: Mapping[str, tuple[Result, ...]]) -> None:
        self.groups = groups
        self.verdicts = {entry["id"]: entry for entry in ledger.read()}

    def __repr__(self) -> str:
        lines = []
        for heading, group in self.groups.items():
            lines += [heading, *(f"  {self._line(result)}" for result in group)]
        return "\n".join(lines)

    def _line(self, result: Result) -> str:
        word = self.verdicts[result.claim]["verdict"] if result.claim else "proved"
        return f"{result.name:<18}  {result.says:<52}  chapter {result.chapter}, {word}"

    def _repr_html_(self) -> str:
        rows = []
        for heading, group in self.groups.items():
            rows.append(f'<tr><th colspan="3" style="{_CELL}">{html.escape(heading)}</th></tr>')
            rows += [self._row(result) for result in group]
        names = "".join(f'<th style="{_CELL}">{n}</th>' for n in ("result", "in words", "check"))
        return (
            f'<table class="atlas">\n<thead><tr>{names}</tr></thead>\n<tbody>\n'
            + "\n".join(rows)
            + "\n</tbody>\n</table>"
        )

    def _row(self, result: Result) -> str:
        cells = (
            f'<a href="{result.address}">{html.escape(result.name)}</a>',
            html.escape(result.says),
            self._verdict(self.verdicts.get(result.claim)),
        )
        return "<tr>" + "".join(f'<td style="{_CELL}">{cell}</td>' for cell in cells) + "</tr>"

    @staticmethod
    def _verdict(entry: Mapping[str, Any] | None) -> str:
        if entry is None:
            return "proved"
        goal = f"{ledger.chapter('10')}.html#ledger-{ledger.anchor(entry['id'])}"
        return f'<a href="{goal}">{html.escape(entry["verdict"])}</a>'
