"""A shallow ReLU network: its parameters, its ridges, and the one way of writing its function."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from . import checks

if TYPE_CHECKING:
    import torch


class Ridges(NamedTuple):
    """Neurons as ridges a_i relu(v_i . x - b_i), eq. (51): slopes (m,), unit normals (m, d), offsets (m,)."""

    a: np.ndarray
    v: np.ndarray
    b: np.ndarray


class CanonicalForm(NamedTuple):
    """A function written with every hyperplane once: sum_h a_h relu(v_h . x - b_h) + beta . x + c.

    `a` (m,) are the jumps of the gradient across the hyperplanes, `v` (m, d) their unit normals with
    a positive first nonzero entry, `b` (m,) their offsets; `beta` (d,) and `c` the affine rest.
    `near_merges` counts the pairs of neurons that almost share a hyperplane and were kept apart.
    """

    a: np.ndarray
    v: np.ndarray
    b: np.ndarray
    beta: np.ndarray
    c: float
    near_merges: int

    def __call__(self, X: Any) -> np.ndarray:
        """Values at the rows of `X`, shape (n,)."""
        X = checks.points(X)
        return np.maximum(X @ self.v.T - self.b, 0) @ self.a + X @ self.beta + self.c


class ShallowReLU:
    """f(x) = sum_i w2_i relu(W1_i . x + b1_i) + b2, eq. (7).

    Args:
        W1: input weights, shape (k, d), one row per neuron; k = 0 is a constant function.
        b1: biases, shape (k,).
        w2: output weights, shape (k,).
        b2: output bias, a number.

    Raises:
        ValueError: if the shapes do not fit or an entry is not a finite real number.

    Example:
        >>> net = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, 1.0], 0.5)   # |x| + 1/2
        >>> net([[-2.0], [0.0], [3.0]])
        array([2.5, 0.5, 3.5])

    Source: eqs. (7), (9). The parameters are float64 and read-only.
    """

    def __init__(self, W1: Any, b1: Any, w2: Any, b2: Any = 0.0) -> None:
        W1 = checks.array(W1, "W1")
        if W1.ndim != 2 or W1.shape[1] == 0:
            raise ValueError(
                f"W1 has shape {W1.shape}; a (k, d) array is needed, one row per neuron and d >= 1"
            )
        b1, w2 = checks.array(b1, "b1"), checks.array(w2, "w2")
        for name, value in (("b1", b1), ("w2", w2)):
            if value.shape != (len(W1),):
                raise ValueError(
                    f"{name} has shape {value.shape}, but W1 has {len(W1)} rows: "
                    "one number per neuron is needed"
                )
        self.W1, self.b1, self.w2, self.b2 = W1, b1, w2, checks.real(b2, "b2")
        for value in (self.W1, self.b1, self.w2):
            value.flags.writeable = False

    @property
    def k(self) -> int:
        """Number of neurons."""
        return self.W1.shape[0]

    @property
    def d(self) -> int:
        """Input dimension."""
        return self.W1.shape[1]

    def __repr__(self) -> str:
        return f"ShallowReLU(k={self.k}, d={self.d})"

    def preactivations(self, X: Any) -> np.ndarray:
        """W1_i . x_j + b1_i for every point and neuron, shape (n, k)."""
        return checks.points_of(X, self) @ self.W1.T + self.b1

    def __call__(self, X: Any) -> np.ndarray:
        """Values at the rows of `X` (n, d), shape (n,)."""
        return np.maximum(self.preactivations(X), 0) @ self.w2 + self.b2

    def parameters(self) -> np.ndarray:
        """All parameters in the order of eq. (9), shape ((d + 2) k + 1,).

        Example:
            >>> ShallowReLU([[1.0, 2.0], [3.0, 4.0]], [5.0, 6.0], [7.0, 8.0], 9.0).parameters()
            array([1., 2., 3., 4., 5., 6., 7., 8., 9.])
        """
        return np.concatenate([self.W1.ravel(), self.b1, self.w2, [self.b2]])

    @classmethod
    def initial(
        cls,
        d: int,
        k: int,
        scale: float = 1.0,
        scheme: str = "torch",
        seed: int | np.random.Generator = 0,
    ) -> ShallowReLU:
        """A random network as training starts from it.

        Args:
            d: input dimension.
            k: number of neurons.
            scale: multiplies every parameter.
            scheme: "torch", the default of PyTorch's Linear layers, uniform on +-1/sqrt(inputs) with
                biases included; or "he", normal weights of variance 2/inputs with zero biases.
            seed: an integer or a NumPy Generator.

        Raises:
            ValueError: if a size is below 1, the scale is not positive or the scheme is unknown.

        Example:
            >>> net = ShallowReLU.initial(4, 100)
            >>> bool(abs(net.W1).max() <= 0.5) and bool(abs(net.w2).max() <= 0.1)
            True

        Source: App. N speaks of "standard" initialisation without naming one; these are the two in use.
        """
        d, k = checks.count(d, "d"), checks.count(k, "k")
        scale = checks.positive(scale, "scale")
        checks.choice(scheme, "scheme", ("torch", "he"))
        rng = np.random.default_rng(seed)
        if scheme == "he":
            W1, w2 = rng.normal(0, (2 / d) ** 0.5, (k, d)), rng.normal(0, (2 / k) ** 0.5, k)
            b1, b2 = np.zeros(k), 0.0
        else:
            W1, b1 = rng.uniform(-1, 1, (k, d)) / d**0.5, rng.uniform(-1, 1, k) / d**0.5
            w2, b2 = rng.uniform(-1, 1, k) / k**0.5, rng.uniform(-1, 1) / k**0.5
        return cls(scale * W1, scale * b1, scale * w2, scale * b2)

    def rescale(self, c: Any) -> ShallowReLU:
        """The same function with (W1_i, b1_i) divided and w2_i multiplied by c_i > 0, eq. (100).

        Args:
            c: factors, shape (k,), or one number for all neurons.

        Raises:
            ValueError: if a factor is not positive, or their number is not k.

        Example:
            >>> ShallowReLU([[2.0]], [4.0], [3.0]).rescale(2.0).parameters()
            array([1., 2., 6., 0.])
        """
        c = checks.array(c, "c")
        if c.shape not in ((), (self.k,)):
            raise ValueError(
                f"c has shape {c.shape}; one factor per neuron, ({self.k},), is needed"
            )
        if (c <= 0).any():
            raise ValueError(f"c has the entry {c.min():g}; positive factors are needed")
        c = np.broadcast_to(c, (self.k,))
        return ShallowReLU(self.W1 / c[:, None], self.b1 / c, self.w2 * c, self.b2)

    def ridges(self) -> Ridges:
        """Slopes a_i = w2_i |W1_i|, unit normals W1_i / |W1_i| and offsets -b1_i / |W1_i|, eq. (51).

        A neuron with W1_i = 0 is no ridge: it is part of the constant.

        Example:
            >>> ShallowReLU([[3.0, 4.0]], [-10.0], [2.0]).ridges()
            Ridges(a=array([10.]), v=array([[0.6, 0.8]]), b=array([2.]))
        """
        ridge = self.W1.any(axis=1)
        W1 = self.W1[ridge]
        # Divided by the largest entry first, so that squares neither overflow nor vanish.
        top = np.abs(W1).max(axis=1, initial=0)
        length = top * np.linalg.norm(W1 / top[:, None], axis=1)
        v = W1 / length[:, None]
        return Ridges(self.w2[ridge] * length, v, 0.0 - self.b1[ridge] / length)

    def canonical(self, tol: float = 1e-9) -> CanonicalForm:
        """The function with every hyperplane once, its neurons' signed slopes added.

        (v, b) and (-v, -b) are one hyperplane, and a relu(z) + a' relu(-z) bends there by a + a'.
        Hyperplanes whose slopes cancel (to `tol`, relative to what cancels) are left out.

        Args:
            tol: two neurons share a hyperplane if, up to a common sign, their unit normals differ by at
                most `tol` and their offsets by at most `tol` times max(1, |b|).

        Returns:
            CanonicalForm: callable, and equal to the network's function.

        Raises:
            ValueError: if `tol` is negative.

        Example:
            >>> net = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, -1.0])   # relu(x) - relu(-x) = x
            >>> form = net.canonical()
            >>> len(form.a), form.beta, form.c
            (0, array([1.]), 0.0)

        Source: eqs. (14), (57) and (58), with the antipodal case that footnote 8 of the paper passes over.
        """
        tol = checks.nonnegative(tol, "tol")
        a, v, b = self.ridges()
        first = np.argmax(v != 0, axis=1)
        side = np.sign(np.take_along_axis(v, first[:, None], axis=1)[:, 0])
        v, b = v * side[:, None], b * side
        leader, plane, turn, near = _shared_hyperplanes(v, b, tol)
        v, b = v[leader], b[leader]
        slope = np.bincount(plane, a, len(leader))
        gross = np.bincount(plane, np.abs(a), len(leader))

        # A neuron on the far side of its hyperplane: a relu(-t) = a relu(t) - a t with t = v.x - b
        turned = side * turn < 0
        beta = -(a[turned] @ v[plane[turned]])
        c = self.b2 + a[turned] @ b[plane[turned]]
        constant = ~self.W1.any(axis=1)
        c += self.w2[constant] @ np.maximum(self.b1[constant], 0)
        keep = np.abs(slope) > tol * gross
        return CanonicalForm(slope[keep], v[keep], b[keep], beta, float(c), near)

    def knots_on_data(self, X: Any, tol: float = 1e-12) -> int:
        """How many (neuron, point) pairs lie within distance `tol` of the neuron's hyperplane.

        Args:
            X: data points, shape (n, d).
            tol: a distance; the pair counts if |W1_i . x_j + b1_i| <= tol |W1_i|.

        Raises:
            ValueError: if X does not fit the network or `tol` is negative.

        Example:
            >>> ShallowReLU([[1.0], [2.0]], [0.0, -2.0], [1.0, 1.0]).knots_on_data([[0.0], [1.0], [5.0]])
            2

        Source: App. A, "minima that are not twice-differentiable".
        """
        tol = checks.nonnegative(tol, "tol")
        z = self.preactivations(X)
        return int((np.abs(z) <= tol * np.linalg.norm(self.W1, axis=1)).sum())

    @classmethod
    def from_torch(cls, module: torch.nn.Module) -> ShallowReLU:
        """Read a torch module Linear-ReLU-Linear with one output.

        Args:
            module: a Sequential of these three layers, or a Module that has two Linear layers and computes
                the same; with or without biases.

        Raises:
            ValueError: if the module is built otherwise, or computes something else.

        Example:
            >>> net = ShallowReLU.initial(3, 5)
            >>> bool((ShallowReLU.from_torch(net.to_torch()).parameters() == net.parameters()).all())
            True
        """
        return cls(*_read_torch(module))

    def to_torch(self) -> torch.nn.Module:
        """The same network as a float64 torch Sequential Linear-ReLU-Linear with (n, 1) outputs."""
        import torch

        module = torch.nn.Sequential(
            torch.nn.Linear(self.d, self.k, dtype=torch.float64),
            torch.nn.ReLU(),
            torch.nn.Linear(self.k, 1, dtype=torch.float64),
        )
        with torch.no_grad():
            module[0].weight.copy_(torch.tensor(self.W1))
            module[0].bias.copy_(torch.tensor(self.b1))
            module[2].weight.copy_(torch.tensor(self.w2)[None])
            module[2].bias.fill_(self.b2)
        return module


def _shared_hyperplanes(
    v: np.ndarray, b: np.ndarray, tol: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Group the hyperplanes (v_i, b_i) that coincide up to a common sign.

    Returns the first member of each group, the group of every hyperplane, its sign against the first
    member, and how many pairs of different groups nearly coincide.
    """
    m = len(v)
    # Coinciding hyperplanes agree in |r.(v, -b)| / |(v, b)| for any fixed unit vector r: sorting by
    # this one number finds the few candidates without comparing all pairs.
    r = np.random.default_rng(0).normal(size=v.shape[1] + 1)
    key = np.abs(np.column_stack([v, -b]) @ (r / np.linalg.norm(r))) / np.sqrt(1 + b**2)
    order = np.argsort(key)
    wide = 1e3 * tol
    after = np.searchsorted(key[order], key[order] + 4 * wide + 1e-15, side="right") - np.arange(
        1, m + 1
    )
    start = np.repeat(np.arange(m), after)
    step = np.arange(after.sum()) - np.repeat(np.cumsum(after) - after, after)
    i, j = order[start], order[start + 1 + step]

    def signs(i: np.ndarray, j: np.ndarray) -> np.ndarray:
        return np.where(np.einsum("id,id->i", v[i], v[j]) < 0, -1.0, 1.0)

    sign = signs(i, j)
    apart = np.maximum(
        np.linalg.norm(v[i] - sign[:, None] * v[j], axis=1),
        np.abs(b[i] - sign * b[j]) / np.maximum(1, np.abs(b[i])),
    )
    same = apart <= tol
    graph = coo_array((np.ones(same.sum()), (i[same], j[same])), shape=(m, m))
    plane = connected_components(graph, directed=False)[1] if m else np.zeros(0, int)
    near = (apart <= wide) & (plane[i] != plane[j])

    leader, plane = np.unique(plane, return_index=True, return_inverse=True)[1:]
    appearance = np.argsort(np.argsort(leader))
    return np.sort(leader), appearance[plane], signs(np.arange(m), leader[plane]), int(near.sum())


