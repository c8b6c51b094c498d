"""The structure of the library, read from its code: who imports whom, and a drawing of it.

`python -m stablib.book.structure` writes the two pictures of the architecture page. A test keeps them
equal to the code, and the code to the rule that rooms import only from rooms above.
"""

from __future__ import annotations

import ast
import html
from collections.abc import Iterable, Mapping
from pathlib import Path

from stablib.book.environment import ROOT

ROOMS = ("stablib", "stablib.data", "stablib.radon", "stablib.training", "stablib.book")
HOLDS = {
    "stablib": "a network, its data, the chain",
    "stablib.data": "digits and synthetic data",
    "stablib.radon": "function space",
    "stablib.training": "descent, sweeps, results",
    "stablib.book": "claims, figures, pages",
}
PICTURES = {"rooms": ROOT / "assets" / "rooms.svg", "core": ROOT / "assets" / "core.svg"}

Graph = dict[str, set[str]]


def room(module: str) -> str:
    """The room that a module is in: its longest prefix among ROOMS.

    Args:
        module: its full name.

    Example:
        >>> room("stablib.book.claims.ch01"), room("stablib.norms")
        ('stablib.book', 'stablib')
    """
    return max((r for r in ROOMS if f"{module}.".startswith(f"{r}.")), key=len)


