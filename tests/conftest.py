"""What all tests share: how hard hypothesis searches."""

import os

from hypothesis import settings

# `make test-full` (STABLIB_FULL=1) searches longer; the short search is the same every time, so that a
# failure in CI is one that a second run shows, too.
settings.register_profile("short", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("long", max_examples=1000, deadline=None)
settings.load_profile("long" if os.environ.get("STABLIB_FULL") else "short")
