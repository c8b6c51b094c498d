"""The top eigenvalue over all choices of side, where data points lie on neurons' hyperplanes.

A pair (point j, neuron i) that counts as active puts w2_i (x_j, 1) into the feature of x_j and
r_j (x_j, 1)/n into c_i. With t = (n mu)^(-1/2), mu - H is positive definite exactly if this matrix is:

    [[1 - E/mu, t Phi], [t Phi', 1]].

There the choice enters linearly, and only in the rows of the pairs' neurons and points. The others are
eliminated once for all choices; what is left has at most three rows for each pair.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.linalg import LinAlgError, cho_factor, cho_solve

from .hessian import EXCESSES, UNPROVEN, Hessian
from .network import ShallowReLU

MOST_ENUMERATED = 12
_BATCH = 512  # matrices at a time
_SINGLES = 48  # pairs that a search tries one by one


def pairs_on_data(net: ShallowReLU, X: np.ndarray, tol: float) -> tuple[np.ndarray, np.ndarray]:
    """Points and neurons of the pairs with |z| <= tol |W1_i|; W1_i = 0 is no hyperplane and has no sides."""
    with np.errstate(over="ignore"):  # as infinite as its products, which are refused
        length = np.linalg.norm(net.W1, axis=1)
    return np.nonzero((np.abs(net.preactivations(X)) <= tol * length) & net.W1.any(axis=1))


class SideChoices:
    """All Hessians that differ in the sides of some pairs; a choice is a row of m zeros (off) and ones (on).

    Args:
        hessian: it decides about all other pairs.
        points: points of the pairs, (m,).
        neurons: neurons of the pairs, (m,).
    """

    def __init__(self, hessian: Hessian, points: np.ndarray, neurons: np.ndarray) -> None:
        self.points, self.neurons = points, neurons
        self.strict = hessian.active[points, neurons]
        self.off = hessian.with_active(points, neurons, 0.0)

    def hessian(self, choice: np.ndarray) -> Hessian:
        """The Hessian at one choice."""
        return self.off.with_active(self.points, self.neurons, choice)

    def free(self, pairs: np.ndarray, choice: np.ndarray) -> SideChoices:
        """Only some pairs left to choose, the others as in `choice`."""
        return SideChoices(self.hessian(choice), self.points[pairs], self.neurons[pairs])

    def margins(self, mu: float, choices: np.ndarray) -> np.ndarray:
        """Positive exactly where mu exceeds the top eigenvalue of that choice, (number of choices,)."""
        reduced = self._reduced(mu)
        if reduced is None:
            return np.full(len(choices), -np.inf)
        fixed, left, right = reduced
        out = []
        for start in range(0, len(choices), _BATCH):
            on = choices[start : start + _BATCH, None, :]
            change = (left.T * on) @ right
            out.append(np.linalg.eigvalsh(fixed + change + change.transpose(0, 2, 1))[:, 0])
        return np.concatenate(out)

    def _reduced(self, mu: float) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        """The matrix of the module's docstring, reduced: F + sum over active pairs q of a_q b_q' + b_q a_q'.

        Returns:
            F, the rows a_q and the rows b_q; or None if what is eliminated is not positive definite, for
            then no choice has its top eigenvalue below mu.
        """
        off, n = self.off, self.off.n
        J = np.unique(self.points)
        K, at_neuron = np.unique(self.neurons, return_inverse=True)
        others = Hessian(off.X1, off.active, off.height.copy(), off.w2, off.pull)
        others.kernel, others.height[:, K], others.couple[K] = off.kernel, 0, 0
        if mu <= others.residual_norm:
            return None
        # (W1_i, b1_i) moves within the span of the neuron's points; across it nothing is chosen.
        spans = [np.linalg.qr(off.X1[self.points[at_neuron == a]].T)[0] for a in range(len(K))]
        ends = np.cumsum([0] + [span.shape[1] for span in spans])
        kept = ends[-1] + len(K)  # then the points follow
        t = (n * mu) ** -0.5
        full = np.eye(kept + n)
        full[kept:, kept:] -= others.resolvent(mu)
        left = np.zeros((len(self.points), kept + n))
        right = np.zeros((len(self.points), kept + n))
        for a, i in enumerate(K):
            span, w2, active = spans[a], off.w2[i], off.active[:, i]
            rows, outer = slice(ends[a], ends[a + 1]), ends[-1] + a
            along = span.T @ off.couple[i]
            across = off.couple[i] - span @ along
            features = active[:, None] * (off.X1 @ span)
            full[rows, outer] = full[outer, rows] = -along / mu
            full[rows, kept:] = t * w2 * features.T
            full[outer, outer] -= across @ across / mu**2
            full[outer, kept:] = t * (off.height[:, i] + w2 / mu * active * (off.X1 @ across))
            # `others` has the neuron's whole (W1_i, b1_i) eliminated; give the span back.
            full[kept:, kept:] += (t * w2) ** 2 * features @ features.T
            mine = np.flatnonzero(at_neuron == a)
            left[mine, rows] = off.X1[self.points[mine]] @ span
            right[mine, outer] = -off.pull[self.points[mine]] / mu
            right[mine, kept + self.points[mine]] = t * w2
        full[kept:, :kept] = full[:kept, kept:].T
        stay = np.concatenate([np.arange(kept), kept + J])
        gone = np.delete(np.arange(kept + n), stay)
        fixed = full[np.ix_(stay, stay)]
        if len(gone):
            try:
                factor = cho_factor(full[np.ix_(gone, gone)], lower=True, check_finite=False)
            except LinAlgError:
                return None
            coupling = full[np.ix_(gone, stay)]
            fixed -= coupling.T @ cho_solve(factor, coupling, check_finite=False)
        return fixed, left[:, stay], right[:, stay]

    def changes(self, choice: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How the Rayleigh quotient at a unit vector w changes with one pair: first and second order, (m,).

        It is convex in the choice, so several pairs together add at least the sum of their first orders.
        """
        H = self.hessian(choice)
        inner, outer, _ = H.split(w)
        turn = 1 - 2 * choice
        along = (H.X1[self.points] * inner[self.neurons]).sum(axis=1)
        b = turn * H.w2[self.neurons] * along
        first = 2 * H.features_of(w)[self.points] * b / H.n
        return first + 2 * turn * H.pull[self.points] * along * outer[self.neurons], b**2 / H.n

    def below_all(self, choice: np.ndarray) -> float:
        """A proven lower bound of all top eigenvalues; mostly the one of `choice`, if that is the flattest.

        The eigenvector of one choice gives Rayleigh quotients, so lower bounds, of all the others.
        """
        H = self.hessian(choice)
        first, _ = self.changes(choice, H.top()[1])
        return float(H.enclosed()[0] + np.minimum(first, 0).sum())

    def above_all(self, choice: np.ndarray) -> float:
        """A proven upper bound of all top eigenvalues; near the one of `choice` if that is the sharpest.

        For tau > 0 and g = sqrt(tau) a - b/sqrt(tau), on or off, a pair changes the reduced matrix by no less
        than -gg'/2: what is missing is (1/2)(sqrt(tau) a + b/sqrt(tau))(...)' or gg'/2. One factorisation
        with all these taken off tells of all choices; tau is best for the null vector at `choice`.
        """
        value, seen = self.hessian(choice).top()[0], None
        for excess in (*EXCESSES, *np.geomspace(2e-10, 1e6, 64)):
            mu = value * (1 + excess)
            reduced = self._reduced(mu)
            if reduced is None:
                continue
            fixed, left, right = reduced
            size = [np.linalg.norm(rows, axis=1) for rows in (left, right)]
            if seen is None:
                felt = size[1] > 0
                change = (left.T * choice) @ right
                z = np.linalg.eigh(fixed + change + change.T)[1][:, 0]
                seen = abs(left[felt] @ z) / size[0][felt], abs(right[felt] @ z) / size[1][felt]
            # Where z hardly sees a pair its best tau is too large or too small for the other vectors.
            for mild in (1e-9, 1e-6, 1e-3, 1.0):
                tau = size[1][felt] / size[0][felt] * (seen[1] + mild) / (seen[0] + mild)
                root = tau[:, None] ** 0.5
                g = root * left[felt] - right[felt] / root
                try:
                    np.linalg.cholesky(fixed - g.T @ g / 2)
                except LinAlgError:
                    continue
                return mu
        return np.inf


