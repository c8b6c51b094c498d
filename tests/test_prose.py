"""Numbers in the chapters' sentences come from their code, and the code of exercises does what it says."""

import contextlib
import doctest
import io
from pathlib import Path

import nbformat
import pytest
from myst_nb.core.variables import format_plain_text
from nbclient import NotebookClient

from stablib.book import prose

ROOT = Path(__file__).resolve().parents[1]
CHAPTERS = sorted((ROOT / "chapters").glob("[0-9]*.md"))
each_chapter = pytest.mark.parametrize("path", CHAPTERS, ids=lambda p: p.stem)


@each_chapter
def test_no_sentence_holds_a_typed_result(path):
    assert prose.untold(path.read_text("utf-8")) == []


@each_chapter
def test_every_number_is_told_once_and_shown(path):
    text = path.read_text("utf-8")
    told = prose.told(text)
    assert len(set(told)) == len(told)
    assert set(prose.shown(text)) == set(told)


@each_chapter
def test_a_solution_is_confirmed_by_code(path):
    assert any(">>>" in block for _, block in prose.solutions(path.read_text("utf-8")))


@each_chapter
def test_the_code_of_solutions_does_what_it_says(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    text = path.read_text("utf-8")
    names = {}
    exec(prose.imports(text), names)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    parser, runner = doctest.DocTestParser(), doctest.DocTestRunner(optionflags=options)
    for where, block in prose.solutions(text):
        if ">>>" not in block:
            with contextlib.redirect_stdout(io.StringIO()):
                exec(compile(block, f"{path.name}, {where}", "exec"), dict(names))
            continue
        said = io.StringIO()
        test = parser.get_doctest(block, dict(names), f"{path.name}, {where}", str(path), 0)
        assert runner.run(test, out=said.write).failed == 0, f"{where}: {said.getvalue()}"


# The rules themselves

CHAPTER = """---
kernelspec: {version: 9.75}
---

# A title of 5.5 words

It falls by 12.5 % at a step size of 0.02, ends at .25 and has $2.5$ of `3.5` (Section 3.1).
So {cite:t}`a2001` say.
One told number: {glue:text}`gap`.

```{code-cell} ipython3
:tags: [remove-cell]

import numpy as np
from stablib.book.prose import tell
run(0.02)
tell("gap", f"{np.pi:.2f}")
```

:::{dropdown} Solution
It is 7.25.

```python
>>> np.sqrt(4)
2.0
```
:::
"""


def test_typed_numbers_are_found_and_given_ones_are_not():
    assert prose.untold(CHAPTER) == ["5.5", "12.5", ".25"]


def test_told_and_shown_names_and_solutions_are_found():
    assert prose.told(CHAPTER) == prose.shown(CHAPTER) == ["gap"]
    assert prose.imports(CHAPTER) == "import numpy as np\nfrom stablib.book.prose import tell"
    assert list(prose.solutions(CHAPTER)) == [("line 24", ">>> np.sqrt(4)\n2.0\n")]


@pytest.mark.parametrize("name", ["", "Gap", "two words", "-gap", 3])
def test_a_name_that_a_role_could_not_hold_is_refused(name):
    with pytest.raises(ValueError, match="lower case words with dashes"):
        prose.tell(name, "1")


@pytest.mark.parametrize("text", ["0.50", "2,000", "a third", "1e-8"])
def test_a_told_number_stays_with_the_cell_and_reaches_the_page_as_it_was_written(text):
    code = f"from stablib.book.prose import tell\ntell('gap', {text!r})"
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    (output,) = NotebookClient(notebook).execute().cells[0].outputs
    ((kind, kept),) = output.data.items()
    assert kind == "application/papermill.record/text/plain"
    assert format_plain_text(kept, "") == text
    assert output.metadata["scrapbook"]["name"] == "gap"
