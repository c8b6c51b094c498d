"""Sliders that move in a static page: every frame is drawn beforehand and travels with the page.

A slider whose pictures are computed on demand is dead without a kernel. This one is a row of
finished frames, and the link between slider and frames lives in the browser. Readers of the PDF,
of GitHub, or without scripts see the first frame.
"""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
from matplotlib.figure import Figure
from PIL import Image

from .. import checks


class PictureSlider(ipywidgets.VBox):
    """A slider over pictures drawn beforehand; it works with a kernel, and without.

    Args:
        draw: function from a value to a matplotlib figure; called once per value.
        values: what the slider runs over, at least two numbers (or strings), in order.
        name: what is moved, shown beside the slider ("step size").
        alt: what the pictures show, in words; the value is added to it.
        start: position of the frame shown first, 0 <= start < len(values).
        form: format of a value beside the slider.
        dpi: dots per inch of the frames; figures keep their size in inches.
        colours: size of the frames' palette, 2 to 256; fewer colours make smaller pages.

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
        colours: int = 64,
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
        colours = checks.count(colours, "colours", minimum=2)
        if colours > 256:
            raise ValueError(f"colours is {colours}; a palette holds at most 256")

        labels = [v if isinstance(v, str) else form.format(v) for v in values]
        if len(set(labels)) < len(labels):
            raise ValueError(f"form {form!r} shows two values alike: {', '.join(labels)}")
        self.frames: tuple[bytes, ...] = tuple(
            png(_drawn(draw, v), dpi=dpi, colours=colours) for v in values
        )
        self._words = f"PictureSlider({name}: {', '.join(labels)})"
        self._still = self.frames[start]

        # No continuous redraw to wait for: the frames are there, so the picture follows the hand.
        self._slider = ipywidgets.SelectionSlider(
            options=labels,
            index=start,
            description=name,
            continuous_update=True,
            style=ipywidgets.SliderStyle(description_width="initial"),
            layout=ipywidgets.Layout(width="100%"),
        )
        pictures = [
            ipywidgets.HTML(_picture(frame, f"{alt}; {name} {label}"))
            for frame, label in zip(self.frames, labels, strict=True)
        ]
        self._stack = ipywidgets.Stack(pictures, selected_index=start)
        # The link is a widget of its own, kept in the page's state and run by the browser.
        self._link = ipywidgets.jslink((self._slider, "index"), (self._stack, "selected_index"))
        self._slider.observe(self._follow, "index")
        super().__init__(
            [self._slider, self._stack],
            layout=ipywidgets.Layout(width="100%", max_width="40rem"),
        )
        self.add_class("picture-slider")

    def _follow(self, change: Any) -> None:
        # jslink acts in the browser only; without one (a test, a script) the frames follow here.
        self._stack.selected_index = change["new"]

    @property
    def position(self) -> int:
        """Index of the value that the slider stands on."""
        return self._slider.index

    @position.setter
    def position(self, index: int) -> None:
        self._slider.index = index

    @property
    def shown(self) -> int:
        """Index of the picture on show."""
        return self._stack.selected_index

    def __repr__(self) -> str:
        return self._words

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        bundle = super()._repr_mimebundle_(**kwargs)
        bundle["text/plain"] = self._words
        bundle["image/png"] = base64.b64encode(self._still).decode()
        return bundle


def png(figure: Figure, *, dpi: int = 90, colours: int = 64) -> bytes:
    """A figure as a small PNG: palette colours, no metadata, the same bytes every time.

    Args:
        figure: a matplotlib figure.
        dpi: dots per inch.
        colours: size of the palette, 2 to 256.

    Returns:
        The file's bytes.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    picture = Image.open(buffer).convert("RGB")
    # Octree: the only quantiser of Pillow that keeps a thin line's colour among much white.
    small = picture.quantize(colours, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    # It blurs the last bits; white stays white, or the frame shows as a grey box on the page.
    small.putpalette([255 if level >= 252 else level for level in small.getpalette() or []])
    buffer = io.BytesIO()
    small.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def _drawn(draw: Callable[[Any], Figure], value: Any) -> Figure:
    figure = draw(value)
    if not isinstance(figure, Figure):
        raise ValueError(
            f"draw returned {type(figure).__name__} for {value!r}; a matplotlib Figure is needed"
        )
    plt.close(figure)  # else the notebook shows every frame once more below the slider
    return figure


def _picture(frame: bytes, alt: str) -> str:
    data = base64.b64encode(frame).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}" style="width:100%">'