def range_over_sides(
    hessian: Hessian, points: np.ndarray, neurons: np.ndarray
) -> tuple[float, float, bool, tuple[float, float]]:
    """The range of the top eigenvalue over all choices of side, whether it is proven, and one that is.

    Raises:
        ArithmeticError: if rounding keeps a bound from being proven within a relative 1e-10.
    """
    if not len(points):
        ends = hessian.enclosed()
        return *ends, True, ends
    sides = SideChoices(hessian, points, neurons)
    if len(points) > MOST_ENUMERATED:
        flattest, sharpest = _searched(sides, -1), _searched(sides, 1)
        low, high = sides.hessian(flattest).enclosed()[0], sides.hessian(sharpest).enclosed()[1]
        outer = min(low, sides.below_all(flattest)), max(high, sides.above_all(sharpest))
        return low, high, False, outer
    choices = _all_choices(len(points))
    ends = _proven(sides, choices, -1), _proven(sides, choices, 1)
    return *ends, True, ends


def _all_choices(m: int) -> np.ndarray:
    return ((np.arange(2**m)[:, None] >> np.arange(m)) & 1).astype(float)


def _proven(sides: SideChoices, choices: np.ndarray, sign: int) -> float:
    """A bound of the top eigenvalues of all choices, from above (sign = 1) or from below (sign = -1)."""
    best = choices[-1 if sign > 0 else 0]
    value = sides.hessian(best).top()[0]
    for _ in range(len(choices)):
        challenger = choices[np.argmin(sign * sides.margins(value, choices))]
        its_value = sides.hessian(challenger).top()[0]
        if sign * its_value <= sign * value:
            break
        best, value = challenger, its_value
    for excess in EXCESSES:
        bound = value * (1 + sign * excess)
        if (sign * sides.margins(bound, choices) > 0).all():
            return bound
    raise ArithmeticError(UNPROVEN.format(value))


