"""Hypothesis without deadlines: a busy machine is no failure. And no settings but a test's own."""

import gc
import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("gearshift", deadline=None)
settings.load_profile("gearshift")


@pytest.fixture(scope="session", autouse=True)
def _settings_of_nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Neither the settings file of whoever runs the tests nor their GEARSHIFT_ variables are seen, by commands too."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("GEARSHIFT_")]:
            patch.delenv(name)
        patch.setenv("XDG_CONFIG_HOME", str(tmp_path_factory.mktemp("config")))
        yield


@pytest.fixture(autouse=True, scope="module")
def _what_was_there_before_is_not_walked() -> None:
    """A reading, and each unload, collects garbage: seconds where thousands of tests have left their objects."""
    gc.collect()
    gc.freeze()
