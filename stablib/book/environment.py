"""The book's own environment, `.venv`: made once, repaired when it is not whole, then trusted.

Only the standard library is imported here, and nothing newer than Python 3.9 is used, so that an
old interpreter reaches the sentence that sends its user to a newer one.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import venv
from pathlib import Path
from typing import Callable, Iterator, MutableMapping  # noqa: UP035 - reached by Python 3.9

from stablib.training.turns import end_with, turn

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)


class SetupError(Exception):
    """Set-up failed; the message says what to do about it."""


class Environment:
    """The environment of the checkout at `root`, with a stamp that says what is in it.

    The stamp is written last. An `unfinished` mark is written first and goes with the stamp, so
    an installation that was killed at any moment is recognised, and started afresh.

    Args:
        root: the checkout, with its requirements.txt and pyproject.toml.
        say: where progress goes.
    """

    def __init__(self, root: Path = ROOT, say: Callable[[str], object] = print):
        self.root = Path(root)
        self.folder = self.root / ".venv"
        self.stamp = self.folder / "stablib-ready.json"
        self.unfinished = self.folder / "stablib-unfinished"
        self.say = say

    @property
    def python(self) -> Path:
        """The interpreter inside the environment."""
        return interpreter(self.folder)

    def wanted(self) -> dict[str, str]:
        """What the stamp of a finished set-up says.

        The place is part of it because an environment cannot be moved, the version of its Python
        because an upgrade beneath it takes its packages away; the rest is what was installed.
        """
        content = hashlib.sha256()
        for name in ("requirements.txt", "pyproject.toml"):
            content.update((self.root / name).read_bytes() + b"\0")
        return {
            "python": self.version(),
            "place": str(self.folder),
            "content": content.hexdigest(),
        }

    def version(self) -> str:
        """The version of the environment's Python, such as 3.11, or nothing if it cannot run."""
        if not self.python.exists():
            return ""
        asks = "import sys, pip; print('{}.{}'.format(*sys.version_info))"
        answer = subprocess.run([str(self.python), "-c", asks], capture_output=True, text=True)
        return answer.stdout.strip() if answer.returncode == 0 else ""

    def written(self) -> dict[str, str]:
        """What the stamp says, or nothing if there is none that can be read."""
        try:
            return dict(json.loads(self.stamp.read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return {}

    def is_ready(self) -> bool:
        """Whether the environment is whole and holds what the files ask for."""
        if self.unfinished.exists() or not self.stamp.exists():
            return False
        return self.written() == self.wanted()

    def is_current(self) -> bool:
        """Whether this process runs in the environment."""
        return Path(sys.prefix).resolve() == self.folder.resolve()

    def ensure(self) -> bool:
        """Make or repair the environment if it needs that; return whether it did.

        Raises:
            SetupError: if Python is too old, files are missing, or an installation fails.
        """
        self._check()
        if self.is_ready():
            return False
        try:
            with turn(self.root / ".venv.lock", "the set-up", self.say):
                # Another call may have done it meanwhile.
                return not self.is_ready() and self._install()
        except OSError as error:
            raise SetupError(in_words(error) or str(error)) from error

    def _install(self) -> bool:
        started = time.monotonic()
        if not self.can_be_kept():
            self._create()
        self.unfinished.touch()
        self.stamp.unlink(missing_ok=True)
        for says, arguments in self.installations():
            self.say(says)
            self._pip(*arguments)
        temporary = self.stamp.with_suffix(".tmp")
        temporary.write_text(json.dumps(self.wanted(), indent=1), "utf-8")
        os.replace(temporary, self.stamp)
        self.unfinished.unlink()
        self.say(f"Set-up finished after {time.monotonic() - started:.0f} s.")
        return True

    def _check(self) -> None:
        if sys.version_info < OLDEST:
            found = "{}.{}.{}".format(*sys.version_info)
            raise SetupError(
                f"Python {found} runs this, but the book needs Python {OLDEST[0]}.{OLDEST[1]} or "
                f"newer: try python3.11 -m stablib.book"
            )
        for name in ("requirements.txt", "pyproject.toml"):
            if not (self.root / name).is_file():
                raise SetupError(
                    f"there is no {name} in {self.root}: the book is made in a checkout of its "
                    f"repository, not from an installed stablib"
                )

    def can_be_kept(self) -> bool:
        """Whether what there is can be completed: a whole environment, made here, new enough."""
        if self.unfinished.exists() or not self.python.exists():
            return False
        wanted, written = self.wanted(), self.written()
        if any(written and written.get(key) != wanted[key] for key in ("python", "place")):
            return False
        version = wanted["python"]
        return bool(version) and tuple(map(int, version.split("."))) >= OLDEST

    def _create(self) -> None:
        if self.is_current():
            raise SetupError(
                f"the environment that runs this, {self.folder}, is not whole: call the same "
                f"command with a Python outside of it"
            )
        if self.folder.exists():
            self.say(f"Removing {self.folder}, whose set-up was not finished or is out of date ...")
            shutil.rmtree(self.folder)
        self.say(f"Creating {self.folder} with {sys.executable} ...")
        self.folder.mkdir()
        self.unfinished.touch()
        try:
            venv.create(self.folder, with_pip=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise SetupError(
                f"the environment could not be created ({error}); on Debian and Ubuntu, "
                f"apt install python3-venv may be missing"
            ) from error

    def installations(self) -> list[tuple[str, list[str]]]:
        """What is installed: a sentence for the reader, and pip's arguments, in order.

        Modules are compiled when they are imported first, a few of the thousands that there are.
        """
        return [
            (
                "Installing what requirements.txt lists (some minutes, once) ...",
                ["install", "--requirement", str(self.root / "requirements.txt"), "--no-compile"],
            ),
            (
                "Installing stablib itself ...",
                ["install", "--no-deps", "--no-build-isolation", "--editable", str(self.root)],
            ),
        ]

    def _pip(self, *arguments: str) -> None:
        command = [
            str(self.python),
            "-m",
            "pip",
            "--disable-pip-version-check",
            *arguments,
            "--progress-bar=off",
        ]
        # pip's hundreds of lines "Requirement already satisfied" and "Collecting" are kept from
        # the screen unless it fails; one line a package shows that it is alive.
        process = subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            cwd=self.root,
        )
        lines = []
        try:
            for line in process.stdout:
                lines.append(line)
                if line.strip().startswith(("Downloading", "Installing", "Successfully")):
                    self.say("  " + _short(line))
        finally:
            if process.poll() is None and sys.exc_info()[0] is not None:
                process.terminate()
        if process.wait() != 0:
            self.say("".join(lines[-25:]).rstrip())
            raise SetupError(
                f"pip {arguments[0]} failed, its last lines are above: check the network and the "
                f"free disk space (3 GB), then call the same command again"
            )


def interpreter(folder: Path) -> Path:
    """The interpreter of the virtual environment in a folder."""
    return folder.joinpath(*(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))


def _short(line: str, width: int = 100) -> str:
    line = " ".join(line.split())
    return line if len(line) <= width else line[: width - 4] + " ..."


def in_words(error: OSError) -> str:
    """What to do about a place that cannot be written to; empty for any other error.

    Example:
        >>> in_words(OSError(errno.ENOSPC, "", "a.csv"))[:43]
        'a.csv cannot be written, the disk is full; '
    """
    where = getattr(error, "filename", None) or "a file"
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        why = os.strerror(error.errno)
        return f"{where} cannot be written ({why}): copy the checkout to a folder of your own"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{where} cannot be written, the disk is full; what was finished is kept: "
            f"make room, then call the same command again"
        )
    return ""


def run_inside(environment: Environment, arguments: list[str]) -> int:
    """Run `python -m stablib.book` again, with the environment's Python; return its exit code.

    Whatever stops this process stops the other one: what can be caught is passed on, and for the rest
    the other one watches this one (`ends_with_the_caller`).
    """
    program = environment.root / "stablib" / "book" / "__main__.py"
    command = [str(environment.python), str(program), *arguments]
    with interruptible():
        # Not os.execv: on Windows that returns to the prompt while the work goes on.
        process = subprocess.Popen(command, env={**os.environ, CALLER: str(os.getpid())})
        try:
            return process.wait()
        except KeyboardInterrupt:
            # Ctrl-C reaches both, and the other one has kernels to end; any other signal reaches this one.
            for patience, stronger in ((3, process.terminate), (20, process.kill)):
                try:
                    process.wait(patience)
                    break
                except subprocess.TimeoutExpired:
                    stronger()
            process.wait()
            return 130


def keep_bytecode(variables: MutableMapping[str, str], folder: Path) -> None:
    """Keep compiled modules in a folder of the book's own if the user wants none beside the sources.

    Under PYTHONDONTWRITEBYTECODE each kernel and each worker of the tests would compile torch and SciPy
    anew, for seconds; what the variable asks for is respected all the same.

    Args:
        variables: the environment variables, changed in place.
        folder: where compiled modules go, unless PYTHONPYCACHEPREFIX says where.
    """
    if variables.pop("PYTHONDONTWRITEBYTECODE", ""):
        variables.setdefault("PYTHONPYCACHEPREFIX", str(folder))


CALLER = "STABLIB_CALLER"


def ends_with_the_caller() -> None:
    """Let this process end when `run_inside` has, in the process that called it."""
    if os.environ.get(CALLER) == str(os.getppid()):
        end_with(os.getppid())


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """A context in which other requests to stop are what Ctrl-C is; one that nohup took away stays away."""

    def stop(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    known = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    heard = [number for number in known if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
