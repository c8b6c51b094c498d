"""Running chapters: side by side, reproducibly, and with failures that stay where they happen."""

import pytest
from sample_chapters import BROKEN, SMALL

from stablib.book import pipeline
from stablib.book.pipeline import gather, make_notebooks, quiet_environment, run_chapters


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Three chapters, the middle one broken: their folder, the exit code, and what was said."""
    folder = tmp_path_factory.mktemp("first")
    (folder / "00_small.md").write_text(SMALL, "utf-8")
    (folder / "01_broken.md").write_text(BROKEN, "utf-8")
    (folder / "02_small.md").write_text(SMALL.replace("1 / 3", "2 / 3"), "utf-8")
    (folder / "01_broken.ipynb").write_bytes(b"the notebook of yesterday")
    lines = []
    with pytest.MonkeyPatch.context() as changed:
        changed.setenv("PYTHONHASHSEED", "0")
        changed.setenv("TZ", "UTC")
        code = make_notebooks([], lines.append, folder)
    return folder, code, "\n".join(lines)


def test_two_runs_give_the_same_bytes(run, tmp_path_factory, monkeypatch):
    """In another folder, where sets have another order and the clock another zone."""
    second = tmp_path_factory.mktemp("a_longer_second")
    (second / "00_small.md").write_text(SMALL, "utf-8")
    monkeypatch.setenv("PYTHONHASHSEED", "4242")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert make_notebooks([], str, second) == 0
    assert (second / "00_small.ipynb").read_bytes() == (run[0] / "00_small.ipynb").read_bytes()


def test_a_failing_chapter_names_itself_its_cell_and_its_error(run):
    _, code, text = run
    assert code == 1
    assert "01_broken.md failed in code cell 2 (y / 0): ZeroDivisionError" in text


def test_a_failing_chapter_keeps_its_old_notebook_and_stops_no_other(run):
    folder, _, text = run
    assert (folder / "01_broken.ipynb").read_bytes() == b"the notebook of yesterday"
    assert "0.6666666666666666" in (folder / "02_small.ipynb").read_text("utf-8")
    assert "02_small: done" in text


def test_running_leaves_nothing_else_behind(run):
    stems = ("00_small", "01_broken", "02_small")
    names = {f"{stem}.{kind}" for stem in stems for kind in ("md", "ipynb")}
    assert {path.name for path in run[0].iterdir()} == names


def test_a_cell_that_kills_its_kernel_is_named(tmp_path):
    text = BROKEN.replace("y / 0", "import os\n\nos._exit(1)")
    (tmp_path / "03_dead.md").write_text(text, "utf-8")
    (outcome,) = run_chapters([tmp_path / "03_dead.md"], tmp_path, say=str)
    assert "code cell 2 (import os)" in outcome.error
    assert not (tmp_path / "03_dead.ipynb").exists()


def test_a_chapter_that_does_not_exist_is_told_with_those_that_do(tmp_path):
    (tmp_path / "00_small.md").write_text(SMALL, "utf-8")
    lines = []
    assert make_notebooks(["07"], lines.append, tmp_path) == 2
    assert "no chapter 07; there are 00_small" in lines[0]


def test_kernels_compute_on_one_thread_and_see_no_settings_of_the_user():
    variables = quiet_environment({"MPLBACKEND": "qtagg", "OMP_NUM_THREADS": "8", "HOME": "/home"})
    assert variables["OMP_NUM_THREADS"] == variables["OPENBLAS_NUM_THREADS"] == "1"
    assert variables["TQDM_DISABLE"] == "1"
    assert "MPLBACKEND" not in variables
    assert variables["HOME"] == "/home"


def test_the_builder_gets_executed_notebooks_with_their_texts_and_no_others(tmp_path):
    root, executed, source = tmp_path / "root", tmp_path / "executed", tmp_path / "source"
    for folder in (root / "pages", root / "chapters", executed, source):
        folder.mkdir(parents=True)
    (root / "_config.yml").write_text("title: a book")
    (root / "pages" / "notation.md").write_text("# Notation")
    (root / "chapters" / "00_small.md").write_text("# Small")
    (root / "chapters" / "01_not_executed.md").write_text("# Later")
    (executed / "00_small.ipynb").write_text("{}")
    (source / "left_over.md").write_text("of an older build")
    gather(executed, source, root)
    files = {str(p.relative_to(source)) for p in source.rglob("*") if p.is_file()}
    chapter = {"chapters/00_small.ipynb", "chapters/00_small.md"}
    assert files == {"_config.yml", "pages/notation.md"} | chapter


def test_a_book_with_a_failing_chapter_is_not_built(tmp_path, monkeypatch):
    (tmp_path / "chapters").mkdir()
    (tmp_path / "chapters" / "01_broken.md").write_text(BROKEN, "utf-8")
    monkeypatch.setattr(pipeline, "ROOT", tmp_path)
    monkeypatch.setattr(pipeline, "BUILD", tmp_path / "_build")
    monkeypatch.setattr(pipeline, "warm_up", lambda: None)
    lines = []
    assert pipeline.make_book(lines.append) == 1
    assert "01_broken.md failed in code cell 2" in lines[-1]
    assert not (tmp_path / "_build" / "source").exists()
