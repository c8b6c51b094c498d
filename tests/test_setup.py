"""The set-up of .venv: done once, repaired when it is not whole, never trusted half-finished."""

import json
import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from stablib.book import __main__ as entry
from stablib.book import environment as module
from stablib.book.environment import ROOT, Environment, SetupError, keep_bytecode


class RecordedEnvironment(Environment):
    """An environment that writes down what pip is asked for instead of asking it."""

    def __init__(self, root):
        self.lines = []
        super().__init__(root, say=self.lines.append)
        self.calls = []
        self.created = 0
        self.dies_at = None

    def _create(self):
        self.created += 1
        if self.folder.exists():
            shutil.rmtree(self.folder)
        self.folder.mkdir()
        self.unfinished.touch()
        self.python.parent.mkdir(parents=True)
        self.python.touch()

    def version(self):
        return "3.11" if self.python.exists() else ""

    def _pip(self, *arguments):
        self.calls.append(arguments)
        if self.dies_at == len(self.calls):
            raise KeyboardInterrupt


@pytest.fixture
def checkout(tmp_path):
    (tmp_path / "requirements.txt").write_text("numpy==2.4.6\n")
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    return tmp_path


def test_the_first_call_installs_and_the_second_does_nothing(checkout):
    first = RecordedEnvironment(checkout)
    assert first.ensure()
    assert [call[:2] for call in first.calls] == [
        ("install", "--requirement"),
        ("install", "--no-deps"),
    ]
    assert str(checkout / "requirements.txt") in first.calls[0]
    assert {"--no-build-isolation", "--editable", str(checkout)} <= set(first.calls[1])
    second = RecordedEnvironment(checkout)
    assert not second.ensure()
    assert (second.calls, second.created, second.lines) == ([], 0, [])


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_a_change_of_content_installs_into_the_same_environment(checkout, name):
    RecordedEnvironment(checkout).ensure()
    with open(checkout / name, "a") as file:
        file.write("# changed\n")
    again = RecordedEnvironment(checkout)
    assert again.ensure()
    assert (len(again.calls), again.created) == (2, 0)


def test_a_change_of_time_stamps_alone_does_nothing(checkout):
    RecordedEnvironment(checkout).ensure()
    for name in ("requirements.txt", "pyproject.toml"):
        os.utime(checkout / name, (2e9, 2e9))
    assert not RecordedEnvironment(checkout).ensure()


@pytest.mark.parametrize("call", [1, 2])
def test_an_installation_that_was_killed_is_started_afresh(checkout, call):
    killed = RecordedEnvironment(checkout)
    killed.dies_at = call
    with pytest.raises(KeyboardInterrupt):
        killed.ensure()
    assert not killed.is_ready()
    again = RecordedEnvironment(checkout)
    assert again.ensure()
    assert (len(again.calls), again.created) == (2, 1)
    assert again.is_ready()


def test_an_update_that_was_killed_is_started_afresh(checkout):
    RecordedEnvironment(checkout).ensure()
    (checkout / "requirements.txt").write_text("numpy==2.4.5\n")
    killed = RecordedEnvironment(checkout)
    killed.dies_at = 1
    with pytest.raises(KeyboardInterrupt):
        killed.ensure()
    # Even if the old content comes back: nobody knows what was installed.
    (checkout / "requirements.txt").write_text("numpy==2.4.6\n")
    again = RecordedEnvironment(checkout)
    assert again.ensure()
    assert again.created == 1


def test_a_stamp_that_was_cut_short_is_not_trusted(checkout):
    environment = RecordedEnvironment(checkout)
    environment.ensure()
    environment.stamp.write_text(environment.stamp.read_text()[:20])
    assert RecordedEnvironment(checkout).ensure()


def test_an_environment_from_another_place_is_made_anew(checkout):
    environment = RecordedEnvironment(checkout)
    environment.ensure()
    stamp = json.loads(environment.stamp.read_text())
    environment.stamp.write_text(json.dumps(stamp | {"place": "elsewhere"}))
    again = RecordedEnvironment(checkout)
    assert again.ensure()
    assert again.created == 1


