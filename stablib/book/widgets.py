"""Sliders that move in a static page, and compute in a notebook.

A slider whose pictures are computed on demand is dead without a kernel. This one is a row of
finished frames, and the link between slider and frames lives in the browser. Readers of the PDF,
of GitHub, or without scripts see the first frame. Where a kernel listens, a second slider beneath
draws what lies between the frames; a page of the book hides it (`assets/book.css`).
"""

from __future__ import annotations

import base64
import html
import math
from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from .. import checks
from .pictures import drawn, png, webp


class PictureSlider(ipywidgets.VBox):
    """A slider over pictures drawn beforehand; it works with a kernel, and without.

    Args:
        draw: function from a value to a matplotlib figure; called once per value.
        values: what the slider runs over, at least two numbers (or strings), in order.
        name: what is moved, shown beside the slider ("step size").
        alt: what the pictures show, in words; the value is added to it.
        start: position of the frame shown first, 0 <= start < len(values).
        form: format of a value beside the slider.
        dpi: pixels of the page per inch; frames have two dots for each, figures keep their size in inches.
        between: whether `draw` takes every number between the first and the last value; a kernel then
            draws what the reader asks for. "log" if the numbers are to be evenly spaced by their ratio.

    Raises:
        ValueError: if an argument is not as described, or `draw` returns no figure.

    Example:
        >>> slider = PictureSlider(lambda v: Figure(), [0.1, 0.2], name="step size", alt="nothing")
        >>> slider
        PictureSlider(step size: 0.1, 0.2)
        >>> slider.position = 1
        >>> slider.shown
        1
    """

    def __init__(
        self,
        draw: Callable[[Any], Figure],
        values: Sequence[Any],
        *,
        name: str,
        alt: str,
        start: int = 0,
        form: str = "{:g}",
        dpi: int = 90,
        between: bool | str = False,
    ) -> None:
        values = list(values)
        if len(values) < 2:
            raise ValueError(f"values has {len(values)} entries; a slider needs at least two")
        for argument, text in (("name", name), ("alt", alt)):
            if not isinstance(text, str) or not text.strip():
                raise ValueError(f"{argument} is {text!r}; words are needed")
        start = checks.count(start, "start", minimum=0)
        if start >= len(values):
            raise ValueError(f"start is {start}, but values has {len(values)} entries")
        dpi = checks.count(dpi, "dpi", minimum=1)
        labels = [v if isinstance(v, str) else form.format(v) for v in values]
        if len(set(labels)) < len(labels):
            raise ValueError(f"form {form!r} shows two values alike: {', '.join(labels)}")
        if between not in (False, True, "log"):
            raise ValueError(f"between is {between!r}; True, False or 'log' is needed")
        if between and not _ordered(values, positive=between == "log"):
            kind = "positive numbers" if between == "log" else "numbers"
            raise ValueError(f"between needs {kind} in order, but values are {', '.join(labels)}")

        pictures = [_drawn(draw, value, dpi) for value in values]
        self.frames: tuple[bytes, ...] = tuple(map(webp, pictures))
        self._words = f"PictureSlider({name}: {', '.join(labels)})"
        self._still = png(pictures[start])
        self._draw, self._dpi, self._form = draw, dpi, form
        self._describe = f"{alt}; {name} {{}}".format

        # No continuous redraw to wait for: the frames are there, so the picture follows the hand.
        self._slider = ipywidgets.SelectionSlider(
            options=labels,
            index=start,
            description=name,
            continuous_update=True,
            style=ipywidgets.SliderStyle(description_width="initial"),
            layout=ipywidgets.Layout(width="100%"),
        )
        self._stack = ipywidgets.Stack(
            [
                ipywidgets.HTML(_picture(frame, self._describe(label)))
                for frame, label in zip(self.frames, labels, strict=True)
            ],
            selected_index=start,
        )
        # The link is a widget of its own, kept in the page's state and run by the browser.
        self._link = ipywidgets.jslink((self._slider, "index"), (self._stack, "selected_index"))
        self._slider.observe(self._follow, "index")
        parts = [self._slider, self._stack]
        self._computed = self.exact = None
        if between:
            self._computed = ipywidgets.HTML(layout=ipywidgets.Layout(display="none"))
            self.exact = _exact(values, start, logarithmic=between == "log")
            self.exact.observe(self._compute, "value")
            parts += [self._computed, self.exact]
        super().__init__(parts, layout=ipywidgets.Layout(width="100%", max_width="40rem"))
        self.add_class("picture-slider")

    def _follow(self, change: Any) -> None:
        # jslink acts in the browser only; without one (a test, a script) the frames follow here.
        self._stack.selected_index = change["new"]
        self._show(self._stack)

    def _compute(self, change: Any) -> None:
        """Draw the figure of a number that no frame has, in the kernel."""
        value = change["new"]
        try:
            frame = webp(_drawn(self._draw, value, self._dpi))
        except ValueError as error:  # such as a number for which the figure is not defined
            self._computed.value = f"<p>{html.escape(str(error))}</p>"
        else:
            label = self._form.format(value)
            self._computed.value = _picture(frame, self._describe(label))
        self._show(self._computed)

    def _show(self, which: ipywidgets.Widget) -> None:
        if self._computed is not None:
            for part in (self._stack, self._computed):
                part.layout.display = None if part is which else "none"

    @property
    def position(self) -> int:
        """Index of the value that the slider stands on."""
        return self._slider.index

    @position.setter
    def position(self, index: int) -> None:
        self._slider.index = index

    @property
    def shown(self) -> int | None:
        """Index of the picture on show; None while it is one that was computed between two of them."""
        hidden = self._stack.layout.display == "none"
        return None if hidden else self._stack.selected_index

    def __repr__(self) -> str:
        return self._words

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = self._words
        bundle["image/png"] = base64.b64encode(self._still).decode()
        return bundle


def _ordered(values: list[Any], *, positive: bool) -> bool:
    """Whether these are numbers, each above the one before it or each below."""
    try:
        numbers = [float(value) for value in values]
    except (TypeError, ValueError):
        return False
    steps = [b - a for a, b in pairwise(numbers)]
    one_way = all(step > 0 for step in steps) or all(step < 0 for step in steps)
    return one_way and (not positive or min(numbers) > 0)


def _exact(values: list[Any], start: int, *, logarithmic: bool) -> ipywidgets.Widget:
    """The slider for a kernel: a thousand steps, drawn when it is let go; its number can be typed."""
    ends = sorted((float(values[0]), float(values[-1])))
    kind = ipywidgets.FloatLogSlider if logarithmic else ipywidgets.FloatSlider
    if logarithmic:
        ends = [math.log10(end) for end in ends]
    made = kind(
        value=float(values[start]),
        min=ends[0],
        max=ends[1],
        step=(ends[1] - ends[0]) / 1000,
        description="any value, computed",
        readout_format=".4g",
        continuous_update=False,
        style=ipywidgets.SliderStyle(description_width="initial"),
        layout=ipywidgets.Layout(width="100%"),
    )
    made.add_class("kernel-only")
    return made


def _drawn(draw: Callable[[Any], Figure], value: Any, dpi: int) -> Image.Image:
    figure = draw(value)
    if not isinstance(figure, Figure):
        raise ValueError(
            f"draw returned {type(figure).__name__} for {value!r}; a matplotlib Figure is needed"
        )
    plt.close(figure)  # else the notebook shows every frame once more below the slider
    return drawn(figure, dpi)


def _picture(frame: bytes, alt: str) -> str:
    data = base64.b64encode(frame).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/webp;base64,{data}" style="width:100%">'
