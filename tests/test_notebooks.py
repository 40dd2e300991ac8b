"""The notebooks run from top to bottom, anywhere, and are stored without what they put out, but for pictures."""

import base64
import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
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


def run(path: Path, folder: Path) -> tuple[list[str], list[Path]]:
    """What it said on stderr, and what it has left behind where it ran and in its temporary folder."""
    notebook = nbformat.read(path, as_version=4)
    here, temporary = folder / "here", folder / "temporary"
    here.mkdir()
    temporary.mkdir()
    client = NotebookClient(notebook, timeout=120, kernel_name="python3", resources={"metadata": {"path": str(here)}})
    torch = {"TORCHINDUCTOR_CACHE_DIR": str(folder / "torch")}  # which torch makes when it is imported
    client.execute(env={**os.environ, **torch, "TMPDIR": str(temporary), "HF_HUB_OFFLINE": "1"})
    said = [output.text for cell in code(notebook) for output in cell.outputs if output.get("name") == "stderr"]
    return said, [*here.iterdir(), *temporary.iterdir()]


@pytest.fixture(scope="module")
def ran(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Any]]:
    """What `run` gives, two of those that are asked for at a time: one waits for the clock while another computes."""
    asked = {
        item.callspec.params["path"] for item in request.session.items if "ran" in getattr(item, "fixturenames", ())
    }
    with ThreadPoolExecutor(2) as pool:
        runs: dict[Path, Future[Any]] = {
            path: pool.submit(run, path, tmp_path_factory.mktemp(path.stem)) for path in sorted(asked)
        }
        yield lambda path: runs[path].result()


@pytest.mark.slow
@each
def test_a_notebook_runs_anywhere_without_warnings_and_leaves_nothing(path: Path, ran: Callable[[Path], Any]) -> None:
    said, left = ran(path)
    assert said == [] and left == []


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
