"""What a diagnosis consists of: numbers with their proofs, inequalities, steps of the slack, neurons."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from .bounds import max_stability_norm
from .network import ShallowReLU

KNOT = 1e-5  # a hyperplane within this distance of a data point is taken to lie on it


class Link(NamedTuple):
    """One number of a diagnosis.

    `value` lies between `low` and `high`; all three are None where there is none. `status` is "proven",
    "estimate" or "empty: why"; `meaning` says what the number is, and `proof` how it is known.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    status: str
    meaning: str
    proof: str


class Check(NamedTuple):
    """An inequality, `left` <= `right`, with its `verdict`: "holds", "fails" or "undecided"."""

    claim: str
    left: float | None
    right: float | None
    verdict: str
    meaning: str


class Step(NamedTuple):
    """One step of the slack, from `before` down to `after`; `share` is its part of the whole way."""

    name: str
    before: float
    after: float
    share: float
    meaning: str

    @property
    def amount(self) -> float:
        """How far the step leads down; negative where it leads up."""
        return self.before - self.after


class Neurons(NamedTuple):
    """Indices of the neurons that are special on the data; one neuron may be in several groups.

    `dead` fire on no point, `always_on` on every point, `on_data` have a point within 1e-5 of their
    hyperplane (`pairs` such pairs in all), `constant` have no input weights, `no_output` have w2_i = 0.
    `nearest` is the least distance of a point to a hyperplane, None where there is no hyperplane.
    """

    dead: tuple[int, ...]
    always_on: tuple[int, ...]
    on_data: tuple[int, ...]
    constant: tuple[int, ...]
    no_output: tuple[int, ...]
    pairs: int
    nearest: float | None


def special_neurons(net: ShallowReLU, X: np.ndarray) -> Neurons:
    """The neurons that a reader of a diagnosis should know of."""
    z = net.preactivations(X)
    ridge = net.W1.any(axis=1)
    top = np.where(ridge, np.abs(net.W1).max(axis=1), 1.0)
    length = top * np.linalg.norm(net.W1 / top[:, None], axis=1)  # squares must not underflow
    near = (np.abs(z) <= KNOT * length) & ridge

    def where(mask: np.ndarray) -> tuple[int, ...]:
        return tuple(int(i) for i in np.flatnonzero(mask))

    return Neurons(
        dead=where(~(z > 0).any(axis=0)),
        always_on=where((z > 0).all(axis=0)),
        on_data=where(near.any(axis=0)),
        constant=where(~ridge),
        no_output=where(net.w2 == 0),
        pairs=int(near.sum()),
        nearest=float((np.abs(z[:, ridge]) / length[ridge]).min()) if ridge.any() else None,
    )


def slack_steps(levels: list[float], step_size: float | None) -> tuple[Step, ...]:
    """The way down from 2/step_size or, without a step size, from the sharpness.

    Args:
        levels: the sharpness with y, without y, |mean of phi|^2, and 1 + 2 times the one-sided, the
            parametric and the stability norm.
        step_size: eta, or None.
    """
    names = [
        ("residual", "the Hessian's part that is 0 where y = f(X)"),
        ("test vector", "top eigenvector against uniform, eq. (48)"),
        ("balance", "input against output weights of a neuron"),
        ("orientation", "a neuron's own side against the cheaper one"),
        ("merging", "opposite slopes on one hyperplane"),
    ]
    if step_size is not None:
        levels = [2 / step_size, *levels]
        names = [("dynamics", "allowed by the step size, but not used"), *names]
    whole = levels[0] - levels[-1]
    return tuple(
        Step(name, before, after, (before - after) / whole if whole else 0.0, meaning)
        for (name, meaning), (before, after) in zip(names, pairwise(levels), strict=True)
    )


def chain_checks(
    lower: Link,
    flattest: Link,
    sharpness: Link,
    residual: float,
    step_size: float,
    sgd: Link | None,
) -> tuple[Check, ...]:
    """Chain (23) link by link, Theorem 1, and the step size against SGD's threshold if there is one.

    Args:
        lower: 1 + 2 norm.
        flattest: the least sharpness over rescalings, labels taken as f(X).
        sharpness: that of the full Hessian.
        residual: what the residual part adds to that; where it is negative, it is not held against the
            flattest rescaling, which is one for labels f(X).
        step_size: eta.
        sgd: the threshold of SGD for the batch size in question.
    """
    norm = (lower.value - 1) / 2
    edge, most = 2 / step_size, max_stability_norm(step_size)
    flat = (flattest.value, flattest.low, flattest.high)
    sharp = (sharpness.value, sharpness.low, sharpness.high)
    lift = max(-residual, 0.0)
    lifted = (sharpness.value, sharpness.low + lift, sharpness.high + lift)
    exact = (lower.value, lower.low, lower.high)
    # Decided before 1/2 is taken off: where little is left, rounding would decide.
    theorem_1 = _check("norm <= 1/eta - 1/2", exact, (edge,) * 3, "Theorem 1")
    checks = [
        _check("1 + 2 norm <= flattest", exact, flat, "Lemma 3"),
        _check("flattest <= sharpness", flat, lifted, "it is one of its rescalings"),
        _check("sharpness <= 2/eta", sharp, (edge,) * 3, "GD is linearly stable here"),
        theorem_1._replace(left=norm, right=most),
    ]
    if sgd is not None:
        threshold = (sgd.value, sgd.low, sgd.high)
        meaning = "SGD is stable here in mean square"
        checks.append(_check(f"eta <= {sgd.name}", (step_size,) * 3, threshold, meaning))
    return tuple(checks)


def _check(
    claim: str,
    left: tuple[float | None, ...],
    right: tuple[float | None, ...],
    meaning: str,
) -> Check:
    """Decided where the intervals are apart; numbers that agree to 1e-9, as rounding may, hold."""
    value, low, high = left
    bound, least, most = right
    if value is None or bound is None:
        verdict = "undecided"
    elif high <= least + 1e-9 * abs(least):
        verdict = "holds"
    else:
        verdict = "fails" if low > most + 1e-9 * abs(most) else "undecided"
    return Check(claim, value, bound, verdict, meaning)
