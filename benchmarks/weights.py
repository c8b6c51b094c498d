"""The weight g at all offsets of a direction against its definition, offset by offset."""

from __future__ import annotations

from typing import Any

import numpy as np
from turns import in_turns, row

from stablib import EmpiricalWeight


def g_by_definition(X: np.ndarray, v: np.ndarray, b: float) -> float:
    """Eq. (12): P(A) E[X.v - b | A] sqrt(1 + |E[X | A]|^2) P(A) on A = {X.v > b}, the least of both sides."""
    sides = []
    for sign in (1.0, -1.0):
        z = sign * (X @ v - b)
        active = z > 0
        if not active.any():
            return 0.0
        share = active.mean()
        centre = X[active].mean(axis=0)
        sides.append(share**2 * z[active].mean() * np.sqrt(1 + centre @ centre))
    return float(min(sides))


def all_offsets() -> list[dict[str, Any]]:
    """One row: n offsets at the data points. The definition is evaluated at some of them.

    Raises:
        AssertionError: if the two do not agree to 1e-9.
    """
    n, d, asked = 4000, 784, 20
    rng = np.random.default_rng(0)
    X, v = rng.normal(size=(n, d)), rng.normal(size=d)
    v /= np.linalg.norm(v)
    b, weight = X @ v, EmpiricalWeight(X)
    chosen = np.arange(0, n, n // asked)
    times, values = in_turns(
        {
            "ours": lambda: weight.g(v, b),
            "theirs": lambda: [g_by_definition(X, v, offset) for offset in b[chosen]],
        }
    )
    np.testing.assert_allclose(values["ours"][chosen], values["theirs"], rtol=1e-9, atol=1e-14)
    theirs = [seconds * n / asked for seconds in times["theirs"]]
    return [
        row(
            "g-definition",
            "`g` at all n offsets of a direction",
            f"n = {n}, d = {d}",
            "its definition",
            times["ours"],
            theirs,
            at_least=100,
            note=f"offset by offset, timed at {asked} of them",
        )
    ]
