"""Compare a notebook's outputs with a fresh run: numbers with a tolerance, images by pixels.

This is a pytest plugin (pyproject.toml loads it). It replaces nbval's comparison, which takes
numbers as text and does not look at images at all. What is compared, and how:

* Text, HTML, SVG and standard error: word by word, except that numbers need only agree to a
  relative 1e-6 (whole numbers exactly) and that the width of a gap between words is free.
* PNG and JPEG: same size, and on no patch of 32 x 32 pixels a mean difference above 2 of 255.
* Every output of the notebook must be there again, and no other.

A cell widens this by tags: `rtol=1e-2` (for whole numbers, too), `atol=1e-6`, `pixels=10`.
"""

from __future__ import annotations

import base64
import io
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
from types import MethodType
from typing import Any

# A number that is not part of a name such as fig5 or x_1, nor of a version such as 1.2.3.
NUMBER = re.compile(
    r"""(?<![\w.]) [-+]?
    (?: (?:\d+\.\d*|\.\d+) (?:[eE][-+]?\d+)? (?!\.?\d)
      | \d+ (?:[eE][-+]?\d+)? (?!\.?\w)
      | (?:nan|inf)\b )""",
    re.VERBOSE,
)
IMAGES = ("image/png", "image/jpeg")
# Only its presence is compared: the model's id is drawn anew in every run.
WIDGET = "application/vnd.jupyter.widget-view+json"
PATCH = 32


@dataclass(frozen=True)
class Tolerance:
    """How far a fresh output may lie from the stored one.

    Args:
        rtol: relative difference of two numbers.
        atol: absolute difference of two numbers, for those that are zero up to rounding.
        pixels: mean difference, of 255 levels, on the worst patch of an image.
        whole: whether whole numbers must agree exactly.
    """

    rtol: float = 1e-6
    atol: float = 1e-12
    pixels: float = 2.0
    whole: bool = True

    @classmethod
    def from_tags(cls, tags: Iterable[str]) -> Tolerance:
        """Read the tolerance of a cell from its tags.

        Raises:
            ValueError: if a tag such as `rtol=` is not followed by a non-negative number.

        Example:
            >>> Tolerance.from_tags(["remove-input", "rtol=1e-2"]).rtol
            0.01
        """
        tolerance = cls()
        for tag in tags:
            name, equals, text = tag.partition("=")
            if not equals or name not in ("rtol", "atol", "pixels"):
                continue
            try:
                value = float(text)
            except ValueError:
                value = math.nan
            if not 0 <= value < math.inf:
                raise ValueError(f"the tag {tag!r} needs a number after =, such as {name}=1e-2")
            tolerance = replace(tolerance, **{name: value})
            if name == "rtol":
                tolerance = replace(tolerance, whole=False)
        return tolerance


def text_difference(stored: str, fresh: str, tolerance: Tolerance | None = None) -> str | None:
    """Say where two texts first differ by more than the tolerance, or return None.

    Example:
        >>> text_difference("loss 1.0000000", "loss 1.0000001")
        >>> text_difference("loss 1.0000000", "loss 1.0001000")
        'the number 1.0000000 is now 1.0001000'
    """
    tolerance = tolerance or Tolerance()
    for old, new in zip_longest(_words(stored), _words(fresh)):
        if old == new:
            continue
        if old is None or new is None:
            return f"the text is now {'longer' if old is None else 'shorter'}: {old or new!r}"
        if not (NUMBER.fullmatch(old) and NUMBER.fullmatch(new)):
            return f"the text {old!r} is now {new!r}"
        if not _close(old, new, tolerance):
            return f"the number {old} is now {new}"
    return None


def _words(text: str) -> list[str]:
    """Split into numbers, and the texts between them without the width of their gaps."""
    pieces = []
    end = 0
    for match in NUMBER.finditer(text):
        pieces += [*_gaps(text[end : match.start()]), match.group()]
        end = match.end()
    return pieces + _gaps(text[end:])


def _gaps(text: str) -> list[str]:
    # A number that needs one digit less moves the columns of a table, so gaps are not compared;
    # where a line ends is.
    return re.findall(r"\n|[^\s]+", text)


def _close(old: str, new: str, tolerance: Tolerance) -> bool:
    a, b = float(old), float(new)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if math.isinf(a) or math.isinf(b):
        return a == b
    if tolerance.whole and old.lstrip("+-").isdigit() and new.lstrip("+-").isdigit():
        return a == b
    return abs(a - b) <= max(tolerance.rtol * max(abs(a), abs(b)), tolerance.atol)


