"""Random problems for property tests: small networks with nasties planted, data and labels, any scale."""

import numpy as np
from hypothesis import strategies as st

from stablib import ShallowReLU

SEEDS = st.integers(0, 2**32 - 1)


def _dead(rng, W1, b1, w2, X):
    b1[0] = -np.abs(W1[0]).sum() * np.abs(X).max() - 1


def _on(rng, W1, b1, w2, X):
    b1[-1] = np.abs(W1[-1]).sum() * np.abs(X).max() + 1


def _duplicate(rng, W1, b1, w2, X):
    i, j = rng.integers(0, len(W1), 2)
    W1[j], b1[j] = 2 * W1[i], 2 * b1[i]


def _antipodal(rng, W1, b1, w2, X):
    i, j = rng.integers(0, len(W1), 2)
    W1[j], b1[j] = -W1[i], -b1[i]


def _cancelling(rng, W1, b1, w2, X):
    i, j = rng.integers(0, len(W1), 2)
    W1[j], b1[j], w2[j] = -W1[i], -b1[i], -w2[i]


def _constant(rng, W1, b1, w2, X):
    W1[-1] = 0


def _without_slope(rng, W1, b1, w2, X):
    w2[0] = 0


def _repeated_point(rng, W1, b1, w2, X):
    X[-1] = X[0]


def _one_place(rng, W1, b1, w2, X):
    X[:] = X[0]


PLANTS = (_dead, _on, _duplicate, _antipodal, _cancelling)
PLANTS += (_constant, _without_slope, _repeated_point, _one_place)


def problem(n, d, k, plants=(), inner=0, outer=0, reach=0, seed=0):
    """A network, data, and labels that it misses by about its own size; scales are powers of ten."""
    rng = np.random.default_rng(seed)
    W1, b1, w2 = rng.normal(size=(k, d)), rng.normal(size=k), rng.normal(size=k)
    X, noise = rng.normal(size=(n, d)), rng.normal(size=n)
    if k:
        for plant in plants:
            plant(rng, W1, b1, w2, X)
    X, b1 = X * 10.0**reach, b1 * 10.0**reach
    net = ShallowReLU(W1 * 10.0**inner, b1 * 10.0**inner, w2 * 10.0**outer, rng.normal())
    y = net(X) + noise * (1e-3 + np.abs(net(X)).max())
    return net, X, y


def problems(n=8, d=3, k=6, *, least_k=0, scale=6, reach=3):
    """Small problems: at most n points in d dimensions and k neurons."""
    powers = st.integers(-scale, scale)
    return st.builds(
        problem,
        st.integers(1, n),
        st.integers(1, d),
        st.integers(least_k, k),
        st.lists(st.sampled_from(PLANTS), max_size=3),
        powers,
        powers,
        st.integers(-reach, reach),
        SEEDS,
    )


def of(net, **changed):
    """The same network with some of its parameters changed."""
    parts = {"W1": net.W1, "b1": net.b1, "w2": net.w2, "b2": net.b2} | changed
    return ShallowReLU(**parts)


def with_neuron(net, w, b, a):
    return of(net, W1=np.vstack([net.W1, w]), b1=np.append(net.b1, b), w2=np.append(net.w2, a))


def gross(net, X):
    """The size of what cancels in a norm, where slopes cancel."""
    a, _, b = net.ridges()
    return (
        np.abs(a).sum() * (1 + np.abs(X).max() + np.abs(b).max(initial=0)) * (1 + np.abs(X).max())
    )
