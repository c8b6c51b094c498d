"""Networks that break naive code, by name; every test of the core meets them all."""

import numpy as np
import pytest

from stablib import ShallowReLU


def _random(n, d, k, seed=0, scale=1.0):
    rng = np.random.default_rng(seed)
    net = ShallowReLU(
        scale * rng.normal(size=(k, d)),
        scale * rng.normal(size=k),
        scale * rng.normal(size=k),
        rng.normal(),
    )
    return net, rng.normal(size=(n, d))


def _edited(edit, n=9, d=3, k=6, seed=3):
    net, X = _random(n, d, k, seed)
    W1, b1, w2 = net.W1.copy(), net.b1.copy(), net.w2.copy()
    edit(W1, b1, w2)
    return ShallowReLU(W1, b1, w2, net.b2), X


def _dead(W1, b1, w2):
    b1[0] = -100.0


def _always_on(W1, b1, w2):
    b1[1] = 100.0


def _duplicate(W1, b1, w2):
    W1[1], b1[1], w2[1] = 2 * W1[0], 2 * b1[0], -0.3


def _antipodal(W1, b1, w2):
    W1[1], b1[1] = -W1[0], -b1[0]


def _cancelling(W1, b1, w2):
    W1[1], b1[1], w2[1] = -W1[0], -b1[0], -w2[0]


def _constant_neuron(W1, b1, w2):
    W1[2], b1[2] = 0.0, 0.7


def _zero_slope(W1, b1, w2):
    w2[3] = 0.0


NETWORKS = {
    "generic": lambda: _random(9, 3, 6),
    "one dimension": lambda: _random(12, 1, 5, 1),
    "one point": lambda: _random(1, 4, 3, 2),
    "one neuron": lambda: _random(7, 2, 1, 4),
    "no neuron": lambda: (ShallowReLU(np.zeros((0, 2)), [], [], 1.5), _random(5, 2, 1)[1]),
    "more dimensions than points": lambda: _random(4, 30, 8, 5),
    "dead neuron": lambda: _edited(_dead),
    "neuron on at every point": lambda: _edited(_always_on),
    "duplicate with the opposite sign": lambda: _edited(_duplicate),
    "antipodal pair": lambda: _edited(_antipodal),
    "antipodal pair that cancels": lambda: _edited(_cancelling),
    "neuron with no input weights": lambda: _edited(_constant_neuron),
    "neuron with no output weight": lambda: _edited(_zero_slope),
    "huge scale": lambda: _random(9, 3, 6, 6, 1e6),
    "tiny scale": lambda: _random(9, 3, 6, 7, 1e-6),
    "repeated points": lambda: (
        _random(8, 2, 5, 8)[0],
        np.repeat(_random(4, 2, 5, 8)[1], 2, axis=0),
    ),
}


# Once for a module, so that the tests of one network are done together, and may share what is dear.
@pytest.fixture(scope="module", params=NETWORKS, ids=lambda name: name.replace(" ", "-"))
def any_network(request):
    """(net, X) for each of the named networks."""
    return NETWORKS[request.param]()


@pytest.fixture
def random_networks():
    """A stream of random (net, X): call with a number and a seed."""

    def make(count, seed=0, n_max=15, d_max=5, k_max=8):
        rng = np.random.default_rng(seed)
        for _ in range(count):
            n, d, k = (int(rng.integers(1, m)) for m in (n_max, d_max, k_max))
            scale = 10 ** rng.uniform(-1, 1)
            W1, b1 = scale * rng.normal(size=(k, d)), scale * rng.normal(size=k)
            w2 = rng.normal(size=k)
            for _ in range(int(rng.integers(0, 3))):  # plant coinciding and antipodal hyperplanes
                i, j = rng.integers(0, k, 2)
                factor = rng.choice([-2.0, -1.0, 1.0, 0.5])
                W1[j], b1[j] = factor * W1[i], factor * b1[i]
            yield ShallowReLU(W1, b1, w2, rng.normal()), rng.normal(size=(n, d))

    return make
