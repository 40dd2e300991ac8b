"""Hypothesis without deadlines: a busy machine is no failure. And no settings but a test's own."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("gearshift", deadline=None)
settings.load_profile("gearshift")


@pytest.fixture(autouse=True)
def _settings_of_nobody(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the settings file of whoever runs the tests nor their GEARSHIFT_ variables are seen, by commands too."""
    for name in [name for name in os.environ if name.startswith("GEARSHIFT_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(_nothing(tmp_path_factory)))


def _nothing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.getbasetemp() / "no settings"
