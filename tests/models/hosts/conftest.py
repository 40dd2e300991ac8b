"""Workers for tests: real ones, on one core each, so that they don't wait for each other on a busy machine."""

from collections.abc import Iterator

import pytest
from gearshift.models.hosts.process import ProcessHost


@pytest.fixture(scope="package", autouse=True)
def _one_core_each() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="package")
def host() -> Iterator[ProcessHost]:
    """One fork server for the tests that leave it as they found it."""
    host = ProcessHost()
    host.warm()
    yield host
    host.close()