def _searched(sides: SideChoices, sign: int) -> np.ndarray:
    """The best choice found from three starts; no change of one of its most promising pairs improves it."""
    zeros = np.zeros(len(sides.points))
    met: dict[bytes, tuple[float, np.ndarray]] = {}
    for start in (sides.strict, zeros, zeros + 1):
        _improve(sides, start, sign, met)
    return max(met.values(), key=lambda end: sign * end[0])[1]


def _improve(
    sides: SideChoices, choice: np.ndarray, sign: int, met: dict[bytes, tuple[float, np.ndarray]]
) -> None:
    """Move from choice to choice until no move helps, or one is reached that was met before."""
    value, w = sides.hessian(choice).top()
    while choice.tobytes() not in met:
        met[choice.tobytes()] = value, choice
        for candidate in _moves(sides, choice, value, w, sign):
            its_value, its_w = sides.hessian(candidate).top()
            if sign * (its_value - value) > 1e-13 * value:
                choice, value, w = candidate, its_value, its_w
                break


def _moves(
    sides: SideChoices, choice: np.ndarray, value: float, w: np.ndarray, sign: int
) -> Iterator[np.ndarray]:
    """First all pairs at once whose change looks good at the eigenvector; then the best of single changes."""
    gain = sign * sum(sides.changes(choice, w))
    if (gain > 0).any():
        yield np.where(gain > 0, 1 - choice, choice)
    pairs = np.argsort(-gain, kind="stable")[:_SINGLES]
    singles = np.abs(choice[pairs] - np.eye(len(pairs)))
    best = np.argmin(sign * sides.free(pairs, choice).margins(value, singles))
    candidate = choice.copy()
    candidate[pairs] = singles[best]
    yield candidate