def _read_torch(module: Any) -> tuple[Any, Any, Any, Any]:
    """W1, b1, w2, b2 of a torch module that is a Linear-ReLU-Linear with one output."""
    from torch import nn

    wanted = "Linear-ReLU-Linear with one output is needed"
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
    if outer.out_features != 1 or outer.in_features != inner.out_features:
        raise ValueError(
            f"the module's last layer maps {outer.in_features} numbers to {outer.out_features}; {wanted}"
        )

    def values(parameter: Any, shape: tuple[int, ...]) -> np.ndarray:
        return np.zeros(shape) if parameter is None else checks.array(parameter, "a parameter")

    W1, b1 = values(inner.weight, ()), values(inner.bias, (inner.out_features,))
    w2, b2 = values(outer.weight, ())[0], values(outer.bias, (1,))[0]
    if not isinstance(module, nn.Sequential):
        _compare_forward(module, inner, ShallowReLU(W1, b1, w2, b2), wanted)
    return W1, b1, w2, b2


def _compare_forward(module: Any, inner: Any, net: ShallowReLU, wanted: str) -> None:
    """Only running a module that is not a Sequential can tell what its forward does."""
    import torch

    x = 10 * np.random.default_rng(0).normal(size=(64, net.d))
    try:
        with torch.no_grad():
            out = module(torch.tensor(x).to(inner.weight)).double().cpu().numpy()
    except Exception as error:
        raise ValueError(
            f"the module cannot be called on a (64, {net.d}) tensor ({error}); {wanted}"
        ) from None
    expected = net(x)
    tol = 1e-3 * (1 + np.abs(expected).max())
    if out.size != 64 or np.abs(out.ravel() - expected).max() > tol:
        raise ValueError(
            f"the module computes something else than its two Linear layers with a ReLU; {wanted}"
        )
