"""Claims of chapter 02 about other minima: of other losses, and where the network does not interpolate."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import cycle
from typing import Any

import numpy as np
from scipy.optimize import minimize

from ...bounds import max_stability_norm, sharpness_lower_bound
from ...curvature import sharpness, tangent_features
from ...network import ShallowReLU
from ...norms import stability_norm
from . import cases
from .cases import Case
from .ch02_definitions import Crease, autograd_hessian, creases, g, smooth, squared
from .registry import Verdict, claim

# Starts from which three neurons get to a smooth minimum in few steps; most starts end on a knot.
_STARTS = {
    "squared": (18, 34, 88, 97, 114),
    "log-cosh": (16, 18, 34, 37, 84),
    "Huber-like": (16, 18, 34, 36, 95),
    "logistic": (64, 105, 114, 117, 195),
}


def loss_in_torch(name: str, y: np.ndarray) -> Callable[[Any], Any]:
    """One of four losses at labels y (n,): from a torch vector of values to the losses of the points.

    Args:
        name: "squared", "log-cosh", "Huber-like" (sqrt(1 + r^2) - 1), or "logistic" (labels +1 and -1).
        y: labels, shape (n,).
    """
    import torch

    y = torch.tensor(y)
    return {
        "squared": lambda f: (f - y) ** 2 / 2,
        "log-cosh": lambda f: torch.logaddexp(f - y, y - f),
        "Huber-like": lambda f: torch.sqrt(1 + (f - y) ** 2),
        "logistic": lambda f: torch.logaddexp(0 * f, -y * f),
    }[name]


def _derivatives(loss: Callable[[Any], Any], f: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Mean loss, l' and l'' at the values f, by automatic differentiation."""
    import torch

    f = torch.tensor(f, requires_grad=True)
    value = loss(f)
    (first,) = torch.autograd.grad(value.sum(), f, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), f)
    return value.mean().item(), first.detach().numpy(), second.numpy()


@cache
def local_minima(name: str) -> tuple[Case, ...]:
    """Smooth local minima of a loss, of three neurons on 40 points of the plane with labels of noise.

    Found by BFGS, then by Newton's method inside the activation cell, to a gradient of rounding size; runs
    that end elsewhere are left out.

    Args:
        name: of the loss, as for `loss_in_torch`.
    """
    n, d, k = 40, 2, 3
    found = []
    for seed in _STARTS[name]:
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(n, d)), rng.normal(size=n)
        y = np.sign(y) if name == "logistic" else y
        loss = loss_in_torch(name, y)

        def network(theta: np.ndarray) -> ShallowReLU:
            W1, b1, w2 = np.split(theta[:-1], [k * d, k * d + k])
            return ShallowReLU(W1.reshape(k, d), b1, w2, theta[-1])

        def gradient(
            theta: np.ndarray, X: np.ndarray = X, loss: Any = loss
        ) -> tuple[float, np.ndarray]:
            net = network(theta)
            value, first, _ = _derivatives(loss, net(X))
            return value, tangent_features(net, X) @ first / n

        start = rng.normal(size=(d + 2) * k + 1)
        theta = minimize(gradient, start, jac=True, method="BFGS", options={"gtol": 1e-8}).x
        for _ in range(8):
            net = network(theta)
            phi, curvature = tangent_features(net, X), _derivatives(loss, net(X))[2]
            hessian = (phi * curvature) @ phi.T / n
            theta = theta - np.linalg.lstsq(hessian, gradient(theta)[1], rcond=1e-9)[0]
        net = network(theta)
        if np.abs(gradient(theta)[1]).max() < 1e-10 and net.knots_on_data(X, 1e-3) == 0:
            found.append(Case(net, X, y, f"{name} {seed}"))
    return tuple(found)


@claim(
    "new-local-minima",
    kind="theorem",
    says="at every smooth local minimum, interpolating or not: Hessian = Phi Phi'/n, sharpness >= 1 + 2 norm",
    where="new",
    cases=lambda: local_minima("squared"),
)
def without_interpolation(cases: Iterable[Case]) -> Verdict:
    """The full Hessian by automatic differentiation at minima whose residuals are of the size of the labels.

    Margins: the share of 1e-7 that the residual part of the Hessian leaves, relative to the Hessian; and the
    relative distance of the sharpness above the bound.
    """

    def margins() -> Iterator[float]:
        for net, X, y, *_ in cases:
            full, phi = autograd_hessian(net, X, squared(y)), tangent_features(net, X)
            top = np.linalg.eigvalsh(full)[-1]
            left = 1 - np.abs(full - phi @ phi.T / len(X)).max() / top / 1e-7
            yield min(left, 1 - (1 + 2 * stability_norm(net, X)) / top)

    return Verdict.of(margins())


def _norm(planes: list[Crease], X: np.ndarray, p: np.ndarray | None = None) -> float:
    """The norm with the weight of eq. (12) as defined, for data drawn with probabilities p, (n,)."""
    return sum(abs(plane.jump) * g(X, plane.v, plane.b, p) for plane in planes)


def _weighted_bound(net: ShallowReLU, X: np.ndarray, curvature: np.ndarray) -> float:
    """mean(l'') (1 + 2 norm), the data drawn in proportion to l''."""
    return curvature.mean() * (1 + 2 * _norm(creases(net), X, curvature / curvature.sum()))


