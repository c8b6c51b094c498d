"""Claims of chapter 04 on g over the plane of lines, and on where training puts neurons."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache

import numpy as np

from ...norms import parametric_stability_norm, stability_norm
from ...radon import density
from ...radon.pieces import pieces
from ...weights import EmpiricalWeight, IsotropicWeight
from .cases import Case, small, stored
from .ch04_examples import normals, tent
from .registry import Verdict, claim


def data_sets() -> dict[str, np.ndarray]:
    """Points in 1 to 784 dimensions, random and awkward."""
    from ...data import mnist01

    rng = np.random.default_rng(32)
    return {
        "a line": rng.normal(size=(9, 1)),
        "the plane": rng.normal(size=(20, 2)),
        "off the origin": rng.normal(size=(15, 3)) + [4.0, -2.0, 1.0],
        "two points": np.array([[1.0, 0.0], [-1.0, 0.0]]),
        "repeated points": np.repeat(rng.normal(size=(3, 4)), 3, axis=0),
        "twenty dimensions": rng.normal(size=(100, 20)),
        "digits": mnist01()[0].X,
    }


@claim(
    "text-3.2-support",
    kind="theorem",
    says="for fixed v, g lives on the interval from the least to the greatest projection",
    where="Sec. 3.2",
)
def support() -> Verdict:
    """Thirty directions a data set: g exactly 0 at and beyond both ends, positive at 50 offsets between."""

    def margins() -> Iterator[float]:
        for X in data_sets().values():
            weight = EmpiricalWeight(X)
            for v in normals(30, X.shape[1]):
                z = X @ v
                low, high = z.min(), z.max()
                outside = [low, high, low - 1, high + 1, low - 1e-9, high + 1e-9]
                yield -float(weight.g(v, np.array(outside)).max())
                between = low + (high - low) * (np.arange(50) + 0.5) / 50
                yield float(weight.g(v, between).min())

    return Verdict.of(margins())


def centring(X: np.ndarray, v: np.ndarray, offsets: int = 201) -> tuple[float, float]:
    """Where g(v, .) peaks and has the middle of its mass, in standard deviations from the projections' mean.

    Args:
        X: data points, shape (n, d).
        v: unit normals, shape (m, d).
        offsets: at which g is taken, between the ends of the projections.

    Returns:
        Medians over the directions of both distances.
    """
    weight, peaks, middles = EmpiricalWeight(X), [], []
    for u in v:
        z = X @ u
        b = z.min() + (z.max() - z.min()) * (np.arange(offsets) + 0.5) / offsets
        g = weight.g(u, b)
        mass = np.cumsum(g)
        peaks.append(abs(b[np.argmax(g)] - z.mean()) / z.std())
        middles.append(abs(b[np.searchsorted(mass, mass[-1] / 2)] - z.mean()) / z.std())
    return float(np.median(peaks)), float(np.median(middles))


def clusters(shift: float) -> np.ndarray:
    """Two clusters of one point each, 10 apart on the first axis, their middle moved by `shift`."""
    return np.array([[-5.0 + shift, 0.0], [5.0 + shift, 0.0]])


@claim(
    "text-3.2-centre",
    kind="claim",
    says="most of the mass of g(v, .) lies about the centre of the projections",
    where="Sec. 3.2",
)
def centre() -> Verdict:
    """Where the middle of the mass lies, in standard deviations of the projections; and the exceptions.

    Normal data, digits, and centred digits, in 40 random directions: the median distance from the mean to the
    middle of the mass is below half a standard deviation. The counterexample is a pair of clusters at 0 and
    10: the peak sits at 9.09, four fifths of a standard deviation from the middle.
    """

    def margins() -> Iterator[float]:
        sets = data_sets()
        rng = np.random.default_rng(5)
        for X in (
            rng.normal(size=(2000, 2)),
            sets["twenty dimensions"],
            sets["digits"],
            sets["digits"] - sets["digits"].mean(axis=0),
        ):
            yield 1 - centring(X, normals(40, X.shape[1]))[1] / 0.5
        # Isotropic laws peak at the centre.
        b = np.linspace(-2, 2, 201)
        for weight in (IsotropicWeight(), IsotropicWeight(density.uniform_disc())):
            yield 1e-3 - abs(float(b[np.argmax(weight.g([1.0], b / 2.1))]))

    peak, _ = centring(clusters(5.0), np.array([[1.0, 0.0]]), 2001)
    return Verdict.corrected([0.5 - peak], margins(), "two clusters at 0 and 10")


@claim(
    "eq-15",
    kind="theorem",
    says="the norm is a sum over neurons of slope times price",
    where="(15), (55) to (58)",
    cases=small,
)
def parametric(cases: Iterable[Case]) -> Verdict:
    """The sum S_theta against g integrated over dots of a small width in the space of lines.

    Each neuron is replaced by an even bump, half at either end, and g is integrated against it by Gauss's
    rule in the offset: on the networks whose knots keep clear of the data, relative errors of 1e-6. And
    S_theta is nowhere below the norm.
    """

    def margins() -> Iterator[float]:
        node, weight = np.polynomial.legendre.leggauss(4)
        for net, X, *_ in cases:
            a, v, b = net.ridges()
            clear = np.abs(v @ X.T - b[:, None]).min(initial=np.inf) if len(b) else np.inf
            total = parametric_stability_norm(net, X)
            size = float(np.abs(X).max()) + float(np.abs(b).max(initial=0.0))
            if not len(b) or total == 0 or clear < 1e-5 * size:
                continue
            eps, g = 1e-6 * clear, EmpiricalWeight(X).g
            halves = [
                sum(
                    w / 2 * np.abs(a) @ g(side * v, side * b + eps * t)
                    for t, w in zip(node, weight, strict=True)
                )
                for side in (1, -1)
            ]
            yield 1 - abs(np.mean(halves) / total - 1) / 1e-6
            norm = stability_norm(net, X)
            yield (total - norm) / total + 1e-12

    return Verdict.of(margins())


@cache
def by_step_size() -> dict[float, dict[str, float]]:
    """Medians over the converged runs of Fig. 4 (scale 10, warm-up): slopes, offsets, norm, by step size."""
    from ...training import sweep
    from .. import specs

    rows = [
        row
        for row in sweep(specs.FIG4, progress=False).where(scale=10.0, warmup=2000)
        if row["reason"] == "tolerance"
    ]
    names = ("r_norm", "offset_median", "stability_norm", "bias_norm")
    return {
        eta: {
            name: float(np.median([r[name] for r in rows if r["step_size"] == eta]))
            for name in names
        }
        for eta in sorted({row["step_size"] for row in rows})
    }


@claim(
    "text-3.2-slopes",
    kind="claim",
    says="larger step sizes push the slopes |a_i| down",
    where="Sec. 3.2",
)
def slopes() -> Verdict:
    """Sum of |a_h| in the table of Fig. 4 (scale 10, warm-up), at the largest step size over the smallest.

    The margin is 1 minus that ratio: positive if the slopes fall at all.
    """
    rows = list(by_step_size().values())
    return Verdict.of([1 - rows[-1]["r_norm"] / rows[0]["r_norm"]])


def price_share(case: Case) -> float:
    """What a network's creases cost, over what they would if each stood where its direction is dearest."""
    form, weight = case.net.canonical(), EmpiricalWeight(case.X)
    # g is made of straight pieces: it is greatest at one of their ends, from one side or the other.
    breaks, tiny = pieces(case.X, form.v).place, 1e-9 * float(np.abs(case.X).max())
    dearest = np.array(
        [
            max(weight.g(v, b).max() for b in (ends - tiny, ends, ends + tiny))
            for v, ends in zip(form.v, breaks, strict=True)
        ]
    )
    return float(np.abs(form.a) @ weight.g(form.v, form.b) / (np.abs(form.a) @ dearest))


