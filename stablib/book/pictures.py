"""Figures as small files: sharp on a screen of two dots a pixel, the same bytes every time."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

DOTS = 2  # dots of the picture for one pixel of the page, each way
DPI = 100  # of a figure on the page, before these dots
LEVELS = 32  # of red, green and blue; a third of the bytes of 256, and no eye sees the step


class Picture(Figure):
    """A figure that a notebook shows at two dots a pixel, in the width that one dot would take."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        _tell_notebook()


def shown(figure: Figure) -> tuple[bytes, dict[str, int]]:
    """A figure as a notebook shows it.

    Args:
        figure: a matplotlib figure.

    Returns:
        The PNG, cut to what is drawn, and the width in pixels that it takes on a page; the height follows
        from it, also where a phone leaves less room.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, dpi=DOTS * DPI, facecolor="white", bbox_inches="tight")
    picture = few_colours(Image.open(buffer))
    return png(picture), {"width": round(picture.width / DOTS)}


def drawn(figure: Figure, dpi: float = DPI) -> Image.Image:
    """The pixels of a whole figure on white, in few colours.

    Args:
        figure: a matplotlib figure.
        dpi: pixels of the page per inch; the picture has two dots for each.
    """
    # savefig would draw everything twice, first to find out what is to be cut off: nothing, here.
    before = {"dpi": figure.dpi, "facecolor": figure.get_facecolor()}
    canvas = FigureCanvasAgg(figure)
    figure.set(dpi=DOTS * dpi, facecolor="white")
    try:
        canvas.draw()
    finally:
        figure.set(**before)
    return few_colours(Image.fromarray(np.asarray(canvas.buffer_rgba())))


def few_colours(picture: Image.Image, levels: int = LEVELS) -> Image.Image:
    """A picture with its colours rounded; with a palette where 256 of them suffice.

    Args:
        picture: any; what is transparent must be gone.
        levels: of red, green and blue.
    """
    step = np.round(np.arange(256) / 255 * (levels - 1)).astype(int)
    red, green, blue = (step[np.asarray(band)] for band in picture.convert("RGB").split())
    code = (red * levels + green) * levels + blue  # (height, width), one number for a colour
    there = np.flatnonzero(np.bincount(code.ravel()))
    colours = np.stack(np.unravel_index(there, (levels,) * 3), axis=1) * 255 / (levels - 1)
    colours = np.round(colours).astype(np.uint8)  # (number of colours, 3); white stays white
    place = np.searchsorted(there, code)
    if len(there) > 256:
        return Image.fromarray(colours[place])
    small = Image.fromarray(place.astype(np.uint8), mode="P")
    small.putpalette(colours.tobytes())
    return small


def png(picture: Image.Image) -> bytes:
    """The file of a picture, without metadata: the same bytes every time.

    Args:
        picture: what `drawn` returned.
    """
    buffer = io.BytesIO()
    picture.save(buffer, format="png", optimize=True)
    return buffer.getvalue()


def webp(picture: Image.Image) -> bytes:
    """The same pixels in a WebP, half of the PNG's bytes.

    Args:
        picture: what `drawn` returned; where many fine lines cross shades, a file that changes pixels
            by what no eye sees is far smaller, and is taken.
    """
    picture, files = picture.convert("RGB"), []
    # More effort than method 4 takes twenty times as long, for two per cent.
    for how in ({"lossless": True, "quality": 75}, {"quality": 85}):
        buffer = io.BytesIO()
        picture.save(buffer, format="webp", method=4, **how)
        files.append(buffer.getvalue())
    return min(files, key=len)


def _tell_notebook() -> None:
    from IPython.core.getipython import get_ipython

    shell = get_ipython()
    if shell is not None:
        # Matplotlib's own entry, which it makes when its first figure is, does not outrank a subclass.
        for kind in (Picture, Figure):
            shell.display_formatter.formatters["image/png"].for_type(kind, shown)
