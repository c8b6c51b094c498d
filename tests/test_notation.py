"""The table of symbols: its code exists, first uses are the first, no letter of the book is missing."""

import dataclasses
import inspect
import re

import pytest

import stablib
from stablib.book import names
from stablib.book.environment import ROOT
from stablib.book.notation import (
    LOCAL,
    SYMBOLS,
    Place,
    explained,
    first_use,
    letters_of,
    table,
    without_code,
)
from stablib.book.notebooks import read_text, texts


def prose():
    """The chapters' words and formulas, from their sources."""
    found = {}
    for path in texts(ROOT / "chapters"):
        cells = read_text(path).cells
        found[path.stem] = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    return found


PROSE = prose()
EXAMPLES = {
    "stablib.ShallowReLU": stablib.ShallowReLU([[1.0]], [0.0], [1.0]),
    "stablib.Dataset": stablib.gaussian(n=3, d=2),
}
CODE = sorted({full for symbol in SYMBOLS for _, full in symbol.code})


@pytest.mark.parametrize("full", CODE)
def test_the_code_of_a_symbol_exists(full):
    path, _, argument = full.partition(":")
    if argument:
        assert argument in inspect.signature(names.found(path)).parameters
        return
    owner, _, name = path.rpartition(".")
    holder = EXAMPLES.get(owner) or names.found(owner)
    fields = dataclasses.fields(holder) if dataclasses.is_dataclass(holder) else ()
    assert hasattr(holder, name) or name in {f.name for f in fields}


@pytest.mark.parametrize("symbol", SYMBOLS, ids=lambda symbol: symbol.tex)
def test_a_symbol_is_first_used_where_the_table_says(symbol):
    place = first_use(symbol.seen, PROSE)
    assert place is not None
    stems = list(PROSE)
    for earlier in stems[: stems.index(place.chapter)]:
        # An oracle that knows nothing of headings: every formula of the whole text.
        for formula in re.findall(
            r"\$\$.+?\$\$|\$[^$\n]+\$", without_code(PROSE[earlier]), re.DOTALL
        ):
            assert not re.search(symbol.seen, formula), earlier


def test_every_letter_of_several_chapters_is_explained():
    chapters = {}
    for stem, text in PROSE.items():
        for letter in letters_of(text):
            chapters.setdefault(letter, []).append(stem)
    several = {letter for letter, stems in chapters.items() if len(stems) >= 3}
    assert len(several) > 40
    assert several - explained() - set(LOCAL) == set()


def test_every_letter_of_the_table_is_one_of_the_book():
    used = set().union(*map(letters_of, PROSE.values()))
    assert explained() <= used
    assert set(LOCAL) <= used
    assert not set(LOCAL) & explained()


def test_every_row_of_the_table_has_four_columns_and_a_place():
    rows = table(PROSE).splitlines()[2:]
    assert len(rows) == len(SYMBOLS)
    for row in rows:
        assert len(re.findall(r"(?<!\\)\|", row)) == 5, row
        assert re.search(r"\{first-use\}`\d\d_\w+ \d+ \d+`", row), row


def test_the_page_shows_the_table():
    assert "```{symbols}\n```" in (ROOT / "pages" / "notation.md").read_text("utf-8")


# The finder itself


SAMPLE = {
    "01_a": "# One\n\nNothing of `$x$`.\n\n```python\n# $x$\n```\n",
    "02_b": "# Two\n\n:::{note}\nWords\n:::\n\n## Here\n\nIs $y$.\n\n## There\n\nIs\n$$ x^2 $$\n",
}


def test_a_first_use_is_found_with_its_heading():
    assert first_use("y", SAMPLE) == Place("02_b", 2, 3)
    assert first_use("x", SAMPLE) == Place("02_b", 3, 3)
    assert first_use("z", SAMPLE) is None


def test_words_and_commands_are_no_letters():
    assert letters_of(r"$\text{of} \operatorname{tr} P \le \frac{a}{2}$ and $\begin{aligned}$") == {
        "P",
        "a",
    }
