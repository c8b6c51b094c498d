"""What the library computes in closed form, computed by definition: autograd and plain loops.

torch is imported where it is used: plain loops are an oracle without it, too.
"""

import numpy as np


def torch_function(net, X):
    """f and its parameter tensors, as a plain torch expression in the order of eq. (9)."""
    import torch

    theta = torch.tensor(net.parameters(), requires_grad=True)
    X = torch.tensor(np.asarray(X, dtype=float))
    k, d = net.k, net.d

    def f(theta):
        W1 = theta[: k * d].reshape(k, d)
        b1, w2, b2 = theta[k * d : k * d + k], theta[k * d + k : -1], theta[-1]
        return torch.relu(X @ W1.T + b1) @ w2 + b2

    return f, theta


def autograd_features(net, X):
    """Columns d f(x_j) / d theta, (p, n), one backward pass per point."""
    from torch.autograd.functional import jacobian

    f, theta = torch_function(net, X)
    return jacobian(f, theta).numpy().T


def autograd_hessian(net, X, y, loss=lambda r: r**2 / 2):
    """Hessian of mean loss(f(x_j) - y_j), (p, p)."""
    import torch

    f, theta = torch_function(net, X)
    y = torch.tensor(np.asarray(y, dtype=float))
    return torch.autograd.functional.hessian(lambda t: loss(f(t) - y).mean(), theta).numpy()


def weight_by_definition(X, v, b, p=None):
    """g_tilde and g_hat as eqs. (12) and (18) print them, conditional expectations and all."""
    p = np.full(len(X), 1 / len(X)) if p is None else p
    active = [j for j in range(len(X)) if X[j] @ v > b]
    P = sum(p[j] for j in active)
    if P == 0:
        return 0.0, 0.0
    mean = sum(p[j] * X[j] for j in active) / P
    height = sum(p[j] * (X[j] @ v - b) for j in active) / P
    square = sum(p[j] * (X[j] @ v - b) ** 2 for j in active) / P
    size = sum(p[j] * (X[j] @ X[j]) for j in active) / P
    return P**2 * height * np.sqrt(mean @ mean + 1), P * np.sqrt(square) * np.sqrt(1 + size)
