"""The kinds of line in a recording, and what can be wrong with one."""

from typing import Any

import msgspec

from .reading import RefusedError
from .rungs import Residency, Rung
from .samples import Sample
from .settings import Settings
from .words import Asked, Decision, Performed

VERSION = 1


class RecordingError(RefusedError):
    """A recording that can't be read: says file, line and reason."""


class Mark(msgspec.Struct, frozen=True, tag_field="record", tag="mark"):
    """A remark of somebody: `text`, at `time`, seconds on the clock of the samples."""

    time: float
    text: str

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


class Machine(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where it was recorded: bytes of RAM and usable cores, both under the limits in force."""

    memory: int
    cores: float
    system: str = ""
    python: str = ""


class Header(msgspec.Struct, frozen=True, omit_defaults=True):
    """The first line of a recording: what the samples met.

    gearshift_recording: the version of the format, from 1 on. wall: seconds since 1970. machine: RAM and cores that
    there were. tier: its name. ladder, settings: what decisions were made by, empty and None where there were none.
    """

    gearshift_recording: int
    wall: float = 0.0
    machine: Machine | None = None
    tier: str = ""
    ladder: tuple[Rung, ...] = ()
    settings: Settings | None = None

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


Line = Sample | Decision | Residency | Mark | Asked | Performed

_ENCODER = msgspec.json.Encoder()
_DECODER: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)


def encode(line: Line | Header) -> bytes:
    """One line of JSON with its end. Raises ValueError for a time that is no number, which JSON can't hold."""
    time = getattr(line, "time", 0.0)
    if time - time != 0:
        raise ValueError(f"a line's time must be a finite number, got {line!r}")
    return _ENCODER.encode(line) + b"\n"


def decode(line: bytes) -> Line:
    """Raises msgspec.MsgspecError for anything that is no line of a recording."""
    try:
        return _DECODER.decode(line)
    except (UnicodeDecodeError, RecursionError) as error:
        raise msgspec.DecodeError(str(error)) from None


def decode_header(line: bytes, where: Any) -> Header:
    """The header, or RecordingError naming `where`: no recording at all, or one of a newer version."""
    try:
        version = msgspec.json.decode(line, type=_Version).gearshift_recording
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(
            f"{where}:1: not the first line of a gearshift recording: {error}; `load` reads files of other programs"
        ) from None
    if version > VERSION:
        raise RecordingError(
            f"{where}:1: a recording of version {version}, this gearshift reads up to {VERSION}; update gearshift"
        )
    try:
        return msgspec.json.decode(line, type=Header)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise RecordingError(f"{where}:1: a damaged header: {error}") from None


class _Version(msgspec.Struct):
    gearshift_recording: int
