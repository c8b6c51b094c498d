"""The length of the book: run every chapter, gather the sources, hand them to the builder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from stablib.book import notebooks
from stablib.book.environment import ROOT

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
) -> list[Outcome]:
    """Run chapters from their texts, some at once; a failing one stops no other.

    Args:
        texts: the chapters, `NN_slug.md`.
        results: the folder for the notebooks; one is replaced only when its chapter succeeded.
        together: how many run at once.
        say: where progress goes, line by line.

    Returns:
        One outcome for each chapter, in their order.
    """
    warm_up()
    with ThreadPoolExecutor(max(1, min(together, os.cpu_count() or 1))) as pool:
        jobs = [pool.submit(_run_chapter, text, results, say) for text in texts]
        return [job.result() for job in jobs]


def _run_chapter(text: Path, results: Path, say: Callable[[str], object]) -> Outcome:
    say(f"  {text.stem} ...")
    started = time.monotonic()
    command = [sys.executable, "-m", "stablib.book.execute", text, results / f"{text.stem}.ipynb"]
    done = subprocess.run(
        [str(part) for part in command],
        env=quiet_environment(),
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    seconds = time.monotonic() - started
    error = ""
    if done.returncode:
        error = done.stdout.strip() or done.stderr.strip() or f"exit code {done.returncode}"
    say(f"  {text.stem}: {f'FAILED in {error}' if error else 'done'} ({seconds:.1f} s)")
    return Outcome(text.stem, seconds, error)


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


def build_html(executed: Path) -> Path:
    """Build the HTML book from executed notebooks; return its first page.

    Raises:
        stablib.book.site.BookError: if the builder complains about anything.
    """
    from stablib.book import site

    source = BUILD / "source"
    gather(executed, source)
    site.build(source, HTML)
    return HTML / "index.html"


def make_book(say: Callable[[str], object] = print) -> int:
    """Run all chapters, build the book from them, and say where it is; return the exit code.

    The committed notebooks are not touched, nor read.
    """
    from stablib.book import site

    executed = BUILD / "notebooks"
    shutil.rmtree(executed, ignore_errors=True)
    texts = notebooks.texts(ROOT / "chapters")
    say(f"Running {len(texts)} chapters:")
    failed = failures(run_chapters(texts, executed, say=say))
    if failed:
        say(f"\n{failed}\nThe book was not built.")
        return 1
    say("Building the pages ...")
    try:
        page = build_html(executed)
    except (site.BookError, ValueError) as error:
        say(f"The book was not built: {error}")
        return 1
    say(f"The book is at {page}")
    return 0


def make_notebooks(
    names: list[str], say: Callable[[str], object] = print, folder: Path = ROOT / "chapters"
) -> int:
    """Run chapters and replace their committed notebooks; return the exit code.

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
    say(f"Running {len(chosen)} chapters:")
    failed = failures(run_chapters(chosen, folder, say=say))
    if failed:
        say(f"\n{failed}\nThe notebooks of these chapters are as they were.")
        return 1
    return 0


def _named(text: Path, name: str) -> bool:
    stem = Path(name).name.removesuffix(".md").removesuffix(".ipynb")
    return text.stem == stem or text.stem.startswith(f"{stem}_")
