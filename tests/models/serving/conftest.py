"""A machine with the best rung loaded."""

from collections.abc import Iterator

import pytest
from gearshift.models import Ladder

from tests.models.machine import Machine


@pytest.fixture
def machine(ladder: Ladder) -> Iterator[Machine]:
    made = Machine(ladder, more={"name_rung": False})
    made.load()
    yield made
    made.manager.shutdown()
