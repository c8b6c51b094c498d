"""What a release holds: a wheel and a source archive that work without the checkout."""

import json
import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import stablib
from stablib.book import release
from stablib.book.environment import ROOT

# What the installed library is asked to do, with nothing but its own dependencies beside it.
USE = """
import importlib.util, json, pathlib, sys
import numpy as np
import stablib
from stablib.radon import pyramid

train, validation = stablib.mnist01(n=16)
net = stablib.ShallowReLU.initial(784, 5, seed=1)
X = np.random.default_rng(0).normal(size=(12, 2))
small = stablib.ShallowReLU.initial(2, 3, scale=3, seed=0)
print(json.dumps({
    "place": stablib.__file__,
    "version": stablib.__version__,
    "typed": (pathlib.Path(stablib.__file__).parent / "py.typed").exists(),
    "sharpness": stablib.sharpness(net, train.X),
    "gap": stablib.flattest_implementation(net, train.X).gap,
    "least": stablib.least_sharpness(small, X).value,
    "diagnosis": str(stablib.diagnose(small, X, small(X), step_size=0.1)),
    "density": float(np.ravel(pyramid.density(0.3, 0.2))[0]),
    "absent": [n for n in ("torch", "matplotlib", "joblib") if importlib.util.find_spec(n) is None],
}))
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("release")
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def needs(name, found=None):
    """A distribution and all that it needs, without extras, by name."""
    found = set() if found is None else found
    if canonicalize_name(name) not in found:
        found.add(canonicalize_name(name))
        for line in metadata.requires(name) or []:
            requirement = Requirement(line)
            if not requirement.marker or requirement.marker.evaluate({"extra": ""}):
                needs(requirement.name, found)
    return found


def python_of(environment):
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


@pytest.fixture(scope="module")
def installed(built, tmp_path_factory):
    """The wheel in an environment of its own, that lends from ours just what the wheel asks for."""
    environment = tmp_path_factory.mktemp("installed")
    venv.create(environment, with_pip=False)
    place = Path(sysconfig.get_path("purelib", vars={"base": str(environment)}))
    (wheel,) = built.glob("*.whl")
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index", "--target"]
    subprocess.run([*install, str(place), str(wheel)], check=True, capture_output=True)
    for name in needs("stablib") - {"stablib"}:
        for file in metadata.files(name) or []:
            top = file.parts[0]
            if top not in ("..", "__pycache__") and not (place / top).exists():
                (place / top).symlink_to(
                    file.locate().parents[len(file.parts) - 2]
                    if len(file.parts) > 1
                    else file.locate()
                )
    return environment


def use(environment, folder):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "VIRTUAL_ENV"))}
    command = [str(python_of(environment)), "-c", USE]
    done = subprocess.run(command, cwd=folder, env=clean, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_installed_wheel_works_without_the_checkout(installed, tmp_path):
    said = use(installed, tmp_path)
    assert Path(said["place"]).is_relative_to(installed)
    assert said["version"] == stablib.__version__
    assert said["typed"]
    assert said["absent"] == ["torch", "matplotlib", "joblib"]
    train, _ = stablib.mnist01(n=16)
    net = stablib.ShallowReLU.initial(784, 5, seed=1)
    assert said["sharpness"] == pytest.approx(stablib.sharpness(net, train.X), rel=1e-12)
    assert said["gap"] < 1e-7
    assert said["least"] >= 1
    assert "sharpness" in said["diagnosis"]


@pytest.mark.skipif(not os.environ.get("STABLIB_FULL"), reason="downloads the dependencies anew")
def test_pip_installs_the_wheel_with_what_it_needs(built, tmp_path):
    venv.create(tmp_path / "fresh", with_pip=True)
    (wheel,) = built.glob("*.whl")
    pip = [str(python_of(tmp_path / "fresh")), "-m", "pip", "install", "-q", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    assert use(tmp_path / "fresh", tmp_path)["absent"] == ["torch", "matplotlib", "joblib"]


def test_the_source_archive_holds_what_the_wheel_is_made_of(built, tmp_path):
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.iterdir()
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "-t",
        "wheel",
        "-d",
        str(tmp_path / "again"),
    ]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (again,), (wheel,) = (tmp_path / "again").glob("*.whl"), built.glob("*.whl")
    assert again.read_bytes() == wheel.read_bytes()


@pytest.fixture
def checkout(tmp_path):
    def git(*arguments):
        command = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", *arguments]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "stablib").mkdir()
    (tmp_path / "stablib" / "__init__.py").write_text('__version__ = "1.2.3"\n')
    (tmp_path / "CHANGELOG.md").write_text("# Changes\n\n## 1.2.3 (2026-01-01)\n")
    (tmp_path / "CITATION.cff").write_text("cff-version: 1.2.0\nversion: 1.2.3\n")
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "All")
    return tmp_path, git


def test_a_tagged_commit_whose_files_agree_is_a_release(checkout):
    folder, git = checkout
    git("tag", "v1.2.3")
    assert release.problems(folder) == []


def test_every_disagreement_is_named(checkout):
    folder, git = checkout
    git("tag", "v1.2.2")
    (folder / "CHANGELOG.md").write_text("# Changes\n\n## 1.2.30\n")
    (folder / "CITATION.cff").write_text("version: 1.2\n")
    assert release.problems(folder) == [
        "there are changes that are not committed; commit them, or put them aside",
        "this commit needs the tag v1.2.3 (`git tag v1.2.3`); it has v1.2.2",
        "CHANGELOG.md has no part for version 1.2.3",
        "CITATION.cff does not cite version 1.2.3",
    ]
    said = []
    assert release.release(said.append, folder) == 1
    assert not (folder / "_build").exists()
