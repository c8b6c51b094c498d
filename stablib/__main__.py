"""`python -m stablib diagnose MODEL.pt DATA.npz`: diagnose a trained network from the command line."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Sequence
from typing import Any, NoReturn

_MODEL_HELP = """a state_dict as torch.save(module.state_dict(), "MODEL.pt") writes it: two weight
matrices (k, d) and (1, k), with or without biases, under any names. The activation between the two
layers leaves no trace in it and is taken to be ReLU."""
_DATA_HELP = """what numpy.savez("DATA.npz", X=X, y=y) writes: points X of shape (n, d) and labels y of
shape (n,)"""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One sentence, without the usage above it."""
        self.exit(2, f"stablib: {message}\n")


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = _Parser(
        prog="python -m stablib",
        description="Minima stability of shallow ReLU networks.",
        epilog="python -m stablib COMMAND --help says more.",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    diagnose = commands.add_parser(
        "diagnose",
        help="how sharp a trained network is, must be and could be, and who could have found it",
        description="Say how sharp a minimum is, how sharp it must be, how flat it could be, and which "
        "step sizes and batch sizes could have found it. The loss is (1/2n) sum (f(x_j) - y_j)^2.",
        epilog="Exit status: 0, or 2 with one sentence on stderr where an input cannot be used.",
    )
    diagnose.add_argument("model", metavar="MODEL.pt", help=_MODEL_HELP)
    diagnose.add_argument("data", metavar="DATA.npz", help=_DATA_HELP)
    diagnose.add_argument(
        "--step-size",
        type=float,
        metavar="ETA",
        help="check what stability at this step size demands",
    )
    diagnose.add_argument(
        "--batch-size", type=int, metavar="B", help="of SGD without replacement; default: 1 and 16"
    )
    diagnose.add_argument(
        "--plot", metavar="FILE.png", help="draw where the slack goes, in the format of the ending"
    )
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        arguments: the words after the program's name; by default those of the command line.

    Returns:
        The exit status, 0. Bad input ends the program with 2 and one sentence on stderr.
    """
    top = parser()
    asked = top.parse_args(arguments)
    if asked.command is None:
        top.print_help()
        return 0
    try:
        print(_diagnose(asked))
    except ValueError as error:
        print(f"stablib: {error}", file=sys.stderr)
        return 2
    return 0


def _diagnose(asked: argparse.Namespace) -> str:
    from .diagnosis import diagnose
    from .network import ShallowReLU

    if asked.plot is not None:
        _needs("matplotlib", "--plot", "pip install matplotlib")
    net = ShallowReLU(*_model(asked.model))
    X, y = _data(asked.data)
    found = diagnose(net, X, y, step_size=asked.step_size, batch_size=asked.batch_size)
    if asked.plot is not None:
        try:
            found.plot().savefig(asked.plot)
        except (OSError, ValueError) as error:
            raise ValueError(f"{asked.plot} cannot be written: {_first_line(error)}") from None
    return f"{found}\n\nThe activation was taken to be ReLU; {asked.model} does not tell."


def _needs(module: str, purpose: str, remedy: str) -> None:
    from importlib import import_module

    try:
        import_module(module)
    except ImportError:
        raise ValueError(f"{purpose} needs {module}, which is not installed: {remedy}") from None


def _model(path: str) -> tuple[Any, ...]:
    """W1, b1, w2, b2 from the file of a state_dict; nothing but tensors is ever unpickled."""
    from collections.abc import Mapping

    from .modules import parameters_of_state

    _exists(path)
    _needs("torch", "reading a model", "pip install torch")
    import torch

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what torch warns of is refused below
            state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception:
        raise ValueError(
            f"{path} cannot be read as tensors: it is damaged, or holds something else (a whole module?); "
            "a file that torch.save(module.state_dict(), path) wrote is needed"
        ) from None
    if not isinstance(state, Mapping):
        raise ValueError(f"{path} holds one {type(state).__name__}; a state_dict is needed")
    for key, value in state.items():
        if not isinstance(value, torch.Tensor):
            raise ValueError(
                f"{path} holds {key!r}, which is {type(value).__name__} and no tensor; "
                "a state_dict alone is needed"
            )
    try:
        return parameters_of_state(state)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def _data(path: str) -> tuple[Any, Any]:
    """X and y of an .npz file; nothing is unpickled."""
    import numpy as np

    _exists(path)
    with open(path, "rb") as file:
        try:
            stored = np.load(file, allow_pickle=False)
            arrays = dict(stored) if isinstance(stored, np.lib.npyio.NpzFile) else None
        except Exception as error:  # zipfile, zlib and NumPy know some ten kinds of damage
            why = _first_line(error)
            raise ValueError(f"{path} cannot be read as an .npz file of arrays ({why})") from None
    if arrays is None:
        raise ValueError(f"{path} holds one array; an .npz file with X and y is needed")
    missing = [name for name in ("X", "y") if name not in arrays]
    if missing:
        has = ", ".join(list(arrays)[:8]) or "nothing"
        raise ValueError(f"{path} has no {' and no '.join(missing)}; it holds {has}")
    return arrays["X"], arrays["y"]


def _exists(path: str) -> None:
    from pathlib import Path

    try:
        with Path(path).open("rb"):
            pass
    except OSError as error:
        raise ValueError(f"{path} cannot be opened: {error.strerror}") from None


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


if __name__ == "__main__":
    sys.exit(main())
