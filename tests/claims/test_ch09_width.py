"""The claims on all widths hold on a few cases, and fail when something is broken."""

import numpy as np
import pytest

from stablib.book.claims import cases, ch09_width
from stablib.book.claims.ch09_width import affine_aware, any_width, implementation_free, on_a_line


def few():
    return [*on_a_line(3), *cases.random(2, seed=4, n_max=8)]


def with_field(function, **changes):
    """The same bound with some fields changed by functions of their values."""

    def changed(*args, **options):
        bound = function(*args, **options)
        new = {name: change(getattr(bound, name)) for name, change in changes.items()}
        return bound._replace(**new)

    return changed


@pytest.mark.statement("new-implementation-free", "new-affine-aware", "new-any-width")
@pytest.mark.parametrize("claim", [implementation_free, affine_aware, any_width])
def test_the_claim_holds_on_a_few_cases(claim):
    verdict = claim.check(few())
    assert verdict.holds and verdict.cases > 10


@pytest.mark.parametrize(
    ("claim", "name", "changes"),
    [
        (implementation_free, "implementation_free_bound", {"value": lambda x: 1.2 * x}),
        (implementation_free, "implementation_free_bound", {"value": lambda x: 0.5 * x}),
        (implementation_free, "implementation_free_bound", {"gap": lambda _: 2e-6}),
        (implementation_free, "implementation_free_bound", {"density": lambda P: 1.001 * P}),
        (affine_aware, "affine_aware_bound", {"multiplier": lambda mu: 1.01 * mu}),
        (affine_aware, "affine_aware_bound", {"value": lambda x: 1.01 * x}),
        (affine_aware, "affine_aware_bound", {"density": lambda P: 0.999 * P}),
        (any_width, "least_sharpness", {"gap": lambda _: 2e-6}),
        (any_width, "least_sharpness", {"upper": lambda x: 1.01 * x}),
        (any_width, "least_sharpness", {"net": lambda net: net.rescale(1.1)}),
    ],
)
def test_the_claim_fails_when_the_bound_is_wrong(monkeypatch, claim, name, changes):
    function = getattr(ch09_width, name)
    monkeypatch.setattr(ch09_width, name, with_field(function, **changes))
    assert not claim.check(few()).holds


def test_the_claim_fails_when_an_implementation_is_flatter(monkeypatch):
    monkeypatch.setattr(ch09_width, "_flatter", lambda *_: iter([1.0 - 1e-3]))
    for claim in (implementation_free, affine_aware):
        assert not claim.check(few()).holds


def test_a_multiplier_that_no_pair_can_pay_for_is_noticed(monkeypatch):
    # The value follows the multiplier, so that only the pairs can tell.
    real = ch09_width.affine_aware_bound

    def greedy(net, X, density=None):
        bound = real(net, X, density)
        mu = 1.02 * bound.multiplier
        return bound._replace(multiplier=mu, value=ch09_width.proven(net, X, bound.density, mu))

    monkeypatch.setattr(ch09_width, "affine_aware_bound", greedy)
    assert not affine_aware.check(few()).holds


def test_the_shares_of_the_excess_are_ordered_and_end_at_one():
    for case in on_a_line(4):
        share = ch09_width.shares(case.net, case.X)
        assert 0 <= share.uniform <= share.density <= share.both <= 1 + 1e-12
        assert share.uniform - 1e-9 <= share.multiplier <= share.both + 1e-9
        assert share.both == pytest.approx(1, abs=1e-4)
        assert np.isfinite(share).all()
