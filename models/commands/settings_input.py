"""The settings that a command works with on this machine, with what its command line changes."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ...pipeline.configuring import OPTION, Effective, SettingsError, changes, field, instead_of, keys
from ...pipeline.settings import ABOUT
from ...pipeline.tiers import effective_settings
from .simulation_input import Unusable


def changed(said: Iterable[str]) -> dict[str, Any]:
    """What `--set` says, by the names of the fields. Raises Unusable."""
    try:
        return changes(said)
    except SettingsError as error:
        raise Unusable(str(error), 2) from None


def here(changed: Mapping[str, Any], file: Path | None = None) -> Effective:
    """This machine's with these changes. Raises Unusable: wrong usage where a change has part in what is wrong."""
    try:
        return effective_settings(file, changed, changed_by=OPTION)
    except SettingsError as error:
        raise Unusable(str(error), 2 if OPTION in error.sources else 1) from None


def named(key: str | None) -> list[str]:
    """The field that is meant, or without a key all of them. Raises Unusable."""
    if key is None:
        return list(ABOUT)
    if key not in keys():
        raise Unusable(f"unknown key {key!r}; {instead_of(key, keys(), 'keys')}", 2)
    return [field("", key)]
