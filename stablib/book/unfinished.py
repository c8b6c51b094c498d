"""What a call that runs chapters has done so far, so that the next one can go on if it is interrupted."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from stablib.book.environment import ROOT
from stablib.book.ledger import fingerprint
from stablib.training.files import write_atomically


def record(command: str) -> Path:
    """The file of what an interrupted call of a command has done."""
    return ROOT / "_build" / f"unfinished-{command}.json"


class Unfinished:
    """The chapters that have been run by a call that has not ended, kept in a file until it has.

    Each is known by its text, its notebook, and all of the library and of the results: if any of them
    has changed, the chapter is run again. No clock is asked. As a context it forgets them when the call
    ends, be it with chapters that failed, and keeps them when it is interrupted or killed.

    Args:
        command: whose chapters they are.
        folder: where the notebooks are.
    """

    def __init__(self, command: str, folder: Path) -> None:
        self.path, self.folder = record(command), folder
        self.lock = threading.Lock()  # chapters end side by side
        self.done: dict[str, str] = {}

    def notebook(self, text: Path) -> Path:
        """The notebook of a chapter."""
        return self.folder / f"{text.stem}.ipynb"

    def left(self, texts: list[Path], say: Callable[[str], object]) -> list[Path]:
        """Those chapters of `texts` that have to be run; the others are told."""
        self.state = fingerprint()
        try:
            done = dict(json.loads(self.path.read_bytes()))
        except (OSError, ValueError, TypeError):
            done = {}
        kept = [text for text in texts if done.get(str(text)) == self._mark(text)]
        self.done = {str(text): done[str(text)] for text in kept}
        if kept:
            names = ", ".join(text.stem for text in kept)
            say(f"The last call was interrupted after {names}: it goes on from there.")
        return [text for text in texts if text not in kept]

    def note(self, text: Path) -> None:
        """Write down that a chapter has been run."""
        with self.lock:
            self.done[str(text)] = self._mark(text)
            write_atomically(self.path, json.dumps(self.done, indent=1).encode())

    def _mark(self, text: Path) -> str:
        digest = hashlib.sha256(self.state.encode())
        others = (ROOT / "requirements.txt", ROOT / "results" / "ledger.json")
        for path in (text, self.notebook(text), *others):
            digest.update(path.read_bytes() if path.exists() else b"none")
            digest.update(b"\0")
        return digest.hexdigest()

    def __enter__(self) -> Unfinished:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.path.unlink(missing_ok=True)
