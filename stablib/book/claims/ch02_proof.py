"""Claims of chapter 02 along the proof of Lemma 3 (App. F.2, F.3), from the test vector to the norm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from ...curvature import sharpness, tangent_features
from ...network import ShallowReLU
from ...norms import one_sided_norm, parametric_stability_norm, stability_norm
from ...weights import EmpiricalWeight
from . import cases
from .cases import Case
from .ch02_definitions import blocks, creases, g, g_tilde
from .registry import Verdict, claim


def _small_and_trained() -> Iterator[Case]:
    return chain(cases.small(), cases.stored("overview"), cases.descended())


@claim(
    "eq-12",
    kind="theorem",
    says="g-tilde = P^2 E[X.v - b | .] sqrt(|E[X | .]|^2 + 1), g its minimum over the sides, and g >= 0",
    where="(12), (53)",
    cases=_small_and_trained,
)
def weights(cases: Iterable[Case]) -> Verdict:
    """The weights at each network's hyperplanes, and along one axis at and between the points.

    Along an axis the inner products are exact, so offsets that touch a point put the strict inequality to
    the test. Errors are relative to what the products of the formula are made of.
    """

    def error(weight: EmpiricalWeight, V: np.ndarray, B: np.ndarray, pairs: tuple) -> float:
        X, (one_sided, both) = weight.X, pairs
        reach = (np.abs(X @ V.T).max(axis=0) + np.abs(B)) * np.sqrt((X**2).sum(axis=1).max() + 1)
        printed = np.array([[g_tilde(X, v, b), g(X, v, b)] for v, b in zip(V, B, strict=True)])
        apart = np.abs(np.column_stack([one_sided, both]) - printed) / reach[:, None]
        return max(apart.max(), -(both / reach).min(), 0.0)

    def errors() -> Iterator[float]:
        for number, (net, X, *_) in enumerate(cases):
            weight, (_, V, B) = EmpiricalWeight(X), net.ridges()
            V, B = V[:10], B[:10]
            worst = 0.0
            if len(B):
                worst = error(weight, V, B, (weight.g_tilde(V, B), weight.g(V, B)))
            axis = (1.0 if number % 2 else -1.0) * np.eye(X.shape[1])[number % X.shape[1]]
            at = np.unique(X @ axis)[:10]
            B = np.concatenate([at, (at[1:] + at[:-1]) / 2, [at[0] - 1, at[-1] + 1]])
            V = np.tile(axis, (len(B), 1))
            for v in (V, axis):  # row by row, and the fast path
                pairs = weight.g_tilde(v, B), weight.g(v, B)
                worst = max(worst, error(weight, V, B, pairs))
            yield worst

    return Verdict.equal(errors(), 1e-12)


@claim(
    "eq-48",
    kind="theorem",
    says="sharpness >= |Phi 1|^2/n^2 >= 1 + 2/n^2 sum of |w2| |sum (x, 1)| sum relu(z), equal when balanced",
    where="(48)",
    cases=_small_and_trained,
)
def test_vector(cases: Iterable[Case]) -> Verdict:
    """Both steps, from both sides, and the rescaling at which the second loses nothing.

    The quotient q of u = 1/sqrt(n) obeys cos^2 sharpness <= q <= sharpness, with the angle between u and the
    top eigenvector. At c_i^2 = sum relu(z) / (|w2| |sum (x, 1)|) the last line of (48) must equal q. Margins
    are relative to the sharpness; the two equalities, exact up to rounding, are allowed 1e-11.
    """

    def margins() -> Iterator[float]:
        for net, X, *_ in cases:
            n, phi = len(X), tangent_features(net, X)
            top, made = sharpness(net, X), blocks(net, X)
            mean = phi.sum(axis=1) / n
            quotient = mean @ mean
            cosine = np.linalg.svd(phi, full_matrices=False)[2][0].sum() / n**0.5
            yield min(top - quotient, quotient - made.bound, quotient - cosine**2 * top) / top
            pairs = [(made.quotient, quotient)]
            # A neuron that is silent needs no balance; one without output weight has none to reach.
            fires = made.height > 0
            if (net.w2[fires] != 0).all():
                c = np.ones(net.k)
                c[fires] = np.sqrt(made.height[fires] / (np.abs(net.w2) * made.pull)[fires])
                level = blocks(net.rescale(c), X)
                pairs += [(level.quotient, level.bound), (level.bound, made.bound)]
            yield 1 - max(abs(one / other - 1) for one, other in pairs) / 1e-11

    return Verdict.of(margins())


@claim(
    "eq-50",
    kind="theorem",
    says="the sums of (48) are P(C_i)^2 sqrt(|E[X | C_i]|^2 + 1) E[z_i | C_i], and 0 where nothing is active",
    where="(49), (50)",
    cases=_small_and_trained,
)
def conditional_form(cases: Iterable[Case]) -> Verdict:
    """The bound written with sums, and written with conditional expectations."""

    def errors() -> Iterator[float]:
        for net, X, *_ in cases:
            total = 0.0
            for w, b, w2 in zip(net.W1, net.b1, net.w2, strict=True):
                z = X @ w + b
                on = z > 0
                if on.any():
                    mean = X[on].mean(axis=0)
                    total += abs(w2) * on.mean() ** 2 * np.sqrt(mean @ mean + 1) * z[on].mean()
            yield (1 + 2 * total) / blocks(net, X).bound - 1

    return Verdict.equal(errors(), 1e-11)


@claim(
    "eq-52",
    kind="theorem",
    says="sharpness >= 1 + 2 sum |a_i| g-tilde_i >= 1 + 2 sum |a_i| g_i",
    where="(51), (52), (54)",
    cases=_small_and_trained,
)
def one_side_then_both(cases: Iterable[Case]) -> Verdict:
    """The two steps with the weights of the definition, and the library's two sums against them.

    A neuron with W1_i = 0 is outside (51): it is left out of the sums, which it can only make larger.
    Margins are relative to the sharpness; the equalities are allowed 1e-11.
    """

    def margins() -> Iterator[float]:
        for net, X, *_ in cases:
            a, V, B = net.ridges()
            own = sum(abs(s) * g_tilde(X, v, b) for s, v, b in zip(a, V, B, strict=True))
            both = sum(abs(s) * g(X, v, b) for s, v, b in zip(a, V, B, strict=True))
            top = sharpness(net, X)
            yield min(top - 1 - 2 * own, 2 * own - 2 * both) / top
            errors = one_sided_norm(net, X) - own, parametric_stability_norm(net, X) - both
            yield 1 - max(map(abs, errors)) / (1 + own) / 1e-11

    return Verdict.of(margins())


def _planted() -> list[Case]:
    """Networks with neurons put on each other's hyperplanes, on either side and with either sign."""
    rng = np.random.default_rng(58)
    out = []
    for number in range(120):
        n, d, k = (int(rng.integers(low, high)) for low, high in ((2, 12), (1, 5), (2, 8)))
        W1, b1, w2 = rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k)
        if number % 4 == 3:
            b1[0] = 50.0  # a hyperplane behind all points, where g = 0
        for _ in range(number % 3):
            i, j = rng.integers(0, k, 2)
            factor, opposite = rng.choice([-2.0, -1.0, 0.5, 1.0]), rng.integers(0, 3)
            W1[j], b1[j] = factor * W1[i], factor * b1[i]
            if opposite == 2 and i != j:  # the two slopes cancel
                w2[j] = -w2[i] / abs(factor)
        net, X = ShallowReLU(W1, b1, w2, rng.normal()), rng.normal(size=(n, d))
        out.append(Case(net, X, net(X), f"planted {number}"))
    return out


