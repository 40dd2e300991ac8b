"""The words for end users, as a table that an app can replace."""

import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ...pipeline.reading import RefusedError
from ...pipeline.toml_file import read_toml

SHIPPED = Path(__file__).with_name("notices.toml")

_MAY_USE: dict[str, dict[str, dict[str, Any]]] = {
    "notice": {
        **dict.fromkeys(("memory", "slow", "failing", "asked"), {"rung": "", "before": ""}),
        "paused": {"before": ""},
        "lasting": {"rung": "", "best": "", "hours": 1.0},
    },
    "suggestion": {
        **dict.fromkeys(("close", "close_grown", "close_tabs"), {"program": "", "gib": 1.0}),
        **dict.fromkeys(("close_any", "close_busy", "wait"), {}),
        "context": {"rung": "", "context": 1, "tokens": 1},
        "quantised": {"rung": "", "gib": 1.0, "kind": ""},
        "smaller": {"gib": 1.0},
    },
    "model": {"rung": {"rung": ""}},
}
"""By table and key: the names that a text may use, with a value of their type."""


class WordingError(RefusedError):
    """Words that can't be used: names the file, the key and what to do."""


class Wording:
    """Texts by table and key, all of them checked when this is made.

    Args:
        given: a TOML file, the same as a mapping of tables, or None for the words that ship.

    >>> Wording().text("suggestion", "close", program="firefox", gib=2.04)
    'Closing firefox, which holds 2.0 GiB, would help.'
    """

    def __init__(self, given: str | Path | Mapping[str, Any] | None = None) -> None:
        where = "notices" if isinstance(given, Mapping) else str(given or SHIPPED)
        tables = given if isinstance(given, Mapping) else _read(Path(given or SHIPPED))
        self._texts = _checked(where, tables)

    def text(self, table: str, key: str, **values: Any) -> str:
        return self._texts[table][key].format(**values)


def _read(file: Path) -> dict[str, Any]:
    remedy, holds = "give the path of a TOML file", f"copy {SHIPPED} and change its texts"
    return read_toml(file, WordingError, where=str(file), remedy=remedy, holds=holds)


def _checked(where: str, tables: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    _same_keys(where, "", tables, _MAY_USE)
    for table, keys in _MAY_USE.items():
        if not isinstance(tables[table], Mapping):
            raise WordingError(f"{where}: {table}: must be a table of texts, got {tables[table]!r}")
        _same_keys(where, f"{table}.", tables[table], keys)
        for key, values in keys.items():
            _check(f"{where}: {table}.{key}", tables[table][key], values)
        found[table] = dict(tables[table])
    return found


def _same_keys(where: str, at: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    for key in known:
        if key not in given:
            raise WordingError(f"{where}: {at}{key} is missing; copy it from {SHIPPED}")
    for key in given:
        if key not in known:
            raise WordingError(f"{where}: {at}{key} is unknown; there are {', '.join(known)}")


def _check(where: str, text: Any, values: Mapping[str, Any]) -> None:
    if not isinstance(text, str):
        raise WordingError(f"{where}: must be a text, got {text!r}")
    may = ", ".join(f"{{{name}}}" for name in values) or "no names in braces"
    try:
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        for name in names:
            if name not in values:
                raise WordingError(f"{where}: {{{name}}} is unknown; it may use {may}")
        text.format(**values)
    except WordingError:
        raise
    except (ValueError, KeyError, IndexError, AttributeError) as error:
        raise WordingError(f"{where}: {text!r} can't be filled in: {error}; it may use {may}") from None