@cache
def price_shares(name: str) -> dict[float, float]:
    """The price share of each stored network of a table, by step size, ascending.

    Args:
        name: of the table, "overview" or "fig4".
    """
    cases = sorted(stored(name), key=lambda case: case.step_size)
    return {case.step_size: price_share(case) for case in cases}


@claim(
    "text-3.2-bias",
    kind="claim",
    says="larger step sizes push the neurons' offsets outwards, where g is small",
    where="Sec. 3.2",
)
def offsets() -> Verdict:
    """Median |offset| in Fig. 4's table, at the largest step size over the smallest; and the price share.

    The price share is what the creases cost over what they would cost at the dearest offset of their
    directions; it should fall from the smallest step size to the largest, for stored networks with d = 2, 20.
    """

    def margins() -> Iterator[float]:
        rows = list(by_step_size().values())
        yield rows[-1]["offset_median"] / rows[0]["offset_median"] - 1
        for name in ("overview", "fig4"):
            shares = list(price_shares(name).values())
            yield 1 - shares[-1] / shares[0]

    return Verdict.of(margins())


@claim(
    "fig-3",
    kind="figure",
    says="g and rho of two points and of normal data",
    where="Fig. 3",
)
def figure_3() -> Verdict:
    """What the four panels show, on grids like those that they are drawn on.

    (a) The price is positive exactly where |b| < |v1|. (b) The density is largest nearest the origin, least
    nearest the points, and of both signs far away. (c) The price falls with |b|, alike in all directions.
    (d) The density is positive and falls with the radius.
    """

    def margins() -> Iterator[float]:
        v, b = normals(200, 2), np.random.default_rng(3).uniform(-1.2, 1.2, 200)
        g = EmpiricalWeight([[1.0, 0.0], [-1.0, 0.0]]).g(v, b)
        yield 1.0 if ((g > 0) == (tent(v, b, np.array([1.0, 0.0])) > 0)).all() else -1.0
        side = (np.arange(80) + 0.5) / 20 - 2
        x = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
        rho = density.two_points(x)
        yield 0.1 - float(np.linalg.norm(x[np.argmax(rho)]))
        yield 0.1 - abs(float(np.linalg.norm(x[np.argmin(rho)])) - 1)
        far = np.linalg.norm(x, axis=1) > 1.9
        yield float(min(rho[far].max(), -rho[far].min()))
        offset = np.linspace(0, 2.5, 60)
        price = [IsotropicWeight().g(u, offset) for u in normals(4, 2)]
        yield float(-np.diff(price[0]).max())
        yield 1e-12 - float(np.ptp(price, axis=0).max())
        radial = density.gaussian(np.linspace(0.02, 2.5, 80))
        yield float(radial.min())
        yield float(-np.diff(radial).max())

    return Verdict.of(margins())


def turned_neurons(case: Case) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A planar network's creases for the strip: angles in degrees of [0, 180), offsets, and slopes |a|.

    Args:
        case: with a network of two inputs.
    """
    form = case.net.canonical()
    angle = np.degrees(np.arctan2(form.v[:, 1], form.v[:, 0]))
    side = np.where((angle < 0) | (angle >= 180), -1.0, 1.0)
    return np.mod(angle, 180.0), side * form.b, np.abs(form.a)
