"""Sphinx extension: the way from the library's page to the chapters, and from the chapters to it.

* ```` ```{beneath} ROOM ```` on a page lists, module by module, what no page shows by hand, so
  that both pages are complete whatever is added to the library; a class is shown with all its methods.
* Each entry says which chapters use it: "used in" where a cell or a sentence names it, "behind" where
  the chapter's figures or checks do.
* A role may use any name that Python would import: {py:func}`stablib.sharpness` and
  {py:func}`stablib.curvature.sharpness` lead to one place.
* In a chapter's code, the names of the library are links.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stablib.book import names

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.addnodes import pending_xref
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

_SHOWN = re.compile(r"^\.\. auto(?:function|class):: (\S+)$", re.MULTILINE)
_BENEATH = re.compile(r"^```\{beneath\} (\S+)\n```$", re.MULTILINE)
_TOKEN = r'<span class="nn?">(\w+(?:\.\w+)*)</span>'
_NAMES = re.compile(rf'{_TOKEN}(?:<span class="o">\.</span>{_TOKEN})*')
_BLOCK = re.compile(r'<div class="highlight"><pre>.*?</pre>', re.DOTALL)


# The page


def shown_by_hand(page: str) -> list[str]:
    """The names that a page documents one by one."""
    return _SHOWN.findall(page)


def beneath(room: str, page: str) -> str:
    """The text that lists the public names of a room that a text does not show by hand.

    Args:
        room: a package, "stablib.radon".
        page: the text.
    """
    by_hand = {names.home(name) for name in shown_by_hand(page)}
    parts = []
    for module in names.modules(room):
        left = [full for full in names.public(module) if full not in by_hand]
        if left:
            entries = "\n".join(_entry(full) for full in left)
            parts.append(f"**`{module}`**: {_idea(module)}\n\n```{{eval-rst}}\n{entries}\n```\n")
    return "\n".join(parts)


def whole(page: str, beside: str = "") -> str:
    """The page with every entry's methods, and with what is shown by hand neither on it nor beside it.

    Args:
        page: the page's own text.
        beside: the text of another page that shows names by hand.
    """
    by_hand = _SHOWN.sub(lambda found: _entry(names.home(found[1]) or found[1]), page)
    return _BENEATH.sub(lambda found: beneath(found[1], page + beside), by_hand)


def _idea(module: str) -> str:
    """The first sentence of a module's docstring, safe in a page."""
    first = (import_module(module).__doc__ or "").strip().partition("\n\n")[0]
    first = re.sub(r"([\\*_|$<>])", r"\\\1", " ".join(first.split()))
    return first[:1].lower() + first[1:] if first[1:2].islower() else first


def _entry(full: str) -> str:
    thing = names.found(full)
    if not isinstance(thing, type):
        return f".. autofunction:: {names.shown(full)}"
    members = [
        name
        for name, value in vars(thing).items()
        if not name.startswith("_") and _has_a_text(value)
    ]
    options = f"\n   :members: {', '.join(members)}" if members else ""
    return f".. autoclass:: {names.shown(full)}{options}"


def _has_a_text(value: object) -> bool:
    # Methods and properties; fields of a named tuple and slots of a dataclass are no entries.
    value = getattr(value, "__func__", value)
    function = isinstance(value, property) or hasattr(value, "__code__") or hasattr(value, "func")
    return function and bool(value.__doc__)


def _on_source(app: Sphinx, docname: str, source: list[str]) -> None:
    if docname.startswith("pages/"):
        source[0] = whole(source[0], Path(app.srcdir, "pages", "api.md").read_text("utf-8"))


# From an entry to the chapters


def _on_docstring(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    if what in ("function", "class", "method"):
        sentence = used_in(name, Path(app.srcdir) / "chapters")
        if sentence:
            lines += ["", ".. container:: used-in", "", f"   {sentence}", ""]


def used_in(name: str, folder: Path) -> str:
    """The sentence with links to the chapters that use a name, in reStructuredText; may be empty."""
    said = []
    for words, chapters in zip(
        ("Used in chapter", "Behind figures or checks of chapter"),
        names.chapters_that_use(folder),
        strict=True,
    ):
        stems = chapters.get(names.home(name) or "", [])
        if stems:
            links = [f":doc:`{int(stem[:2])} </chapters/{stem}>`" for stem in stems]
            said.append(f"{words} {', '.join(links)}.")
    return " ".join(said)


# From the chapters to an entry


def _on_missing(
    app: Sphinx, env: BuildEnvironment, node: pending_xref, content: nodes.TextElement
) -> nodes.Element | None:
    if node.get("refdomain") != "py":
        return None
    domain = env.get_domain("py")
    for name in other_names(node.get("reftarget", "")):
        if name in domain.objects:
            source, kind = node["refdoc"], node["reftype"]
            return domain.resolve_xref(env, source, app.builder, kind, name, node, content)
    return None


def other_names(target: str) -> list[str]:
    """The names under which the page may show what `target` leads to.

    Example:
        >>> other_names("stablib.curvature.sharpness"), other_names("stablib.network.ShallowReLU.ridges")
        (['stablib.sharpness'], ['stablib.ShallowReLU.ridges'])
    """
    full = names.home(target)
    if full and names.shown(full) != target:
        return [names.shown(full)]
    owner, _, member = target.rpartition(".")
    full = names.home(owner) if owner else None
    shown = f"{names.shown(full)}.{member}" if full else target
    return [shown] if shown != target else []


def _on_page(
    app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    notebook = Path(app.srcdir) / f"{pagename}.ipynb"
    if context.get("body") and notebook.is_file():
        meaning = names.imports(names.code_of(notebook))
        objects = app.env.get_domain("py").objects

        def address(full: str) -> str | None:
            entry = objects.get(names.shown(full))
            if entry is None:
                return None
            return f"{app.builder.get_relative_uri(pagename, entry.docname)}#{entry.node_id}"

        context["body"] = _BLOCK.sub(
            lambda block: link_code(block.group(), meaning, address), context["body"]
        )


def link_code(html: str, meaning: dict[str, str], address: Callable[[str], str | None]) -> str:
    """A block of highlighted code whose names from the library are links.

    Args:
        html: the block.
        meaning: what the local names stand for.
        address: the address of what lives under a full name, or None.
    """

    def linked(found: re.Match[str]) -> str:
        tokens = list(re.finditer(_TOKEN, found.group()))
        local = [token[1] for token in tokens]
        if local[0] not in meaning:
            return found.group()
        for count in range(len(local), 0, -1):
            full = names.home(".".join([meaning[local[0]], *local[1:count]]))
            goal = address(full) if full else None
            if goal:
                end = tokens[count - 1].end()
                text = found.group()
                return f'<a class="api-link" href="{goal}">{text[:end]}</a>{text[end:]}'
        return found.group()

    return _NAMES.sub(linked, html)


def setup(app: Sphinx) -> dict[str, Any]:
    """Register the steps; the last of the docstring's comes after napoleon has read its sections."""
    app.connect("source-read", _on_source)
    app.connect("autodoc-process-docstring", _on_docstring, priority=900)
    app.connect("missing-reference", _on_missing)
    app.connect("html-page-context", _on_page)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
