"""Compiled loops: cached on disk, and compiled again where no folder can be written to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def jit(function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
    """`numba.njit` with a cache on disk, and without one where no folder can be written to.

    Args:
        function: the loop.
        options: what `numba.njit` takes.
    """
    try:
        return numba.njit(cache=True, **options)(function)
    except RuntimeError:  # "cannot cache function: no locator available"
        return numba.njit(**options)(function)
