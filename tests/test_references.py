"""The list of references: each with an address that lasts, each cited, nothing cited that is not there."""

import re

import pytest
from pybtex.database import parse_file
from pybtex.database.input.bibtex import Parser

from stablib.book.environment import ROOT
from stablib.book.notebooks import texts

ENTRIES = parse_file(str(ROOT / "references.bib")).entries
PUBLISHERS = (
    "proceedings.neurips.cc",
    "papers.neurips.cc",
    "openreview.net",
    "proceedings.mlr.press",
)


def cited():
    found = set()
    for path in [*texts(ROOT / "chapters"), *(ROOT / "pages").glob("*.md")]:
        for keys in re.findall(r"\{cite:\w+\}`([^`]+)`", path.read_text("utf-8")):
            found |= {key.strip() for key in keys.split(",")}
    return found


def lasting(entry):
    """The addresses of an entry that will still lead somewhere."""
    fields = entry.fields
    doi = re.fullmatch(r"10\.\d{4,}/\S+", fields.get("doi", ""))
    arxiv = re.fullmatch(r"\d{4}\.\d{5}", fields.get("eprint", ""))
    hosts = [f"https://{host}/" for host in PUBLISHERS]
    address = any(fields.get("url", "").startswith(host) for host in hosts)
    return [kind for kind, there in (("doi", doi), ("arXiv", arxiv), ("url", address)) if there]


def test_every_reference_is_cited_and_every_citation_is_a_reference():
    assert cited() == set(ENTRIES)


@pytest.mark.parametrize("key", ENTRIES)
def test_a_reference_has_an_address_that_lasts(key):
    assert lasting(ENTRIES[key])


@pytest.mark.parametrize("key", ENTRIES)
def test_a_reference_is_named_after_its_first_author_and_year(key):
    entry = ENTRIES[key]
    first = entry.persons["author"][0].last_names[-1].lower()
    assert key.startswith(f"{first}{entry.fields['year']}")


def test_an_arxiv_number_is_no_younger_than_the_paper():
    for key, entry in ENTRIES.items():
        number = entry.fields.get("eprint")
        if number:
            assert 2000 + int(number[:2]) <= int(entry.fields["year"]), key
            assert 1 <= int(number[2:4]) <= 12, key
            assert entry.fields["archiveprefix"] == "arXiv"


def test_an_entry_without_an_address_would_be_found():
    bare = Parser().parse_string("@misc{x2020, title={T}, year={2020}, url={https://example.org/}}")
    assert lasting(bare.entries["x2020"]) == []
