"""The runner of all checks: it goes on after a failure, and its last line tells the truth."""

import pytest

from stablib.book import browser, suite
from stablib.book.suite import Result, run_pytest, run_steps, run_suite


def steps(**results):
    def step(result):
        def run(extra, say):
            if isinstance(result, Exception):
                raise result
            return result

        return run

    return {name: step(result) for name, result in results.items()}


def run(**results):
    lines = []
    code = run_steps(steps(**results), [], lines.append)
    return code, lines


def test_the_last_line_counts_what_passed_and_failed():
    code, lines = run(lint=Result(2, 0), unit=Result(40, 0, 3))
    assert (code, lines[-1]) == (0, "42 passed, 0 failed")


def test_a_failing_step_stops_no_other_and_fails_the_whole():
    code, lines = run(lint=Result(1, 1), unit=Result(40, 0))
    assert (code, lines[-1]) == (1, "41 passed, 1 failed")
    assert any("FAIL" in line and line.startswith("lint") for line in lines)
    assert any("PASS" in line and line.startswith("unit") for line in lines)


def test_a_step_that_breaks_down_counts_as_one_failure_with_its_error():
    code, lines = run(book=OSError("no space left"), unit=Result(1, 0))
    assert (code, lines[-1]) == (1, "1 passed, 1 failed")
    assert any("OSError: no space left" in line for line in lines)


def test_an_unknown_step_is_named():
    lines = []
    assert run_suite(["--only", "units"], lines.append) == 2
    assert "no step units" in lines[0]


@pytest.mark.parametrize(("ci", "failed"), [("true", 1), ("", 0), ("false", 0)])
def test_a_missing_browser_is_named_and_fails_in_ci_only(monkeypatch, ci, failed):
    monkeypatch.setenv("CI", ci)
    monkeypatch.setattr(browser, "find_chromium", lambda: None)
    lines = []
    code = run_steps({"browser": suite.browser}, [], lines.append)
    assert (code, lines[-1]) == (failed, f"0 passed, {failed} failed")
    assert any(line.startswith("browser") and "no browser found" in line for line in lines)


def counted(tmp_path, monkeypatch, text, *arguments):
    monkeypatch.setattr(suite.pipeline, "BUILD", tmp_path / "build")
    (tmp_path / "test_some.py").write_text(text)
    plain = ["-p", "no:cacheprovider", *arguments]
    quick = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # their imports take seconds
    return run_pytest("some", [str(tmp_path), *plain], root=tmp_path, **quick)


def test_pytests_own_counts_are_taken_over(tmp_path, monkeypatch):
    text = """
import pytest

@pytest.fixture
def broken(): raise OSError
def test_good(): pass
def test_bad(): assert False
def test_error(broken): pass
@pytest.mark.skip
def test_skipped(): pass
"""
    result = counted(tmp_path, monkeypatch, text)
    assert (result.passed, result.failed, result.skipped) == (1, 2, 1)
    assert "test_bad" in result.note


@pytest.mark.parametrize(
    "text", ["", "import no_such_module", "import os\n\ndef test_it(): os._exit(1)"]
)
def test_a_pytest_that_proves_nothing_is_a_failure(tmp_path, monkeypatch, text):
    assert counted(tmp_path, monkeypatch, text).failed == 1


def test_a_pytest_that_is_called_wrongly_is_a_failure(tmp_path, monkeypatch):
    assert counted(tmp_path, monkeypatch, "def test_it(): pass", "--no-such-option").failed == 1
