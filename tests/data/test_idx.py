"""The IDX reader and the script that builds the bundle."""

import gzip
import io
import struct
import tarfile

import numpy as np
import pytest

from stablib.data import build_mnist01
from stablib.data.idx import IMAGES, LABELS, parse_idx, read_split

TRAIN = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte")


def idx_images(images):
    return struct.pack(">4i", 2051, *images.shape) + images.tobytes()


def idx_labels(labels):
    return struct.pack(">2i", 2049, len(labels)) + bytes(labels)


@pytest.fixture
def images():
    return np.arange(5 * 3 * 2, dtype=np.uint8).reshape(5, 3, 2)


@pytest.fixture
def folder(tmp_path, images):
    (tmp_path / TRAIN[0]).write_bytes(idx_images(images))
    (tmp_path / TRAIN[1]).write_bytes(idx_labels([0, 1, 7, 1, 0]))
    return tmp_path


def test_a_directory_of_idx_files_is_read(folder, images):
    got, labels = read_split(folder)
    assert (got == images).all() and got.dtype == np.uint8
    assert labels.tolist() == [0, 1, 7, 1, 0]


def test_gzip_and_the_spelling_with_a_dot_are_read(folder, images):
    for name in TRAIN:
        raw = (folder / name).read_bytes()
        (folder / name).unlink()
        (folder / (name.replace("-idx", ".idx") + ".gz")).write_bytes(gzip.compress(raw))
    assert (read_split(str(folder))[0] == images).all()


def test_a_gzip_file_without_its_ending_is_read(folder, images):
    path = folder / TRAIN[0]
    path.write_bytes(gzip.compress(path.read_bytes()))
    assert (read_split(folder)[0] == images).all()


good = idx_images(np.zeros((5, 3, 2), np.uint8))
broken_images = {
    "empty": (b"", "ends after 0 bytes, inside its header"),
    "header only begun": (good[:11], "ends after 11 bytes, inside its header of 16 bytes"),
    "wrong magic": (
        b"\x00\x00\x08\x01" + good[4:],
        "starts with the number 2049; .* start with 2051",
    ),
    "text": (b"<html>not found</html>", "starts with the number"),
    "truncated": (good[:-1], "is truncated: .* 46 bytes in all, and ends after 45"),
    "trailing garbage": (good + b"xyz", "has 3 bytes after the images of shape"),
    "wrong length in the header": (good[:7] + b"\x09" + good[8:], "is truncated: .*9, 3, 2"),
    "no images": (struct.pack(">4i", 2051, 0, 28, 28), "announces images of shape .0, 28, 28."),
    "huge sizes": (struct.pack(">4I", 2051, 2**32 - 1, 2**32 - 1, 2**32 - 1), "is truncated"),
    "gzip cut short": (gzip.compress(good)[:-9], "gzip file that cannot be unpacked"),
    "gzip with a flipped byte": (
        (lambda z: z[:12] + bytes([z[12] ^ 255]) + z[13:])(gzip.compress(good)),
        "gzip file that cannot be unpacked",
    ),
    "gzip with garbage behind": (gzip.compress(good) + b"garbage", "that cannot be unpacked"),
}


@pytest.mark.parametrize("case", broken_images)
def test_a_broken_image_file_is_refused_in_one_sentence(folder, case):
    content, message = broken_images[case]
    (folder / TRAIN[0]).write_bytes(content)
    with pytest.raises(ValueError, match=message) as caught:
        read_split(folder)
    assert TRAIN[0] in str(caught.value) and "\n" not in str(caught.value)


def test_labels_that_do_not_match_the_images_are_refused(folder):
    (folder / TRAIN[1]).write_bytes(idx_labels([0, 1, 1]))
    with pytest.raises(ValueError, match="has 3 labels, but train-images-idx3-ubyte has 5 images"):
        read_split(folder)


def test_swapped_files_are_refused(folder):
    a, b = ((folder / name) for name in TRAIN)
    a_content = a.read_bytes()
    a.write_bytes(b.read_bytes())
    b.write_bytes(a_content)
    with pytest.raises(ValueError, match="starts with the number 2049; IDX images start with 2051"):
        read_split(folder)


def test_a_missing_file_or_directory_is_named(folder):
    (folder / TRAIN[1]).unlink()
    with pytest.raises(ValueError, match="has no file train-labels-idx1-ubyte"):
        read_split(folder)
    with pytest.raises(ValueError, match=r"source is '.*nowhere'; the path of a directory"):
        read_split(folder / "nowhere")
    with pytest.raises(ValueError, match="source is int; the path of a directory"):
        read_split(7)


@pytest.mark.parametrize("length", range(16))
def test_no_prefix_of_a_file_crashes_the_reader(length):
    with pytest.raises(ValueError):
        parse_idx(good[:length], IMAGES, "images")
    with pytest.raises(ValueError):
        parse_idx(idx_labels([1, 2])[: min(length, 9)], LABELS, "labels")


def test_the_build_script_refuses_other_files_than_mnist(folder, capsys):
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (folder / name).write_bytes(b"")
    out = folder / "out.npz"
    assert build_mnist01.main([str(folder), "--out", str(out)]) == 1
    assert "has the MD5 sum" in capsys.readouterr().err
    assert not out.exists()


def test_the_build_script_refuses_what_is_no_archive(tmp_path, capsys):
    path = tmp_path / "a.tgz"
    path.write_bytes(b"not an archive")
    assert build_mnist01.main([str(path), "--out", str(tmp_path / "out.npz")]) == 1
    assert "cannot be unpacked as an archive" in capsys.readouterr().err
    assert build_mnist01.main([str(tmp_path / "nowhere"), "--out", str(tmp_path / "out.npz")]) == 1


def test_an_archive_is_built_into_the_digits_0_and_1(tmp_path, monkeypatch):
    contents = {
        "train-images-idx3-ubyte": idx_images(np.arange(12, dtype=np.uint8).reshape(3, 2, 2)),
        "train-labels-idx1-ubyte": idx_labels([1, 5, 0]),
        "t10k-images-idx3-ubyte": idx_images(np.full((1, 2, 2), 9, np.uint8)),
        "t10k-labels-idx1-ubyte": idx_labels([1]),
    }
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as tar:
        for name, raw in contents.items():
            member = tarfile.TarInfo("package/data/" + name)
            member.size = len(raw)
            tar.addfile(member, io.BytesIO(raw))
    monkeypatch.setattr(build_mnist01, "verify", lambda source: None)
    outs = [tmp_path / "one.npz", tmp_path / "two.npz"]
    for out in outs:
        assert build_mnist01.main([str(tmp_path / "a.tgz"), "--out", str(out)]) == 0
    assert outs[0].read_bytes() == outs[1].read_bytes()
    bundle = np.load(outs[0])
    assert bundle["images"].tolist() == [[0, 1, 2, 3], [8, 9, 10, 11], [9, 9, 9, 9]]
    assert bundle["labels"].tolist() == [1, 0, 1]
    assert bundle["test"].tolist() == [False, False, True]
