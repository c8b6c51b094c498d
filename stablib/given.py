"""The best multiplier of the affine part for a given density: a linear program, one cut for every pair."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linprog

from .meeting import Meeting, bound_value
from .pairs import Worst, scan

ROUNDS = 40


def best_multiplier(meeting: Meeting, U: np.ndarray) -> tuple[float, np.ndarray, bool]:
    """Maximise the bound over the multipliers for which no pair costs less than they pay.

    The bound is concave and piecewise linear in mu; pairs that a trial mu breaks are added as cuts. In the
    end mu is scaled down to meet the worst pair known, or every pair where that can be proven.

    Args:
        meeting: the function on its data, not yet searched.
        U: factor of the density, (n, q).

    Returns:
        The bound, mu (d,), and whether it is proven that no pair costs less.
    """
    form, frame, planes = meeting.form, meeting.frame, meeting.own
    r, m = frame.C.shape[1], planes.m
    nothing = np.zeros(len(form.beta))
    best = bound_value(form, planes, U, nothing), nothing, True
    if r == 0:
        return best
    front, back = planes.cost(U)
    size, normals = np.abs(form.a), form.v @ frame.basis
    # Unknowns: nu, mu in the frame, and what each hyperplane yields.
    objective = -np.concatenate([frame.basis.T @ form.beta, np.ones(m)])
    yields = np.hstack([-form.a[:, None] * normals, np.eye(m)])
    omega = np.vstack([np.eye(r), meeting.directions(frame.basis.T @ form.beta)])
    cost = scan(frame, U, omega)[1].min(axis=1)
    for _ in range(ROUNDS):
        cuts = np.hstack([omega, np.zeros((len(omega), m))])
        solved = linprog(
            objective,
            A_ub=np.vstack([yields, cuts, -cuts]),
            b_ub=np.concatenate([size * back, cost, cost]),
            bounds=[(None, None)] * r + [(None, s) for s in size * front],
        )
        if solved.x is None:
            break
        nu = solved.x[:r]
        found = meeting.worst(U, frame.basis @ nu, prove=False)
        best = max(best, _scaled(meeting, U, frame.basis @ nu, found), key=lambda b: b[0])
        new = found.ratios > 1 + 1e-9
        if not new.any():
            break
        omega = np.vstack([omega, found.omega[new]])
        cost = np.concatenate([cost, np.abs(found.omega[new] @ nu) / found.ratios[new]])
    if not best[2] and meeting.can_prove:
        found = meeting.worst(U, best[1], prove=True)
        best = _scaled(meeting, U, best[1], found)
    return best


def _scaled(
    meeting: Meeting, U: np.ndarray, mu: np.ndarray, found: Worst
) -> tuple[float, np.ndarray, bool]:
    proven = bool(np.isfinite(found.proven))
    mu = mu / max(1.0, found.proven if proven else found.ratio)
    return bound_value(meeting.form, meeting.own, U, mu), mu, proven