@claim(
    "eq-58",
    kind="theorem",
    says="S_theta >= norm; equal iff no hyperplane with g > 0 carries slopes of both signs",
    where="(57), (58)",
    cases=lambda: chain(_planted(), _small_and_trained()),
)
def merged_slopes(cases: Iterable[Case]) -> Verdict:
    """S_theta against the norm, whose slopes are read off the function's gradient.

    As printed, the two are equal unless neurons share (v, b); antipodal neurons, at (v, b) and (-v, -b), are
    forgotten. The margin of an equality is the share of 1e-10 that it leaves; where slopes of both signs
    meet, the margin is the relative difference, which has to be positive.
    """

    def judged() -> Iterator[tuple[float | None, float]]:
        for net, X, *_ in cases:
            a, V, _ = net.ridges()
            planes = creases(net)
            weight = [g(X, plane.v, plane.b) for plane in planes]
            norm = sum(abs(p.jump) * w for p, w in zip(planes, weight, strict=True))
            total = sum(abs(a[p.neurons]).sum() * w for p, w in zip(planes, weight, strict=True))
            size = total or 1.0
            errors = stability_norm(net, X) - norm, parametric_stability_norm(net, X) - total
            agree = 1 - max(map(abs, errors)) / size / 1e-9
            equal = 1 - abs(total - norm) / size / 1e-9
            mixed = any(
                w > 0 and a[p.neurons].min() < 0 < a[p.neurons].max()
                for p, w in zip(planes, weight, strict=True)
            )
            true = (total - norm) / size if mixed else equal
            shared = any((V[p.neurons] @ V[i] > 0).sum() > 1 for p in planes for i in p.neurons)
            printed = equal if equal >= 0 else -(total - norm) / size
            yield (None if shared else printed), min(agree, true)

    verdicts = list(judged())
    return Verdict.corrected(
        [printed for printed, _ in verdicts if printed is not None],
        [true for _, true in verdicts],
        "f(x) = relu(x) - relu(-x) = x, two neurons that share no (v, b): norm 0, S_theta > 0",
    )


