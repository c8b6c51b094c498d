"""`python -m stablib.book COMMAND`: set up the environment if need be, then do the work in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

if not __package__:  # called by its path, from any folder
    sys.path[0] = str(Path(__file__).resolve().parents[2])

from stablib.book.environment import Environment, SetupError, keep_bytecode, run_inside

COMMANDS = {
    "setup": "create .venv and install everything into it (the others do it, too)",
    "book": "run all chapters, build the HTML book, print the path to open",
    "pdf": "the whole book as one PDF, from the committed notebooks, by LaTeX",
    "test": "every check that CI runs; --only STEP[,STEP] for some of them",
    "test-full": "the same with longer searches: 1,000 examples a property, twenty kills",
    "notebooks": "run all chapters (or those named) and replace the committed notebooks",
    "check": "compare the committed notebooks with the chapters' texts, running nothing",
    "format": "format modules, tests, and the code in the chapters' texts",
    "results": "compute all tables in results/ from nothing",
    "ledger": "check all claims, print verdicts and margins, write results/ledger.json",
    "bench": "measure the library beside what else there is, for the page of benchmarks",
    "lab": "open the chapters in JupyterLab",
    "tour": "take the README's screenshots from the built book",
    "lock": "compile requirements.in into requirements.txt",
    "release": "build the wheel and the source archive of a tagged commit",
    "clean": "remove _build (finished runs in _runs and the environment stay)",
}


def usage() -> str:
    """Return the list of commands."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {says}" for name, says in COMMANDS.items()]
    return "\n".join(["python -m stablib.book COMMAND", "", *lines])


def main(arguments: list[str]) -> int:
    """Do what the command line says; return the exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0
    if arguments[0] not in COMMANDS:
        print(f"there is no command {arguments[0]!r}\n\n{usage()}", file=sys.stderr)
        return 2
    environment = Environment(say=lambda text: print(text, flush=True))
    try:
        environment.ensure()
    except SetupError as error:
        print(f"Set-up: {error}.", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Set-up was interrupted; the next call starts it afresh.", file=sys.stderr)
        return 130
    keep_bytecode(os.environ, environment.folder / "bytecode")
    if not environment.is_current():
        return run_inside(environment, arguments)
    from stablib.book.commands import run

    return run(arguments[0], arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
