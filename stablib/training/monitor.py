"""Watch the stability of a torch training loop: sharpness, 2/eta and the bound, every so many steps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .. import checks
from ..curvature import sharpness
from ..modules import parameters_of
from ..network import ShallowReLU
from ..norms import stability_norm
from .table import Table

if TYPE_CHECKING:
    import torch
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


class StabilityMonitor:
    """Records of a Linear-ReLU-Linear module while a loop of the user's own trains it.

    Call `step` once after every step of the optimiser. The state at construction is the first record, every
    m-th step adds one, and `record` adds one at any time. Parameters are only read, no gradient and no random
    number is touched: the loop runs as it would without. A module whose parameters are no longer finite
    gets a record of NaN.

    A record costs one eigenvalue of an n x n matrix and O(n k (n + d)): 4 ms at n = 100, d = 20, k = 40
    and 0.2 s at n = 512, d = 784, k = 200, measured on one busy core.

    Args:
        model: a torch module that computes what Linear, ReLU and Linear with one output do, on the CPU or
            not, in any precision; records are computed in float64.
        X: data points, shape (n, d), an array or a tensor.
        y: labels, shape (n,); a column (n, 1) is taken, too.
        optimizer: a torch optimiser whose first parameter group tells the step size; without one `step`
            is told.
        every: steps between two records.

    Raises:
        ValueError: if the module is another one, shapes do not fit, or `every` is below 1.

    Example:
        >>> net = ShallowReLU([[1.0], [-1.0]], [0.1, 0.1], [1.0, -1.0])
        >>> monitor = StabilityMonitor(net.to_torch(), [[-1.0], [1.0]], [-1.1, 1.1], every=10)
        >>> monitor.step(0.5)
        >>> monitor.record(0.5)
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
        net = ShallowReLU.from_torch(model)
        self._model, self._optimizer = model, optimizer
        self._X = checks.points_of(X, net)
        labels = checks.array(y, "y")
        if labels.shape == (len(self._X), 1):
            labels = labels[:, 0]
        self._y = checks.labels(labels, len(self._X))
        self._every = checks.count(every, "every")
        if optimizer is not None and not getattr(optimizer, "param_groups", None):
            raise ValueError(
                f"optimizer is {type(optimizer).__name__}; a torch optimiser with param_groups is needed"
            )
        self._steps = 0
        self._rows: list[dict[str, Any]] = []
        self._add(None)

    def step(self, step_size: float | None = None) -> None:
        """Count a step of the optimiser, and record if it is time.

        Args:
            step_size: eta of this step; by default that of the optimiser, or unknown.

        Raises:
            ValueError: if it is not positive.
        """
        self._steps += 1
        if self._steps % self._every == 0:
            self._add(step_size)

    def record(self, step_size: float | None = None) -> None:
        """Record now, unless this step has been recorded already.

        Args:
            step_size: as for `step`.
        """
        if self._rows[-1]["step"] != self._steps:
            self._add(step_size)

    def table(self) -> Table:
        """All records: step, step_size, loss, sharpness, edge = 2/eta, stability_norm, bound = 1 + 2 norm.

        The loss is (1/2n) sum (f(x_j) - y_j)^2 over all points, the sharpness that of its full Hessian. An
        unknown step size leaves its two cells empty.
        """
        return Table(self._rows, _COLUMNS)

    def figure(self) -> Figure:
        """Sharpness, bound and 2/eta over the steps, and the loss below, both on logarithmic axes."""
        import matplotlib.pyplot as plt

        table = self.table()
        step = table["step"]
        figure, (above, below) = plt.subplots(
            2, 1, figsize=(6.0, 5.0), sharex=True, layout="constrained", height_ratios=(2, 1)
        )
        above.plot(step, table["edge"], color="#c1432e", label=r"$2/\eta$")
        above.plot(
            step, table["sharpness"], "o--", color="#d99000", markersize=4, label="sharpness"
        )
        above.plot(step, table["bound"], "^-", color="#7b3f99", markersize=4, label="1 + 2 norm")
        below.plot(step, table["loss"], color="#667378")
        above.set(yscale="log", ylabel="eigenvalue of the Hessian")
        below.set(yscale="log", xlabel="step", ylabel="loss")
        above.legend(frameon=False)
        return figure

    def _add(self, step_size: float | None) -> None:
        if step_size is None and self._optimizer is not None:
            step_size = float(self._optimizer.param_groups[0]["lr"])
        if step_size is not None:
            step_size = checks.positive(step_size, "step_size")
        row = dict.fromkeys(_COLUMNS, float("nan")) | {
            "step": self._steps,
            "step_size": step_size,
            "edge": None if step_size is None else 2 / step_size,
        }
        if all(bool(part.isfinite().all()) for part in self._model.parameters()):
            net = ShallowReLU(*parameters_of(self._model))
            with np.errstate(over="ignore", invalid="ignore"):
                residual = net(self._X) - self._y
                row["loss"] = float(residual @ residual) / (2 * len(residual))
            if np.isfinite(row["loss"]):
                norm = stability_norm(net, self._X)
                row["sharpness"] = sharpness(net, self._X, self._y)
                row |= {"stability_norm": norm, "bound": 1 + 2 * norm}
        self._rows.append(row)
