"""Torch modules that are shallow ReLU networks: reading their parameters, refusing the others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import checks

_WANTED = "Linear-ReLU-Linear with one output is needed"


def parameters_of(module: Any) -> tuple[Any, Any, Any, Any]:
    """W1, b1, w2, b2 of a torch module that is a Linear-ReLU-Linear with one output.

    Args:
        module: a Sequential of these layers, or a Module with two Linear layers that computes the same.

    Raises:
        ValueError: if the module is built otherwise, or computes something else.
    """
    from torch import nn

    if not isinstance(module, nn.Module):
        raise ValueError(f"module is {type(module).__name__}; a torch module {_WANTED}")
    layers = [layer for layer in module.modules() if not list(layer.children())]
    if isinstance(module, nn.Sequential):
        for i, kind in enumerate((nn.Linear, nn.ReLU, nn.Linear)):
            if i >= len(layers) or not isinstance(layers[i], kind):
                got = type(layers[i]).__name__ if i < len(layers) else "missing"
                raise ValueError(f"layer {i} of the module is {got}; {_WANTED}")
        if len(layers) > 3:
            raise ValueError(f"the module has {len(layers)} layers; {_WANTED}")
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    if len(linear) != 2:
        raise ValueError(f"the module has {len(linear)} Linear layers; {_WANTED}")
    inner, outer = linear
    if inner.out_features == 1 and inner.in_features == outer.out_features != 1:
        inner, outer = outer, inner  # a class may declare its last layer first
    if outer.out_features != 1 or outer.in_features != inner.out_features:
        raise ValueError(
            f"the module's last layer maps {outer.in_features} numbers to {outer.out_features}; {_WANTED}"
        )

    def values(parameter: Any, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape) if parameter is None else checks.array(parameter, "a parameter")

    W1, b1 = values(inner.weight, ()), values(inner.bias, (inner.out_features,))
    w2, b2 = values(outer.weight, ())[0], values(outer.bias, (1,))[0]
    return W1, b1, w2, b2


def check_forward(module: Any, function: Callable[[np.ndarray], np.ndarray], d: int) -> None:
    """Compare a module with the function read from it: only running it can tell what its forward does.

    Args:
        module: the torch module.
        function: from points (n, d) to values (n,).
        d: input dimension.

    Raises:
        ValueError: if the module cannot be called, or its values are others.
    """
    import copy

    import torch

    x = 10 * np.random.default_rng(0).normal(size=(64, d))
    try:
        # A copy in double precision: half precision would hide, or feign, a difference.
        with torch.no_grad():
            out = copy.deepcopy(module).cpu().double()(torch.tensor(x)).numpy()
    except Exception as error:
        raise ValueError(
            f"the module cannot be called on a (64, {d}) tensor ({error}); {_WANTED}"
        ) from None
    expected = function(x)
    tol = 1e-9 * np.ptp(expected) + 1e-13 * np.abs(expected).max()
    if out.size != 64 or np.abs(out.ravel() - expected).max() > tol:
        raise ValueError(
            f"the module computes something else than its two Linear layers with a ReLU; {_WANTED}"
        )
