"""MNIST, digits 0 and 1: a balanced training set and a validation set from what remains."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import numpy as np

from .. import checks
from .dataset import Dataset
from .idx import read_split
from .synthetic import STREAM

VALIDATION = 4000  # images of each class, Section 6


def mnist01(
    n: int = 512, *, seed: int | np.random.Generator = 0, source: str | Path | None = None
) -> tuple[Dataset, Dataset]:
    """Digits 0 (label +1) and 1 (label -1) of MNIST: a training and a validation set.

    Both are drawn without replacement from the training split of MNIST: n/2 images of each digit
    for training and, from those that remain, 4,000 of each for validation. With one seed a larger
    training set contains the smaller.

    Args:
        n: number of training images, even, at most 3,846.
        seed: an integer or a NumPy Generator; it decides which images are drawn, and their order.
        source: directory of MNIST's IDX files (plain or gzip) to read in place of the images that
            come with the library.

    Returns:
        The training set, n points, and the validation set, 8,000 points; pixels in [0, 1], d = 784.

    Raises:
        ValueError: if n is odd or too large, or a file in `source` is missing or broken.

    Example:
        >>> train, validation = mnist01(n=8)
        >>> train, validation
        (Dataset(n=8, d=784), Dataset(n=8000, d=784))
        >>> train.y.sum(), train.X.min(), train.X.max()
        (np.float64(0.0), np.float64(0.0), np.float64(1.0))

    Source: Section 6, Fig. 5; the images are described in stablib/data/README.md.
    """
    n = checks.count(n, "n", minimum=2)
    if n % 2:
        raise ValueError(f"n is {n}; an even number is needed, half of it for each digit")
    images, labels = _bundled() if source is None else _own(source)
    members = [np.flatnonzero(labels == digit) for digit in (0, 1)]
    fewest = min(map(len, members))
    if n // 2 + VALIDATION > fewest:
        raise ValueError(
            f"n is {n}; at most {max(0, 2 * (fewest - VALIDATION))} is possible, because of the "
            f"{fewest} images of the rarer digit {VALIDATION} are kept for validation"
        )
    rng = checks.generator(seed, STREAM)
    members = [rng.permutation(m) for m in members]
    train = np.concatenate([m[: n // 2] for m in members])
    validation = np.concatenate([m[n // 2 : n // 2 + VALIDATION] for m in members])
    # Shuffled, so that no order of the batches separates the classes.
    return tuple(_dataset(images, labels, rng.permutation(rows)) for rows in (train, validation))


def _dataset(images: np.ndarray, labels: np.ndarray, rows: np.ndarray) -> Dataset:
    X = images[rows].reshape(len(rows), -1) / 255.0
    return Dataset(X, np.where(labels[rows] == 0, 1.0, -1.0))


def _bundled() -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of the training split among those that come with the library."""
    with files(__package__).joinpath("mnist01.npz").open("rb") as file, np.load(file) as bundle:
        train = ~bundle["test"]
        return bundle["images"][train], bundle["labels"][train]


def _own(source: str | Path) -> tuple[np.ndarray, np.ndarray]:
    images, labels = read_split(source, "train")
    keep = labels <= 1
    return images[keep], labels[keep]
