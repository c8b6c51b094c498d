"""What all tests share: how hard hypothesis searches, and what becomes of tests that need torch."""

import os

import pytest
from hypothesis import settings

# `make test-full` (STABLIB_FULL=1) searches longer; the short search is the same every time, so that a
# failure in CI is one that a second run shows, too.
settings.register_profile("short", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("long", max_examples=1000, deadline=None)
settings.load_profile("long" if os.environ.get("STABLIB_FULL") else "short")

CI = os.environ.get("CI", "").lower() in ("1", "true")


# Where torch is not installed, a test that imports it, itself or through the library, is skipped; so is a
# module of tests that does. In CI it is installed, and nothing may be left out.


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    error = call.excinfo and call.excinfo.value
    if isinstance(error, ModuleNotFoundError) and error.name == "torch" and not CI:
        report.outcome = "skipped"
        report.longrepr = (str(item.path), 1, "Skipped: torch is not installed")
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    report = yield
    if report.failed and "No module named 'torch'" in str(report.longrepr) and not CI:
        report.outcome = "skipped"
        report.longrepr = (str(collector.path), 1, "Skipped: torch is not installed")
    return report
