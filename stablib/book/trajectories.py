"""Trajectories of training with what can be seen along the way, shared by the claims and the pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ..curvature import hessian_operator, sharpness, tangent_features, tangent_gram
from ..network import ShallowReLU
from ..training.descent import gradient_descent


class Path(NamedTuple):
    """A trajectory, looked at now and then.

    Attributes:
        step: number of gradient steps at each look, (looks,).
        loss: (1/2n) sum of squared residuals, (looks,).
        sharpness: top eigenvalue of the full Hessian, (looks,).
        nets: the networks, one a look.
    """

    step: np.ndarray
    loss: np.ndarray
    sharpness: np.ndarray
    nets: tuple[ShallowReLU, ...]


def loss(net: ShallowReLU, X: np.ndarray, y: np.ndarray) -> float:
    """(1/2n) sum (f(x_j) - y_j)^2."""
    return float(np.mean((net(X) - y) ** 2) / 2)


def looked_at(
    nets: Sequence[ShallowReLU], steps: Sequence[int], X: np.ndarray, y: np.ndarray
) -> Path:
    """Loss and sharpness of networks along a trajectory."""
    return Path(
        np.asarray(steps),
        np.array([loss(net, X, y) for net in nets]),
        np.array([sharpness(net, X, y) for net in nets]),
        tuple(nets),
    )


def descent_path(
    net: ShallowReLU,
    X: np.ndarray,
    y: np.ndarray,
    step_size: float,
    *,
    steps: int,
    every: int,
    warmup: int = 0,
) -> Path:
    """Gradient descent with the sharpness of the full Hessian every so many steps.

    Args:
        net: where to start.
        X: data points, (n, d).
        y: labels, (n,).
        step_size: eta.
        steps: gradient steps in all; fewer if the run diverges.
        every: steps between two looks.
        warmup: steps of linear warm-up; a multiple of `every`. The first look comes after it.

    Returns:
        Path: with a look at the start (after warm-up, if there is one) and after every `every` steps.
    """
    done, nets, at = 0, [net], [0]
    if warmup:
        run = gradient_descent(net, X, y, step_size, tol=0, max_steps=warmup, warmup=warmup)
        done, nets, at = warmup, [run.net], [warmup]
    while done < steps:
        run = gradient_descent(nets[-1], X, y, step_size, tol=0, max_steps=every)
        if run.reason == "diverged":
            break
        done += every
        nets.append(run.net)
        at.append(done)
    return looked_at(nets, at, X, y)


def with_parameters(net: ShallowReLU, theta: np.ndarray) -> ShallowReLU:
    """The network of the same size whose parameters, in the order of eq. (9), are `theta`."""
    k, d = net.k, net.d
    return ShallowReLU(
        theta[: k * d].reshape(k, d), theta[k * d : k * d + k], theta[k * d + k : -1], theta[-1]
    )


def gradient(net: ShallowReLU, X: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Gradient of (1/2n) sum (f(x_j) - y_j)^2, (p,)."""
    return tangent_features(net, X) @ (net(X) - y) / len(y)


def flow(
    net: ShallowReLU, X: np.ndarray, y: np.ndarray, time: float, step_size: float = 1e-3
) -> ShallowReLU:
    """The network on the trajectory of gradient flow, theta' = -grad L(theta), at a given time.

    Euler steps, small ones: knots slide along data points for whole stretches of the trajectory, the
    flow is then a differential inclusion, and solvers of higher order that control their error crawl.
    Halving `step_size` tells the error.
    """
    return gradient_descent(net, X, y, step_size, tol=0, max_steps=round(time / step_size)).net


def sgd_iterates(
    net: ShallowReLU, X: np.ndarray, y: np.ndarray, step_size: float, batches: np.ndarray
) -> np.ndarray:
    """Parameters along SGD (4) with the given batches, rows of indices: (len(batches) + 1, p)."""
    theta = [net.parameters()]
    for batch in batches:
        here = with_parameters(net, theta[-1])
        theta.append(theta[-1] - step_size * gradient(here, X[batch], y[batch]))
    return np.array(theta)


def linearised_iterates(
    minimum: ShallowReLU,
    X: np.ndarray,
    y: np.ndarray,
    start: np.ndarray,
    step_size: float,
    batches: np.ndarray,
) -> np.ndarray:
    """Parameters along the linearised dynamics (5) at `minimum`, from `start` and with the given batches."""
    star = minimum.parameters()
    theta = [np.asarray(start)]
    for batch in batches:
        pull = gradient(minimum, X[batch], y[batch])
        curve = hessian_operator(minimum, X[batch], y[batch]) @ (theta[-1] - star)
        theta.append(theta[-1] - step_size * (pull + curve))
    return np.array(theta)


def distance_to_kink(net: ShallowReLU, X: np.ndarray) -> float:
    """How far the parameters must move until a neuron's hyperplane meets a data point.

    Moving (W1_i, b1_i) by a vector w changes z_ij by w . (x_j, 1), so the distance is the smallest
    |z_ij| / |(x_j, 1)|. Within it the loss is a polynomial in the parameters.
    """
    return float((np.abs(net.preactivations(X)) / np.sqrt(1 + (X**2).sum(axis=1))[:, None]).min())


def kernel_change(net: ShallowReLU, start: ShallowReLU, X: np.ndarray) -> float:
    """|Phi'Phi - its initial value| / |its initial value|, Frobenius norms."""
    initial = tangent_gram(start, X)
    return float(np.linalg.norm(tangent_gram(net, X) - initial) / np.linalg.norm(initial))