def _soft_labels() -> Iterator[tuple[Case, str]]:
    """Networks of moderate values, which interpolate soft labels of the logistic loss."""
    for net, X, _, name, _ in smooth([*cases.adversarial(), *cases.random(40)]):
        shrink = min(1.0, 3 / np.abs(net(X)).max())
        net = ShallowReLU(net.W1, net.b1, shrink * net.w2, shrink * net.b2)
        yield Case(net, X, net(X), name), "soft labels"


def _all_losses() -> Iterator[tuple[Case, str]]:
    for name in ("logistic", "Huber-like", "log-cosh"):
        yield from ((case, name) for case in local_minima(name))
    yield from _soft_labels()


@claim(
    "new-weighted-loss",
    kind="theorem",
    says="any loss: sharpness >= mean(l'') (1 + 2 norm), the data of g drawn in proportion to l''",
    where="new",
    cases=_all_losses,
)
def weighted_loss(cases: Iterable[tuple[Case, str]]) -> Verdict:
    """Local minima of three losses whose l'' varies, and the logistic loss with soft labels at interpolation.

    The sharpness is that of the Hessian by automatic differentiation, the bound is written out from its
    definition. The library's bound must agree with that to 1e-9.
    """
    import torch

    def margins() -> Iterator[float]:
        for (net, X, y, *_), name in cases:
            if name == "soft labels":
                target = torch.sigmoid(torch.tensor(y))

                def loss(f: Any, q: Any = target) -> Any:
                    return torch.logaddexp(0 * f, f) - q * f

            else:
                loss = loss_in_torch(name, y)
            curvature = _derivatives(loss, net(X))[2]
            top = np.linalg.eigvalsh(autograd_hessian(net, X, loss))[-1]
            bound = _weighted_bound(net, X, curvature)
            agree = 1 - abs(sharpness_lower_bound(net, X, curvature) / bound - 1) / 1e-9
            yield min(agree, 1 - bound / top)

    return Verdict.of(margins())


@claim(
    "app-J",
    kind="theorem",
    says="l'' = C multiplies the bound by C; general l'' brings its mean in front and a weight into g",
    where="App. J, (94) to (97)",
    cases=lambda: smooth([*cases.adversarial(), *cases.random(40), *cases.trained()]),
)
def other_losses(cases: Iterable[Case]) -> Verdict:
    """Three losses of constant l'' at interpolation, and l'' of its own for each point.

    With varying l'' the paper adds a weight to the norm and keeps the 1. No norm can make up for that
    where the loss is flat: that form's margin is the sharpness minus 1. The corrected margins are relative
    to the sharpness; equalities are allowed 1e-9.
    """
    constant = cycle([("squared", 1.0, 2.0), ("log-cosh", 2.0, 4.0), ("Huber-like", 0.5, 0.25)])
    printed, corrected = [], []
    for number, (net, X, *_) in enumerate(cases):
        rng = np.random.default_rng(number)
        varying = 0.25 * rng.beta(0.5, 0.5, size=len(X)) + 1e-6  # as for a logistic loss
        top = sharpness(net, X, loss_curvature=varying)
        printed.append(top - 1)
        if net.k * net.d > 300:  # too large for automatic differentiation and for definitions
            corrected.append(1 - sharpness_lower_bound(net, X, varying) / top)
            continue
        quadratic = autograd_hessian(net, X, _scaled("squared", net(X), varying, 1.0))
        errors = [np.linalg.eigvalsh(quadratic)[-1] / top - 1]
        planes = creases(net)
        bound = varying.mean() * (1 + 2 * _norm(planes, X, varying / varying.sum()))
        errors.append(sharpness_lower_bound(net, X, varying) / bound - 1)
        # (C/2)(f - y)^2 with C = 2; log cosh(2 r) with C = 4; sqrt(1 + r^2/4) with C = 1/4.
        name, stretch, C = next(constant)
        factor = 2.0 if name == "squared" else 1.0
        hessian = autograd_hessian(net, X, _scaled(name, net(X), factor, stretch))
        errors.append(np.linalg.eigvalsh(hessian)[-1] / (C * sharpness(net, X)) - 1)
        largest = max_stability_norm(2 / np.linalg.eigvalsh(hessian)[-1], C)
        norm = _norm(planes, X)
        agree = 1 - max(map(abs, errors)) / 1e-9
        room = (1 + 2 * largest - 1 - 2 * norm) / (1 + 2 * largest)
        corrected.append(min(agree, room, 1 - bound / top))
    return Verdict.corrected(
        printed,
        corrected,
        "silent neurons, l'' = 1/4 (logistic loss): the sharpness is 1/4, and no weighted norm is negative",
    )


def _scaled(name: str, y: np.ndarray, factor: Any, stretch: float) -> Callable[[Any], Any]:
    """Factor times the loss of stretch * (f - y); a factor for each point or for all."""
    import torch

    factor, y = torch.tensor(factor), torch.tensor(y)
    plain = loss_in_torch(name, np.zeros(len(y)))
    return lambda f: factor * plain(stretch * (f - y))
