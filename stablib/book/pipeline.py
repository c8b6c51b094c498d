"""The length of the book: run every chapter, gather the sources, hand them to the builder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stablib.book import notebooks
from stablib.book.environment import CALLER, ROOT
from stablib.book.unfinished import Unfinished
from stablib.training.turns import turn

BUILD = ROOT / "_build"
HTML = BUILD / "html"
# What the builder reads, beside the executed notebooks.
SOURCES = ("_config.yml", "_toc.yml", "references.bib", "CHANGELOG.md", "pages", "assets", "vendor")
TOGETHER = 2  # chapters at once; each kernel computes on one core


def quiet_environment(base: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment variables under which chapters run, so that machines differ less.

    One thread for each kernel: two that share two cores slow each other down several times. No
    progress bars, no settings of the user's own IPython or matplotlib.
    """
    own = dict(os.environ if base is None else base)
    for library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "NUMBA_NUM", "VECLIB_MAXIMUM"):
        own[f"{library}_THREADS"] = "1"
    own |= {
        "TQDM_DISABLE": "1",
        "IPYTHONDIR": str(BUILD / "settings" / "ipython"),
        "MPLCONFIGDIR": str(BUILD / "settings" / "matplotlib"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "JUPYTER_PLATFORM_DIRS": "1",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    own.pop("MPLBACKEND", None)
    return own


def warm_up() -> None:
    """Let matplotlib list the fonts once, or the first chapter prints that it does."""
    environment = quiet_environment()
    for name in ("IPYTHONDIR", "MPLCONFIGDIR"):
        Path(environment[name]).mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", "import matplotlib.font_manager"]
    subprocess.run(command, env=environment, stderr=subprocess.DEVNULL, check=False)


@dataclass(frozen=True)
class Outcome:
    """What became of a chapter: its name, the seconds it took, and its error or an empty text."""

    name: str
    seconds: float
    error: str


def run_chapters(
    texts: list[Path],
    results: Path,
    *,
    together: int = TOGETHER,
    say: Callable[[str], object] = print,
    ended: Callable[[Path], object] = lambda text: None,
) -> list[Outcome]:
    """Run chapters from their texts, some at once; a failing one stops no other.

    An interruption ends those that run, and starts no further one.

    Args:
        texts: the chapters, `NN_slug.md`.
        results: the folder for the notebooks; one is replaced only when its chapter succeeded.
        together: how many run at once.
        say: where progress goes, line by line.
        ended: called with the text of each chapter whose notebook has been written.

    Returns:
        One outcome for each chapter, in their order.
    """
    warm_up()
    running = _Running()

    def run(text: Path) -> Outcome:
        say(f"  {text.stem} ...")
        outcome = _run_chapter(text, results, running)
        if not running.stopped:
            what = f"FAILED in {outcome.error}" if outcome.error else "done"
            say(f"  {text.stem}: {what} ({outcome.seconds:.1f} s)")
        if not outcome.error:
            ended(text)
        return outcome

    pool = ThreadPoolExecutor(max(1, min(together, os.cpu_count() or 1)))
    try:
        jobs = [pool.submit(run, text) for text in texts]
        return [job.result() for job in jobs]
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        running.stop()
        raise
    finally:
        pool.shutdown()


class _Running:
    """The processes of the chapters that run now; once stopped, there will be no others."""

    def __init__(self) -> None:
        self.lock, self.stopped = threading.Lock(), False
        self.processes: set[subprocess.Popen[str]] = set()

    def start(self, command: list[str]) -> subprocess.Popen[str]:
        with self.lock:
            if self.stopped:
                raise KeyboardInterrupt
            process = subprocess.Popen(
                command,
                env=quiet_environment() | {CALLER: str(os.getpid())},
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="replace",
            )
            self.processes.add(process)
            return process

    def stop(self) -> None:
        """End them; each shuts down its kernel, or leaves that to the kernel if it is too slow."""
        with self.lock:
            self.stopped = True
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()


def _run_chapter(text: Path, results: Path, running: _Running) -> Outcome:
    started = time.monotonic()
    command = [sys.executable, "-m", "stablib.book.execute", text, results / f"{text.stem}.ipynb"]
    process = running.start([str(part) for part in command])
    out, err = process.communicate()
    error = ""
    if process.returncode:
        error = out.strip() or err.strip() or f"exit code {process.returncode}"
    return Outcome(text.stem, time.monotonic() - started, error)


def failures(outcomes: list[Outcome]) -> str:
    """One line for each chapter that failed, or an empty text."""
    return "\n".join(
        f"{outcome.name}.md failed in {outcome.error.splitlines()[0]}"
        for outcome in outcomes
        if outcome.error
    )


def gather(executed: Path, source: Path, root: Path = ROOT) -> None:
    """Put what the builder reads into one folder: settings, pages, executed notebooks and their texts.

    Args:
        executed: the folder of the notebooks.
        source: the folder to make; what was there is removed.
        root: the checkout.
    """
    shutil.rmtree(source, ignore_errors=True)
    (source / "chapters").mkdir(parents=True)
    for name in SOURCES:
        origin = root / name
        if origin.is_dir():
            shutil.copytree(origin, source / name)
        elif origin.exists():
            shutil.copy2(origin, source / name)
    for notebook in sorted(executed.glob("*.ipynb")):
        shutil.copy2(notebook, source / "chapters" / notebook.name)
        # The text is no page; readers may take it along.
        text = root / "chapters" / f"{notebook.stem}.md"
        if text.exists():
            shutil.copy2(text, source / "chapters" / text.name)


def build_html(executed: Path, say: Callable[[str], object] = print) -> Path:
    """Build the HTML book from executed notebooks; return its first page.

    Args:
        executed: the folder of the notebooks.
        say: told if another process builds pages, which is then waited for.

    Raises:
        stablib.book.site.BookError: if the builder complains about anything.
    """
    from stablib.book import site

    source = BUILD / "source"
    # Other commands than `book` build pages, too, in the same place; that takes a minute.
    with turn(BUILD / "turns" / "pages", "the pages", say):
        gather(executed, source)
        site.build(source, HTML)
    return HTML / "index.html"


def make_book(say: Callable[[str], object] = print) -> int:
    """Run all chapters, build the book from them, and say where it is; return the exit code.

    The committed notebooks are not touched, nor read. After an interruption only the chapters that are
    left are run.
    """
    from stablib.book import site

    executed = BUILD / "notebooks"
    texts = notebooks.texts(ROOT / "chapters")
    with Unfinished("book", executed) as unfinished:
        left = unfinished.left(texts, say)
        kept = {unfinished.notebook(text) for text in texts if text not in left}
        for other in {*executed.glob("*")} - kept:
            other.unlink()
        say(f"Running {len(left)} chapters:")
        failed = failures(run_chapters(left, executed, say=say, ended=unfinished.note))
        if failed:
            say(f"\n{failed}\nThe book was not built.")
            return 1
        say("Building the pages ...")
        try:
            page = build_html(executed, say)
        except (site.BookError, ValueError) as error:
            say(f"The book was not built: {error}")
            return 1
    say(f"The book is at {page}")
    return 0


def make_notebooks(
    names: list[str], say: Callable[[str], object] = print, folder: Path = ROOT / "chapters"
) -> int:
    """Run chapters and replace their committed notebooks; return the exit code.

    After an interruption the same call runs only the chapters that are left.

    Args:
        names: chapters, by number or name ("08", "08_mnist_experiments"); none means all.
        say: where progress goes.
        folder: the chapters, texts and notebooks.
    """
    texts = notebooks.texts(folder)
    for name in names:
        if not any(_named(text, name) for text in texts):
            say(f"There is no chapter {name}; there are {', '.join(text.stem for text in texts)}.")
            return 2
    chosen = [text for text in texts if not names or any(_named(text, name) for name in names)]
    for half in folder.glob(".*.ipynb.*.partial"):  # of a process that was killed while it wrote
        half.unlink(missing_ok=True)
    with Unfinished("notebooks", folder) as unfinished:
        left = unfinished.left(chosen, say)
        say(f"Running {len(left)} chapters:")
        failed = failures(run_chapters(left, folder, say=say, ended=unfinished.note))
    if failed:
        say(f"\n{failed}\nThe notebooks of these chapters are as they were.")
        return 1
    return 0


def _named(text: Path, name: str) -> bool:
    stem = Path(name).name.removesuffix(".md").removesuffix(".ipynb")
    return text.stem == stem or text.stem.startswith(f"{stem}_")
