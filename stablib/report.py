"""A diagnosis as text for a terminal and as HTML for a notebook."""

from __future__ import annotations

import html
import textwrap
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from .diagnosis import Diagnosis
    from .findings import Link, Step

_WIDTH = 100


class _Row(NamedTuple):
    """A line of the table: what, how much, how sure, what it means, and (in HTML) how it is known."""

    name: str
    value: str
    status: str
    meaning: str
    proof: str = ""


def text(found: Diagnosis) -> str:
    """The table of a diagnosis in at most 100 columns, numbers with seven significant digits.

    Args:
        found: the diagnosis.
    """
    sections = _sections(found)
    rows = [row for _, rows in sections for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    left = sum(widths) + 2 * 4
    lines = textwrap.wrap(_title(found), _WIDTH)
    for heading, rows in sections:
        lines += ["", heading]
        for row in rows:
            start = (
                f"  {row.name:{widths[0]}}  {row.value:>{widths[1]}}  {row.status:{widths[2]}}  "
            )
            told = textwrap.wrap(row.meaning, _WIDTH - left) or [""]
            lines.append((start + told[0]).rstrip())
            lines += [" " * left + more for more in told[1:]]
    if found.notes:
        lines += ["", "To mind"]
        for note in found.notes:
            lines += textwrap.wrap(note, _WIDTH, initial_indent="  * ", subsequent_indent="    ")
    return "\n".join(lines)


def page(found: Diagnosis) -> str:
    """The same as an HTML table without colours or styles of its own, for any theme.

    Args:
        found: the diagnosis.
    """
    body = []
    for heading, rows in _sections(found):
        body.append(
            f'<tr><th colspan="5" scope="rowgroup" style="text-align: left">{html.escape(heading)}</th></tr>'
        )
        body += [_html_row(row) for row in rows]
    head = "".join(
        f'<th scope="col" style="text-align: {side}">{name}</th>'
        for name, side in (
            ("quantity", "left"),
            ("value", "right"),
            ("status", "left"),
            ("meaning", "left"),
            ("how it is known", "left"),
        )
    )
    notes = "".join(f"<li>{html.escape(note)}</li>" for note in found.notes)
    return (
        '<div style="overflow-x: auto">\n'
        f"<table>\n<caption>{html.escape(_title(found))}</caption>\n"
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n" + "\n".join(body) + "\n</tbody>\n</table>\n"
        f"{f'<ul>{notes}</ul>' if notes else ''}\n</div>"
    )


def _html_row(row: _Row) -> str:
    name, *cells = (html.escape(cell) for cell in row)
    sides = ("right", "left", "left", "left")
    return (
        f'<tr><th scope="row" style="text-align: left; font-weight: normal">{name}</th>'
        + "".join(
            f'<td style="text-align: {side}">{cell}</td>'
            for side, cell in zip(sides, cells, strict=True)
        )
        + "</tr>"
    )


def _title(found: Diagnosis) -> str:
    net = found.net
    return (
        f"A shallow ReLU network, {_count(net.k, 'neuron')} in dimension {net.d}, "
        f"at {_count(found.n, 'data point')}"
    )


def _sections(found: Diagnosis) -> list[tuple[str, list[_Row]]]:
    sections = [
        (
            "The minimum",
            [
                _Row("loss", _number(found.loss), "", "(1/2n) sum of squared residuals"),
                _Row("gradient", _number(found.gradient_norm), "", "its length"),
                _Row("trace", _number(found.trace), "", "of the Hessian"),
            ],
        ),
        ("How sharp it is", [_link(found.sharpness), *_range(found.over_sides)]),
        ("How sharp it must be", [_link(found.lower_bound), _link(found.own_side_bound)]),
        ("How flat it could be", [_link(found.flattest), _link(found.upper_bound)]),
        (
            "Which step sizes and batch sizes could have found it",
            [_link(found.gd_threshold), *map(_link, found.sgd_thresholds), *_batch(found)],
        ),
    ]
    if found.chain:
        rows = [
            _Row(
                check.claim,
                _number(check.left),
                check.verdict,
                f"at most {_number(check.right)}: {check.meaning}",
            )
            for check in found.chain
        ]
        sections.append((f"The chain at step size {found.step_size:g}", rows))
    top = "2/eta" if found.step_size is not None else "the sharpness"
    sections.append(
        (f"The slack from {top} down to 1 + 2 norm", [_step(step) for step in found.slack])
    )
    neurons = found.neurons
    sections.append(
        (
            "Neurons",
            [
                _group("dead", neurons.dead, "fire on no data point"),
                _group("always on", neurons.always_on, "fire on every data point"),
                _group(
                    "on data points",
                    neurons.on_data,
                    f"within 1e-5 of their hyperplane: {_count(neurons.pairs, 'pair')}",
                ),
                _group("constant", neurons.constant, "have no input weights"),
                _group("no output", neurons.no_output, "have no output weight"),
                _Row(
                    "nearest", _number(neurons.nearest), "", "distance of a point to a hyperplane"
                ),
            ],
        )
    )
    return sections


def _link(link: Link) -> _Row:
    status, _, why = link.status.partition(": ")
    return _Row(link.name, _number(link.value), status, why or link.meaning, link.proof)


def _batch(found: Diagnosis) -> list[_Row]:
    link = found.smallest_batch
    if link is None:
        return []
    row = _link(link)
    return [row if link.value is None else row._replace(value=str(link.value))]


def _range(link: Link) -> list[_Row]:
    """The range of an interval whose two ends are of interest."""
    if link.value is None:
        return [_link(link)]
    if link.low == link.high:
        return [_link(link)]
    return [
        _Row("least over the sides", _number(link.low), link.status, "", link.proof),
        _Row("most over the sides", _number(link.high), link.status, link.meaning, link.proof),
    ]


def _step(step: Step) -> _Row:
    percent = round(100 * step.share, 1) + 0.0  # no negative zero
    share = f"{percent:5.1f} %" if abs(percent) < 1e4 else f"{percent:.0e} %"
    return _Row(step.name, _number(step.amount), share, step.meaning)


def _group(name: str, indices: tuple[int, ...], meaning: str) -> _Row:
    if indices:
        shown = ", ".join(map(str, indices[:8])) + (", ..." if len(indices) > 8 else "")
        meaning = f"{meaning}; number{'s' * (len(indices) > 1)} {shown}"
    return _Row(name, str(len(indices)), "", meaning)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:#.7g}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
