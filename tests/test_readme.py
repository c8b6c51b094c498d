"""What the README shows is what happens."""

import doctest

from stablib.book.__main__ import COMMANDS
from stablib.book.environment import ROOT
from stablib.book.suite import STEPS

README = (ROOT / "README.md").read_text("utf-8")


def test_the_example_prints_what_it_says():
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted >= 8
    assert result.failed == 0


def test_both_commands_stand_in_the_first_screen_with_and_without_make():
    first_screen = "\n".join(README.splitlines()[:30])
    for command in ("make book", "make test"):
        assert command in first_screen
        assert command.replace("make", "python3.11 -m stablib.book") in first_screen
    for word in ("macOS", "Windows", "CPU build"):
        assert word in first_screen


def test_every_command_that_is_named_exists():
    named = {line.split()[1] for line in README.splitlines() if line.startswith("    make ")}
    assert named <= set(COMMANDS)


def test_every_step_of_the_tests_is_described():
    assert all(f"| {step} | " in README for step in STEPS)


def test_every_file_that_is_linked_exists():
    for name in ("LICENSE", "LICENSE-text", "CITATION.cff", "chapters", "pages", "stablib"):
        assert (ROOT / name).exists()
