"""Bent arguments: the same thing in another dress, a thing that cannot be meant, and things in between."""

import numpy as np
import torch
from scipy import sparse

from stablib import ShallowReLU


class Bent:
    """One value for an argument.

    `means` is the plain value that it stands for (then the answer must be that of the plain value), `WRONG`
    (then it must be refused), or `EITHER`.
    """

    WRONG, EITHER = object(), object()

    def __init__(self, name, value, means):
        self.name, self.value, self.means = name, value, means


def of(value, *, optional):
    """All bent values for an argument whose right value is given."""
    if isinstance(value, ShallowReLU):
        out = _networks(value)
    elif isinstance(value, str):
        out = [(name, bad, Bent.WRONG) for name, bad in _NO_WORDS]
    elif isinstance(value, int | float):
        out = _numbers(value)
    elif isinstance(value, list | np.ndarray):
        out = _arrays(np.asarray(value, dtype=float))
    else:
        out = []
    if value is not None:
        out.append(("None", None, Bent.EITHER if optional else Bent.WRONG))
    return [Bent(*row) for row in out]


_NO_WORDS = [("no such word", "nonsense"), ("empty text", ""), ("a number", 3), ("a list", ["he"])]


def _networks(net):
    other = ShallowReLU.initial(net.d + 1, 3)

    class Duck:
        W1, b1, w2, b2, d, k = net.W1, net.b1, net.w2, net.b2, net.d, net.k

    return [
        ("a text", "net", Bent.WRONG),
        ("a number", 3, Bent.WRONG),
        ("the class", ShallowReLU, Bent.WRONG),
        ("a lookalike", Duck(), Bent.WRONG),
        ("an activation", torch.nn.Tanh(), Bent.WRONG),
        ("its parameters", (net.W1, net.b1, net.w2, net.b2), Bent.WRONG),
        ("another dimension", other, Bent.EITHER),
        ("huge", ShallowReLU(1e150 * net.W1, net.b1, 1e150 * net.w2, net.b2), Bent.EITHER),
        ("tiny", ShallowReLU(1e-160 * net.W1, 1e-160 * net.b1, 1e-160 * net.w2), Bent.EITHER),
        ("no neuron", ShallowReLU(np.zeros((0, net.d)), [], [], 1.0), Bent.EITHER),
    ]


def _numbers(value):
    whole = isinstance(value, int)
    kind = np.int32 if whole else np.float64
    rows = [
        ("NumPy number", kind(value), value),
        ("NaN", float("nan"), Bent.WRONG),
        ("inf", float("inf"), Bent.WRONG),
        ("minus inf", float("-inf"), Bent.WRONG),
        ("a text", "three", Bent.WRONG),
        ("a number as text", str(value), Bent.WRONG),
        ("complex", 1 + 2j, Bent.WRONG),
        ("a list", [value, value], Bent.EITHER),
        ("a dictionary", {}, Bent.WRONG),
        ("True", True, Bent.EITHER),
        ("minus one", -1, Bent.EITHER),
        ("zero", 0, Bent.EITHER),
        ("huge", 10**400 if whole else 1e300, Bent.EITHER),
        ("tiny", 1e-300, Bent.EITHER),
        ("an object", object(), Bent.WRONG),
    ]
    if whole:
        rows += [("a half", value + 0.5, Bent.WRONG), ("NumPy 0-d", np.array(value), Bent.EITHER)]
    else:
        rows += [("0-d tensor", torch.tensor(value, dtype=torch.float64), value)]
        rows += [("0-d array", np.array(value), value)]
    return rows


def _arrays(a):
    wide = np.zeros((*a.shape[:-1], 2 * a.shape[-1]))
    wide[..., ::2] = a
    locked = a.copy()
    locked.setflags(write=False)
    with_gap = np.ma.masked_array(a, np.arange(a.size).reshape(a.shape) == 0)
    nan, infinite = a.copy(), a.copy()
    nan.flat[0], infinite.flat[-1] = np.nan, -np.inf
    rows = [
        ("list", a.tolist(), a),
        ("tuple", tuple(map(tuple, a)) if a.ndim == 2 else tuple(a), a),
        ("Fortran order", np.asfortranarray(a), a),
        ("a view with gaps", wide[..., ::2], a),
        ("backwards view", a[::-1].copy()[::-1], a),
        ("read-only", locked, a),
        ("big-endian", a.astype(">f8"), a),
        ("longdouble", a.astype(np.longdouble), a),
        ("unmasked array", np.ma.masked_array(a), a),
        ("float64 tensor", torch.tensor(a), a),
        ("tensor with gradient", torch.tensor(a, requires_grad=True), a),
        ("float32", a.astype(np.float32), a.astype(np.float32).astype(float)),
        ("float16", a.astype(np.float16), a.astype(np.float16).astype(float)),
        (
            "bfloat16 tensor",
            torch.tensor(a).bfloat16(),
            torch.tensor(a).bfloat16().double().numpy(),
        ),
        ("NaN", nan, Bent.WRONG),
        ("inf", infinite, Bent.WRONG),
        ("NaN tensor", torch.tensor(nan), Bent.WRONG),
        ("masked", with_gap, Bent.WRONG),
        ("complex", a + 1j, Bent.WRONG),
        ("complex tensor", torch.tensor(a + 1j), Bent.WRONG),
        ("sparse", sparse.csr_array(np.atleast_2d(a)), Bent.WRONG),
        ("sparse tensor", torch.tensor(a).to_sparse(), Bent.WRONG),
        ("texts", a.astype(str), Bent.WRONG),
        ("text", "data", Bent.WRONG),
        ("bytes", b"data", Bent.WRONG),
        ("an object", object(), Bent.WRONG),
        ("array of objects", np.full(a.shape, None), Bent.WRONG),
        ("dates", np.full(a.shape, np.datetime64("2020-01-01")), Bent.WRONG),
        ("records", np.zeros(a.shape, dtype=[("x", float)]), Bent.WRONG),
        ("a dictionary", {"X": 1}, Bent.WRONG),
        ("a set", {1.0, 2.0}, Bent.WRONG),
        ("a generator", (x for x in a.tolist()), Bent.WRONG),
        ("a function", len, Bent.WRONG),
        ("ragged", [[1.0, 2.0], [3.0]], Bent.WRONG),
        ("empty", np.zeros((0, *a.shape[1:])), Bent.EITHER),
        ("no columns", np.zeros((*a.shape[:-1], 0)), Bent.EITHER),
        ("a number", 0.5, Bent.EITHER),
        ("one dimension more", a[None], Bent.EITHER),
        ("two dimensions more", a[None, None], Bent.EITHER),
        ("flat", a.ravel(), Bent.EITHER),
        ("transposed", a.T.copy(), Bent.EITHER),
        ("one row less", a[:-1], Bent.EITHER),
        ("huge", 1e300 * a, Bent.EITHER),
        ("tiny", 1e-300 * a, Bent.EITHER),
        ("zeros", np.zeros_like(a), Bent.EITHER),
        ("all equal", np.ones_like(a), Bent.EITHER),
        ("booleans", a > 0, Bent.EITHER),
    ]
    return rows
