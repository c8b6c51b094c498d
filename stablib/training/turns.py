"""Processes that share a checkout: one at a time where that matters, and none that outlives its parent.

Only the standard library is imported here, and nothing newer than Python 3.9 is used: the set-up of
the environment takes turns, too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Callable  # noqa: UP035 - reached by Python 3.9


class Busy(RuntimeError):
    """Another process has the turn; the message says which, and what to do."""


@contextlib.contextmanager
def turn(path: Path, what: str, say: Callable[[str], object] | None = None) -> Iterator[bool]:
    """Have the turn at what only one process at a time may do.

    The lock is one of the operating system's and goes with the process that holds it, however that
    ends: a dead process blocks nobody, nor does a living one that got its number. The file stays, with
    the number of the process that had the turn last. Where there are no locks, on some network disks,
    everybody has the turn.

    Args:
        path: the file of the lock; its folder is made.
        what: is done, in words such as "the table fig4".
        say: told once if another process has the turn, which is then waited for; with None it is not.

    Returns:
        A context, of which the value is whether the turn had to be waited for.

    Raises:
        Busy: if another process has the turn and is not waited for.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "a+", encoding="utf-8") as file:
        waited = False
        while not try_lock(file):
            file.seek(0)
            number = file.read().strip()
            who = f"Process {number}" if number else "Another process"
            if say is None:
                raise Busy(
                    f"{who} is at work on {what}: call the same command again when it has ended"
                )
            if not waited:
                say(f"{who} is at work on {what}; waiting for it ...")
                waited = True
            time.sleep(0.1)
        try:
            with contextlib.suppress(OSError):  # a full disk has no room for a number
                file.truncate(0)
                file.write(f"{os.getpid()}\n")
                file.flush()
            yield waited
        finally:
            _unlock(file)


def try_lock(file: IO[str]) -> bool:
    """Lock an open file unless another process has; return whether this one has it now."""
    try:
        if os.name == "nt":
            import msvcrt

            file.seek(_FAR)  # what is locked can be read by nobody else
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EAGAIN, errno.EACCES, errno.EDEADLK)
    return True


_FAR = 1 << 30


def _unlock(file: IO[str]) -> None:
    # Said aloud: a child made by a fork holds the file open, and with it the lock.
    with contextlib.suppress(OSError):
        if os.name == "nt":
            import msvcrt

            file.seek(_FAR)
            msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_UN)


def end_with(parent: int) -> None:
    """Let this process end when its parent has, in the midst of its work if need be.

    Workers of joblib would finish their run, be that hours, and then wait for minutes for another one.

    Args:
        parent: its number; if that is no longer the parent's, this process ends at once.
    """
    name = "stablib: does the parent live?"
    if any(thread.name == name for thread in threading.enumerate()):
        return

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, name=name, daemon=True).start()
