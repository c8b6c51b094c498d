"""Figures of chapter 01 on real networks: batches, what remains of the distance, decay, the flow, knots."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ...curvature import sharpness, sharpness_interval
from ...data import Dataset
from ...linearized import Linearized, linearized_sgd
from ...network import ShallowReLU
from ...stability import sgd_threshold
from ...training.descent import gradient_descent
from ...training.table import Shown, Table
from .. import trajectories
from ..claims.cases import Case
from ..claims.ch01_discussion import batch_rows
from . import style


def threshold_against_batch(synthetic: Sequence[Case], digits: Sequence[Case]) -> Figure:
    """What SGD tolerates in mean square, as a share of 2/lambda, over the batch size in units of B*.

    Args:
        synthetic: minima on Gaussian data.
        digits: minima on MNIST.
    """
    figure, axes = style.figure(6.0, 3.8)
    for minima, name, look, spot in (
        (synthetic, "Gaussian data", style.FLATTEST, (3, 0.55)),
        (digits, "digits", style.OTHER, (0.2, 0.45)),
    ):
        for case in minima:
            rows = batch_rows([case], (1, 4, 16, 64) if minima is digits else None)
            scaled = [row.batch_size / row.takeover for row in rows]
            axes.plot(scaled, [row.share for row in rows], **look | {"linewidth": 1.4})
        axes.text(*spot, name, color=look["color"], fontsize=12)
    axes.axhline(1, color=style.EDGE["color"], linewidth=1.2)
    axes.set(xscale="log", ylim=(0, 1.08), xlabel=r"$B\,/\,B^*$")
    axes.set_ylabel(r"threshold as a share of $2/\lambda_{\max}$")
    ticks = [0.1, 1, 10]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    return figure


def what_remains() -> Figure:
    """Linearised SGD at a minimum that interpolates, and at the least-squares line of three points."""
    from ..claims.cases import descended

    figure, panels = style.figure(6.6, 3.4, ncols=2, sharey=True)
    case = descended()[0]
    eta = 0.5 * sgd_threshold(case.net, case.X, 4)
    line = ShallowReLU([[0.5]], [1.0], [1.0], -2 / 3)
    points, labels = np.array([[-1.0], [0.0], [1.0]]), np.array([0.0, 0.0, 1.0])
    options = {"radius": 0.01, "runs": 20, "seed": 3}
    seen = (
        linearized_sgd(case.net, case.X, case.net(case.X), eta, 4, steps=3000, **options),
        linearized_sgd(line, points, labels, 0.2, 1, steps=3000, **options),
    )
    for axes, run, title in zip(panels, seen, ("interpolates", "does not"), strict=True):
        _distances(axes, run)
        axes.set(title=title, xlabel="step")
    panels[0].set_ylabel("distance from the minimum")
    panels[0].text(900, 1.25e-2, "outside the range", color=style.QUIET, fontsize=12)
    panels[0].text(1150, 6e-4, "in the range", color=style.SHARPNESS["color"], fontsize=12)
    return figure


def _distances(axes: Axes, run: Linearized) -> None:
    """Root mean squares over the runs."""
    for values, color, dash in (
        (run.inside, style.SHARPNESS["color"], "-"),
        (run.outside, style.QUIET, "--"),
    ):
        axes.plot(np.sqrt((values**2).mean(axis=0)), color=color, linestyle=dash, linewidth=2.2)
    axes.set_yscale("log")


def late_decay(start: ShallowReLU, data: Dataset, step_size: float, steps: int = 6000) -> Figure:
    """The sharpness at the end over the loss at which the step size was divided by ten.

    Args:
        start: the initial network.
        data: the training set.
        step_size: before the decay.
        steps: in all, the same for each run.
    """
    figure, axes = style.figure(6.0, 3.6)
    levels = 10.0 ** np.array([-8, -6, -4, -2, -1, -0.7, -0.5])
    ends = [_decayed(start, data, step_size, level, steps) for level in levels]
    small = _decayed(start, data, step_size, np.inf, steps)
    axes.plot(levels, ends, **style.SHARPNESS)
    axes.axhline(2 / step_size, **style.EDGE)
    axes.axhline(small, color=style.QUIET, linestyle="--")
    axes.text(
        1e-8,
        2 / step_size * 1.01,
        r"$2/\eta$ before the decay",
        color=style.EDGE["color"],
        fontsize=12,
    )
    axes.text(
        1e-8, small * 0.985, "small steps from the start", color=style.QUIET, va="top", fontsize=12
    )
    axes.set(
        xscale="log", xlabel="loss at which the step size was cut", ylabel="sharpness at the end"
    )
    return figure


def _decayed(net: ShallowReLU, data: Dataset, step_size: float, level: float, steps: int) -> float:
    done = 0
    if np.isfinite(level):
        first = gradient_descent(net, *data, step_size, tol=level, max_steps=steps)
        net, done = first.net, first.steps
    if done < steps:
        left = steps - done
        net = gradient_descent(net, *data, step_size / 10, tol=1e-13, max_steps=left).net
    return sharpness(net, *data)


def leaving_the_flow(start: ShallowReLU, data: Dataset, time: float = 9.6) -> Figure:
    """How far gradient descent is from gradient flow at one time, over the step size.

    Args:
        start: the initial network.
        data: the training set.
        time: at which the two are compared, eta times the number of steps.
    """
    path = [trajectories.flow(start, *data, t) for t in np.linspace(0, time, 13)[1:]]
    end = path[-1].parameters()
    went = np.linalg.norm(end - start.parameters())
    edge = 2 / max(sharpness(net, *data) for net in path)
    step_sizes = time / np.round(time / np.geomspace(0.02, 0.8, 11))
    distances = []
    for eta in step_sizes:
        run = gradient_descent(start, *data, eta, tol=0, max_steps=round(time / eta))
        distances.append(np.linalg.norm(run.net.parameters() - end) / went)
    figure, axes = style.figure(6.0, 3.6)
    axes.loglog(step_sizes, distances, **style.OTHER)
    axes.axvline(edge, color=style.EDGE["color"], linestyle=":", linewidth=2.2)
    axes.annotate(
        r"$2\,/\,$largest sharpness on the flow",
        (edge, min(distances)),
        (-8, 4),
        textcoords="offset points",
        color=style.EDGE["color"],
        ha="right",
        fontsize=12,
    )
    style.step_size_axis(axes, np.array([0.02, 0.05, 0.1, 0.2, 0.5]))
    axes.set_ylabel("relative distance from the flow")
    return figure


def sides_table(minima: Sequence[Case]) -> Shown:
    """Pairs of a neuron and a point that are nearly on a knot, and what their sides do to the sharpness.

    Args:
        minima: trained networks with their data and step sizes.
    """
    rows = []
    for case in minima:
        low, high = sharpness_interval(case.net, case.X, case.y, sides=1e-5)
        rows.append(
            {
                "step size": case.step_size,
                **{
                    f"within {tol:g}": case.net.knots_on_data(case.X, tol)
                    for tol in (1e-3, 1e-5, 1e-7)
                },
                "least": low,
                "most": high,
                "2/eta": 2 / case.step_size,
            }
        )
    kinds = {name: int if name.startswith("within") else float for name in rows[0]}
    return Table(rows, kinds).show(**{"least": ".4f", "most": ".4f", "2/eta": ".4f"})
