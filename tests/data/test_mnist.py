"""The bundled digits, and the sets that are drawn from them."""

import os
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

import stablib
from stablib.data import build_mnist01, mnist01
from stablib.data.build_mnist01 import MD5


@pytest.fixture(scope="module")
def bundle():
    with np.load(str(files("stablib.data") / "mnist01.npz")) as file:
        return dict(file)


@pytest.fixture(scope="module")
def default():
    return mnist01()


@pytest.fixture(scope="module")
def original():
    """Directory of MNIST's four unpacked files, named by the environment variable MNIST_IDX."""
    folder = os.environ.get("MNIST_IDX")
    if not folder:
        pytest.skip("MNIST_IDX names no directory of MNIST's original files")
    return Path(folder)


def rows(X):
    """The images as a set of byte strings."""
    return {x.tobytes() for x in np.round(255 * X).astype(np.uint8)}


def test_the_bundle_holds_all_images_of_both_digits(bundle):
    counts = {
        (digit, test): int(((bundle["labels"] == digit) & (bundle["test"] == test)).sum())
        for digit in (0, 1)
        for test in (False, True)
    }
    assert counts == {(0, False): 5923, (1, False): 6742, (0, True): 980, (1, True): 1135}
    assert bundle["images"].shape == (14780, 784) and bundle["images"].dtype == np.uint8


def test_zeros_are_hollow_and_ones_are_thin(bundle):
    images, labels = bundle["images"].reshape(-1, 28, 28) / 255, bundle["labels"]
    centre = images[:, 12:16, 12:16].mean((1, 2))
    assert centre[labels == 0].mean() < 0.1 < 0.5 < centre[labels == 1].mean()
    assert images[labels == 0].mean() > 2 * images[labels == 1].mean()


def test_the_default_is_the_papers_setting(default):
    train, validation = default
    assert train.X.shape == (512, 784) and validation.X.shape == (8000, 784)
    assert train.X.dtype == np.float64 and train.X.min() == 0 and train.X.max() == 1
    assert (train.y == 1).sum() == (train.y == -1).sum() == 256
    assert (validation.y == 1).sum() == (validation.y == -1).sum() == 4000


def test_label_plus_one_is_the_digit_0(default, bundle):
    zeros = rows(bundle["images"][(bundle["labels"] == 0) & ~bundle["test"]] / 255)
    for data in default:
        assert rows(data.X[data.y == 1]) <= zeros
        assert not rows(data.X[data.y == -1]) & zeros


def test_training_and_validation_share_no_image(default, bundle):
    train, validation = default
    assert len(np.unique(bundle["images"], axis=0)) == 14780  # so equal bytes mean the same image
    assert len(rows(train.X)) == 512 and len(rows(validation.X)) == 8000
    assert not rows(train.X) & rows(validation.X)


def test_the_largest_training_set_leaves_exactly_the_validation_set(bundle):
    train, validation = mnist01(3846)
    zeros = rows(train.X[train.y == 1]) | rows(validation.X[validation.y == 1])
    assert len(zeros) == 5923 == 1923 + 4000


def test_the_same_seed_gives_the_same_images_and_another_seed_others(default):
    again, other = mnist01(), mnist01(seed=1)
    for a, b in zip(default, again, strict=True):
        assert (a.X == b.X).all() and (a.y == b.y).all()
    assert len(rows(default[0].X) & rows(other[0].X)) < 100


def test_a_larger_training_set_contains_the_smaller(default):
    assert rows(mnist01(64)[0].X) <= rows(default[0].X)


def test_the_order_does_not_separate_the_classes(default):
    changes = (np.diff(default[0].y) != 0).sum()
    assert 200 < changes < 312


@pytest.mark.parametrize(
    ("n", "message"),
    [
        (511, "n is 511; an even number is needed"),
        (3848, "n is 3848; at most 3846 is possible"),
        (0, "n is 0; at least 2 is needed"),
        (-2, "n is -2; at least 2 is needed"),
        (512.0, "n is 512.0; a whole number is needed"),
        ("many", "n is 'many'; a whole number is needed"),
    ],
)
def test_an_impossible_number_of_images_is_refused(n, message):
    with pytest.raises(ValueError, match=message):
        mnist01(n)


def test_an_impossible_seed_is_refused():
    with pytest.raises(ValueError, match="seed is -1; at least 0 is needed"):
        mnist01(seed=-1)


def test_ones_own_idx_files_give_the_same_sets_as_the_bundle(tmp_path, bundle, default):
    # Other digits in between must be passed over, so every 1,000th image is a 7.
    train = ~bundle["test"]
    images, labels = bundle["images"][train], bundle["labels"][train]
    at = np.arange(0, len(images), 1000)
    images, labels = np.insert(images, at, 255, axis=0), np.insert(labels, at, 7)
    header = np.array([2051, len(images), 28, 28], ">i4").tobytes()
    (tmp_path / "train-images-idx3-ubyte").write_bytes(header + images.tobytes())
    header = np.array([2049, len(images)], ">i4").tobytes()
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(header + labels.tobytes())
    for a, b in zip(mnist01(source=tmp_path), default, strict=True):
        assert (a.X == b.X).all() and (a.y == b.y).all()


def test_too_few_images_of_ones_own_are_refused(tmp_path):
    images, labels = np.array([2051, 2, 1, 1], ">i4"), np.array([2049, 2], ">i4")
    (tmp_path / "train-images-idx3-ubyte").write_bytes(images.tobytes() + b"\0\0")
    (tmp_path / "train-labels-idx1-ubyte").write_bytes(labels.tobytes() + b"\0\1")
    with pytest.raises(ValueError, match="n is 512; at most 0 is possible"):
        mnist01(source=tmp_path)


def test_the_library_exports_the_loaders():
    assert stablib.mnist01 is mnist01


def test_the_bundle_is_what_the_script_builds_from_the_original_files(original, tmp_path, bundle):
    assert build_mnist01.main([str(original), "--out", str(tmp_path / "built.npz")]) == 0
    with np.load(tmp_path / "built.npz") as built:
        assert all((built[name] == bundle[name]).all() for name in bundle)


def test_the_bundle_agrees_with_an_independent_reading_of_the_original_files(original, bundle):
    for split, start, test in (("train", 0, False), ("t10k", 12665, True)):
        pixels = (original / f"{split}-images-idx3-ubyte").read_bytes()[16:]
        labels = (original / f"{split}-labels-idx1-ubyte").read_bytes()[8:]
        chosen = [i for i, label in enumerate(labels) if label in (0, 1)]
        part = bundle["test"] == test
        assert np.flatnonzero(part)[0] == start
        assert bytes(labels[i] for i in chosen) == bundle["labels"][part].tobytes()
        joined = b"".join(pixels[784 * i : 784 * (i + 1)] for i in chosen)
        assert joined == bundle["images"][part].tobytes()


def test_the_checksums_are_the_ones_in_the_readme():
    text = (files("stablib.data") / "README.md").read_text()
    assert all(f"{md5}  {name}" in text for name, md5 in MD5.items())
