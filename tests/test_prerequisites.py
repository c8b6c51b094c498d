"""The page of prerequisites: its code prints what it says, and it leads to every chapter that needs it."""

import doctest
import re

import numpy as np

from stablib.book.environment import ROOT
from stablib.book.notebooks import texts

PATH = ROOT / "pages" / "prerequisites.md"
PAGE = PATH.read_text("utf-8")


def test_the_examples_print_what_they_say():
    code = re.sub(r"^```.*$", "", PAGE, flags=re.MULTILINE)  # a fence is no output
    test = doctest.DocTestParser().get_doctest(code, {}, PATH.name, str(PATH), 0)
    result = doctest.DocTestRunner().run(test)
    assert result.attempted >= 30
    assert result.failed == 0


def test_every_idea_says_which_chapter_needs_it():
    for part in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        assert re.search(r"\{doc\}|\{ref\}", part), part.splitlines()[0]


def test_it_leads_to_all_chapters_but_those_that_look_back():
    linked = set(re.findall(r"\.\./chapters/(\w+)>", PAGE))
    assert linked <= {path.stem for path in texts(ROOT / "chapters")}
    assert {name[:2] for name in linked} >= {"01", "02", "03", "04", "05", "06", "09"}


# What the sentences say in numbers that no example prints.


def test_power_iteration_on_close_eigenvalues_takes_hundreds_of_steps():
    for steps, digits in ((3, False), (100, False), (500, True)):
        share = 1.01 ** (2 * steps)
        quotient = (1.01 * share + 1) / (share + 1)
        assert (abs(quotient - 1.01) < 1e-6) is digits


def test_the_mean_grows_while_the_paths_die():
    mean, square, path = 9 / 8, np.sqrt(65 / 32), np.sqrt(1 / 2)
    m = np.array([2, 1 / 4])
    assert np.isclose(m.mean(), mean)
    assert np.isclose(np.sqrt(np.mean(m**2)), square)
    assert np.isclose(np.sqrt(m.prod()), path)
