"""Settings as people say them, wherever: one reading, one kind of error, and one order of strength."""

from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any, NamedTuple

import msgspec

from .about import BYTES
from .quantities import size
from .reading import RefusedError
from .settings import ABOUT, Settings, problem

_TYPES = {field.name: field.type for field in msgspec.structs.fields(Settings)}
GROUPS = {about.group for about in ABOUT.values() if about.group}
"""Tables that fields may stand in."""

_GROUPED = {f"{about.group}.{name}": name for name, about in ABOUT.items() if about.group}
OPTION = "--set"
ENVIRONMENT = "environment "
_Like = Callable[[str, Any], str]


class SettingsError(RefusedError):
    """Settings that can't be used: names where they are said, the key, its value and the remedy.

    message: all of that. sources: of the values that it is about, as in `Value`, where they are known.
    """

    def __init__(self, message: str, sources: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.sources = tuple(sources)


class Value(NamedTuple):
    """A value, and where it comes from: code, --set, file PATH, environment GEARSHIFT_X, tier NAME, or default."""

    value: Any
    source: str


class Effective(NamedTuple):
    """Settings that count, as one record and one by one.

    values: of each field, the value with its source. left_alone: GEARSHIFT_ variables that are no settings. unheard:
    fields that a variable is set for, with that variable, where a stronger place counts.
    """

    settings: Settings
    values: Mapping[str, Value]
    left_alone: tuple[str, ...] = ()
    unheard: Mapping[str, str] = {}


def keys() -> list[str]:
    """What settings may be called: the names of the fields, and those in a table with a dot."""
    return [*ABOUT, *_GROUPED]


def instead_of(key: str, known: Iterable[str], are: str) -> str:
    """The remedy for a key that isn't known: the nearest that is, and all of them.

    >>> instead_of("hihg", ["high", "low"], "keys")
    'did you mean high? The keys are high, low'
    """
    near = get_close_matches(key.lower(), known := list(known), 1)
    return f"{f'did you mean {near[0]}? The' if near else 'the'} {are} are {', '.join(known)}"


def field(where: str, key: str) -> str:
    """The field that a key means. Raises SettingsError."""
    name = _GROUPED.get(key, key)
    if name not in ABOUT:
        raise SettingsError(f"{where}: unknown key {key!r}; {instead_of(key, keys(), 'keys')}")
    return name


def typed(key: str, value: Any) -> str:
    """How a value is said where text is typed.

    >>> typed("high", 0.8), typed("reserve", {"ram": "4 GiB"}), typed("budget", "8 GiB")
    ('high=0.8', 'reserve={"ram":"4 GiB"}', 'budget=8 GiB')
    """
    return f"{key}={msgspec.json.encode(value).decode().strip(chr(34))}"


def from_text(where: str, key: str, text: str, *, like: _Like = typed) -> Any:
    """The value of a field as it is typed. like: how one is said there, for the error.

    Numbers, words, JSON for `reserve`, "none" for None, and sizes such as 4 GiB. Raises SettingsError.

    >>> [from_text("here", "budget", text) for text in ("4 GiB", "4096", "none")]
    [4294967296, 4096, None]
    """
    field(where, key)
    try:
        text.encode()  # bytes of the command line that are no UTF-8 come as signs that are no text
        value = msgspec.json.decode(text) if text.startswith("{") else text
    except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError) as error:
        raise _refused(where, key, text, error, like) from None
    return _checked(where, key, value, text, like, strict=isinstance(value, dict))


def from_value(where: str, key: str, value: Any, *, like: _Like = typed) -> Any:
    """The same of a value that has its type already, as in TOML: text only for words, "none" and sizes."""
    field(where, key)
    return _checked(where, key, value, value, like, strict=True)


def changes(said: Iterable[str]) -> dict[str, Any]:
    """What `--set KEY=VALUE` says, by the names of the fields; the last counts. Raises SettingsError.

    >>> changes(["ceiling.high=0.9", "stabilisation=adaptive"])
    {'high': 0.9, 'stabilisation': 'adaptive'}
    """
    made: dict[str, Any] = {}
    for change in said:
        key, equals, text = (part.strip() for part in change.partition("="))
        where = f"{OPTION} {change}"
        if not equals:
            raise SettingsError(f"{where}: wants KEY=VALUE; the keys are {', '.join(keys())}", [OPTION])
        made[field(where, key)] = from_text(where, key, text)
    return made


def layer(values: Mapping[str, Any], source: str) -> dict[str, Value]:
    """Values that all come from one place."""
    return {name: Value(value, source) for name, value in values.items()}


def combined(*layers: Mapping[str, Value], left_alone: tuple[str, ...] = ()) -> Effective:
    """Of each field the value of the first layer that has it, else the default.

    Raises SettingsError for values that can't be together, with the sources of both.
    """
    defaults = layer({name: getattr(Settings(), name) for name in ABOUT}, "default")
    values: dict[str, Value] = {}
    for one in (*layers, defaults):
        values = {**one, **values}
    values = {name: values[name] for name in ABOUT}
    plain = {name: value.value for name, value in values.items()}
    if found := problem(plain):
        raise _clash(found.text, found.fields, values, layers)
    unheard = {
        name: value.source.removeprefix(ENVIRONMENT)
        for one in layers
        for name, value in one.items()
        if value.source.startswith(ENVIRONMENT) and value.source != values[name].source
    }
    return Effective(Settings(**plain), values, left_alone, unheard)


def _clash(
    text: str, fields: tuple[str, ...], values: Mapping[str, Value], layers: Iterable[Mapping[str, Value]]
) -> SettingsError:
    """In the name of the strongest source, as that is the one which brought it about."""
    order = [value.source for one in layers for value in one.values()]
    sources = list(dict.fromkeys(values[name].source for name in fields))
    blamed = min(sources, key=lambda source: order.index(source) if source in order else len(order))
    if len(fields) > 1:
        text += f"; {', '.join(f'{name} is from {values[name].source}' for name in fields)}: change one of them"
    return SettingsError(f"{blamed}: {text}", sources)


def _checked(where: str, key: str, value: Any, said: Any, like: _Like, *, strict: bool) -> Any:
    name = field(where, key)
    about = ABOUT[name]
    try:
        if about.unit == BYTES:
            value = {pool: _bytes(one) for pool, one in value.items()} if isinstance(value, dict) else _bytes(value)
        none = isinstance(value, str) and value.lower() == "none"
        value = msgspec.convert(None if none else value, _TYPES[name], strict=strict)
    except ValueError as error:
        raise _refused(where, key, said, error, like) from None
    if wrong := about.wrong(name, value):
        raise SettingsError(f"{where}: {name} must be {about.allowed()}, got {wrong}")
    return value


def _bytes(value: Any) -> Any:
    """A size with its unit as bytes; anything else as it is."""
    with_unit = isinstance(value, str) and value[:1].isdigit() and value[-1:].isalpha()
    return size(value) if with_unit else value


def example(name: str) -> Any:
    """A value that may stand in a field."""
    return ABOUT[name].example or getattr(Settings(), name)


def _refused(where: str, key: str, said: Any, error: Exception, like: _Like) -> SettingsError:
    name, why = field(where, key), str(error).partition(" - at `")[0]
    return SettingsError(
        f"{where}: {key} can't be {said!r}: {why}; it must be {ABOUT[name].allowed()}, as in {like(key, example(name))}"
    )
