"""The pages, made once."""

from pathlib import Path

import pytest

from tests.documents.build import build


@pytest.fixture(scope="session")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all pages, as `make docs` makes it."""
    folder = tmp_path_factory.mktemp("docs")
    build(folder)
    return folder