def modules(root: Path = ROOT) -> dict[str, Path]:
    """All modules of the library by name; a package is its `__init__`.

    Args:
        root: the checkout.
    """
    found = {}
    for path in sorted((root / "stablib").rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(*, later: bool, root: Path = ROOT) -> Graph:
    """Which modules of the library each module imports.

    Imports for type checkers alone count in no case: they never run.

    Args:
        later: whether imports inside functions count, too, which run when these are called.
        root: the checkout.
    """
    known = modules(root)
    graph: Graph = {}
    for name, path in known.items():
        package = name if path.name == "__init__.py" else name.rpartition(".")[0]
        found: set[str] = set()
        for node in _statements(ast.parse(path.read_text("utf-8")), later):
            found |= set(_targets(node, package, known))
        graph[name] = found - {name}
    return graph


def _statements(tree: ast.AST, later: bool) -> Iterable[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not later:
            continue
        yield node
        yield from _statements(node, later)


def _targets(node: ast.AST, package: str, known: Mapping[str, Path]) -> Iterable[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in known)
    elif isinstance(node, ast.ImportFrom):
        base = node.module or ""
        if node.level:
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = ".".join([*above, *([base] if base else [])])
        for alias in node.names:
            inner = f"{base}.{alias.name}"
            if inner in known:
                yield inner
            elif base in known:
                yield base


def upward(graph: Graph) -> list[str]:
    """Imports from a room that stands below the importer's, in words; none is allowed.

    Args:
        graph: from `imports`.

    Example:
        >>> upward({"stablib.norms": {"stablib.radon.density"}})
        ['stablib.norms imports stablib.radon.density']
    """
    height = {name: ROOMS.index(room(name)) for name in {*graph, *set().union(*graph.values())}}
    return [
        f"{name} imports {other}"
        for name in sorted(graph)
        for other in sorted(graph[name])
        if height[other] > height[name]
    ]


def floors(graph: Graph) -> dict[str, int]:
    """How many imports stand below each module at the most: 0 for one that imports no other.

    Args:
        graph: from `imports`, without those inside functions.

    Raises:
        ValueError: if modules import each other in a circle, which is named.

    Example:
        >>> floors({"a": {"b"}, "b": {"c"}, "c": set()})
        {'c': 0, 'b': 1, 'a': 2}
    """
    height: dict[str, int] = {}

    def climb(name: str, path: tuple[str, ...]) -> int:
        if name in path:
            circle = " imports ".join([*path[path.index(name) :], name])
            raise ValueError(f"modules import each other in a circle: {circle}")
        if name not in height:
            below = [climb(other, (*path, name)) for other in sorted(graph.get(name, ()))]
            height[name] = 1 + max(below, default=-1)
        return height[name]

    for name in sorted(graph):
        climb(name, ())
    return height


def needed(graph: Graph) -> Graph:
    """The imports that follow from no others: a picture of these shows all.

    Args:
        graph: without circles.

    Example:
        >>> needed({"a": {"b", "c"}, "b": {"c"}, "c": set()})["a"]
        {'b'}
    """

    def reach(name: str) -> set[str]:
        direct = graph.get(name, set())
        return direct.union(*(reach(other) for other in direct))

    return {
        name: {o for o in others if not any(o in reach(p) for p in others - {o})}
        for name, others in graph.items()
    }


def draw(layers: list[list[str]], arrows: Graph, notes: Mapping[str, str], width: int) -> str:
    """Boxes in rows, the lowest row last, and lines from each box to those it imports: an SVG.

    Args:
        layers: names by row, from the top.
        arrows: lines to draw.
        notes: a second line for some boxes.
        width: of the picture, in pixels.
    """
    high, gap = (46 if notes else 28), 46
    centre: dict[str, tuple[float, float]] = {}
    boxes = []
    for row, names in enumerate(layers):
        y = 10 + row * (high + gap)
        for column, name in enumerate(names):
            x = width * (column + 0.5) / len(names)
            wide = 22 + 7.4 * max(len(name), 0.86 * len(notes.get(name, "")))
            centre[name] = (x, y + high / 2)
            lines = [f'<tspan x="{x:.0f}">{html.escape(name)}</tspan>']
            if name in notes:
                lines.append(
                    f'<tspan x="{x:.0f}" dy="17" class="n">{html.escape(notes[name])}</tspan>'
                )
            boxes.append(
                f'<rect x="{x - wide / 2:.0f}" y="{y}" width="{wide:.0f}" height="{high}" rx="6"/>'
                f'<text x="{x:.0f}" y="{y + 19}">{"".join(lines)}</text>'
            )
    paths = []
    for name in centre:
        for other in sorted(arrows.get(name, set()) & set(centre)):
            (x, y), (u, v) = centre[name], centre[other]
            y, v = y + high / 2, v - high / 2
            bend = max(gap, (v - y)) / 2
            paths.append(
                f'<path d="M{x:.0f} {y:.0f}C{x:.0f} {y + bend:.0f} {u:.0f} {v - bend:.0f} {u:.0f} {v:.0f}"/>'
            )
    height = 20 + len(layers) * (high + gap) - gap
    style = (
        "rect{fill:#eef5f6;stroke:#0f6f79}path{fill:none;stroke:#8fa9ad;stroke-width:1.2}"
        "text{font:13px sans-serif;text-anchor:middle;fill:#1c2b2d}.n{font-size:11px;fill:#4c6164}"
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">'
        f"<style>{style}</style>{''.join(paths)}{''.join(boxes)}</svg>\n"
    )


def pictures(root: Path = ROOT) -> dict[str, str]:
    """Both drawings: the rooms, and the modules of the core.

    Args:
        root: the checkout.
    """
    everything = imports(later=True, root=root)
    between: Graph = {r: set() for r in ROOMS}
    for name, others in everything.items():
        between[room(name)] |= {room(other) for other in others} - {room(name)}
    core = _core(imports(later=False, root=root))
    height = floors(core)
    # What is imported on the way, for speed, is drawn as well; it must not turn the order round.
    for name, others in _core(everything).items():
        core[name] |= {other for other in others if height[other] < height[name]}
    return {
        "rooms": draw(_rows(floors(between)), needed(between), HOLDS, 560),
        "core": draw(_ordered(_rows(floors(core)), needed(core)), needed(core), {}, 760),
    }


def _core(graph: Graph) -> Graph:
    """The modules of the core by their short names, without its two entrances."""
    doors = ("stablib", "stablib.__main__")
    inside = {name for name in graph if room(name) == "stablib" and name not in doors}
    short = {name: name.removeprefix("stablib.") for name in inside}
    return {short[n]: {short[o] for o in graph[n] if o in inside} for n in sorted(inside)}


def _rows(height: Mapping[str, int]) -> list[list[str]]:
    top = max(height.values())
    return [sorted(n for n in height if height[n] == top - row) for row in range(top + 1)]


def _ordered(layers: list[list[str]], arrows: Graph) -> list[list[str]]:
    """Every row sorted by where the boxes that its lines lead to stand, so that few lines cross."""
    place: dict[str, float] = {}

    def pull(name: str) -> tuple[float, str]:
        ends = [place[other] for other in arrows[name] if other in place]
        return sum(ends) / len(ends) if ends else 0.5, name

    ordered = []
    for names in reversed(layers):
        row = sorted(names, key=pull)
        place |= {name: (i + 0.5) / len(row) for i, name in enumerate(row)}
        ordered.append(row)
    return ordered[::-1]


if __name__ == "__main__":
    for name, picture in pictures().items():
        PICTURES[name].write_text(picture, "utf-8")
        print(PICTURES[name].relative_to(ROOT))
