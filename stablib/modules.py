"""Torch modules that are shallow ReLU networks: reading their parameters, refusing the others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import checks

WANTED = "Linear-ReLU-Linear with one output is needed"


def is_module(value: Any) -> bool:
    """Whether a value is a torch module, found out without importing torch.

    Args:
        value: anything.
    """
    return any(
        (base.__module__.partition(".")[0], base.__name__) == ("torch", "Module")
        for base in type(value).__mro__
    )


def parameters_of(module: Any, wanted: str = WANTED) -> tuple[Any, Any, Any, Any]:
    """W1, b1, w2, b2 of a torch module that is a Linear-ReLU-Linear with one output.

    Args:
        module: a Sequential of these layers, or a Module with two Linear layers that computes the same.
        wanted: how an error ends.

    Raises:
        ValueError: if the module is built otherwise, or computes something else.
    """
    from torch import nn

    if not isinstance(module, nn.Module):
        raise ValueError(f"module is {type(module).__name__}; a torch module {wanted}")
    layers = [layer for layer in module.modules() if not list(layer.children())]
    if isinstance(module, nn.Sequential):
        for i, kind in enumerate((nn.Linear, nn.ReLU, nn.Linear)):
            if i >= len(layers) or not isinstance(layers[i], kind):
                got = type(layers[i]).__name__ if i < len(layers) else "missing"
                raise ValueError(f"layer {i} of the module is {got}; {wanted}")
        if len(layers) > 3:
            raise ValueError(f"the module has {len(layers)} layers; {wanted}")
    linear = [layer for layer in layers if isinstance(layer, nn.Linear)]
    if len(linear) != 2:
        raise ValueError(f"the module has {len(linear)} Linear layers; {wanted}")
    inner, outer = linear
    if inner.out_features == 1 and inner.in_features == outer.out_features != 1:
        inner, outer = outer, inner  # a class may declare its last layer first
    if outer.out_features != 1 or outer.in_features != inner.out_features:
        raise ValueError(
            f"the module's last layer maps {outer.in_features} numbers to {outer.out_features}; {wanted}"
        )

    def values(parameter: Any, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape) if parameter is None else checks.array(parameter, "a parameter")

    W1, b1 = values(inner.weight, ()), values(inner.bias, (inner.out_features,))
    w2, b2 = values(outer.weight, ())[0], values(outer.bias, (1,))[0]
    return W1, b1, w2, b2


def check_forward(
    module: Any, function: Callable[[np.ndarray], np.ndarray], d: int, wanted: str = WANTED
) -> None:
    """Compare a module with the function read from it: only running it can tell what its forward does.

    Args:
        module: the torch module.
        function: from points (n, d) to values (n,).
        d: input dimension.
        wanted: how an error ends.

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
            f"the module cannot be called on a (64, {d}) tensor ({error}); {wanted}"
        ) from None
    expected = function(x)
    tol = 1e-9 * np.ptp(expected) + 1e-13 * np.abs(expected).max()
    if out.size != 64 or np.abs(out.ravel() - expected).max() > tol:
        raise ValueError(
            f"the module computes something else than its two Linear layers with a ReLU; {wanted}"
        )


def parameters_of_state(state: Mapping[str, Any]) -> tuple[Any, Any, Any, Any]:
    """W1, b1, w2, b2 of the state_dict of a Linear-ReLU-Linear with one output, whatever its keys are called.

    Two tensors must be matrices, (k, d) and (1, k): the weights. A vector with a b in its name is the bias of
    the matrix whose key begins alike up to the last dot and whose rows it counts. The activation leaves no
    trace in a state_dict; it is taken to be ReLU.

    Args:
        state: names to tensors or arrays; a missing bias is zero.

    Raises:
        ValueError: if there are other tensors, or the shapes are not those of two such layers.

    Example:
        >>> W1, b1, w2, b2 = parameters_of_state({"0.weight": [[1, 2]], "2.weight": [[3]], "2.bias": [4]})
        >>> W1, b1, w2, b2
        (array([[1., 2.]]), array([0.]), array([3.]), 4.0)
    """
    arrays = {str(key): checks.array(value, f"the entry {key!r}") for key, value in state.items()}
    matrices = [key for key, value in arrays.items() if value.ndim == 2]
    if len(matrices) != 2:
        shapes = ", ".join(f"{key!r} {value.shape}" for key, value in arrays.items())
        raise ValueError(
            f"there are {len(matrices)} weight matrices among {shapes or 'no entries'}; "
            "two are needed, (k, d) and (1, k)"
        )
    for inner, outer in (matrices, matrices[::-1]):
        W1, w2 = arrays[inner], arrays[outer]
        if w2.shape == (1, len(W1)):
            break
    else:
        first, second = (f"{key!r} has shape {arrays[key].shape}" for key in matrices)
        raise ValueError(f"{first} and {second}; (k, d) and (1, k) are needed, one output")
    biases = {inner: np.zeros(len(W1)), outer: np.zeros(1)}
    free = [inner, outer]
    for key, value in arrays.items():
        if key in matrices:
            continue
        layers = [
            layer
            for layer in free
            if _same_layer(key, layer) and value.shape == biases[layer].shape
        ]
        if not layers:
            raise ValueError(
                f"{key!r} of shape {value.shape} is no bias of {inner!r} {W1.shape} or {outer!r} {w2.shape}; "
                "two layers with a ReLU between them are needed, and nothing else"
            )
        biases[layers[0]] = value
        free.remove(layers[0])
    return W1, biases[inner], w2[0], float(biases[outer][0])


def _same_layer(bias: str, weight: str) -> bool:
    """Whether both keys name one layer: "fc1.bias" and "fc1.weight", or "b1" and "W1"."""
    prefix, _, name = bias.rpartition(".")
    return prefix == weight.rpartition(".")[0] and "b" in name.lower()
