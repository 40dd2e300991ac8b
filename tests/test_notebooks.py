"""The notebooks run from top to bottom, anywhere, and are stored without what they put out, but for pictures."""

import base64
import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.notebook_pictures import FOLDER, LARGEST, is_picture

NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_there_are_notebooks() -> None:
    assert [path.stem[:2] for path in NOTEBOOKS] == ["01", "02", "03", "04", "05"]


@pytest.mark.slow
@each
def test_a_notebook_runs_anywhere_without_warnings_and_leaves_nothing(path: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    here, temporary = tmp_path / "here", tmp_path / "temporary"
    here.mkdir()
    temporary.mkdir()
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(here)}})
    torch = {"TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "torch")}  # which torch makes when it is imported
    client.execute(env={**os.environ, **torch, "TMPDIR": str(temporary), "HF_HUB_OFFLINE": "1"})
    said = [output.text for cell in code(notebook) for output in cell.outputs if output.get("name") == "stderr"]
    assert said == []
    assert list(here.iterdir()) == list(temporary.iterdir()) == []


@each
def test_a_notebook_is_stored_without_output_but_for_small_pictures_with_a_text(path: Path) -> None:
    notebook = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    nbformat.validate(notebook)
    assert len({cell.id for cell in notebook.cells}) == len(notebook.cells)
    for cell in code(notebook):
        assert cell.execution_count is None and "execution" not in cell.metadata
        if not is_picture(cell):
            assert cell.outputs == []
            continue
        (picture,) = cell.outputs
        png = base64.b64decode(picture.data["image/png"])
        assert png.startswith(b"\x89PNG") and len(png) <= LARGEST
        assert picture.data["text/plain"] == cell.metadata["alt"] != ""
    assert sum(map(is_picture, notebook.cells)) <= 2
