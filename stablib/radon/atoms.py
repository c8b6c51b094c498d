"""Networks of k neurons that approximate a smooth target: ridges drawn from its density, or chosen to fit."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.stats import qmc

from .. import checks
from ..network import ShallowReLU
from ..weights import EmpiricalWeight
from .sobolev import SmoothTarget

HOW = ("sobol", "random")
_TABLE = 2000  # offsets at which a density is tabulated, to be drawn from


def sampled_network(
    target: SmoothTarget, k: int, *, how: str = "sobol", seed: int = 0, X: Any = None
) -> ShallowReLU:
    """A network of k neurons whose ridges are drawn from the target's density, with their total mass kept.

    Neuron i has the sign of alpha at its ridge and, for hills at one place, the slope ||f||_R / k; so
    sum |a_i| = ||f||_R whatever k is. With data X the ridges are drawn from |alpha| (1 + g_hat) instead and
    have slopes in proportion to 1 / (1 + g_hat); then sum |a_i| (1 + g_hat(v_i, b_i)) is
    ||f||_R + ||f||_{R,g_hat} for every k.

    Args:
        target: the function to come near.
        k: neurons.
        how: "sobol", a scrambled Sobol sequence mapped to normals and offsets, or "random", independent
            ridges.
        seed: of the scrambling or of the drawing.
        X: data points, shape (n, d); left out, the weight is 1.

    Raises:
        ValueError: if `target` is no SmoothTarget, k is below 1, `how` is unknown, or the seed is none.

    Example:
        >>> from stablib import r_norm
        >>> hill = SmoothTarget("gaussian", [[0.0, 0.0, 0.0]])
        >>> net = sampled_network(hill, 1024)
        >>> net.k, round(r_norm(net) / hill.r_norm(), 9), bool(abs(net([[0.5, 0, 0]])[0] - 0.88) < 0.1)
        (1024, 1.0, True)

    Source: eqs. (123), (124), where a theorem gives the measure; here it is drawn.
    """
    target, k = _target(target), checks.count(k, "k")
    rng = checks.generator(seed)
    if checks.choice(how, "how", HOW) == "sobol":
        points = _sobol(k, target.d, seed)
    else:
        points = rng.random((k, target.d))
    v, where = _spread(points, target.d)
    b, mass = _drawn(target, v, where, X)
    sign = np.sign(target._density(v, b))
    total = target.r_norm() if X is None else target.r_norm() + target.g_hat_norm(X)
    a = sign * mass * total / mass.sum()
    if X is not None:
        a /= 1 + EmpiricalWeight(X).g_hat(v, b)
    return ShallowReLU(v, -b, a)


def fitted_networks(
    target: SmoothTarget, widths: Any, radius: float = 2.0, *, places: int = 2048, seed: int = 0
) -> list[ShallowReLU]:
    """Networks of given widths whose ridges and slopes are chosen to fit the target on a ball.

    A conditional gradient method that corrects all slopes. From a dictionary (Sobol points of the target's
    density, four for each neuron of the widest network) those ridges come in on which the error pulls
    hardest, an eighth of what there is at a time; then all slopes are fitted by accelerated projected
    gradient steps, in the mean square over the ball, with sum |a| at most ||f||_R.

    Args:
        target: the function to come near.
        widths: numbers of neurons, ascending.
        radius: of the ball.
        places: in the ball, Sobol points.
        seed: of dictionary and places.

    Returns:
        One network for each width.

    Raises:
        ValueError: if arguments are not as described.

    Example:
        >>> hill = SmoothTarget("gaussian", [[0.0]])
        >>> nets = fitted_networks(hill, [4, 16])
        >>> [net.k for net in nets], ball_errors(nets[1], hill)[0] < 0.2
        ([4, 16], True)

    Source: Frank and Wolfe (1956); Jaggi (2013) for the corrective form.
    """
    target = _target(target)
    sizes = [checks.count(k, "widths") for k in np.ravel(widths).tolist()]
    if sizes != sorted(set(sizes)):
        raise ValueError(f"widths is {sizes}; ascending numbers are needed")
    many = sampled_network(target, 4 * max(sizes[-1], 256), seed=seed)
    v, b = many.W1, -many.b1
    x = ball(places, target.d, radius, seed)
    y = target(x)
    ridge = np.maximum(x @ v.T - b, 0)
    scale = np.linalg.norm(ridge, axis=0)
    scale[scale == 0] = 1.0
    chosen: list[int] = []
    a, rest, budget = np.zeros(0), y.copy(), target.r_norm()
    nets = []
    for size in sizes:
        while len(chosen) < size:
            pull = np.abs(ridge.T @ rest) / scale
            pull[chosen] = -1
            new = np.argsort(-pull)[: min(size - len(chosen), max(1, len(chosen) // 8))]
            chosen += new.tolist()
            active = ridge[:, chosen]
            steps = 2000 if len(chosen) == size else 100
            a = _least_squares(active, y, budget, np.r_[a, np.zeros(len(new))], steps)
            rest = y - active @ a
        nets.append(ShallowReLU(v[chosen], -b[chosen], a))
    return nets


def ball(places: int, d: int, radius: float, seed: int = 0) -> np.ndarray:
    """Sobol points of the ball about the origin, d = 1 or 3, shape (places, d).

    Args:
        places: how many.
        d: dimension.
        radius: of the ball.
        seed: of the scrambling.

    Raises:
        ValueError: if a number of points is below 1, d is another one, or the radius is not positive.

    Example:
        >>> bool((np.linalg.norm(ball(64, 3, 2.0), axis=1) < 2).all())
        True
    """
    places, radius = checks.count(places, "places"), checks.positive(radius, "radius")
    if checks.count(d, "d") not in (1, 3):
        raise ValueError(f"d is {d}; places of the ball are drawn in 1 and 3 dimensions")
    u = _sobol(places, d, seed)
    if d == 1:
        return radius * (2 * u - 1)
    v, share = _spread(u, 3)
    return radius * np.cbrt(share)[:, None] * v


def ball_errors(
    net: ShallowReLU, target: SmoothTarget, radius: float = 2.0, places: int = 8192
) -> tuple[float, float]:
    """The integral of |net - target| over a ball, and the largest difference at the places tried.

    Args:
        net: the network.
        target: the target.
        radius: of the ball.
        places: Sobol points of which the mean is taken.

    Raises:
        ValueError: if `net` is no ShallowReLU, the radius is not positive or dimensions differ.

    Example:
        >>> hill = SmoothTarget("gaussian", [[0.0]])
        >>> zero = sampled_network(hill, 2).rescale([1.0, 1.0])
        >>> bool(ball_errors(zero, hill)[0] > 0.5)
        True
    """
    target, net = _target(target), checks.network(net)
    x = ball(places, target.d, radius, seed=77)
    error = np.abs(net(checks.points_of(x, net)) - target(x))
    volume = 2 * radius if target.d == 1 else 4 / 3 * np.pi * radius**3
    return float(volume * error.mean()), float(error.max())


def _sobol(count: int, d: int, seed: Any) -> np.ndarray:
    """Points of the unit cube (count, d): the first of 2^m, which are the balanced ones."""
    checks.generator(seed)
    # SciPy scrambles otherwise for a number than for the Generator made of it: the number it is.
    return qmc.Sobol(d, seed=seed).random_base2(int(np.ceil(np.log2(count))))[:count]


def _target(target: Any) -> SmoothTarget:
    if not isinstance(target, SmoothTarget):
        raise ValueError(f"target is {type(target).__name__}; a SmoothTarget is needed")
    return target


def _spread(u: np.ndarray, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Numbers in the unit cube (m, d) as unit normals (m, d), uniform, and one number each for the rest."""
    if d == 1:
        # One number for both: its place in one half or the other, and then in that half.
        right = u[:, 0] < 0.5
        return np.where(right, 1.0, -1.0)[:, None], np.where(right, 2 * u[:, 0], 2 * u[:, 0] - 1)
    z, turn = 2 * u[:, 0] - 1, 2 * np.pi * u[:, 1]
    ring = np.sqrt(1 - z**2)
    v = np.stack([ring * np.cos(turn), ring * np.sin(turn), z], axis=1)
    return v / np.linalg.norm(v, axis=1)[:, None], u[:, 2]


