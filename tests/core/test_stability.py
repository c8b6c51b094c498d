"""Thresholds against second-moment operators built from the definition, batch by batch."""

from itertools import combinations, product

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy.optimize import brentq

from stablib import (
    ShallowReLU,
    gd_threshold,
    sgd_threshold,
    sgd_threshold_interval,
    sharpness,
    tangent_gram,
)
from tests.core.conftest import NETWORKS
from tests.core.oracles import autograd_features

SMALL = {name: make for name, make in NETWORKS.items() if len(make()[1]) <= 6}


def _cut(net, X, n):
    return net, X[:n]


def all_batches(n, B, replacement):
    """Every batch, each as likely as the next."""
    return list(product(range(n), repeat=B) if replacement else combinations(range(n), B))


def second_moment_operator(columns, step_size, batches):
    """Mean over the batches of A (x) A on the span of the columns, A = I - (eta/B) sum phi_i phi_i'."""
    U, s, _ = np.linalg.svd(columns, full_matrices=False)
    U = U[:, s > 1e-9 * s[0]]
    features = U.T @ columns
    total = 0.0
    for batch in batches:
        phi = features[:, list(batch)]
        A = np.eye(len(phi)) - step_size / len(batch) * phi @ phi.T
        total = total + np.kron(A, A)
    return total / len(batches)


def threshold_by_enumeration(columns, B, replacement):
    """The step size at which the spectral radius of the enumerated operator crosses 1."""
    batches = all_batches(columns.shape[1], B, replacement)
    top = np.linalg.eigvalsh(columns.T @ columns / columns.shape[1])[-1]

    def excess(s):
        operator = second_moment_operator(columns, 2 * s / top, batches)
        return np.abs(np.linalg.eigvals(operator)).max() - 1

    return 2 / top * brentq(excess, 1e-3 / columns.shape[1], 1.5, xtol=1e-14, rtol=1e-13)


@pytest.mark.statement("text-A-batch")
@pytest.mark.parametrize("replacement", [False, True])
@pytest.mark.parametrize("B", [1, 2, 3, 4])
def test_threshold_is_where_the_operator_averaged_over_all_batches_stops_to_contract(
    any_network, B, replacement
):
    net, X = any_network
    X = X[:5]
    if len(X) < B and not replacement:
        pytest.skip("no such batch")
    columns = autograd_features(net, X)
    exact = threshold_by_enumeration(columns, B, replacement)
    assert_allclose(sgd_threshold(net, X, B, replacement=replacement), exact, rtol=1e-9)