@claim(
    "eq-1",
    kind="theorem",
    says="d = 1: the norm is the integral of |f''| g, so 1 + 2 of it is at most the sharpness",
    where="(1)",
    cases=lambda: (*cases.adversarial(), *cases.random(60, seed=1, n_max=12, d_max=1, k_max=6)),
)
def univariate(cases: Iterable[Case]) -> Verdict:
    """The integral from f alone, by second differences on a grid, against the library's norm.

    A second difference spreads a knot over its two neighbours in the grid, which interpolates g linearly
    there. So a data point, at which g jumps, or a second knot must not lie within three steps of a knot;
    cases where one does are left out, as are those with d > 1.
    """

    def margins() -> Iterator[float]:
        for net, X, *_ in cases:
            knots = net.ridges().b
            if net.d > 1:
                continue
            low, high = X.min() - 0.1, X.max() + 0.1
            h = (high - low) / 40_000
            knots = np.sort(knots[(knots > low) & (knots < high)])
            gaps = [np.diff(knots), np.abs(knots[:, None] - X[:, 0]).ravel()]
            gaps = np.concatenate(gaps)
            if gaps[gaps > 1e-9 * (high - low)].min(initial=np.inf) < 3 * h or net.knots_on_data(X):
                continue
            at = low + h * np.arange(40_001)
            f = net(at[:, None])
            bend = np.abs(f[2:] - 2 * f[1:-1] + f[:-2]) / h
            bend[bend < 1e-9 * np.abs(f).max() / h] = 0.0  # rounding of f
            where = at[1:-1][bend > 0]
            weight = [g(X, np.ones(1), x) for x in where]
            integral = float(bend[bend > 0] @ weight)
            size = 1 + parametric_stability_norm(net, X)
            yield 1 - abs(integral - stability_norm(net, X)) / size / 1e-5
            yield 1 - (1 + 2 * integral) / sharpness(net, X)

    return Verdict.of(margins())
