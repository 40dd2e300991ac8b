"""Ladders of tiny real checkpoints, and machines on them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from gearshift.models import Ladder, ModelSpec
from gearshift.models.testing import FakeModels

from .answering import Gate
from .checkpoints import make_checkpoint
from .machine import Machine

SIZES = {"large": 512, "medium": 256, "small": 64}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What managers remember stays out of the user's cache, and is not seen by the next test."""
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setattr("gearshift.models.manager.CACHE", folder)
    return folder


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("checkpoints")
    return {name: make_checkpoint(root / name, hidden, tied=name == "small") for name, hidden in SIZES.items()}


@pytest.fixture
def ladder(checkpoints: dict[str, Path]) -> Iterator[Ladder]:
    yield Ladder([ModelSpec(name=name, source=str(path), context=512) for name, path in checkpoints.items()])


@pytest.fixture
def held(ladder: Ladder) -> Iterator[tuple[Machine, Gate]]:
    """A machine whose first reply is held before its second word."""
    gate = Gate(at=1)
    machine = Machine(ladder, FakeModels(gate=gate), more={"queue": 2})
    machine.load()
    yield machine, gate
    gate.open.set()
    machine.manager.shutdown()


@pytest.fixture
def machine(ladder: Ladder) -> Iterator[Machine]:
    made = Machine(ladder)
    yield made
    made.manager.shutdown()
