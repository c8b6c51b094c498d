"""Chapters: text to notebook, the check that runs nothing, and the run that compares outputs."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import nbformat
import pytest
from sample_chapters import SMALL

from stablib.book import notebooks
from stablib.book.execute import execute
from stablib.book.formatting import format_chapter
from stablib.book.pipeline import quiet_environment


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """A folder with a small chapter and its notebook, executed once for all tests here."""
    folder = tmp_path_factory.mktemp("executed")
    (folder / "00_small.md").write_text(SMALL, "utf-8")
    execute(folder / "00_small.md", folder / "00_small.ipynb")
    return folder


@pytest.fixture
def chapters(executed, tmp_path):
    """A copy of it, to be tampered with."""
    for path in executed.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


def edit_text(folder, old, new):
    path = folder / "00_small.md"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def edit_notebook(folder, change):
    path = folder / "00_small.ipynb"
    notebook = nbformat.read(path, as_version=4)
    change(notebook)
    nbformat.write(notebook, path)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(folder):
    return "\n".join(notebooks.check_folder(folder))


def test_an_untouched_pair_passes_whatever_the_time_stamps(chapters):
    assert said(chapters) == ""
    os.utime(chapters / "00_small.ipynb", (0, 0))
    assert said(chapters) == ""


@pytest.mark.parametrize(
    ("old", "new", "names"),
    [
        ("1 / 3", "1 / 4", "code cell 1 (import matplotlib.pyplot as plt)"),
        ("Text between", "Texts between", "text cell 2 (Texts between the cells.)"),
        ("tags: [remove-input]", "tags: [hide-input]", "code cell 2 (x = np.linspace(0, 1, 50))"),
        ("alt: A parabola.", "alt: A line.", "code cell 2 (x = np.linspace(0, 1, 50))"),
        ("x[:3]\n```\n", "x[:3]\n```\n\nOne cell more.\n", "text cell 3 (One cell more.)"),
    ],
)
def test_an_edit_of_the_text_names_the_cell_and_the_cure(chapters, old, new, names):
    edit_text(chapters, old, new)
    assert names in said(chapters)
    assert "make notebooks" in said(chapters)


def test_an_edit_of_both_that_keeps_old_outputs_is_seen(chapters):
    edit_text(chapters, "1 / 3", "1 / 4")

    def change(notebook):
        cell = code(notebook)[0]
        cell.source = cell.source.replace("1 / 3", "1 / 4")

    edit_notebook(chapters, change)
    assert "outputs of code cell 1" in said(chapters)
    assert "come from other code" in said(chapters)


def test_a_cell_that_was_not_run_is_refused(chapters):
    def change(notebook):
        code(notebook)[3].execution_count = None

    edit_notebook(chapters, change)
    assert "code cell 4 (x[:3]) was not run" in said(chapters)


def test_a_cell_that_was_run_out_of_order_is_refused(chapters):
    def change(notebook):
        code(notebook)[3].execution_count = 9

    edit_notebook(chapters, change)
    assert "out of order" in said(chapters)


def test_standard_error_and_memory_addresses_are_refused(chapters):
    def change(notebook):
        cell = code(notebook)[3]
        cell.outputs[0].data["text/plain"] = "<object at 0x7f3a2b1c>"
        cell.outputs.append(nbformat.v4.new_output("stream", name="stderr", text="beware"))

    edit_notebook(chapters, change)
    assert "memory address" in said(chapters)
    assert "standard error: beware" in said(chapters)


def test_a_text_without_notebook_and_a_notebook_without_text_are_named(chapters):
    (chapters / "00_small.md").rename(chapters / "01_other.md")
    assert "01_other.md has no notebook" in said(chapters)
    assert "00_small.ipynb has no text" in said(chapters)


def test_what_jupyter_adds_when_a_notebook_is_opened_is_no_difference(chapters):
    def change(notebook):
        for cell in notebook.cells:
            cell.metadata["trusted"] = True
            cell.metadata.setdefault("tags", [])
        code(notebook)[0].metadata["execution"] = {"iopub.status.busy": "2020-01-01"}

    edit_notebook(chapters, change)
    assert said(chapters) == ""


def test_a_tidy_notebook_holds_no_times_and_no_traces_of_the_machine(executed):
    text = (executed / "00_small.ipynb").read_text("utf-8")
    for trace in ("papermill", "iopub", "start_time", "duration", str(executed), sys.version[:6]):
        assert trace not in text
    notebook = nbformat.reads(text, as_version=4)
    nbformat.validate(notebook)
    assert "image/png" in code(notebook)[1].outputs[0].data
    assert len(notebook.metadata.stablib.executed) == 5


def test_widgets_in_a_tidy_notebook_still_refer_to_each_other(executed):
    notebook = nbformat.read(executed / "00_small.ipynb", as_version=4)
    states = notebook.metadata.widgets["application/vnd.jupyter.widget-state+json"].state
    view = code(notebook)[4].outputs[0].data["application/vnd.jupyter.widget-view+json"]
    box = states[view["model_id"]]
    assert box.model_name == "VBoxModel"
    children = [states[child.removeprefix("IPY_MODEL_")] for child in box.state.children]
    assert [child.model_name for child in children] == ["IntSliderModel", "IntTextModel"]


def test_notebooks_are_run_again_and_each_seeded_fault_is_found(executed, tmp_path):
    """Nothing fails in the notebook as it is; in the copy, exactly the cells that were touched."""
    good, bad = tmp_path / "good.ipynb", tmp_path / "bad.ipynb"
    good.write_bytes((executed / "00_small.ipynb").read_bytes())
    notebook = nbformat.read(good, as_version=4)
    number, missing, swapped, dropped, _ = code(notebook)
    number.outputs[0].text = number.outputs[0].text.replace("0.3333", "0.3334")
    swapped.outputs[0].data["image/png"] = missing.outputs[0].data["image/png"]
    del missing.outputs[0].data["image/png"]
    dropped.outputs, dropped.execution_count = [], None
    nbformat.write(notebook, bad)

    report = tmp_path / "report.xml"
    command = [sys.executable, "-m", "pytest", "--nbval", "--nbval-current-env", "-q"]
    plugin = ["-p", "stablib.book.compare", "-p", "no:cacheprovider", f"--junitxml={report}"]
    done = subprocess.run(
        [*command, *plugin, str(good), str(bad)],
        cwd=tmp_path,
        env=quiet_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    verdicts = {"good": [], "bad": []}
    for case in ElementTree.parse(report).getroot().iter("testcase"):
        name = "good" if "good" in case.get("classname", "") + case.get("name") else "bad"
        verdicts[name].append("passed" if case.find("failure") is None else "failed")
    assert verdicts["good"] == ["passed"] * 5, done.stdout
    assert verdicts["bad"] == ["failed"] * 4 + ["passed"], done.stdout
    assert "is now 0.33333" in done.stdout
    assert "image/png: 0 stored, 1 from this run" in done.stdout
    assert "worst patch" in done.stdout


def test_formatting_changes_the_code_of_a_text_and_nothing_else(chapters):
    edit_text(chapters, "x[:3]", "x [ :3 ]")
    assert format_chapter(chapters / "00_small.md")
    assert (chapters / "00_small.md").read_text("utf-8") == SMALL
    assert not format_chapter(chapters / "00_small.md")
