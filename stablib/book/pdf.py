"""The printed book: `python -m stablib.book pdf`.

It shows the committed notebooks, which `python -m stablib.book check` holds against their texts, and
so runs no chapter. Sphinx writes the LaTeX sources, every warning an error; latexmk makes one PDF of
them. Its log is read, too: a reference that leads nowhere, or a letter that no font has, fails the
command; a line that runs into the margin is named.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from stablib.book import pipeline, site
from stablib.book.environment import ROOT

FOLDER = pipeline.BUILD / "pdf"
PDF = FOLDER / "minima-stability.pdf"
# What is needed, and what brings it.
PROGRAMS = ("latexmk", "xelatex", "kpsewhich", "rsvg-convert")
FILES = (
    "unicode-math.sty",
    "titlesec.sty",
    "tcolorbox.sty",
    "texgyrepagella-regular.otf",
    "texgyrepagella-math.otf",
    "texgyreheros-regular.otf",
)
DEBIAN = (
    "latexmk texlive-xetex texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended "
    "fonts-texgyre fonts-texgyre-math librsvg2-bin"
)
TOO_WIDE = 3.0  # points beyond the margin that nobody sees


def missing() -> str:
    """One sentence that names what is not there and how to install it; empty if all is."""
    gone = [name for name in PROGRAMS if shutil.which(name) is None]
    if "kpsewhich" not in gone:
        gone += [name for name in FILES if not _has(name)]
    if not gone:
        return ""
    return (
        f"The PDF needs {', '.join(gone)}, not found here: on Debian or Ubuntu "
        f"`apt-get install --no-install-recommends {DEBIAN}` brings what is needed, on macOS "
        "`brew install --cask mactex-no-gui` and `brew install librsvg`."
    )


def _has(name: str) -> bool:
    found = subprocess.run(["kpsewhich", name], capture_output=True, check=False)
    return found.returncode == 0


def make_pdf(arguments: list[str], say: Callable[[str], object] = print) -> int:
    """Build the printed book and say where it is; return the exit code."""
    if arguments:
        say(f"pdf takes no argument; given was {' '.join(arguments)}.")
        return 2
    lacking = missing()
    if lacking:
        say(lacking)
        return 1
    try:
        say("Writing the LaTeX sources ...")
        latex = write_latex(ROOT / "chapters")
        say("Running LaTeX, three times ...")
        log = typeset(latex, PDF)
    except (site.BookError, ValueError) as error:
        say(f"The PDF was not built: {error}")
        return 1
    wrong = complaints(log)
    for line in [*wrong, *too_wide(log)]:
        say(f"  {line}")
    say(f"The PDF is at {PDF}")
    return 1 if wrong else 0


def write_latex(executed: Path, folder: Path = FOLDER) -> Path:
    """Write the book's LaTeX sources from executed notebooks; return their folder. Needs no LaTeX.

    Raises:
        stablib.book.site.BookError: if the builder complains about anything.
    """
    import matplotlib

    import stablib

    source, latex = folder / "source", folder / "latex"
    pipeline.gather(executed, source)
    site.build_latex(source, latex)
    # The letters of code have to hold what NumPy users print; matplotlib brings a font that does.
    fonts = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    for font in sorted(fonts.glob("DejaVuSansMono*.ttf")):
        shutil.copy2(font, latex / font.name)
    for still in sorted((ROOT / "assets" / "print").glob("*.png")):
        shutil.copy2(still, latex / still.name)
    for drawing in sorted((ROOT / "assets").glob("*.svg")):
        shutil.copy2(drawing, latex / drawing.name)
    data = f"\\newcommand{{\\bookversion}}{{{stablib.__version__}}}\n"
    (latex / "bookdata.tex").write_text(data, encoding="utf-8")
    return latex


def typeset(latex: Path, pdf: Path) -> str:
    """Run latexmk on book.tex in the folder `latex`; return LaTeX's log.

    Raises:
        stablib.book.site.BookError: if LaTeX fails; an older `pdf` is then left as it was.
    """
    options = [
        "-norc",
        "-xelatex",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-file-line-error",
    ]
    # Two builds give the same bytes: no clock, neither in the dates nor in the file's identity.
    epoch = {
        "SOURCE_DATE_EPOCH": os.environ.get("SOURCE_DATE_EPOCH", "0"),
        "FORCE_SOURCE_DATE": "1",
    }
    environment = {**os.environ, **epoch, "max_print_line": "10000"}
    for drawing in sorted(latex.glob("*.svg")):
        command = ["rsvg-convert", "-f", "pdf", "-o", f"{drawing.stem}.pdf", drawing.name]
        subprocess.run(command, cwd=latex, env=environment, check=True)
    done = subprocess.run(
        ["latexmk", *options, "book.tex"],
        cwd=latex,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    log = latex / "book.log"
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else done.stdout
    if done.returncode:
        raise site.BookError(f"latexmk failed; the end of {log} is:\n{text[-3000:]}")
    pdf.parent.mkdir(parents=True, exist_ok=True)
    os.replace(latex / "book.pdf", pdf)
    return text


def complaints(log: str) -> list[str]:
    """What in a LaTeX log would leave a reader without something: links, letters; each once.

    Example:
        >>> complaints("LaTeX Warning: Label `a' multiply defined.\\nfine")
        ["LaTeX Warning: Label `a' multiply defined."]
    """
    pattern = re.compile(
        r"^! |^\S+:\d+: |Missing character|LaTeX Warning: (Reference|Citation|Hyper reference)"
        r"|multiply.defined|undefined on input|LaTeX Font Warning: .*undefined"
    )
    return list(dict.fromkeys(line.strip() for line in log.splitlines() if pattern.search(line)))


def too_wide(log: str) -> list[str]:
    """The lines of a LaTeX log that tell of text in the margin, so far that an eye sees it.

    Example:
        >>> too_wide("Overfull \\\\hbox (45.2pt too wide) in paragraph at lines 3--4")
        ['Overfull \\\\hbox (45.2pt too wide) in paragraph at lines 3--4']
        >>> too_wide("Overfull \\\\hbox (0.2pt too wide) in paragraph at lines 3--4")
        []
    """
    found = re.finditer(r"^Overfull \\hbox \(([\d.]+)pt too wide\).*$", log, re.MULTILINE)
    lines = [match[0].strip() for match in found if float(match[1]) > TOO_WIDE]
    return list(dict.fromkeys(lines))
