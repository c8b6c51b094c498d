"""Minima stability of shallow ReLU networks: how sharp a minimum is, must be, and could be.

The names below are loaded on first use, so that importing `stablib` costs nothing and needs nothing
but the standard library.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "ShallowReLU": "network",
    "EmpiricalWeight": "weights",
    "IsotropicWeight": "weights",
    "stability_norm": "norms",
    "parametric_stability_norm": "norms",
    "one_sided_norm": "norms",
    "r_norm": "norms",
    "tangent_features": "curvature",
    "tangent_gram": "curvature",
    "sharpness": "curvature",
    "sharpness_interval": "curvature",
    "hessian_operator": "curvature",
    "sharpness_lower_bound": "bounds",
    "sharpness_upper_bound": "bounds",
    "max_stability_norm": "bounds",
    "sufficient_stability": "bounds",
    "flattest_implementation": "flattest",
    "equivalent_implementation": "equivalents",
    "implementation_free_bound": "anywidth",
    "affine_aware_bound": "anywidth",
    "least_sharpness": "anywidth",
    "gd_threshold": "stability",
    "sgd_threshold": "stability",
    "sgd_threshold_interval": "stability",
    "sgd_threshold_bounds": "small_batch",
    "small_batch_norm": "small_batch",
    "max_small_batch_norm": "small_batch",
    "takeover_batch": "small_batch",
    "extreme_points": "memorising",
    "memoriser": "memorising",
    "least_interpolating_norm": "univariate",
    "linearized_sgd": "linearized",
    "diagnose": "diagnosis",
    "Diagnosis": "diagnosis",
    "Dataset": "data",
    "gaussian": "data",
    "two_points": "data",
    "plane": "data",
    "mnist01": "data",
    "gradient_descent": "training.descent",
    "sgd": "training.descent",
}

__all__ = ["__version__", *_HOME]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module 'stablib' has no attribute {name!r}")
    value = getattr(import_module(f"stablib.{_HOME[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])
