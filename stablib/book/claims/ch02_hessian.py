"""Claims of chapter 02 about parameters, tangent features and the Hessian (App. F.1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from ...curvature import hessian_operator, sharpness, sharpness_interval, tangent_features
from ...network import ShallowReLU
from . import cases
from .cases import Case
from .ch02_definitions import autograd_features, autograd_hessian, distance, smooth, squared
from .registry import Verdict, claim


def _differentiated() -> Iterator[Case]:
    """Cases small enough for a full Hessian by automatic differentiation."""
    yield from smooth([*cases.adversarial(), *cases.random(60), *cases.random(15, seed=1, d_max=1)])


@claim(
    "eq-7",
    kind="theorem",
    says="f(x) = sum of w2_i relu(w_i.x + b_i) + b2, its parameters in the order (9)",
    where="(7), (9)",
    cases=lambda: chain(cases.adversarial(), cases.random(100), cases.trained()),
)
def network_class(cases: Iterable[Case]) -> Verdict:
    """Values against eq. (7) written out and against a torch module; parameters there and back."""
    from torch import tensor
    from torch.nn.utils import parameters_to_vector

    def errors() -> Iterator[float]:
        for net, X, *_ in cases:
            if net.k == 0:  # a constant: torch has no layer without units
                continue
            X = X[:8]
            z = [X @ w + b for w, b in zip(net.W1, net.b1, strict=True)]
            terms = [w2 * np.maximum(zi, 0) for w2, zi in zip(net.w2, z, strict=True)]
            printed = sum(terms, np.full(len(X), net.b2))
            module = net.to_torch()
            in_torch = module(tensor(X)).detach().numpy()[:, 0]
            reach = np.abs(X) @ np.abs(net.W1.T) + np.abs(net.b1)
            size = reach @ np.abs(net.w2) + abs(net.b2)  # before anything cancels
            order = parameters_to_vector(module.parameters()).detach().numpy()
            back = ShallowReLU.from_torch(module).parameters()
            yield max(
                np.abs((net(X) - printed) / size).max(),
                np.abs((net(X) - in_torch) / size).max(),
                distance(net.parameters(), order),
                distance(back, net.parameters()),
            )

    return Verdict.equal(errors(), 1e-12)


@claim(
    "eq-44",
    kind="theorem",
    says="Hessian = Phi Phi'/n at interpolation; elsewhere a residual part of norm max |c_i| joins it",
    where="(44)",
    cases=_differentiated,
)
def hessian(cases: Iterable[Case]) -> Verdict:
    """The Hessian by automatic differentiation, at labels f(X) and at labels that are off.

    Off interpolation the residual part is compared with the library's, and its spectral norm with the
    largest |c_i|, c_i = (1/n) sum_j r_j 1_ij (x_j, 1). The residuals are of a size at which both parts count.
    """

    def errors() -> Iterator[float]:
        for number, (net, X, *_) in enumerate(cases):
            n, features = len(X), tangent_features(net, X)
            gauss_newton = features @ features.T / n
            size = np.linalg.norm(gauss_newton, 2)
            at_interpolation = autograd_hessian(net, X, squared(net(X)))
            errors = [np.abs(at_interpolation - gauss_newton).max()]
            residual = np.random.default_rng(number).normal(size=n)
            coupling = max(_couplings(net, X, residual), default=0.0)
            residual *= size / coupling if coupling > 0 else 1.0
            full = autograd_hessian(net, X, squared(net(X) - residual))
            eigenvalues = np.linalg.eigvalsh(full - gauss_newton)
            norm = max(_couplings(net, X, residual), default=0.0)
            errors.append(abs(np.abs(eigenvalues).max() - norm))
            operator = hessian_operator(net, X, net(X) - residual)
            errors.append(np.abs(operator @ np.eye(len(full)) - full).max())
            yield max(errors) / size

    return Verdict.equal(errors(), 1e-10)


def _couplings(net: ShallowReLU, X: np.ndarray, residual: np.ndarray) -> list[float]:
    """|c_i| of every neuron."""
    out = []
    for w, b in zip(net.W1, net.b1, strict=True):
        r = residual * (X @ w + b > 0) / len(X)
        out.append(float(np.sqrt(((r @ X) ** 2).sum() + r.sum() ** 2)))
    return out


@claim(
    "eq-45",
    kind="theorem",
    says="grad f(x) = (w2 on x, w2 on, relu(z), 1), neuron by neuron",
    where="(45)",
    cases=lambda: smooth(
        chain(
            cases.small(), cases.stored("overview"), cases.descended(), cases.stored("fig5")[2::7]
        )
    ),
)
def features(cases: Iterable[Case]) -> Verdict:
    """Tangent features against gradients by automatic differentiation."""

    def errors() -> Iterator[float]:
        for net, X, *_ in cases:
            X = X[: 3 if X.shape[1] > 100 else 15]
            yield distance(tangent_features(net, X), autograd_features(net, X))

    return Verdict.equal(errors(), 1e-11)


@claim(
    "eq-47",
    kind="theorem",
    says="sharpness = max |Phi' v|^2/n over unit v in R^p = max |Phi u|^2/n over unit u in R^n",
    where="(38), (47)",
    cases=lambda: chain(cases.small(), cases.stored("overview"), cases.descended()),
)
def variational_forms(cases: Iterable[Case]) -> Verdict:
    """Both maxima as top eigenvalues, p x p and n x n, and as values that no random vector exceeds."""

    def errors() -> Iterator[float]:
        rng = np.random.default_rng(47)
        for net, X, *_ in cases:
            phi, n = tangent_features(net, X), len(X)
            top = sharpness(net, X)
            in_parameters = np.linalg.eigvalsh(phi @ phi.T / n)[-1]
            in_points = np.linalg.norm(phi, 2) ** 2 / n
            U, V = rng.normal(size=(n, 20)), rng.normal(size=(len(phi), 20))
            tried = [((phi @ U) ** 2).sum(axis=0) / (U**2).sum(axis=0)]
            tried += [((phi.T @ V) ** 2).sum(axis=0) / (V**2).sum(axis=0)]
            beyond = np.concatenate(tried).max() / n
            yield max(abs(in_parameters - top), abs(in_points - top), beyond - top) / top

    return Verdict.equal(errors(), 1e-10)


@claim(
    "new-interval",
    kind="theorem",
    says="a Rayleigh quotient and an inertia test enclose the sharpness to 1e-10, residual part included",
    where="new",
    cases=lambda: chain(_differentiated(), cases.stored("overview"), cases.stored("fig5")[2::3]),
)
def interval(cases: Iterable[Case]) -> Verdict:
    """The full Hessian's top eigenvalue lies in the interval; and how narrow that is.

    The truth is a dense eigenvalue of the Hessian by automatic differentiation, with labels from near to
    far off; it is known to 1e-12, and that much is granted. Trained minima, at the labels of their
    training, are measured for the width alone.
    """

    def margins() -> Iterator[float]:
        for number, (net, X, y, _, step_size) in enumerate(cases):
            if step_size is not None:
                low, high = sharpness_interval(net, X, y)
                yield 1 - (high - low) / low / 1e-10
                continue
            rng, f = np.random.default_rng(number), net(X)
            for off in (1e-6, 1e-2, 1.0, 30.0)[number % 2 :: 2]:
                labels = f - off * (1 + np.abs(f).mean()) * rng.normal(size=len(X))
                truth = np.linalg.eigvalsh(autograd_hessian(net, X, squared(labels)))[-1]
                low, high = sharpness_interval(net, X, labels)
                inside = low <= truth * (1 + 1e-12) and high >= truth * (1 - 1e-12)
                yield 1 - (high - low) / low / 1e-10 if inside else -1.0

    return Verdict.of(margins())
