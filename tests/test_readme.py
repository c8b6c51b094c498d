"""What the README shows is what happens."""

import doctest

import pytest

from stablib.book import browser
from stablib.book.__main__ import COMMANDS
from stablib.book.environment import ROOT
from stablib.book.suite import STEPS
from stablib.book.tour import FOLDER, STOPS, screenshot

README = (ROOT / "README.md").read_text("utf-8")


def test_the_example_prints_what_it_says():
    pytest.importorskip("torch")
    result = doctest.testfile(str(ROOT / "README.md"), module_relative=False)
    assert result.attempted >= 8
    assert result.failed == 0


def test_both_commands_stand_in_the_first_screen_with_and_without_make():
    first_screen = "\n".join(README.splitlines()[:36])
    for command in ("make book", "make test"):
        assert command in first_screen
        assert command.replace("make", "python3.11 -m stablib.book") in first_screen
    for word in ("macOS", "Windows", "CPU build"):
        assert word in first_screen


def test_every_command_that_is_named_exists():
    named = {line.split()[1] for line in README.splitlines() if line.startswith("    make ")}
    assert named <= set(COMMANDS)


def test_a_network_of_ones_own_is_shown_as_a_module_and_as_arrays():
    section = README.split("### Use it on your own network")[1].split("\n## ")[0]
    for words in (
        "torch.nn.Sequential",
        "stablib.ShallowReLU(W1, b1, w2",
        "stablib.diagnose(model",
    ):
        assert words in section


def test_the_tour_shows_every_stop_with_its_words_and_stays_light():
    for stop in STOPS:
        assert f"![{stop.alt}](tour/{stop.name}.png)" in README
        assert 10_000 < (FOLDER / f"{stop.name}.png").stat().st_size < 150_000
    assert README.count("](tour/") == len(STOPS)
    assert README.index("](tour/") < README.index("make book")


def test_a_stop_that_the_page_has_lost_is_named():
    executable = browser.find_chromium()
    if executable is None:
        pytest.skip("no Chromium")
    with browser.chromium(executable) as running:
        page = running.new_page()
        page.set_content("<p>nothing</p>")
        with pytest.raises(ValueError, match=r"10_ledger.html has no table.ledger thead"):
            screenshot(page, STOPS[-1])


def test_every_step_of_the_tests_is_described():
    assert all(f"| {step} | " in README for step in STEPS)


def test_every_file_that_is_linked_exists():
    for name in ("LICENSE", "LICENSE-text", "CITATION.cff", "chapters", "pages", "stablib"):
        assert (ROOT / name).exists()
