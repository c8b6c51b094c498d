"""Reader for the IDX files in which MNIST is distributed, plain or gzipped."""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path

import numpy as np

from .. import checks

IMAGES, LABELS = 2051, 2049  # magic numbers: unsigned bytes in three dimensions, and in one
_DIMENSIONS = {IMAGES: 3, LABELS: 1}
_KIND = {IMAGES: "images", LABELS: "labels"}
_FILES = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def parse_idx(raw: bytes, magic: int, name: str) -> np.ndarray:
    """The array in the bytes of an IDX file.

    Args:
        raw: the file's content; gzip is recognised by its first bytes.
        magic: 2051 for images, 2049 for labels.
        name: the file's name, for the errors.

    Returns:
        uint8 array, shape (n, rows, columns) for images and (n,) for labels.

    Raises:
        ValueError: if the bytes are not exactly one such array.

    Example:
        >>> parse_idx(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 2, 1]), LABELS, "labels")
        array([7, 2, 1], dtype=uint8)

    Source: the format is the one of the MNIST database of LeCun, Cortes and Burges.
    """
    raw = unzipped(raw, name)
    kind, ndim = _KIND[magic], _DIMENSIONS[magic]
    head = 4 * (1 + ndim)
    if len(raw) >= 4 and (found := int.from_bytes(raw[:4])) != magic:
        raise ValueError(f"{name} starts with the number {found}; IDX {kind} start with {magic}")
    if len(raw) < head:
        raise ValueError(f"{name} ends after {len(raw)} bytes, inside its header of {head} bytes")
    shape = tuple(int.from_bytes(raw[i : i + 4]) for i in range(4, head, 4))
    if 0 in shape:
        raise ValueError(f"{name} announces {kind} of shape {shape}; a non-empty array is needed")
    size = head + math.prod(shape)
    if len(raw) < size:
        raise ValueError(
            f"{name} is truncated: it announces {kind} of shape {shape}, {size} bytes in all, "
            f"and ends after {len(raw)}"
        )
    if len(raw) > size:
        raise ValueError(
            f"{name} has {len(raw) - size} bytes after the {kind} of shape {shape} it announces"
        )
    return np.frombuffer(raw, np.uint8, offset=head).reshape(shape)


def unzipped(raw: bytes, name: str) -> bytes:
    """The content of a file, unpacked if it is a gzip file, which its first two bytes tell."""
    if raw[:2] != b"\x1f\x8b":
        return raw
    try:
        return gzip.decompress(raw)
    except (EOFError, OSError, zlib.error) as error:
        raise ValueError(f"{name} is a gzip file that cannot be unpacked: {error}") from None


def read_split(source: str | Path, split: str = "train") -> tuple[np.ndarray, np.ndarray]:
    """Images and labels of one split of MNIST, from a directory of IDX files.

    Args:
        source: directory with the files under their usual names, plain or with the ending .gz.
        split: "train" or "test".

    Returns:
        uint8 arrays of shapes (n, rows, columns) and (n,).

    Raises:
        ValueError: if a file is missing or broken, their lengths do not match, or there is no such split.

    Source: MNIST's files are train-images-idx3-ubyte, train-labels-idx1-ubyte,
        t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte.
    """
    checks.choice(split, "split", tuple(_FILES))
    paths = [find_idx(source, name) for name in _FILES[split]]
    try:
        contents = [path.read_bytes() for path in paths]
    except OSError as error:
        raise ValueError(f"{error.filename} cannot be read: {error.strerror}") from None
    images = parse_idx(contents[0], IMAGES, paths[0].name)
    labels = parse_idx(contents[1], LABELS, paths[1].name)
    if len(images) != len(labels):
        raise ValueError(
            f"{paths[1].name} has {len(labels)} labels, but {paths[0].name} has {len(images)} "
            "images: one label per image is needed"
        )
    return images, labels


def find_idx(source: str | Path, name: str) -> Path:
    """Path of an IDX file in a directory: plain or .gz, with a hyphen or a dot before "idx"."""
    wanted = "the path of a directory of IDX files is needed"
    try:
        folder = Path(source)
    except TypeError:
        raise ValueError(f"source is {type(source).__name__}; {wanted}") from None
    if not folder.is_dir():
        raise ValueError(f"source is {str(folder)!r}; {wanted}")
    for known in (name, name.replace("-idx", ".idx")):
        for ending in ("", ".gz"):
            if (folder / (known + ending)).is_file():
                return folder / (known + ending)
    raise ValueError(f"the directory {folder} has no file {name} (nor {name}.gz)")
