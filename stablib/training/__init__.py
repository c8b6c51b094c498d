"""Training: descent engines, batches, sweeps and their store."""

from importlib import import_module

# Loaded on first use: descent needs none of what sweeps need.
_HOME = {
    "Trained": "descent",
    "gradient_descent": "descent",
    "sgd": "descent",
    "Spec": "specs",
    "StabilityMonitor": "monitor",
    "TrainingRun": "runs",
    "Sweep": "grids",
    "Table": "table",
    "sweep": "sweeps",
}

__all__ = list(_HOME)


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
