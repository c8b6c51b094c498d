"""Which pages the book has."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def names_of_pages() -> list[str]:
    """The pages of the contents, and those that the builder adds."""
    listed = re.findall(r"(?:file|root): (\S+)", (ROOT / "_toc.yml").read_text())
    return [*listed, "genindex", "prf-prf", "search"]