def _drawn(
    target: SmoothTarget, v: np.ndarray, share: np.ndarray, X: Any
) -> tuple[np.ndarray, np.ndarray]:
    """For each normal the offset below which lies that share of the mass, (m,), and the mass, (m,)."""
    law = None if X is None else EmpiricalWeight(X)
    edges = target._edges(-1.0)
    # Where the density is, at equal steps of a rough table: panels are as fine as the widths ask for.
    b = np.interp(np.linspace(0, len(edges) - 1, _TABLE), np.arange(len(edges)), edges)
    at, mass = np.empty(len(v)), np.empty(len(v))
    for i, normal in enumerate(v):
        height = np.abs(target._density(normal[None], b))
        if law is not None:
            height = height * (1 + law.g_hat(normal, b))
        steps = np.diff(b) * (height[1:] + height[:-1]) / 2
        cumulative = np.concatenate([[0.0], np.cumsum(steps)])
        mass[i] = cumulative[-1]
        at[i] = np.interp(share[i] * mass[i], cumulative, b)
    return at, mass


def _least_squares(
    A: np.ndarray, y: np.ndarray, budget: float, start: np.ndarray, steps: int
) -> np.ndarray:
    """Slopes of least |A a - y| with sum |a| at most the budget, by FISTA with restarts."""
    G, c = A.T @ A, A.T @ y
    step = 1 / np.linalg.eigvalsh(G)[-1] if len(G) <= 64 else 1 / _top(G)
    a = momentum = start
    t = 1.0
    for _ in range(steps):
        new = _into_ball(momentum - step * (G @ momentum - c), budget)
        if (momentum - new) @ (new - a) > 0:
            t = 1.0
        t_next = (1 + np.sqrt(1 + 4 * t * t)) / 2
        momentum = new + (t - 1) / t_next * (new - a)
        moved = np.abs(new - a).max()
        a, t = new, t_next
        if moved <= 1e-12 * budget:
            break
    return a


def _top(G: np.ndarray) -> float:
    """Slightly more than the largest eigenvalue of a positive matrix."""
    x = np.ones(len(G)) / len(G) ** 0.5
    for _ in range(30):
        x = G @ x
        x /= np.linalg.norm(x)
    return 1.02 * float(x @ (G @ x))


def _into_ball(a: np.ndarray, budget: float) -> np.ndarray:
    """The nearest point with sum |a| at most the budget."""
    size = np.abs(a)
    if size.sum() <= budget:
        return a
    ordered = np.sort(size)[::-1]
    over = (np.cumsum(ordered) - budget) / np.arange(1, len(a) + 1)
    cut = over[np.flatnonzero(ordered > over)[-1]]
    return np.sign(a) * np.maximum(size - cut, 0)
