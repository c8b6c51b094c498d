"""What becomes of the pages on paper: tables, numbers, links, and what LaTeX's log is read for."""

import re
import shutil

import nbformat
import pytest

from stablib.book import pdf, site
from stablib.book.html_to_latex import Untranslatable, to_latex
from stablib.book.pipeline import ROOT

# What reads the large book's own pages has nothing to read in the small one.
CONFIG = re.sub(
    r" *- stablib\.book\.(?!numbering|ledger_links|printing)\w+\n",
    "",
    (ROOT / "_config.yml").read_text(encoding="utf-8"),
)
TOC = """
format: jb-book
root: chapters/00_start
parts:
  - caption: The paper
    chapters:
      - file: chapters/08_digits
  - caption: Beside it
    chapters:
      - file: pages/notes
"""
START = """# A first page

Short, with the formula

$$
a = b .
$$ (eq-7)

```{raw} html
<script>hidden()</script><div id="toy"><p>A toy that moves.</p></div>
```
"""
DIGITS = r"""# Digits & more

```{prf:theorem} The $x$ one
:label: thm-3

Then

$$
x = y .
$$ (eq-10)
```

```{prf:proof}
By (10).
```

$$
u = v
$$ (eq-own)

See {prf:ref}`thm-3`, {eq}`eq-10`, {eq}`eq-own` and {ledger}`lem-3`.

```{admonition} Check
:class: check

Is it so?
```

```{exercise}
:label: ex-one

Why?
```

::::{dropdown} Solution
Because.
::::

```{figure} ../assets/logo.svg
:name: fig-5a

A drawing.
```
"""
NOTES = """# Notes

```{raw} html
<table><tr id="ledger-lem-3"><td>row</td></tr></table>
```

```{bibliography}
```
"""


