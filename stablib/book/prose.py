"""Numbers in sentences: told by the code of a chapter, set by the page, never typed.

A cell tells a number under a name, and the text shows it by a role:

    tell("gap", f"{gap:.1f}")            in the code
    {glue:text}`gap`                     in the text

So the sentence says what the code found when the chapter ran. `untold` finds numbers that were typed
all the same; `solutions` finds the code of exercises.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import Any

NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RECORD = "application/papermill.record/"  # what no front end shows, and the page builder collects

_CELL = re.compile(r"^```\{code-cell\}.*?^```$", re.MULTILINE | re.DOTALL)
_OPTIONS = re.compile(r"\A(?:---\n.*?\n---\n|(?::[\w-]+:[^\n]*\n)+)", re.DOTALL)
# What is no prose, or was worked out by hand and says so: proofs, exercises and their solutions.
_ASIDE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{(?:prf:proof|exercise|dropdown|raw|figure)\}.*?^(?P=fence)$",
    re.MULTILINE | re.DOTALL,
)
_MARKUP = re.compile(
    r"\$\$.*?\$\$|\$[^$]*\$|\{[\w:]+\}`[^`]*`|`[^`]*`|\]\([^)]*\)|Sec(?:tion|\.) [\d.]+", re.DOTALL
)
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?(?= ?%| per cent)|(?<![\w.])\d*\.\d+(?![\w.]*\w)")
_DROPDOWN = re.compile(r"^:{3,}\{dropdown\}[^\n]*\n(.*?)^:{3,}$", re.MULTILINE | re.DOTALL)
_FENCED = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def tell(name: str, text: Any) -> None:
    """Tell the page a number, or any few words, for its sentences.

    Args:
        name: lower case words with dashes, unique in the chapter.
        text: what the sentence shows, formatted.

    Raises:
        ValueError: if the name is not of that form.

    Example:
        >>> tell("gap", f"{1 / 3:.2f}")    # in a notebook: kept with the cell, and not shown there
    """
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"name is {name!r}; lower case words with dashes are needed")
    from IPython import get_ipython
    from IPython.display import display

    if get_ipython() is None:
        return
    record = {"name": name, "mime_prefix": _RECORD}
    # In quotes: what looks like a number or a tuple would otherwise be read and written anew.
    quoted = repr(str(text))
    display({f"{_RECORD}text/plain": quoted}, raw=True, metadata={"scrapbook": record})


def cells(chapter: str) -> list[str]:
    """The code cells of a chapter's text, without their options.

    Args:
        chapter: the text, MyST.
    """
    bodies = ["\n".join(cell.splitlines()[1:-1]) + "\n" for cell in _CELL.findall(chapter)]
    return [_OPTIONS.sub("", body, count=1) for body in bodies]


def untold(chapter: str) -> list[str]:
    """Decimals and percentages typed in the prose of a chapter that stand in none of its code cells.

    Args:
        chapter: the text, MyST.

    Example:
        >>> untold("It falls by 12.5 % at a step size of 0.02.\\n```{code-cell}\\nrun(0.02)\\n```")
        ['12.5']
    """
    code = "\n".join(_CELL.findall(chapter))
    prose = _MARKUP.sub(" ", _ASIDE.sub(" ", _CELL.sub(" ", _OPTIONS.sub("", chapter, count=1))))
    given = {float(number) for number in re.findall(r"(?<![\w.])\d*\.?\d+(?:e-?\d+)?", code)}
    return [number for number in _NUMBER.findall(prose) if float(number) not in given]


def told(chapter: str) -> list[str]:
    """The names that the code of a chapter tells, with those told twice standing twice.

    Args:
        chapter: the text, MyST.
    """
    return re.findall(r"""\btell\(\s*f?["']([^"']+)["']""", "\n".join(cells(chapter)))


def shown(chapter: str) -> list[str]:
    """The names that the sentences of a chapter show.

    Args:
        chapter: the text, MyST.
    """
    return re.findall(r"\{glue:text\}`([^`:]+)(?::[^`]*)?`", _CELL.sub(" ", chapter))


def solutions(chapter: str) -> Iterator[tuple[str, str]]:
    """The code in a chapter's dropdowns, each block with its line for error messages.

    Args:
        chapter: the text, MyST.
    """
    for dropdown in _DROPDOWN.finditer(chapter):
        for block in _FENCED.finditer(dropdown[1]):
            line = chapter.count("\n", 0, dropdown.start(1) + block.start(1)) + 1
            yield f"line {line}", block[1]


def imports(chapter: str) -> str:
    """The import statements of a chapter's cells: what its exercises may use.

    Args:
        chapter: the text, MyST.
    """
    lines = []
    for body in cells(chapter):
        tree = ast.parse(re.sub(r"^\s*[%!].*$", "", body, flags=re.MULTILINE))
        lines += [ast.unparse(s) for s in tree.body if isinstance(s, ast.Import | ast.ImportFrom)]
    return "\n".join(lines)
