"""Watch the stability of a torch training loop: sharpness, 2/eta and the bound, every so many steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks, palette
from ..curvature import sharpness
from ..modules import WANTED, is_module, parameters_of
from ..network import ShallowReLU
from ..norms import stability_norm
from .table import Table

if TYPE_CHECKING:
    import torch
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLUMNS: dict[str, type] = {
    "step": int,
    "step_size": float,
    "loss": float,
    "sharpness": float,
    "edge": float,
    "stability_norm": float,
    "bound": float,
}
# Told apart without colour, too.
_EDGE = {"color": palette.EDGE, "label": r"$2/\eta$"}
_SHARPNESS = {"color": palette.SHARPNESS, "linestyle": "--", "marker": "o", "label": "sharpness"}
_BOUND = {"color": palette.BOUND, "marker": "^", "label": "1 + 2 norm"}
_LOSS = {"color": palette.QUIET}


class StabilityMonitor:
    """Records of a Linear-ReLU-Linear module while a loop of the user's own trains it.

    Call `step` once after every step of the optimiser. The state at construction is the first record, every
    m-th step adds one, and `record` adds one at any time, such as at the end. Parameters are only read, no
    gradient and no random number is touched: the loop runs as it would without. What a diverged module
    leaves undefined is recorded as NaN.

    The loss meant is (1/2n) sum (f(x_j) - y_j)^2. Torch's MSELoss is twice that, so that a loop with it
    takes steps of size eta = 2 lr: leave `optimizer` out and call `step(2 * lr)`. The line 2/eta is the
    threshold of gradient descent without momentum.

    A record costs a few top eigenvalues of n x n matrices, O(n^3), and O(n k (n + d)). On one core it took
    2 to 3 ms at n = 100, d = 20, k = 40; 0.12 to 0.19 s at n = 512, d = 784, k = 200; 2.2 s there with
    n = 2,000. A step without a record takes under a microsecond.

    Args:
        model: a torch module that computes what Linear, ReLU and Linear with one output do, on any device
            and in any precision; records are computed in float64.
        X: data points, shape (n, d), an array or a tensor.
        y: labels, shape (n,); a column (n, 1) is taken, too.
        optimizer: the torch optimiser of the loop; the `lr` of its parameter group that holds the model is
            the step size at each record, as a schedule has set it. Without one `step` is told.
        every: steps between two records.

    Raises:
        ValueError: if the module is another one or not finite, shapes do not fit, the optimiser trains
            something else, or `every` is below 1.

    Example:
        >>> net = ShallowReLU([[1.0], [-1.0]], [0.1, 0.1], [1.0, -1.0])
        >>> monitor = StabilityMonitor(net.to_torch(), [[-1.0], [1.0]], [-1.1, 1.1], every=10)
        >>> monitor.step(0.5)
        >>> monitor.record()
        >>> monitor.table().show("step", "loss", "sharpness", "edge", loss=".0e", sharpness=".3f")
        step   loss  sharpness  edge
           0  0e+00      2.605
           1  0e+00      2.605     4

    Source: Lemma 1, eq. (6), and Lemma 3, eq. (34), along a trajectory.
    """

    def __init__(
        self,
        model: torch.nn.Module,
        X: Any,
        y: Any,
        *,
        optimizer: torch.optim.Optimizer | None = None,
        every: int = 100,
    ) -> None:
        if not is_module(model):
            raise ValueError(f"model is {type(model).__name__}; a torch module {WANTED}")
        net = ShallowReLU.from_torch(model)
        self._model, self._optimizer = model, optimizer
        self._X = checks.points_of(X, net)
        labels = checks.array(y, "y")
        if labels.shape == (len(self._X), 1):
            labels = labels[:, 0]
        self._y = checks.labels(labels, len(self._X))
        self._every = checks.count(every, "every")
        self._group = None if optimizer is None else _group_of(optimizer, model)
        self._told: float | None = None
        self._steps = 0
        self._rows: list[dict[str, Any]] = []
        self._add()

    def step(self, step_size: float | None = None) -> None:
        """Count a step of the optimiser, and record if it is time.

        Args:
            step_size: eta of this step; by default that of the optimiser, or unknown.

        Raises:
            ValueError: if it is not positive.
        """
        self._told = None if step_size is None else _positive(step_size)
        self._steps += 1
        if self._steps % self._every == 0:
            self._add()

    def record(self, step_size: float | None = None) -> None:
        """Record now, unless this step has been recorded already.

        Args:
            step_size: eta; by default that of the last step.

        Raises:
            ValueError: if it is not positive.
        """
        if step_size is not None:
            self._told = _positive(step_size)
        if self._rows[-1]["step"] != self._steps:
            self._add()

    def table(self) -> Table:
        """All records: step, step_size, loss, sharpness, edge = 2/eta, stability_norm, bound = 1 + 2 norm.

        The sharpness is the top eigenvalue of the full Hessian, residual part included. An unknown step size
        leaves its two cells empty; one of 0, where a schedule starts or ends, has an infinite edge.
        """
        return Table(self._rows, _COLUMNS)

    def figure(self) -> Figure:
        """Sharpness, bound and 2/eta over the steps, and the loss below, both on logarithmic axes."""
        import matplotlib.pyplot as plt

        table = self.table()
        # A log axis shows no zero, and refuses to show nothing else.
        shown = {name: _visible(table[name]) for name in ("edge", "sharpness", "bound", "loss")}
        style = {"font.size": 13, "axes.spines.top": False, "axes.spines.right": False}
        with plt.rc_context(style | {"mathtext.fontset": "cm"}):
            figure, (above, below) = plt.subplots(
                2, 1, figsize=(6.0, 5.0), sharex=True, layout="constrained", height_ratios=(2, 1)
            )
            marks = {"markersize": 5, "markevery": max(1, len(table) // 25)}
            for axes, name, look in (
                (above, "edge", _EDGE),
                (above, "sharpness", _SHARPNESS | marks),
                (above, "bound", _BOUND | marks),
                (below, "loss", _LOSS),
            ):
                if np.isfinite(shown[name]).any():
                    axes.plot(table["step"], shown[name], **look)
                    axes.set_yscale("log")
            above.set(ylabel="sharpness")
            below.set(xlabel="step", ylabel="loss")
            if above.lines:
                above.legend(frameon=False)
            for axes in (above, below):
                if axes.lines:
                    _name_ticks(axes)
        return figure

    def _step_size(self) -> float | None:
        if self._told is not None or self._optimizer is None:
            return self._told
        return float(self._optimizer.param_groups[self._group]["lr"])

    def _add(self) -> None:
        eta = self._step_size()
        row: dict[str, Any] = dict.fromkeys(_COLUMNS, float("nan"))
        row |= {"step": self._steps, "step_size": eta}
        row["edge"] = None if eta is None else 2 / eta if eta else float("inf")
        if all(bool(part.isfinite().all()) for part in self._model.parameters()):
            row |= self._measured(ShallowReLU(*parameters_of(self._model)))
        self._rows.append(row)

    def _measured(self, net: ShallowReLU) -> dict[str, float]:
        """What can be said of the network in float64; what is left out overflows."""
        with np.errstate(all="ignore"):
            residual = net(self._X) - self._y
            out = {"loss": float(residual @ residual) / (2 * len(residual))}
            if not np.isfinite(out["loss"]):
                return {}
            try:
                norm = stability_norm(net, self._X)
                out |= {"stability_norm": norm, "bound": 1 + 2 * norm}
                out["sharpness"] = sharpness(net, self._X, self._y)
            except (ArithmeticError, ValueError):
                pass  # on its way to infinity; an error here would end the user's loop
        return {name: value for name, value in out.items() if np.isfinite(value)}


def _positive(step_size: Any) -> float:
    # A float passes at once: this runs at every step of the user's loop.
    if type(step_size) is float and 0 < step_size < float("inf"):
        return step_size
    return checks.positive(step_size, "step_size")


def _group_of(optimizer: Any, model: torch.nn.Module) -> int:
    """Which parameter group of the optimiser holds parameters of the model; the first, if several do."""
    own = {id(part) for part in model.parameters()}
    for i, group in enumerate(getattr(optimizer, "param_groups", ())):
        if any(id(part) in own for part in group["params"]):
            return i
    raise ValueError(
        f"optimizer is {type(optimizer).__name__} and trains no parameter of the model; "
        "the torch optimiser of the loop is needed"
    )


def _name_ticks(axes: Axes) -> None:
    """Ticks such as 0.3 or 4 on a short log axis, where powers of ten would leave it bare."""
    from matplotlib.ticker import LogLocator, NullLocator

    low, high = np.log10(axes.get_ylim())
    if high - low < 2:
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 3, 4, 6) if high - low < 1 else (1, 3)))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.yaxis.set_minor_locator(NullLocator())


def _visible(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values) & (values > 0), values, np.nan)