def image_difference(stored: str, fresh: str, tolerance: Tolerance | None = None) -> str | None:
    """Say how two base64-encoded images differ by more than the tolerance, or return None."""
    tolerance = tolerance or Tolerance()
    old, new = _pixels(stored), _pixels(fresh)
    if old.shape != new.shape:
        return f"the image is now {_size(new)} pixels instead of {_size(old)}"
    worst = _worst_patch(old, new)
    if worst > tolerance.pixels:
        return (
            f"the image differs by {worst:.1f} of 255 levels on its worst patch of {PATCH} x "
            f"{PATCH} pixels; {tolerance.pixels:g} are allowed"
        )
    return None


def _pixels(data: str) -> Any:
    import numpy as np
    from PIL import Image

    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return np.asarray(image.convert("RGBA"), dtype=float)  # (height, width, 4)


def _size(pixels: Any) -> str:
    return f"{pixels.shape[1]} x {pixels.shape[0]}"


def _worst_patch(old: Any, new: Any) -> float:
    # Over the whole image, the mean would forgive a marker or a line that is missing.
    import numpy as np

    difference = np.abs(old - new).max(axis=2)
    height, width = difference.shape
    rows, columns = -(-height // PATCH), -(-width // PATCH)
    padded = np.zeros((rows * PATCH, columns * PATCH))
    padded[:height, :width] = difference
    return float(padded.reshape(rows, PATCH, columns, PATCH).mean(axis=(1, 3)).max())


def outputs_difference(
    stored: Sequence[Mapping[str, Any]],
    fresh: Sequence[Mapping[str, Any]],
    tolerance: Tolerance | None = None,
) -> str | None:
    """Say how a cell's fresh outputs differ from the stored ones, or return None.

    Args:
        stored: the outputs in the notebook, in Jupyter's format.
        fresh: the outputs of the run.
        tolerance: how far they may differ.
    """
    old, new = _by_kind(stored), _by_kind(fresh)
    for kind in [*old, *(k for k in new if k not in old)]:
        count, now = len(old[kind]), len(new[kind])
        if count != now:
            missing = "missing" if now < count else "more than stored"
            return f"{kind}: {count} stored, {now} from this run ({abs(count - now)} {missing})"
        for number, (a, b) in enumerate(zip(old[kind], new[kind], strict=True), 1):
            said = _one_difference(kind, a, b, tolerance)
            if said:
                return f"{kind}{f' ({number} of {count})' if count > 1 else ''}: {said}"
    return None


def _by_kind(outputs: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Sort outputs by MIME type; what is printed may mix with the rest in any order."""
    kinds = defaultdict(list)
    for output in outputs:
        if output["output_type"] == "stream":
            kinds[output["name"]].append(output["text"])
        elif output["output_type"] == "error":
            kinds["error"].append(f"{output['ename']}: {output['evalue']}")
        else:
            for mime, data in output["data"].items():
                kinds[mime].append(data)
    for name in ("stdout", "stderr"):
        if name in kinds:
            kinds[name] = ["".join(kinds[name])]
    return kinds


def _one_difference(kind: str, old: Any, new: Any, tolerance: Tolerance | None) -> str | None:
    if kind == WIDGET:
        return None
    if kind in IMAGES:
        return image_difference(old, new, tolerance)
    texts = [v if isinstance(v, str) else json.dumps(v, sort_keys=True) for v in (old, new)]
    return text_difference(*texts, tolerance)


# The plugin.


def pytest_itemcollected(item: Any) -> None:
    """Give every notebook cell that nbval collects our comparison."""
    if type(item).__module__ != "nbval.plugin":
        return
    item.compare_outputs = MethodType(_compare_cell, item)
    if item.cell.execution_count is None:
        # nbval would run such a cell and compare nothing.
        item.cell.execution_count = 0


def _compare_cell(item: Any, fresh: Any, stored: Any, skip_compare: Any = None) -> bool:
    try:
        tolerance = Tolerance.from_tags(item.cell.metadata.get("tags", []))
        said = outputs_difference(stored, fresh, tolerance)
    except ValueError as error:
        said = str(error)
    item.comparison_traceback = [said] if said else []
    return said is None
