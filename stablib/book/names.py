"""The library's public names: where each lives, under which name it is shown, and which chapters use it."""

from __future__ import annotations

import ast
import inspect
import json
import pkgutil
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import stablib

# The rooms that a reader may import from, in their order; the first is the core.
ROOMS = ("stablib", "stablib.data", "stablib.radon", "stablib.training")
_BOOK = Path(__file__).parent


@cache
def modules(room: str) -> tuple[str, ...]:
    """The modules of a room, sorted; subpackages are rooms of their own.

    Example:
        >>> modules("stablib.data")[1:3]
        ('stablib.data.dataset', 'stablib.data.idx')
    """
    package = import_module(room)
    inside = pkgutil.iter_modules(package.__path__, f"{room}.")
    return tuple(m.name for m in inside if not m.ispkg and not m.name.endswith(".__main__"))


@cache
def public(module: str) -> tuple[str, ...]:
    """Names in full of the functions and classes that a module defines, in the order of its text.

    Example:
        >>> public("stablib.norms")[:2]
        ('stablib.norms.stability_norm', 'stablib.norms.parametric_stability_norm')
    """
    return tuple(
        f"{module}.{name}"
        for name, thing in vars(import_module(module)).items()
        if not name.startswith("_")
        and (inspect.isfunction(thing) or inspect.isclass(thing))
        and thing.__module__ == module
    )


@cache
def home(name: str) -> str | None:
    """The full name, with its own module, of the function or class that a dotted name leads to.

    Example:
        >>> home("stablib.sharpness"), home("stablib.nothing")
        ('stablib.curvature.sharpness', None)
    """
    thing = found(name)
    if not (inspect.isfunction(thing) or inspect.isclass(thing) or inspect.ismethod(thing)):
        return None
    full = f"{thing.__module__}.{thing.__qualname__}"
    own = full.startswith("stablib.") and not full.startswith("stablib.book.")
    return full if own else None


def found(name: str) -> object:
    """What a dotted name of the library leads to, or None."""
    parts = name.split(".")
    if parts[0] != "stablib":
        return None
    for cut in range(len(parts), 0, -1):
        try:
            thing = import_module(".".join(parts[:cut]))
        except ImportError:
            continue
        for part in parts[cut:]:
            thing = getattr(thing, part, None)
        return thing
    return None


@cache
def shown(full: str) -> str:
    """The name under which a reader imports what lives at `full`: the shortest there is.

    Example:
        >>> shown("stablib.curvature.sharpness"), shown("stablib.radon.density.gaussian")
        ('stablib.sharpness', 'stablib.radon.density.gaussian')
    """
    module, _, name = full.rpartition(".")
    for room in ("stablib", module.rpartition(".")[0]):
        exported = getattr(import_module(room), "__all__", ()) if room in ROOMS else ()
        if name in exported and home(f"{room}.{name}") == full:
            return f"{room}.{name}"
    return full


# Which chapters use what


def code_of(notebook: Path) -> list[str]:
    """The sources of a notebook's code cells."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def prose_of(notebook: Path) -> str:
    """The texts of a notebook, without its code."""
    cells = json.loads(notebook.read_text("utf-8"))["cells"]
    return "\n\n".join("".join(c["source"]) for c in cells if c["cell_type"] == "markdown")


def imports(sources: Iterable[str], package: str = "") -> dict[str, str]:
    """What local names stand for, as the imports of these sources say; a name that is assigned is none.

    Example:
        >>> imports(["import stablib as s", "from stablib.radon import pyramid"])
        {'s': 'stablib', 'pyramid': 'stablib.radon.pyramid'}
    """
    meaning: dict[str, str] = {}
    assigned: set[str] = set()
    for node in _nodes(sources):
        if isinstance(node, ast.Import):
            for alias in node.names:
                target = alias.name if alias.asname else alias.name.partition(".")[0]
                meaning[alias.asname or target] = target
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*(above if node.level else []), *filter(None, [node.module])])
            meaning |= {a.asname or a.name: f"{base}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            assigned.add(node.id)
    return {name: full for name, full in meaning.items() if name not in assigned}


def used(sources: Iterable[str], package: str = "") -> set[str]:
    """Full names of the library's functions and classes that these sources speak of."""
    sources = list(sources)
    meaning = imports(sources, package)
    homes = {home(full) for full in meaning.values()}
    for node in _nodes(sources):
        if isinstance(node, ast.Attribute):
            chain = _chain(node)
            if chain and chain[0] in meaning:
                homes.add(home(".".join([meaning[chain[0]], *chain[1:]])))
    return {full for full in homes if full}


def _nodes(sources: Iterable[str]) -> Iterator[ast.AST]:
    for source in sources:
        yield from ast.walk(ast.parse(re.sub(r"(?m)^\s*[%!].*$", "", source)))


def _chain(node: ast.expr) -> list[str]:
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute):
        before = _chain(node.value)
        return [*before, node.attr] if before else []
    return []


def named(prose: str) -> set[str]:
    """Full names of what a text names in code marks: `sharpness(net, X)`, or a role of the API.

    Example:
        >>> named("`sharpness(net, X)` of `net`, in the words of {py:func}`stablib.norms.r_norm`") == {
        ...     "stablib.curvature.sharpness", "stablib.norms.r_norm"}
        True
    """
    words = re.findall(r"`~?([A-Za-z_][\w.]*)(?:\([^`]*\))?`", prose)
    top = {word for word in words if word in stablib.__all__}
    full = {word for word in words if word.startswith("stablib.")}
    homes = map(home, {f"stablib.{word}" for word in top} | full)
    return {full for full in homes if full}


@cache
def chapters_that_use(folder: Path) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """For each full name the chapters that show it, and those whose figures and checks rest on it.

    Args:
        folder: the notebooks, NN_slug.ipynb.

    Returns:
        Two dictionaries from names to stems of notebooks, in reading order. A chapter that shows a
        name is not listed a second time.
    """
    shows: dict[str, list[str]] = {}
    rests: dict[str, list[str]] = {}
    for notebook in sorted(folder.glob("[0-9]*.ipynb")):
        seen = used(code_of(notebook)) | named(prose_of(notebook))
        for full in sorted(seen):
            shows.setdefault(full, []).append(notebook.stem)
        for full in sorted(_beneath(notebook.stem[:2]) - seen):
            rests.setdefault(full, []).append(notebook.stem)
    return shows, rests


@cache
def _beneath(number: str) -> set[str]:
    homes: set[str] = set()
    for room in ("figures", "claims"):
        for path in sorted((_BOOK / room).glob(f"ch{number}*.py")):
            homes |= used([path.read_text("utf-8")], f"stablib.book.{room}")
    return homes
