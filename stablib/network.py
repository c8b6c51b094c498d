"""A shallow ReLU network: its parameters, its values, its initialisation, and its rescalings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from . import checks
from .canonical import CanonicalForm, Ridges, canonical_form

if TYPE_CHECKING:
    import torch


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
        """W1_i . x_j + b1_i for every point and neuron, shape (n, k).

        Example:
            >>> ShallowReLU([[1.0], [-2.0]], [0.5, 0.0], [1.0, 1.0]).preactivations([[3.0]])
            array([[ 3.5, -6. ]])
        """
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
        rng = checks.generator(seed)
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

        Raises:
            ValueError: if a slope exceeds what float64 holds.

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
        with np.errstate(over="ignore"):  # said below
            a = self.w2[ridge] * length
        if not np.isfinite(a).all():
            raise ValueError(
                "w2 times the length of a row of W1 exceeds what float64 holds; "
                "entries of moderate size are needed"
            )
        return Ridges(a, v, 0.0 - self.b1[ridge] / length)

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
            ValueError: if `tol` is negative, or a slope exceeds what float64 holds.

        Example:
            >>> net = ShallowReLU([[1.0], [-1.0]], [0.0, 0.0], [1.0, -1.0])   # relu(x) - relu(-x) = x
            >>> form = net.canonical()
            >>> len(form.a), form.beta, form.c
            (0, array([1.]), 0.0)

        Source: eqs. (14), (57) and (58), with the antipodal case that footnote 8 of the paper passes over.
        """
        constant = ~self.W1.any(axis=1)
        c = self.b2 + self.w2[constant] @ np.maximum(self.b1[constant], 0)
        return canonical_form(self.ridges(), c, checks.nonnegative(tol, "tol"))

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
        from .modules import check_forward, parameters_of

        net = cls(*parameters_of(module))
        check_forward(module, net, net.d)
        return net

    def to_torch(self) -> torch.nn.Module:
        """The same network as a float64 torch Sequential Linear-ReLU-Linear with (n, 1) outputs.

        Example:
            >>> [type(layer).__name__ for layer in ShallowReLU([[1.0]], [0.0], [1.0]).to_torch()]
            ['Linear', 'ReLU', 'Linear']
        """
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
