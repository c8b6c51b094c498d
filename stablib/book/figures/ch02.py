"""Figures of chapter 02: what an implementation costs, and how flat it can be made."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from scipy.optimize import minimize

from ... import palette
from ...bounds import sharpness_lower_bound
from ...curvature import sharpness, tangent_features, tangent_gram, top_eigenpair
from ...data import gaussian
from ...flattest import flattest_implementation
from ...network import ShallowReLU
from ...norms import stability_norm
from ...training.descent import gradient_descent
from ...weights import EmpiricalWeight
from ..claims.cases import Case, stored
from . import style
from .ch02_neuron import live_neuron, live_strip, twenty_points
from .ch02_tables import tightness, tightness_table, two_ends, two_ends_table
from .ch02_writings import rescaled, split, turned

__all__ = [
    "Trained",
    "implementations",
    "lemma_3_scatter",
    "live_neuron",
    "live_strip",
    "minimum",
    "misses",
    "one_dimension",
    "predictor",
    "tightness",
    "tightness_table",
    "twenty_points",
    "two_ends",
    "two_ends_table",
    "two_sides_of_the_dual",
    "wave",
]


class Trained(NamedTuple):
    """A network with the data it was trained on."""

    net: ShallowReLU
    X: np.ndarray
    y: np.ndarray


def minimum(table: str, step_size: float) -> Case:
    """The stored minimum that was found with a step size.

    Args:
        table: "overview" (two dimensions, 12 points) or "fig5" (MNIST).
        step_size: one that was run.
    """
    return next(case for case in stored(table) if case.step_size == step_size)


def implementations(net: ShallowReLU, X: np.ndarray, step_size: float, count: int = 80) -> Figure:
    """The sharpness of one function written in many ways, against the bound and against 2/eta.

    Args:
        net: how it was found.
        X: data points, shape (n, d).
        step_size: with which it was found.
        count: dots in each row.
    """
    rng = np.random.default_rng(0)
    flat = flattest_implementation(net, X).net
    z = net.preactivations(X)
    costly = np.maximum(z, 0).sum(axis=0) > np.maximum(-z, 0).sum(axis=0)  # most data in front
    ways = {
        "rescaled": lambda s: rescaled(_between(flat, net, rng.random()), s, 0.7 * rng.random()),
        "split in two,\nopposite slopes": lambda s: split(
            _between(flat, net, rng.random()), s, True
        ),
        "turned round,\nthen rescaled": lambda s: (
            flattest_implementation(
                turned(net, X, costly & (rng.random(net.k) < rng.random())), X
            ).net
        ),
    }
    figure, axes = style.figure(6.6, 3.5)
    for row, write in enumerate(ways.values()):
        values = [sharpness(write(seed), X) for seed in range(count)]
        heights = -row + rng.uniform(-0.24, 0.24, count)
        axes.plot(values, heights, "o", color=style.SHARPNESS["color"], alpha=0.55, markersize=5)
    axes.plot(sharpness(net, X), 0, **style.SHARPNESS | {"markersize": 11, "mec": "white"})
    axes.annotate(
        "as found",
        (sharpness(net, X), 0),
        xytext=(9, 17),
        textcoords="offset points",
        color=palette.SHARPNESS,
    )
    bound, edge = 1 + 2 * stability_norm(net, X), 2 / step_size
    axes.axvspan(edge, 1e6, color=style.EDGE["color"], alpha=0.08)
    for value, name, look, side in (
        (bound, r"$1+2\,\|f\|_{\mathcal{R},g}$", style.BOUND, "left"),
        (edge, r" unstable: above $2/\eta$", style.EDGE, "left"),
    ):
        axes.axvline(value, color=look["color"], linewidth=2)
        axes.text(value, 0.62, name, color=look["color"], ha=side, va="bottom")
    axes.set_xscale("log")
    axes.set(xlim=(0.85 * bound, 900), ylim=(-2.5, 0.55), xlabel="sharpness")
    axes.set_xticks([10, 30, 100, 300], ["10", "30", "100", "300"])
    axes.minorticks_off()
    axes.set_yticks([0, -1, -2], list(ways))
    axes.grid(axis="y", visible=False)
    return figure


def _between(flat: ShallowReLU, net: ShallowReLU, share: float) -> ShallowReLU:
    """The rescaling at a share of the way, in log c, from one to the other."""
    used = (flat.w2 != 0) & (net.w2 != 0)
    return flat.rescale(np.where(used, np.abs(net.w2 / np.where(used, flat.w2, 1)) ** share, 1.0))


def wave(step_size: float = 0.05) -> Trained:
    """Twelve points on a line with a noisy sine as labels, and 40 neurons that gradient descent fits to them.

    Args:
        step_size: of the descent.
    """
    rng = np.random.default_rng(0)
    x = np.linspace(-2, 2, 12) + 0.1 * rng.standard_normal(12)
    y = np.sin(2.2 * x) + 0.3 * rng.standard_normal(12)
    start = ShallowReLU.initial(1, 40, scale=3.0, seed=1)
    return Trained(
        gradient_descent(start, x[:, None], y, step_size, warmup=2000).net, x[:, None], y
    )


def one_dimension(found: Trained) -> Figure:
    """A function on the line, and below it its bends under the weight g.

    Args:
        found: a network of one input dimension with its data.
    """
    net, X, y = found
    figure, (top, bottom) = style.figure(6.4, 4.4, nrows=2, sharex=True, height_ratios=[1.2, 1])
    grid = np.linspace(-2.6, 2.6, 601)
    form = net.canonical()
    knots, jumps = form.b * form.v[:, 0], np.abs(form.a)
    weight = EmpiricalWeight(X)
    top.plot(grid, net(grid[:, None]), color=palette.INK, linewidth=2)
    top.plot(knots, net(knots[:, None]), "|", color=style.BOUND["color"], markersize=13, mew=1.6)
    top.scatter(X[:, 0], y, s=46, zorder=3, **style.DATA)
    top.set_ylabel("$f(x)$")
    top.set_ylim(y.min() - 0.6, y.max() + 0.6)
    height = weight.g(np.ones(1), grid)
    bottom.fill_between(grid, height, color=style.BOUND["color"], alpha=0.15, linewidth=0)
    bottom.plot(grid, height, color=style.BOUND["color"], linewidth=2)
    priced = weight.g(np.ones(1), knots)
    bottom.vlines(knots, 0, jumps * priced, color=style.BOUND["color"], linewidth=3)
    bottom.annotate(
        "$g(x)$",
        (0.35, float(weight.g(np.ones(1), 0.35))),
        xytext=(8, 6),
        textcoords="offset points",
        color=style.BOUND["color"],
    )
    bottom.set(xlabel="$x$", xlim=(-2.6, 2.6))
    bottom.set_ylabel(r"price $|a_h|\,g$")
    return figure


def misses(seed: int = 7) -> Trained:
    """Three neurons fitted to thirty noisy labels on a line: a smooth local minimum that misses them.

    Args:
        seed: of the data and of the start.
    """
    data = gaussian(30, 1, seed=seed)
    start = ShallowReLU.initial(1, 3, scale=2.0, seed=seed)
    k = start.k

    def network(theta: np.ndarray) -> ShallowReLU:
        return ShallowReLU(theta[:k, None], theta[k : 2 * k], theta[2 * k : -1], theta[-1])

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        net = network(theta)
        residual = net(data.X) - data.y
        return residual @ residual / 60, tangent_features(net, data.X) @ residual / 30

    options = {"gtol": 1e-12, "maxiter": 5000}
    best = minimize(loss, start.parameters(), jac=True, method="BFGS", options=options)
    return Trained(network(best.x), data.X, data.y)


def predictor(found: Trained) -> Figure:
    """A function of one variable among its data, with the residuals it leaves."""
    net, X, y = found
    figure, axes = style.figure(6.0, 3.0)
    grid = np.linspace(X.min() - 0.3, X.max() + 0.3, 401)
    axes.vlines(X[:, 0], net(X), y, color=palette.PALE, linewidth=1.2)
    axes.plot(grid, net(grid[:, None]), color=palette.INK, linewidth=2.2)
    axes.scatter(X[:, 0], y, s=40, zorder=3, **style.DATA)
    axes.set(xlabel="$x$", ylabel="$f(x)$")
    return figure


def two_sides_of_the_dual(net: ShallowReLU, X: np.ndarray) -> Figure:
    """From the network as found to its flattest rescaling: the sharpness falls, its certificate rises.

    Args:
        net: the network.
        X: data points, shape (n, d).
    """
    flat = flattest_implementation(net, X)
    shares = np.linspace(0, 1, 41)
    primal, dual = np.array([_pair(_between(flat.net, net, 1 - s), X) for s in shares]).T
    bound = 1 + 2 * stability_norm(net, X)
    figure, axes = style.figure(6.0, 3.6)
    plain = {"marker": ""}
    axes.plot(shares, primal, **style.SHARPNESS | plain)
    axes.plot(shares, dual, **style.FLATTEST | plain)
    axes.axhline(bound, color=style.BOUND["color"], linewidth=2)
    axes.plot(1, flat.sharpness, **style.FLATTEST | {"markersize": 9})
    style.label_end(axes, shares, primal, "sharpness", style.SHARPNESS["color"], at=8, dx=10, dy=10)
    name = "what $P = uu^{\\top}$ certifies"
    style.label_end(axes, shares, dual, name, style.FLATTEST["color"], at=14, dx=10, dy=-12)
    level = np.full(41, bound)
    name = r"$1+2\,\|f\|_{\mathcal{R},g}$"
    style.label_end(axes, shares, level, name, style.BOUND["color"], at=0, dx=6, dy=-11)
    axes.set(ylim=(0, 1.1 * primal.max()), xlim=(0, 1.03))
    axes.set_xticks([0, 1], ["as found", "flattest rescaling"])
    return figure


def _pair(net: ShallowReLU, X: np.ndarray) -> tuple[float, float]:
    """The sharpness, and the dual value of the projector on its eigenvector."""
    value, u = top_eigenpair(tangent_gram(net, X) / len(X))
    z = net.preactivations(X)
    X1 = np.hstack([X, np.ones((len(X), 1))])
    inner = np.linalg.norm(((z > 0) * u[:, None]).T @ X1, axis=1) * np.abs(net.w2)
    outer = np.abs(u @ np.maximum(z, 0))
    return value, (u.sum() ** 2 + 2 * inner @ outer) / len(X)


def lemma_3_scatter(networks: Iterable[Case]) -> Figure:
    """The sharpness of many networks over the lower bound of their functions, and the diagonal.

    Args:
        networks: cases; those with a step size were trained and are drawn larger.
    """
    rows = [
        (sharpness_lower_bound(c.net, c.X), sharpness(c.net, c.X), c.step_size is not None)
        for c in networks
    ]
    bound, value, found = np.array(rows).T
    found = found.astype(bool)
    figure, axes = style.figure(6.0, 4.0)
    axes.fill_between([0.5, 1e6], [0.5, 1e6], 0.1, color=style.EDGE["color"], alpha=0.08)
    axes.plot([0.5, 1e6], [0.5, 1e6], color=style.BOUND["color"], linewidth=2)
    shown = value < 1e4
    axes.plot(bound[~found & shown], value[~found & shown], "o", color=palette.GREY, markersize=4)
    look = style.SHARPNESS | {"linestyle": "", "markersize": 8, "mec": "white"}
    axes.plot(bound[found], value[found], **look)
    axes.set(xscale="log", yscale="log", xlim=(0.9, 100), ylim=(0.9, 1e4))
    axes.set_xticks([1, 3, 10, 30, 100], ["1", "3", "10", "30", "100"])
    axes.minorticks_off()
    axes.text(12, 1.5, "excluded by Lemma 3", color=style.EDGE["color"], ha="center")
    axes.set_xlabel(r"$1+2\,\|f\|_{\mathcal{R},g}$, of the function")
    axes.set_ylabel("sharpness, of the network")
    return figure
