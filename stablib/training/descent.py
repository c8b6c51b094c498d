"""Gradient descent and SGD on the square loss, to the tolerance that minima stability speaks of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks
from ..network import ShallowReLU

if TYPE_CHECKING:
    from .full_batch import FullBatch
    from .gram_form import GramForm

STUCK_STEPS, STUCK_EPOCHS = 20_000, 2_000


@dataclass(frozen=True)
class Trained:
    """Where a run ended.

    Attributes:
        net: the network, float64; of a diverged run the one at the start of the last block of steps (up to
            some thousands) that stayed finite, or where training started.
        loss: (1/2n) sum (f(x_j) - y_j)^2 of that network.
        steps: gradient steps taken.
        reason: "tolerance", "max_steps", "diverged" or "stuck".
        history: arrays of one length, "step", "loss" and "step_size", empty unless recording was asked
            for; the last entry is the end of the run.
    """

    net: ShallowReLU
    loss: float
    steps: int
    reason: str
    history: dict[str, np.ndarray] = field(repr=False)


def gradient_descent(
    net: ShallowReLU,
    X: Any,
    y: Any,
    step_size: float,
    *,
    tol: float = 1e-8,
    max_steps: int = 1_000_000,
    warmup: int = 0,
    freeze_biases: bool = False,
    record_every: int = 0,
    progress: bool = False,
) -> Trained:
    """Gradient descent on (1/2n) sum (f(x_j) - y_j)^2 over all parameters, in float64.

    The run ends when the loss is below `tol`, when the residuals exceed 1e8 times their initial size
    ("diverged"), or when neither the highest nor the lowest loss of the last 10,000 steps is 0.5 % below
    that of the 10,000 steps before ("stuck": less than 1 % in 20,000 steps).

    Args:
        net: where to start.
        X: data points, shape (n, d).
        y: labels, shape (n,).
        step_size: eta.
        tol: loss to reach; 0 is never reached.
        max_steps: steps at most.
        warmup: number of steps over which the step size rises linearly to eta; the run does not end by
            tolerance before, because a minimum found with smaller steps says nothing about eta.
        freeze_biases: leave b1 as it is at the start.
        record_every: steps between two entries of the history; 0 keeps none.
        progress: show a progress bar.

    Raises:
        ValueError: if an argument has the wrong shape, range or type.

    Example:
        >>> net = ShallowReLU([[1.0], [-1.0]], [0.1, 0.1], [1.0, -1.0])
        >>> run = gradient_descent(net, [[-1.0], [1.0]], [-2.0, 2.0], 0.1)
        >>> run.reason, run.net([[-1.0], [1.0]]).round(3)
        ('tolerance', array([-2.,  2.]))

    Source: Sec. 6; the loss is that of eq. (2) with the square loss.
    """
    net, X, y, step_size, tol = _common(net, X, y, step_size, tol)
    max_steps = checks.count(max_steps, "max_steps")
    warmup = checks.count(warmup, "warmup", minimum=0)
    record_every = checks.count(record_every, "record_every", minimum=0)
    from .full_batch import FullBatch  # compiled loops are loaded when the first run needs them
    from .gram_form import GramForm
    from .sampling import Batches

    start, limit = _with_a_neuron(net), _limit(net, X, y)
    n, d = X.shape
    engine: FullBatch | GramForm
    if 2 * n < 3 * d:  # n x n products are cheaper than n x d products forward and backward
        everything = Batches(n, n, sampling="epoch")
        frozen = {"batches": everything, "freeze_biases": freeze_biases}
        engine = GramForm(start, X, y, step_size, warmup, limit, **frozen)
    else:
        engine = FullBatch(start, X, y, step_size, warmup, limit, freeze_biases)
    return _drive(
        engine, net, X, y, step_size, tol, max_steps, warmup, STUCK_STEPS, record_every, progress
    )


def sgd(
    net: ShallowReLU,
    X: Any,
    y: Any,
    step_size: float,
    batch_size: int,
    *,
    seed: int | np.random.Generator = 0,
    tol: float = 1e-8,
    patience: int = 0,
    max_epochs: int = 100_000,
    warmup: int = 0,
    sampling: str = "uniform",
    dtype: str = "float32",
    record_every: int = 0,
    progress: bool = False,
) -> Trained:
    """Stochastic gradient descent on the square loss, every batch's gradient being its mean.

    An epoch is ceil(n / batch_size) steps, and the loss over all points is looked at between epochs. The
    parameters that are returned, and the loss that `tol` is compared with, are float64 for either `dtype`;
    where float32 does not get below `tol`, training goes on in float64. Same arguments and machine, same
    result, bit for bit.

    Args:
        net: where to start.
        X: data points, shape (n, d); an n x n matrix is kept.
        y: labels, shape (n,).
        step_size: eta.
        batch_size: points in a batch, 1 to n.
        seed: of the batches, an integer or a NumPy Generator.
        tol: loss to reach; 0 is never reached.
        patience: looks in a row that must find the loss below `tol`, one before every epoch and one at the
            end; 0 and 1 both stop at the first.
        max_epochs: epochs at most.
        warmup: epochs over which the step size rises linearly, step by step, to eta; none of them counts
            as below `tol`.
        sampling: "uniform" draws every batch anew, a uniform subset (the paper's assumption); "epoch"
            deals all points out once an epoch, the last batch being what remains.
        dtype: "float32" or "float64", the arithmetic of the loops.
        record_every: epochs between two entries of the history; 0 keeps none.
        progress: show a progress bar.

    Raises:
        ValueError: if an argument has the wrong shape, range or type.

    Example:
        >>> net = ShallowReLU([[1.0], [-1.0]], [0.1, 0.1], [1.0, -1.0])
        >>> run = sgd(net, [[-1.0], [1.0]], [-2.0, 2.0], 0.1, 1, seed=3)
        >>> run.reason, run.loss < 1e-8
        ('tolerance', True)

    Source: eq. (4) with batches as in Sec. 2. "stuck" is as in `gradient_descent`, over 2,000 epochs.
    """
    net, X, y, step_size, tol = _common(net, X, y, step_size, tol)
    batch_size = checks.count(batch_size, "batch_size")
    if batch_size > len(X):
        raise ValueError(
            f"batch_size is {batch_size}, but X has {len(X)} rows; at most that is needed"
        )
    seed = checks.generator(seed)
    patience = checks.count(patience, "patience", minimum=0)
    max_epochs = checks.count(max_epochs, "max_epochs")
    warmup = checks.count(warmup, "warmup", minimum=0)
    checks.choice(dtype, "dtype", ("float32", "float64"))
    record_every = checks.count(record_every, "record_every", minimum=0)
    from .gram_form import GramForm
    from .sampling import SAMPLINGS, Batches

    checks.choice(sampling, "sampling", SAMPLINGS)
    engine = GramForm(
        _with_a_neuron(net), X, y, step_size, warmup, _limit(net, X, y),
        batches=Batches(len(X), batch_size, seed=seed, sampling=sampling), dtype=dtype, patience=patience,
    )  # fmt: skip
    return _drive(
        engine, net, X, y, step_size, tol, max_epochs, warmup, STUCK_EPOCHS, record_every, progress
    )


def _common(
    net: Any, X: Any, y: Any, step_size: Any, tol: Any
) -> tuple[ShallowReLU, np.ndarray, np.ndarray, float, float]:
    net = checks.network(net)
    X = checks.points_of(X, net)
    y = checks.labels(y, len(X))
    return net, X, y, checks.positive(step_size, "step_size"), checks.nonnegative(tol, "tol")


def _limit(net: ShallowReLU, X: np.ndarray, y: np.ndarray) -> float:
    """Residual from which no run comes back."""
    return 1e8 * max(1.0, float(np.abs(net(X) - y).max()))


def _with_a_neuron(net: ShallowReLU) -> ShallowReLU:
    """The network itself; a constant gets one dead neuron, because BLAS refuses empty matrices."""
    return net if net.k else ShallowReLU(np.zeros((1, net.d)), [0.0], [0.0], net.b2)


def _drive(
    engine: FullBatch | GramForm,
    net: ShallowReLU,
    X: np.ndarray,
    y: np.ndarray,
    step_size: float,
    tol: float,
    units: int,
    warmup: int,
    stuck_after: int,
    record_every: int,
    progress: bool,
) -> Trained:
    """Run the engine block by block until something ends it; a unit is a step of GD, an epoch of SGD."""

    def end(reason: str) -> Trained:
        with np.errstate(over="ignore", invalid="ignore"):
            last = engine.network() if net.k else ShallowReLU(net.W1, [], [], engine.network().b2)
            loss = float(np.nan_to_num(_loss(last, X, y), nan=np.inf, posinf=np.inf))
        steps = unit * engine.steps_per_unit + beyond
        if record_every:
            seen.append((np.array([steps]), np.array([loss])))
        step, losses = (np.concatenate(part) for part in zip(*seen, strict=True))
        ramp = warmup * engine.steps_per_unit
        rates = (
            step_size * np.minimum(1.0, (step + 1) / ramp)
            if ramp
            else np.full(len(step), step_size)
        )
        return Trained(
            last, loss, steps, reason, {"step": step, "loss": losses, "step_size": rates}
        )

    unit = beyond = 0
    first = warmup  # the first unit whose loss may end the run
    seen = [(np.zeros(0, dtype=np.int64), np.zeros(0))]
    window = stuck_after // 2
    extremes: list[tuple[float, float]] = []
    low, high = np.inf, -np.inf
    with _bar(units, engine.steps_per_unit, progress) as bar:
        while unit < units:
            losses = np.empty(min(engine.block, units - unit, window - unit % window))
            done, beyond, why = engine.run(unit, tol, first, losses)
            if record_every:
                at = np.arange(-unit % record_every, done, record_every)
                seen.append(((unit + at) * engine.steps_per_unit, losses[at]))
            low = min(low, losses[:done].min(initial=np.inf))
            high = max(high, losses[:done].max(initial=-np.inf))
            unit += done
            if progress:
                bar.update(done)
                bar.set_postfix_str(f"loss {losses[max(done - 1, 0)]:.2e}")
            if why == "diverged":
                return end("diverged")
            if why == "tolerance":
                if _loss(engine.network(), X, y) < tol:
                    return end("tolerance")
                if not engine.refine():
                    first = unit + 1  # rounding decides at this one: the next may stop
            elif unit % window == 0:
                extremes.append((low, high))
                low, high = np.inf, -np.inf
                if unit - stuck_after >= warmup and _frozen(extremes[-2:], tol):
                    return end("stuck")
        met = unit >= warmup and engine.below + 1 >= engine.needed
        return end("tolerance" if met and _loss(engine.network(), X, y) < tol else "max_steps")


def _frozen(windows: list[tuple[float, float]], tol: float) -> bool:
    """Has neither the lowest nor the highest loss fallen by half a percent between two windows?

    Two half windows, not two moments: near the edge of stability the loss rises for a while on its way
    down, and a single pair of values would call that stuck.
    """
    if len(windows) < 2:
        return False
    (low, high), (low_now, high_now) = windows
    return low_now > tol and low_now > 0.995 * low and high_now > 0.995 * high


def _loss(net: ShallowReLU, X: np.ndarray, y: np.ndarray) -> float:
    residual = net(X) - y
    return float(residual @ residual) / (2 * len(y))


def _bar(units: int, steps_per_unit: int, progress: bool) -> Any:
    if not progress:
        from contextlib import nullcontext

        return nullcontext()
    from tqdm import tqdm

    return tqdm(total=units, unit="epoch" if steps_per_unit > 1 else "step", smoothing=0.05)
