"""Validation of public arguments, in one place: every error restates what the caller did."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from .network import ShallowReLU


def array(value: Any, name: str) -> np.ndarray:
    """A float64 copy of anything array-like with finite real entries.

    Args:
        value: NumPy array, nested sequence, number or torch tensor on any device.
        name: what the caller calls it, for the error.

    Raises:
        ValueError: if it is no rectangular array of finite real numbers.

    Example:
        >>> array([[1, 2], [3, 4]], "X").dtype
        dtype('float64')
        >>> array([[1, 2], [3]], "X")
        Traceback (most recent call last):
        ...
        ValueError: X is ragged: its rows have different lengths
    """
    if hasattr(value, "detach"):  # a torch tensor, recognised without importing torch
        try:
            value = value.detach().cpu()
            value = (value if value.is_complex() else value.double()).numpy()
        except (TypeError, RuntimeError, NotImplementedError):
            raise ValueError(
                f"{name} is a torch tensor whose entries cannot be read (layout {value.layout}, "
                f"dtype {value.dtype}); a dense tensor is needed"
            ) from None
    if np.ma.is_masked(value):
        raise ValueError(f"{name} has masked entries; an array without gaps is needed")
    try:
        raw = np.asarray(value)
    except (ValueError, TypeError):
        raise ValueError(f"{name} is ragged: its rows have different lengths") from None
    if raw.dtype.kind not in "biuf":
        got = type(value).__name__ if raw.ndim == 0 else f"an array of dtype {raw.dtype}"
        raise ValueError(f"{name} is {got}; an array of real numbers is needed")
    out = np.array(raw, dtype=np.float64, order="C")
    if not np.isfinite(out).all():
        where = np.argwhere(~np.isfinite(out))[0]
        what = "NaN" if np.isnan(out[tuple(where)]) else "an infinite entry"
        place = f" at {tuple(int(i) for i in where)}" if out.ndim else ""
        raise ValueError(f"{name} has {what}{place}; finite numbers are needed")
    return out


def points(X: Any, name: str = "X") -> np.ndarray:
    """Data points as a float64 array of shape (n, d) with n >= 1 and d >= 1, entries below 1e100."""
    out = array(X, name)
    if out.ndim != 2 or 0 in out.shape:
        raise ValueError(
            f"{name} has shape {out.shape}; a non-empty (n, d) array is needed, one row per data point"
        )
    if np.abs(out).max() > 1e100:
        raise ValueError(
            f"{name} has an entry of size {np.abs(out).max():g}; at most 1e100 is possible"
        )
    return out


def points_of(X: Any, net: ShallowReLU, name: str = "X") -> np.ndarray:
    """Data points whose dimension is that of the network."""
    out = points(X, name)
    if out.shape[1] != net.d:
        raise ValueError(
            f"{name} has {out.shape[1]} columns, but the network reads inputs of dimension {net.d}"
        )
    return out


def labels(y: Any, n: int, name: str = "y") -> np.ndarray:
    """One number per data point, shape (n,)."""
    out = array(y, name)
    if out.shape != (n,):
        raise ValueError(
            f"{name} has shape {out.shape}, but X has {n} rows: one label per data point is needed"
        )
    return out


def loss_curvature(value: Any, n: int) -> np.ndarray:
    """Second derivatives of the loss per data point, non-negative, shape (n,); a number means all."""
    out = array(value, "loss_curvature")
    if out.shape not in ((), (n,)):
        raise ValueError(
            f"loss_curvature has shape {out.shape}, but X has {n} rows: a number or one per data "
            "point is needed"
        )
    if (out < 0).any():
        raise ValueError(
            f"loss_curvature has the negative entry {out.min():g}; a convex loss is needed"
        )
    return np.broadcast_to(out, (n,)).copy()


def normals(v: Any, d: int) -> np.ndarray:
    """Unit normals, shape (m, d) or (d,); a row that is off the sphere by more than 1e-8 is refused."""
    out = array(v, "v")
    if out.ndim not in (1, 2) or out.shape[-1] != d:
        raise ValueError(
            f"v has shape {out.shape}; unit normals of shape (m, {d}) or ({d},) are needed"
        )
    with np.errstate(over="ignore"):  # a row so long is refused
        length = np.linalg.norm(out, axis=-1)
    if (np.abs(length - 1) > 1e-8).any():
        worst = np.ravel(length)[np.argmax(np.abs(length - 1))]
        raise ValueError(f"v has a row of length {worst:g}; unit normals are needed")
    return out


def hyperplanes(v: Any, b: Any, d: int) -> tuple[np.ndarray, np.ndarray]:
    """Unit normals (m, d) with offsets (m,), or one normal (d,) with any number of offsets."""
    v, b = normals(v, d), array(b, "b")
    if b.ndim > 1 or (v.ndim == 2 and b.shape != (len(v),)):
        raise ValueError(f"b has shape {b.shape}; one offset per row of v is needed")
    return v, b


def real(value: Any, name: str) -> float:
    """A finite number."""
    out = array(value, name) if not isinstance(value, (bool, np.bool_)) else None
    if out is None or out.ndim != 0:
        got = f"has shape {out.shape}" if out is not None else f"is {value}"
        raise ValueError(f"{name} {got}; a number is needed")
    return float(out)


def positive(value: Any, name: str) -> float:
    """A finite number above zero."""
    out = real(value, name)
    if out <= 0:
        raise ValueError(f"{name} is {out:g}; a positive number is needed")
    return out


def nonnegative(value: Any, name: str) -> float:
    """A finite number that is zero or above."""
    out = real(value, name)
    if out < 0:
        raise ValueError(f"{name} is {out:g}; a number that is zero or positive is needed")
    return out


def count(value: Any, name: str, minimum: int = 1, maximum: int | None = 2**53) -> int:
    """A whole number from `minimum` to `maximum`."""
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        out = operator.index(value)
    except TypeError:
        raise ValueError(f"{name} is {value!r}; a whole number is needed") from None
    if out < minimum:
        raise ValueError(f"{name} is {out}; at least {minimum} is needed")
    if maximum is not None and out > maximum:
        raise ValueError(f"{name} has {len(str(out))} digits; at most {maximum} is possible")
    return out


def generator(seed: Any, *stream: int) -> np.random.Generator:
    """A Generator from a seed, in a stream of its own if one is named; one that is given stays itself."""
    if isinstance(seed, np.random.Generator):
        return seed
    seed = count(seed, "seed", minimum=0, maximum=None)
    return np.random.default_rng([seed, *stream] if stream else seed)


def choice(value: Any, name: str, options: tuple[str, ...]) -> str:
    """One of a few words."""
    if not isinstance(value, str) or value not in options:
        known = " or ".join(repr(option) for option in options)
        raise ValueError(f"{name} is {value!r}; {known} is needed")
    return value


def network(net: Any) -> ShallowReLU:
    """The network itself, if it is a ShallowReLU."""
    from .network import ShallowReLU  # here, because network.py validates with this module

    if not isinstance(net, ShallowReLU):
        raise ValueError(
            f"net is {type(net).__name__}; a ShallowReLU is needed "
            "(ShallowReLU.from_torch reads a Linear-ReLU-Linear module)"
        )
    return net
