"""Sphinx extension: a role that ties a check to its row in the ledger, both ways.

{ledger}`lem-3` on a page is a link to the row of lem-3 on the ledger's page, and the place that row
leads back to. An id without a row is a warning, and so stops the build.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from docutils import nodes
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

if TYPE_CHECKING:
    from sphinx.application import Sphinx

PAGE = "10_ledger.html"


class LedgerRole(SphinxRole):
    """The link to a row, and the anchor for the way back."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        """Make the anchor check-ID and the link to ledger-ID."""
        from stablib.book import ledger

        id = self.text.strip()
        if id not in {entry["id"] for entry in ledger.read()}:
            where = self.get_location()
            logging.getLogger(__name__).warning("the ledger has no row %r", id, location=where)
        place = ledger.anchor(id)
        link = nodes.reference("", "", refuri=f"{PAGE}#ledger-{place}", classes=["ledger-link"])
        link += nodes.literal("", id)
        return [nodes.target("", "", ids=[f"check-{place}"]), link], []


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the role with Sphinx."""
    app.add_role("ledger", LedgerRole())
    return {"parallel_read_safe": True, "parallel_write_safe": True}
