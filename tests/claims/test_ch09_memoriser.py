"""The claim on memorisers holds on its own cases, and fails when something is broken."""

import pytest

from stablib import ShallowReLU
from stablib.book.claims import ch09_memoriser
from stablib.book.claims.ch09_memoriser import memorised, memorises

pytestmark = pytest.mark.statement("new-memoriser")


def few():
    return memorised()[:10]


def scaled(function, factor):
    return lambda *args, **options: factor * function(*args, **options)


def test_the_claim_holds_on_its_own_cases(verdict_of):
    verdict = verdict_of("new-memoriser")
    assert verdict.holds and verdict.cases > 200, verdict
    assert verdict.corrected_margin is None


@pytest.mark.parametrize(
    ("name", "factor"),
    [
        ("sharpness", 1 + 1e-6),
        ("sharpness", 1 - 1e-6),
        ("memoriser_bound", 0.6),
        ("stability_norm", 1.5),
        ("max_stability_norm", 0.2),
        ("small_batch_norm", 1.01),
        ("tangent_gram", 1.01),
        ("growth", 100.0),
        ("growth", 1e-8),
    ],
)
def test_a_wrong_number_violates_it(name, factor, monkeypatch):
    assert memorises(few()).holds
    monkeypatch.setattr(ch09_memoriser, name, scaled(getattr(ch09_memoriser, name), factor))
    assert not memorises(few()).holds


def test_labels_that_are_missed_violate_it():
    case = few()[0]
    assert not memorises([case._replace(y=case.y + 1e-6)]).holds


def test_neurons_that_are_not_balanced_violate_it():
    case = few()[0]
    assert not memorises([case._replace(net=case.net.rescale([1.2] * case.net.k))]).holds


def test_neurons_that_fire_at_two_points_violate_it():
    case = few()[0]
    net = ShallowReLU(case.net.W1, case.net.b1 + 0.7 * abs(case.net.b1), case.net.w2, case.net.b2)
    assert ((net.preactivations(case.X) > 0).sum(axis=0) > 1).any()
    assert not memorises([case._replace(net=net, y=net(case.X))]).holds
