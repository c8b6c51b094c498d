"""What every measurement shares: functions timed in turns, and the rows that are kept of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

TURNS = 9


def in_turns(
    contestants: dict[str, Callable[[], object]], turns: int = TURNS
) -> tuple[dict[str, list[float]], dict[str, object]]:
    """CPU seconds of each function, one number a turn, and what each returned last.

    Everything runs on one thread, so that CPU time is the time of a core of one's own: that others wait for
    the same core does not count. One turn before the first compiles and warms up.
    """
    times: dict[str, list[float]] = {name: [] for name in contestants}
    values = {}
    for turn in range(turns + 1):
        for name, function in contestants.items():
            start = time.process_time()
            values[name] = function()
            if turn:
                times[name].append(time.process_time() - start)
    return times, values


def row(
    name: str,
    what: str,
    size: str,
    against: str,
    ours: list[float],
    theirs: list[float],
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    note: str = "",
) -> dict[str, Any]:
    """A row of the results: seconds of both sides, turn by turn, and what was aimed at.

    Args:
        name: under which the page finds it.
        what: that is ours.
        size: of the problem.
        against: what it is compared with; a limit in seconds is a comparison, too.
        ours: seconds, one number a turn.
        theirs: the same, or one number for all turns.
        at_least: how often our time should fit into theirs.
        at_most: how often their time may fit into ours.
        note: a few words that the table shows.
    """
    target = {"at_least": at_least} if at_least is not None else {}
    target |= {"at_most": at_most} if at_most is not None else {}
    times = {
        "ours": [float(f"{t:.4g}") for t in ours],
        "theirs": [float(f"{t:.4g}") for t in theirs],
    }
    row = {"id": name, "what": what, "size": size, "against": against, **times, **target}
    return row | ({"note": note} if note else {})


def per_step(seconds: list[float], steps: int) -> list[float]:
    return [t / steps for t in seconds]
