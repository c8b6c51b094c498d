"""The training run of the paper's experiments as a spec: what is trained, from where, and for how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .. import checks
from ..data import Dataset, gaussian, mnist01
from ..network import ShallowReLU
from .descent import Trained, gradient_descent, sgd
from .specs import Spec


@dataclass(frozen=True)
class TrainingRun(Spec):
    """One training run of a shallow ReLU network, to be measured where it ends.

    Args:
        data: "mnist01" or "gaussian".
        n: number of training points.
        k: number of neurons.
        step_size: eta.
        d: input dimension, for "gaussian".
        data_seed: which data set is drawn.
        seed: of the initial network and, in a stream of its own, of the batches.
        scheme: of the initialisation, "torch" or "he".
        scale: multiplies all initial parameters.
        batch_size: number of points per step; None is gradient descent.
        sampling: "uniform" or "epoch".
        warmup: steps (epochs for batches) over which the step size rises linearly.
        tol: training ends when the loss is below it.
        patience: for so many consecutive epochs.
        limit: greatest number of steps (epochs for batches).
        dtype: precision of batches; "float32" also rounds the data and the network that is measured,
            which then are exactly what is stored.
        targets: labels of "gaussian": "noise", or "teacher", those of a random network of five neurons,
            with mean 0 and variance 1.
        target_seed: draws the labels anew and leaves the points; None leaves both to data_seed.
        target_scale: multiplies the labels of "gaussian".
        biases: "free", "zero" (they start at zero) or "frozen" (b1 stays what it is at the start).
        scaled: what `scale` multiplies, "all" parameters or "weights" only, not b1 and b2.
        centred: subtract the mean training image from all images.
        after: a run on the same data that comes first; this one starts where it ended.

    Raises:
        ValueError: if a field has an impossible value.

    Example:
        >>> run = TrainingRun("gaussian", n=20, k=5, step_size=0.1, d=3, seed=1)
        >>> run.labels()["step_size"], len(run.hash)
        (0.1, 16)

    Source: Section 6 and App. N.
    """

    data: str
    n: int
    k: int
    step_size: float
    d: int | None = None
    data_seed: int = 0
    seed: int = 0
    scheme: str = "torch"
    scale: float = 1.0
    batch_size: int | None = None
    sampling: str = "uniform"
    warmup: int = 0
    tol: float = 1e-8
    patience: int = 0
    limit: int = 1_000_000
    dtype: str = "float64"
    targets: str = "noise"
    target_seed: int | None = None
    target_scale: float = 1.0
    biases: str = "free"
    scaled: str = "all"
    centred: bool = False
    after: TrainingRun | None = None

    def __post_init__(self) -> None:
        checks.choice(self.data, "data", ("mnist01", "gaussian"))
        checks.choice(self.scheme, "scheme", ("torch", "he"))
        checks.choice(self.sampling, "sampling", ("uniform", "epoch"))
        checks.choice(self.dtype, "dtype", ("float32", "float64"))
        checks.choice(self.targets, "targets", ("noise", "teacher"))
        checks.choice(self.biases, "biases", ("free", "zero", "frozen"))
        checks.choice(self.scaled, "scaled", ("all", "weights"))
        # Rewritten as plain numbers, so that 1, 1.0 and np.float64(1.0) are one run with one hash.
        plain: dict[str, Any] = {
            name: checks.positive(getattr(self, name), name)
            for name in ("step_size", "scale", "target_scale")
        }
        plain["tol"] = checks.nonnegative(self.tol, "tol")
        for name in ("n", "k", "limit"):
            plain[name] = checks.count(getattr(self, name), name)
        for name in ("data_seed", "seed", "warmup", "patience"):
            plain[name] = checks.count(getattr(self, name), name, minimum=0)
        if self.target_seed is not None:
            plain["target_seed"] = checks.count(self.target_seed, "target_seed", minimum=0)
        if self.data == "gaussian":
            plain["d"] = checks.count(self.d, "d")
        elif self.d is not None:
            raise ValueError(
                f"d is {self.d}; it is left out for data='mnist01', whose images have 784"
            )
        if self.batch_size is not None:
            plain["batch_size"] = checks.count(self.batch_size, "batch_size")
            if self.batch_size > self.n:
                raise ValueError(
                    f"batch_size is {self.batch_size}; at most n = {self.n} is possible"
                )
        for name, value in plain.items():
            object.__setattr__(self, name, value)
        self._fit_together()

    def _fit_together(self) -> None:
        """Refuse combinations of fields that would silently mean something else."""
        drawn = self.targets, self.target_seed, self.target_scale
        if self.data == "mnist01" and drawn != ("noise", None, 1.0):
            raise ValueError(
                f"targets, target_seed and target_scale are {drawn}; images have theirs"
            )
        if self.data != "mnist01" and self.centred:
            raise ValueError("centred is True; only data='mnist01' has images to centre")
        if self.biases == "frozen" and self.batch_size is not None:
            raise ValueError(
                "biases is 'frozen'; only gradient descent, batch_size=None, can do that"
            )
        if self.after is None:
            return
        if not isinstance(self.after, TrainingRun):
            raise ValueError(f"after is {type(self.after).__name__}; a TrainingRun is needed")
        for name in _PLACE:
            if getattr(self, name) != getattr(self.after, name):
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}, but {getattr(self.after, name)!r} in the run "
                    "that comes first; one start on one data set is needed"
                )

    def labels(self) -> dict[str, Any]:
        """The columns that say which run it is; gradient descent has batches of all n points."""
        full = self.batch_size is None
        return {
            "variant": self.variant,
            "k": self.k,
            "tol": self.tol,
            "scheme": self.scheme,
            "scale": self.scale,
            "warmup": self.warmup,
            "batch_size": self.n if full else self.batch_size,
            "sampling": "full" if full else self.sampling,
            "step_size": self.step_size,
            "data_seed": self.data_seed,
            "seed": self.seed,
        }

    @property
    def variant(self) -> str:
        """In what the run differs from the paper's kind of run: a few words, or none."""
        words = [f"{name} {getattr(self, name)}" for name in ("targets", "biases", "scaled")
                 if getattr(self, name) not in ("noise", "free", "all")]  # fmt: skip
        if self.target_seed is not None:
            words.append(f"labels {self.target_seed}")
        if self.target_scale != 1:
            words.append(f"labels x {self.target_scale:g}")
        if self.centred:
            words.append("centred")
        if self.after is not None:
            first = self.after
            words.append(f"after step {first.step_size:g} to loss {first.tol:g}")
        return ", ".join(words)

    def columns(self) -> dict[str, type]:
        """The columns above, and all that measure.py knows."""
        from .measure import COLUMNS

        return {name: type(value) for name, value in self.labels().items()} | {
            column.name: column.kind for column in COLUMNS
        }

    def datasets(self) -> tuple[Dataset, Dataset | None]:
        """The training set and, where there is one, the validation set."""
        if self.data == "gaussian":
            return self._labelled(gaussian(self.n, self.d, self.data_seed)), None
        train, validation = mnist01(self.n, seed=self.data_seed)
        if self.centred:
            mean = train.X.mean(axis=0)
            train = Dataset(train.X - mean, train.y)
            validation = Dataset(validation.X - mean, validation.y)
        if self.dtype == "float32":
            return Dataset(np.float32(train.X), train.y), Dataset(
                np.float32(validation.X), validation.y
            )
        return train, validation

    def _labelled(self, data: Dataset) -> Dataset:
        """The points with the labels that were asked for."""
        y = data.y
        seed = [self.data_seed if self.target_seed is None else self.target_seed, _LABELS]
        if self.targets == "teacher":
            rng = np.random.default_rng(seed)
            y = ShallowReLU.initial(data.d, 5, 1.0, "he", rng)(data.X)
            y = (y - y.mean()) / y.std()
        elif self.target_seed is not None:
            y = np.random.default_rng(seed).standard_normal(len(y))
        return Dataset(data.X, self.target_scale * y)

    def start(self, d: int) -> ShallowReLU:
        """The network from which training starts; of a run after another one, the first start."""
        net = ShallowReLU.initial(d, self.k, self.scale, self.scheme, self.seed)
        if self.scaled == "weights":
            net = ShallowReLU(net.W1, net.b1 / self.scale, net.w2, net.b2 / self.scale)
        if self.biases == "zero":
            net = ShallowReLU(net.W1, np.zeros(net.k), net.w2, 0.0)
        return net

    def train(self, **options: Any) -> Trained:
        """Train from nothing; options such as record_every go to the engine."""
        data, _ = self.datasets()
        net = self.start(data.d) if self.after is None else self.after.train().net
        common = {"tol": self.tol, "warmup": self.warmup} | options
        if self.batch_size is None:
            common = {"max_steps": self.limit, "freeze_biases": self.biases == "frozen"} | common
            return gradient_descent(net, data.X, data.y, self.step_size, **common)
        common = {
            "seed": np.random.default_rng([self.seed, _BATCHES]),
            "patience": self.patience,
            "max_epochs": self.limit,
            "sampling": self.sampling,
            "dtype": self.dtype,
        } | common
        return sgd(net, data.X, data.y, self.step_size, self.batch_size, **common)

    def execute(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Train, and measure the network where training ended."""
        from .measure import measured

        trained = self.train()
        stored: dict[str, np.ndarray] = {}
        if trained.reason != "diverged":
            net, (train, _) = trained.net, self.datasets()
            values = {
                "W1": net.W1,
                "b1": net.b1,
                "w2": net.w2,
                "b2": net.b2,
                "X": train.X,
                "y": train.y,
            }
            stored = {name: np.asarray(value, dtype=self.dtype) for name, value in values.items()}
        told = {"steps": trained.steps, "reason": trained.reason}
        return self.labels() | measured(self, stored, told), stored

    def complete(
        self, row: dict[str, Any], arrays: dict[str, np.ndarray] | None
    ) -> dict[str, Any] | None:
        """Measure what is missing at the stored network."""
        from .measure import measured

        told = {name: row.get(name) for name in ("steps", "reason")}
        if None in told.values() or not (arrays or told["reason"] == "diverged"):
            return None
        missing = set(self.columns()) - set(row)
        return self.labels() | row | measured(self, arrays or {}, told, missing)


# Streams of random numbers, apart from that of the initial network and of the points.
_BATCHES, _LABELS = 0x6261, 0x6C616273
# What a run shares with the one that came first.
_PLACE = (
    *("data", "n", "k", "d", "data_seed", "seed", "scheme", "scale", "dtype", "centred"),
    *("targets", "target_seed", "target_scale", "biases", "scaled"),
)
