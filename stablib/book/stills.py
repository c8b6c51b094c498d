"""A still picture beside every slider, for readers whose browser runs no scripts.

A slider's output in a notebook holds two things: the live view, and its first frame as a picture. The
builder takes the view alone; here the frame is put back behind it, where only `noscript` shows it. An
output of HTML that draws itself by a script marks its `place`.
"""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

VIEW = "application/vnd.jupyter.widget-view+json"
_PLACE = re.compile(r'<i hidden data-still="([\w-]+)"></i>')
_VIEW = re.compile(rf'<script type="{re.escape(VIEW)}">(.*?)</script>', re.DOTALL)


def with_stills(body: str, notebook: dict[str, Any]) -> str:
    """The page with a still picture behind every live view that has one.

    Args:
        body: HTML of a page.
        notebook: the executed notebook that the page was made from, as read from its JSON.

    Example:
        >>> output = {"data": {VIEW: {"model_id": "a1"}, "image/png": "AAAA"}}
        >>> cell = {"metadata": {"mystnb": {"image": {"alt": "a line"}}}, "outputs": [output]}
        >>> page = f'<script type="{VIEW}">{{"model_id": "a1"}}</script>'
        >>> with_stills(page, {"cells": [cell]}).removeprefix(page)
        '<noscript><img alt="a line" src="data:image/png;base64,AAAA"></noscript>'
    """
    pictures = {}
    for cell in notebook["cells"]:
        alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "first frame")
        for data in (output.get("data", {}) for output in cell.get("outputs", ())):
            if "image/png" not in data:
                continue
            source = "data:image/png;base64," + data["image/png"].replace("\n", "")
            picture = f'<noscript><img alt="{html.escape(alt)}" src="{source}"></noscript>'
            if VIEW in data:
                pictures[data[VIEW]["model_id"]] = picture
            for name in _PLACE.findall("".join(data.get("text/html", ""))):
                pictures[name] = picture
    body = _PLACE.sub(lambda m: pictures.get(m[1], ""), body)
    return _VIEW.sub(lambda m: m[0] + pictures.get(json.loads(m[1])["model_id"], ""), body)


def place(name: str) -> str:
    """Where an output of HTML, which draws itself by a script, has its still picture.

    Args:
        name: unique on its page.
    """
    return f'<i hidden data-still="{name}"></i>'


def _add(app: Any, pagename: str, _template: str, context: dict[str, Any], _doctree: Any) -> None:
    path = Path(app.srcdir, f"{pagename}.ipynb")
    if context.get("body") and path.is_file():
        context["body"] = with_stills(context["body"], json.loads(path.read_text("utf-8")))


def setup(app: Any) -> dict[str, bool]:
    """Register with Sphinx."""
    app.connect("html-page-context", _add)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
