"""One cluster for all tests that need no other."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from gearshift.models import Ladder

from tests.survival.soak.tiny import tiny_ladder

if TYPE_CHECKING:
    from tests.clusters.town import Town


@pytest.fixture(scope="package")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """Tiny real models."""
    return tiny_ladder(tmp_path_factory.mktemp("models"), context=2048, large=256, small=32)


@pytest.fixture(scope="package")
def shared(ladder: Ladder, tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Town]":
    from tests.clusters.town import Town

    town = Town(tmp_path_factory.mktemp("town"), ladder)
    try:
        yield town
    finally:
        town.close()


@pytest.fixture
def town(shared: "Town") -> "Town":
    """The cluster, with a model ready on each node."""
    shared.ready()
    return shared
