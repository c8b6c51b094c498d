"""Chapter 09's claim on knots on data: it holds for trained networks, and can fail."""

import numpy as np
import pytest

from stablib import ShallowReLU, gaussian
from stablib.book.claims import ch09_nonsmooth as nonsmooth


@pytest.fixture(scope="module")
def run():
    return nonsmooth.slide(0.3)


@pytest.mark.statement("new-nonsmooth")
def test_distances_of_the_pairs_shrink_with_the_loss(run):
    assert nonsmooth.not_smooth([run]).holds
    assert run.distances.shape[1] >= 5
    assert (run.distances[-1] < nonsmooth.ON_DATA).all()
    assert (np.median(run.distances, axis=1)[[2, -1]] @ [1e-2, -1]) > 0


@pytest.mark.statement("new-nonsmooth")
@pytest.mark.parametrize(
    "planted",
    [
        {"distances": np.empty((7, 0))},
        {"distances": np.full((7, 9), 1e-7)},
        {"control": 10_000},
        {"sides": (6.0, 6.5)},
        {"sides": (6.66, 6.67)},
        {"bound": 6.7},
    ],
    ids=["no pairs", "no shrinking", "as before training", "wide range", "unstable", "above"],
)
def test_the_claim_fails_for_a_planted_violation(run, planted):
    assert not nonsmooth.not_smooth([run._replace(**planted)]).holds


def test_distances_are_those_of_points_from_hyperplanes():
    X = gaussian(9, 3, seed=0).X
    net = ShallowReLU.initial(3, 4, seed=0)
    found = nonsmooth.away(net, X)
    for i in range(4):
        w, b = net.W1[i], net.b1[i]
        foot = X - np.outer((X @ w + b) / (w @ w), w)
        assert np.allclose(foot @ w + b, 0, atol=1e-12)
        assert np.allclose(found[:, i], np.linalg.norm(X - foot, axis=1))