def test_of_two_calls_at_once_one_installs_and_the_other_waits_for_it(checkout):
    first, second = RecordedEnvironment(checkout), RecordedEnvironment(checkout)
    entered, waits = threading.Event(), threading.Event()
    # The first goes on only when the second has said that it waits.
    first._pip = lambda *arguments: (entered.set(), waits.wait(20))
    second.say = lambda text: waits.set()
    with ThreadPoolExecutor() as pool:
        one = pool.submit(first.ensure)
        assert entered.wait(20)
        other = pool.submit(second.ensure)
        assert (one.result(), other.result()) == (True, False)
    assert waits.is_set()
    assert (second.calls, second.created) == ([], 0)


def test_an_environment_made_by_hand_is_completed_not_removed(checkout):
    by_hand = RecordedEnvironment(checkout)
    by_hand.python.parent.mkdir(parents=True)
    by_hand.python.touch()
    assert by_hand.ensure()
    assert (len(by_hand.calls), by_hand.created) == (2, 0)


def test_an_old_python_is_told_what_is_needed(checkout, monkeypatch):
    monkeypatch.setattr(module.sys, "version_info", (3, 9, 2, "final", 0))
    with pytest.raises(SetupError, match=r"Python 3\.9\.2 runs this.* needs Python 3\.11 or newer"):
        RecordedEnvironment(checkout).ensure()


def test_outside_of_a_checkout_the_missing_file_is_named(tmp_path):
    with pytest.raises(SetupError, match=r"no requirements\.txt"):
        RecordedEnvironment(tmp_path).ensure()


def test_a_failing_pip_shows_its_words_and_one_advice(checkout):
    said = []
    environment = Environment(checkout, say=said.append)
    # A real pip, and an interpreter that is not the one in .venv.
    environment.__class__ = type("Here", (Environment,), {"python": sys.executable})
    with pytest.raises(SetupError, match=r"pip install failed.*call the same command again"):
        environment._pip("install", "--no-index", "no-such-package-anywhere==1.0")
    assert "no-such-package-anywhere" in "\n".join(said)


def test_before_the_environment_exists_only_the_standard_library_is_imported():
    program = """
import sys
sys.path.insert(0, sys.argv[1])
before = set(sys.modules)
import stablib.book.__main__
new = {name.partition('.')[0] for name in set(sys.modules) - before}
print(sorted(new - set(sys.stdlib_module_names) - {'stablib'}))
"""
    command = [sys.executable, "-S", "-I", "-c", program, str(ROOT)]
    assert subprocess.check_output(command, text=True).strip() == "[]"


def test_the_entry_works_from_any_folder_by_its_path(tmp_path):
    program = ROOT / "stablib" / "book" / "__main__.py"
    command = [sys.executable, str(program), "help"]
    text = subprocess.check_output(command, cwd=tmp_path, text=True)
    assert all(name in text for name in entry.COMMANDS)


@pytest.mark.parametrize("unwanted", ["1", ""])
def test_modules_are_compiled_once_and_not_beside_the_sources_where_that_is_unwanted(
    tmp_path, unwanted
):
    (tmp_path / "some_module.py").write_text("x = 1\n")
    variables = {**os.environ, "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": unwanted}
    variables.pop("PYTHONPYCACHEPREFIX", None)
    keep_bytecode(variables, tmp_path / "kept")
    subprocess.run([sys.executable, "-c", "import some_module"], env=variables, check=True)
    beside = list((tmp_path / "__pycache__").glob("some_module.*.pyc"))
    kept = list((tmp_path / "kept").rglob("some_module.*.pyc"))
    assert (len(beside), len(kept)) == ((0, 1) if unwanted else (1, 0))


def test_where_compiled_modules_go_is_the_users_choice(tmp_path):
    variables = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": "/of/the/user"}
    keep_bytecode(variables, tmp_path)
    assert variables == {"PYTHONPYCACHEPREFIX": "/of/the/user"}


def test_an_unknown_command_is_named(capsys):
    assert entry.main(["bok"]) == 2
    assert "no command 'bok'" in capsys.readouterr().err


def test_make_and_the_entry_know_the_same_commands():
    from stablib.book.commands import _DO

    line = next(
        line
        for line in (ROOT / "Makefile").read_text().splitlines()
        if ":=" in line and line.startswith("COMMANDS")
    )
    assert set(line.split(":=")[1].split()) == set(entry.COMMANDS) == set(_DO)


def test_a_wheel_holds_the_data_the_types_and_the_readmes(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    import zipfile

    (wheel,) = tmp_path.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    for path in ("py.typed", "data/mnist01.npz", "data/README.md", "book/__main__.py"):
        assert f"stablib/{path}" in names
    assert not [name for name in names if name.startswith(("tests", "chapters"))]
