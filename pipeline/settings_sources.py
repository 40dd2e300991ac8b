"""Settings that this machine's user gives outside of code: in a TOML file, and in the environment."""

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from .configuring import ENVIRONMENT, GROUPS, SettingsError, Value, field, from_text, from_value, keys, typed
from .toml_file import called, expanded, read_toml

VARIABLE = "GEARSHIFT_SETTINGS"
PREFIX = "GEARSHIFT_"
_OTHERS = (VARIABLE, "GEARSHIFT_TIERS", "GEARSHIFT_API_KEY")
_REMEDY = "give the path of a settings file, or none for the usual place"
_HOLDS = "a settings file holds lines such as high = 0.85"


def usual_file() -> Path | None:
    """`gearshift/settings.toml` under XDG_CONFIG_HOME, else `~/.config`; None for a user without a home."""
    named = Path(os.environ.get("XDG_CONFIG_HOME", ""))  # by its rules one that is not absolute doesn't count
    try:
        folder = named if named.is_absolute() else Path("~/.config").expanduser()
    except RuntimeError:
        return None
    return folder / "gearshift" / "settings.toml"


def settings_file(file: str | Path | None = None) -> tuple[Path | None, str]:
    """The file that counts, and its name in errors: this one, else that of GEARSHIFT_SETTINGS, else the usual one.

    The usual one may be missing: then there is none. Raises SettingsError for a name that can't be a path.
    """
    named = os.environ.get(VARIABLE) if file is None else None
    if file is not None or named:
        by = VARIABLE if named else ""
        path = expanded(Path(file if file is not None else named or ""), SettingsError, _REMEDY, named_by=by)
        return path, called(path, by)
    path = usual_file()
    return (path if path is not None and os.path.lexists(path) else None), str(path)


def in_file(file: str | Path | None = None) -> dict[str, Value]:
    """What the file that counts says of fields; a key may stand in a table, as `high` in `[ceiling]`.

    Raises SettingsError: the file can't be read, isn't TOML, or has a key or a value that can't be.
    """
    path, where = settings_file(file)
    if path is None:
        return {}
    said: dict[str, Value] = {}
    keyed: dict[str, str] = {}
    for key, value in _flat(read_toml(path, SettingsError, where=where, remedy=_REMEDY, holds=_HOLDS)):
        name = field(where, key)
        _once(where, keyed, name, key)
        said[name] = Value(from_value(where, key, value, like=in_toml), f"file {path}")
    return said


def in_environment(environ: Mapping[str, str] = os.environ) -> tuple[dict[str, Value], tuple[str, ...]]:
    """What variables say of fields, such as GEARSHIFT_HIGH; and those that begin alike and mean something else.

    One that is empty says nothing. One that is nearly a field is refused; one that is near none is left alone, since
    others name variables too: Kubernetes sets GEARSHIFT_PORT for a service called gearshift.

    Raises SettingsError.

    >>> in_environment({"GEARSHIFT_HIGH": "0.9", "GEARSHIFT_PORT": "tcp://10.0.0.1:80", "HOME": "/root"})
    ({'high': Value(value=0.9, source='environment GEARSHIFT_HIGH')}, ('GEARSHIFT_PORT',))
    """
    known = {variable(key): key for key in keys()}
    plain = {name.removeprefix(PREFIX).lower(): name for name in known}
    said: dict[str, Value] = {}
    keyed: dict[str, str] = {}
    left_alone: list[str] = []
    for name, text in sorted(environ.items()):
        if not name.startswith(PREFIX) or name in _OTHERS or not text.strip():
            continue
        if name in known:
            _once("environment", keyed, found := field(name, known[name]), name)
            value = from_text(name, known[name], text.strip(), like=in_shell)
            said[found] = Value(value, f"{ENVIRONMENT}{name}")
        elif near := get_close_matches(name.removeprefix(PREFIX).lower(), plain, 1):
            meant = plain[near[0]]
            raise SettingsError(f"{name}: no such setting; did you mean {meant}? If not, give it another name")
        else:
            left_alone.append(name)
    return said, tuple(left_alone)


def variable(key: str) -> str:
    """The environment variable of a key.

    >>> variable("high"), variable("ceiling.high")
    ('GEARSHIFT_HIGH', 'GEARSHIFT_CEILING_HIGH')
    """
    return PREFIX + key.replace(".", "_").upper()


def in_shell(key: str, value: Any) -> str:
    """How a value is given to a program.

    >>> print(in_shell("high", 0.8), in_shell("budget", "8 GiB"))
    GEARSHIFT_HIGH=0.8 GEARSHIFT_BUDGET='8 GiB'
    """
    _, _, text = typed(key, value).partition("=")
    return f"{variable(key)}={shlex.quote(text)}"


def in_toml(key: str, value: Any) -> str:
    """How a value is said in the file.

    >>> print(in_toml("high", 0.8), in_toml("reserve", {"ram": "4 GiB"}), in_toml("budget", "8 GiB"), sep="; ")
    high = 0.8; reserve = {ram = "4 GiB"}; budget = "8 GiB"
    """
    if isinstance(value, dict):
        return f"{key} = {{{', '.join(in_toml(inner, one) for inner, one in value.items())}}}"
    return f"{key} = {json.dumps(value)}"


def _flat(content: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in content.items():
        if key in GROUPS and isinstance(value, dict):
            yield from ((f"{key}.{inner}", one) for inner, one in value.items())
        else:
            yield key, value


def _once(where: str, keyed: dict[str, str], name: str, key: str) -> None:
    if name in keyed:
        raise SettingsError(f"{where}: {name} is said twice, as {keyed[name]} and as {key}; leave one of them out")
    keyed[name] = key
