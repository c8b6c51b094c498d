"""A progress bar whose clock cannot be set."""

from __future__ import annotations

from time import monotonic
from typing import Any

from tqdm import tqdm


class SteadyBar(tqdm):
    """A bar of tqdm that counts seconds, not the time of day.

    tqdm asks the time of day, and tells a negative time left when somebody sets that back.
    """

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        self._time = monotonic
        self.start_t = self.last_print_t = self._time()
