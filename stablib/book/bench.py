"""`make bench`: an environment with what the library is compared to, the measurements, their pictures."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

from stablib.book import pipeline
from stablib.book.environment import ROOT, interpreter

FOLDER = ROOT / ".venv-bench"
REQUIREMENTS = ROOT / "benchmarks" / "requirements.txt"


def prepare(say: Callable[[str], object], folder: Path = FOLDER) -> Path:
    """The interpreter of the benchmarks' environment, which is made, or made anew, if need be.

    It sees the book's own packages; on top of these it has what benchmarks/requirements.txt lists, so that
    both sides of a comparison use the same NumPy and the same torch.

    Args:
        say: where progress goes.
        folder: of the environment.

    Raises:
        subprocess.CalledProcessError: if a package cannot be installed.
    """
    python = interpreter(folder)
    book = sysconfig.get_path("purelib")
    content = REQUIREMENTS.read_bytes() + book.encode()
    stamp, wanted = folder / "stablib-ready", hashlib.sha256(content).hexdigest()
    if stamp.exists() and stamp.read_text("utf-8") == wanted:
        return python
    say("Setting up .venv-bench with what the library is compared to ...")
    venv.create(folder, with_pip=True, clear=True)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    own = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True)
    (Path(own.stdout.strip()) / "book.pth").write_text(f"{book}\n", "utf-8")
    install = [python, "-m", "pip", "--disable-pip-version-check", "install", "-q"]
    subprocess.run([*install, "--requirement", REQUIREMENTS], check=True)
    stamp.write_text(wanted, "utf-8")
    return python


def measure(arguments: list[str], say: Callable[[str], object] = print) -> int:
    """Run benchmarks/measure.py and draw what it found; return the exit code.

    Args:
        arguments: of the script; `commands` takes over the times of `make book` and `make test` alone.
        say: where progress goes.
    """
    try:
        python = Path(sys.executable) if arguments == ["commands"] else prepare(say)
    except subprocess.CalledProcessError as error:
        say(f"The benchmarks' environment could not be made: {error}")
        return 1
    environment = pipeline.quiet_environment() | {"PYTHONPATH": str(ROOT)}
    script = ROOT / "benchmarks" / "measure.py"
    if code := subprocess.call([python, script, *arguments], cwd=ROOT, env=environment):
        return code
    from stablib.book import measured_pictures

    measured_pictures.write()
    say("Written: benchmarks/measured.json, and the pictures of the benchmarks' page in assets/.")
    return 0
