"""Sweeps: which runs make one table."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .specs import Spec


@dataclass(frozen=True)
class Sweep:
    """Runs that make one table.

    Args:
        name: of the table, lower-case letters, digits and underscores.
        runs: the specs.
        networks: which rows are candidates for results/networks, as column=value (an empty mapping
            means all); it keeps, for each step size, the converged one of the smallest data_seed, then
            seed. None keeps nothing.

    Raises:
        ValueError: if the name is unusable or there is no run.

    Example:
        >>> from stablib.training import TrainingRun
        >>> base = TrainingRun("gaussian", n=20, k=5, step_size=0.1, d=3)
        >>> toy = Sweep.grid("toy", base, step_size=[0.1, 0.2], seed=range(3))
        >>> len(toy.runs), len(toy.also(step_size=[0.4]).runs), len(toy.only(seed=0).runs)
        (6, 9, 2)
    """

    name: str
    runs: tuple[Spec, ...]
    networks: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch("[a-z0-9_]+", self.name):
            raise ValueError(
                f"name is {self.name!r}; lower-case letters, digits and underscores are needed"
            )
        if self.networks is not None and not isinstance(self.networks, Mapping):
            raise ValueError(
                f"networks of the sweep {self.name!r} is {self.networks!r}; None, or a mapping from "
                "columns to values, is needed"
            )
        runs = _several(self.runs, f"runs of the sweep {self.name!r}")
        if not runs or not all(isinstance(run, Spec) for run in runs):
            raise ValueError(f"runs of the sweep {self.name!r} are {runs!r}; some specs are needed")
        runs = tuple(dict.fromkeys(runs))
        if len({type(run) for run in runs}) > 1:
            raise ValueError(
                f"runs of the sweep {self.name!r} are of different kinds; one is needed"
            )
        object.__setattr__(self, "runs", runs)

    @classmethod
    def grid(
        cls,
        name: str,
        base: Spec,
        *,
        networks: Mapping[str, Any] | None = None,
        **axes: Iterable[Any],
    ) -> Sweep:
        """All combinations of the given values of some fields of `base`."""
        if not isinstance(base, Spec):
            raise ValueError(f"base is {type(base).__name__}; a spec such as TrainingRun is needed")
        return cls(name, tuple(_vary([base], axes)), networks)

    def also(self, **axes: Iterable[Any]) -> Sweep:
        """These runs and the same ones with other values of some fields."""
        return replace(self, runs=(*self.runs, *_vary(self.runs, axes)))

    def only(self, **values: Any) -> Sweep:
        """The runs whose fields have these values."""
        _known(self.runs[0], values)
        kept = [run for run in self.runs if all(getattr(run, f) == v for f, v in values.items())]
        if not kept:
            raise ValueError(f"the sweep {self.name!r} has no run with {values}")
        return replace(self, runs=tuple(kept))


def _vary(runs: Iterable[Spec], axes: dict[str, Iterable[Any]]) -> list[Spec]:
    runs = list(runs)
    _known(runs[0], axes)
    points = [_several(values, name) for name, values in axes.items()]
    return [
        replace(run, **dict(zip(axes, point, strict=True)))
        for run in runs
        for point in itertools.product(*points)
    ]


def _several(values: Any, name: str) -> list[Any]:
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise ValueError(f"{name}: {values!r} is given; a sequence of values is needed")
    return list(values)


def _known(run: Spec, names: Iterable[str]) -> None:
    known = [f.name for f in fields(run)]
    for name in names:
        if name not in known:
            raise ValueError(
                f"{name} is no field of {type(run).__name__}; it has {', '.join(known)}"
            )
