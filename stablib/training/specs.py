"""What a run is: frozen specs that can be written as JSON, and the hash by which a result is known."""

from __future__ import annotations

import hashlib
import json
from dataclasses import MISSING, dataclass, fields
from typing import Any

import numpy as np

from .. import checks
from ..data import Dataset, gaussian, mnist01
from ..network import ShallowReLU
from .descent import Trained, gradient_descent, sgd

ENGINE = (
    1  # counts the changes of training that change its results: results of another one are not read
)


@dataclass(frozen=True)
class Spec:
    """Base of all specs: numbers and words that decide a run, and nothing else.

    A field that has its default value does not enter the hash. So a field that is added later leaves
    old results valid; a default that a field once had must never change.
    """

    def canonical(self) -> dict[str, Any]:
        """The fields that differ from their defaults, and the kind of the run."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        plain = {
            f.name for f in fields(self) if f.default is not MISSING and given[f.name] == f.default
        }
        return {"kind": type(self).__name__} | {k: v for k, v in given.items() if k not in plain}

    @property
    def hash(self) -> str:
        """Sixteen hexadecimal digits that name the run's result."""
        text = json.dumps(
            {"engine": ENGINE, "spec": self.canonical()},
            sort_keys=True,
            separators=(",", ":"),
            allow_nan=False,
        )
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def labels(self) -> dict[str, Any]:
        """The first columns of the run's row, in the order in which tables are sorted."""
        return {f.name: getattr(self, f.name) for f in fields(self)}

    def columns(self) -> dict[str, type]:
        """Names and types (str, int, float) of the columns of the run's row, without the hash."""
        raise NotImplementedError

    def execute(self) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
        """Run; return the row's cells (None for an empty one) and the arrays to be kept with it."""
        raise NotImplementedError

    def complete(
        self, row: dict[str, Any], arrays: dict[str, np.ndarray] | None
    ) -> dict[str, Any] | None:
        """A row that lacks a column made whole without a new run; None if that cannot be done."""
        return None


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

    def __post_init__(self) -> None:
        checks.choice(self.data, "data", ("mnist01", "gaussian"))
        checks.choice(self.scheme, "scheme", ("torch", "he"))
        checks.choice(self.sampling, "sampling", ("uniform", "epoch"))
        checks.choice(self.dtype, "dtype", ("float32", "float64"))
        # Rewritten as plain numbers, so that 1, 1.0 and np.float64(1.0) are one run with one hash.
        plain: dict[str, Any] = {
            name: checks.positive(getattr(self, name), name) for name in ("step_size", "scale")
        }
        plain["tol"] = checks.nonnegative(self.tol, "tol")
        for name in ("n", "k", "limit"):
            plain[name] = checks.count(getattr(self, name), name)
        for name in ("data_seed", "seed", "warmup", "patience"):
            plain[name] = checks.count(getattr(self, name), name, minimum=0)
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

    def labels(self) -> dict[str, Any]:
        """The columns that say which run it is; gradient descent has batches of all n points."""
        full = self.batch_size is None
        return {
            "scheme": self.scheme,
            "scale": self.scale,
            "warmup": self.warmup,
            "batch_size": self.n if full else self.batch_size,
            "sampling": "full" if full else self.sampling,
            "step_size": self.step_size,
            "data_seed": self.data_seed,
            "seed": self.seed,
        }

    def columns(self) -> dict[str, type]:
        """The columns above, and all that measure.py knows."""
        from .measure import COLUMNS

        return {name: type(value) for name, value in self.labels().items()} | {
            column.name: column.kind for column in COLUMNS
        }

    def datasets(self) -> tuple[Dataset, Dataset | None]:
        """The training set and, where there is one, the validation set."""
        if self.data == "gaussian":
            return gaussian(self.n, self.d, self.data_seed), None
        train, validation = mnist01(self.n, seed=self.data_seed)
        if self.dtype == "float32":
            return Dataset(np.float32(train.X), train.y), Dataset(
                np.float32(validation.X), validation.y
            )
        return train, validation

    def start(self, d: int) -> ShallowReLU:
        """The network from which training starts."""
        return ShallowReLU.initial(d, self.k, self.scale, self.scheme, self.seed)

    def train(self, **options: Any) -> Trained:
        """Train from nothing; options such as record_every go to the engine."""
        data, _ = self.datasets()
        net = self.start(data.d)
        common = {"tol": self.tol, "warmup": self.warmup} | options
        if self.batch_size is None:
            return gradient_descent(
                net, data.X, data.y, self.step_size, **{"max_steps": self.limit} | common
            )
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


_BATCHES = 0x6261  # the batches' stream of random numbers, apart from that of the initial network