def notebook(text, *outputs):
    cells = [nbformat.v4.new_markdown_cell(text, id="a")]
    cells += [
        nbformat.v4.new_code_cell(f"show({i})", outputs=[output], execution_count=1, id=f"b{i}")
        for i, output in enumerate(outputs)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


@pytest.fixture(scope="module")
def latex(tmp_path_factory):
    """The LaTeX of a small book under the settings of the large one; no LaTeX is installed for it."""
    folder = tmp_path_factory.mktemp("book")
    source = folder / "source"
    (source / "chapters").mkdir(parents=True)
    (source / "pages").mkdir()
    for name in ("assets", "vendor"):
        (source / name).symlink_to(ROOT / name)
    shutil.copy2(ROOT / "references.bib", source)
    (source / "_config.yml").write_text(CONFIG, encoding="utf-8")
    (source / "_toc.yml").write_text(TOC, encoding="utf-8")
    (source / "pages" / "notes.md").write_text(NOTES, encoding="utf-8")
    table = nbformat.v4.new_output(
        "execute_result",
        {"text/html": "<table><tr><td>cell_1</td></tr></table>", "text/plain": "as text"},
        execution_count=1,
    )
    nbformat.write(notebook(START), source / "chapters" / "00_start.ipynb")
    nbformat.write(notebook(DIGITS, table), source / "chapters" / "08_digits.ipynb")
    site.build_latex(source, folder / "latex")
    return (folder / "latex" / "book.tex").read_text(encoding="utf-8")


def test_every_page_is_a_chapter_in_the_order_of_the_contents(latex):
    headings = re.findall(r"\\(book\w*numbered(?:\{\d+\})?|bookpart\{.*?\}|chapter\{.*?\})", latex)
    assert headings == [
        "booknumbered{0}",
        "chapter{A first page}",
        "bookpart{The paper}",
        "booknumbered{8}",
        r"chapter{Digits \& more}",
        "bookpart{Beside it}",
        "bookunnumbered",
        "chapter{Notes}",
    ]


def test_formulas_figures_and_statements_carry_the_numbers_of_the_pages(latex):
    tags = dict(re.findall(r"\\tag\{(.*?)\}\\label\{equation:.*?:(eq-\w+)\}", latex))
    assert tags == {"7": "eq-7", "10": "eq-10", "8.1": "eq-own"}
    assert r"\renewcommand{\thefigure}{5 (a)}" in latex
    assert re.search(r"\\begin\{bookstatement\}\{Theorem 3 \(The \\protect\\\(x", latex)
    assert "{Exercise 8.1}" in latex


@pytest.mark.parametrize("style", ["statement", "proof", "check", "exercise", "solution"])
def test_what_is_set_apart_has_its_box(latex, style):
    assert latex.count(rf"\begin{{book{style}}}") == 1
    assert latex.count(rf"\end{{book{style}}}") == 1


def test_a_table_of_a_cell_is_a_table_and_not_its_text(latex):
    assert r"cell\_1 \\" in latex
    assert "as text" not in latex


def test_a_link_to_the_ledger_leads_into_the_book(latex):
    assert r"\hyperref[\detokenize{chapters/10_ledger:ledger-lem-3}]" in latex
    assert ".html" not in latex


def test_what_needs_a_browser_leaves_its_words_and_a_drawing_its_pdf(latex):
    assert re.search(r"\\begin\{booklive\}\{toy\}\s+A toy that moves\.", latex)
    assert "hidden" not in latex
    assert r"\bookdrawing{logo.pdf}" in latex


def test_html_without_a_word_is_refused_and_a_script_is_passed_over():
    with pytest.raises(Untranslatable, match="nothing of this HTML can be printed: <canvas>"):
        to_latex("<canvas></canvas>")
    assert to_latex("<script>f()</script>") == ""
    assert to_latex('<div data-replaces="fig-1"></div>') == to_latex('<div id="toy"></div>') == ""


def test_a_wide_table_shares_the_line_and_a_narrow_one_is_as_it_is():
    def table(words):
        row = f"<td style='text-align: right'>1.5</td><td><a href='#x'>{words}</a></td>"
        return to_latex(f"<table><tr><th>a</th><th>b</th></tr><tr>{row}</tr></table>")

    assert r"\begin{booktable}{rl}" in table("few words")
    wide = table("many words " * 30)
    share = float(re.search(r"\{rL\{([\d.]+)\\linewidth\}\}", wide).group(1))
    assert 0.8 < share < 0.95


def test_special_letters_of_a_cell_are_escaped():
    assert r"50\% of a\_b \& c" in to_latex("<table><tr><td>50% of a_b &amp; c</td></tr></table>")


@pytest.mark.parametrize(
    "line",
    [
        "LaTeX Warning: Reference `eq-1' on page 3 undefined on input line 7.",
        "LaTeX Warning: Hyper reference `a' on page 3 undefined on input line 7.",
        "LaTeX Warning: Label `a' multiply defined.",
        "Missing character: There is no ≤ (U+2264) in font [lmroman]!",
        "./book.tex:7: Undefined control sequence.",
    ],
)
def test_the_log_is_read_for_what_a_reader_would_see(line):
    assert pdf.complaints(f"This is XeTeX\n{line}\nOutput written on book.pdf") == [line]


def test_text_in_the_margin_is_named_and_a_hair_is_not():
    far = "Overfull \\hbox (12.5pt too wide) in paragraph at lines 3--4"
    near = "Overfull \\hbox (1.5pt too wide) in paragraph at lines 3--4"
    assert pdf.too_wide(f"{near}\n{far}\nfine") == [far]


def test_what_is_missing_is_named_in_one_sentence_with_what_brings_it(monkeypatch):
    monkeypatch.setattr(pdf.shutil, "which", lambda name: None)
    said = []
    assert pdf.make_pdf([], said.append) == 1
    assert len(said) == 1
    assert said[0].startswith("The PDF needs latexmk, xelatex, kpsewhich, rsvg-convert, not found")
    assert "apt-get install" in said[0]
    assert "mactex" in said[0]


@pytest.mark.skipif(pdf.missing() != "", reason="no LaTeX here")
def test_two_builds_of_one_text_give_the_same_bytes(tmp_path):
    made = []
    for name in ("a", "b"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "book.tex").write_text(r"\documentclass{article}\begin{document}A\end{document}")
        pdf.typeset(folder, tmp_path / f"{name}.pdf")
        made.append((tmp_path / f"{name}.pdf").read_bytes())
    assert made[0] == made[1]
    assert made[0].startswith(b"%PDF")
