"""What all tests of claims share: the verdict on a claim's own cases, searched for once."""

import pytest

from stablib.book import ledger
from stablib.book.claims import registry
from stablib.book.claims.registry import CLAIMS, Verdict


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    """A search ends at the first violation: here claims are asked whether they fail, not by how much."""
    whole = registry._smallest

    def until_violated(margins):
        seen = []
        for margin in margins:
            seen.append(float(margin))
            if not seen[-1] >= -registry.ROUNDING:
                break
        return whole(seen)

    monkeypatch.setattr(registry, "_smallest", until_violated)


@pytest.fixture(scope="session")
def verdict_of():
    """Function from an id to the claim's verdict: the one just found for the ledger, or else found now."""
    kept = ledger.kept()
    found = Verdict.from_ledger(kept) if kept.exists() else {}
    return lambda id: found.get(id) or CLAIMS[id]()
