"""Every reader of text and records from outside: valid bytes to begin with, how they are read, what it may raise."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from gearshift.models.ladders.ladder import Ladder, LadderError
from gearshift.models.replies import saved_conversations
from gearshift.models.telling.wording import SHIPPED as WORDS
from gearshift.models.telling.wording import Wording, WordingError
from gearshift.pipeline import RecordingError, load, quantities
from gearshift.pipeline.configuring import SettingsError, changes, combined, layer
from gearshift.pipeline.golden import GoldenError, read_golden
from gearshift.pipeline.importers import import_samples
from gearshift.pipeline.lines import encode
from gearshift.pipeline.replayed import rungs_from
from gearshift.pipeline.replaying import read_recording
from gearshift.pipeline.rungs import checked_ladder
from gearshift.pipeline.settings_sources import in_environment, in_file
from gearshift.pipeline.tier_file import SHIPPED as TIERS
from gearshift.pipeline.tier_file import TierError, read_tiers

from ..pipeline.importers.fixtures import FILES, FOLDER

RECORDINGS = Path(__file__).parents[1] / "recordings"
GOLDEN = Path(__file__).parents[1] / "golden"


class Reader(NamedTuple):
    """name: for people. seeds: what is right. read: reads what is hostile, in a folder of its own. errors: it promises.

    tokens: words of the format. share: of the cases, as some readers start a process for each.
    """

    name: str
    seeds: Sequence[bytes]
    read: Callable[[Path, bytes], object]
    errors: tuple[type[Exception], ...]
    tokens: Sequence[bytes] = ()
    share: float = 1.0


def written(folder: Path, name: str, content: bytes) -> Path:
    file = folder / name
    file.write_bytes(content)
    return file


def _recording(folder: Path, content: bytes) -> None:
    """What was read can be written again, and what is skipped is nothing but lines."""
    for line in load(written(folder, "a.jsonl", content)).lines:
        encode(line)


def _skipping(folder: Path, content: bytes) -> None:
    header, lines = read_recording(written(folder, "a.jsonl", content), on_bad="skip")
    encode(header)
    for line in lines:
        encode(line)


def _packed(folder: Path, content: bytes) -> None:
    """What isn't packed yet is, so that what a damaged file unpacks to is met as well."""
    load(written(folder, "a.jsonl.zst", content if content.startswith(b"\x28\xb5\x2f\xfd") else zstd(content)))


def zstd(content: bytes) -> bytes:
    import sys

    if sys.version_info >= (3, 14):
        from compression import zstd as packing
    else:
        from backports import zstd as packing
    return packing.compress(content)


def _importer(kind: str, told: Mapping[str, Mapping[str, Any]]) -> Reader:
    """The files of one folder; each case is read with what one of them needs to be told, and skips bad lines or not."""
    ways = list(told.values())

    def read(folder: Path, content: bytes) -> None:
        file = written(folder, "a.txt", content)
        way = ways[len(content) % len(ways)]
        for sample in import_samples(file, **way, on_bad="skip" if len(content) % 2 else "raise").samples:
            encode(sample)

    seeds = [(FOLDER / name).read_bytes() for name in told]
    return Reader(f"import {kind}", seeds, read, (RecordingError,), _WORDS)


_WORDS = (
    b"timestamp", b"time", b"ram.used", b"ram.total", b"memory.used [MiB]", b"nan", b"[N/A]", b"2026-01-01T00:00:00Z",
    b"hostname;interval;timestamp;", b'"values":', b'"sysstat":', b"\n\n", b"99999999999999999999",
    b"9999-99-99 99:99:99",
)  # fmt: skip
_TOML = (b"[[rung]]\n", b"[a.b]\n", b'"""', b"'''", b" = ", b"{ram = 1}", b"1979-05-27T07:32:00Z", b"[[", b"]]", b"# ")


def _parquet() -> Reader:
    import io

    import polars

    columns = {"time": [0.0, 1.0], "ram.used": [3, None], "ram.total": [9, 9], "name": ["a", "b"]}
    made = io.BytesIO()
    polars.DataFrame(columns).write_parquet(made)
    read = lambda folder, content: load(written(folder, "a.parquet", content))  # noqa: E731
    return Reader("parquet", [made.getvalue()], read, (RecordingError,), (), 1 / 200)


def _settings(folder: Path, content: bytes) -> None:
    combined(in_file(written(folder, "settings.toml", content)))


def _text(content: bytes) -> str:
    return content.decode(errors="surrogateescape")


def _environment(_: Path, content: bytes) -> None:
    """As the system hands it over: no NUL, and whatever is no UTF-8 as surrogates."""
    pairs = (line.partition("=") for line in _text(content).replace("\0", "").split("\n"))
    said, _left = in_environment({name: text for name, _, text in pairs})
    combined(said)


def _options(_: Path, content: bytes) -> None:
    combined(layer(changes(_text(content).replace("\0", "").split("\n")), "--set"))


def _quantities(_: Path, content: bytes) -> None:
    failed: list[ValueError] = []
    for read in (quantities.seconds, quantities.size):
        try:
            read(_text(content))
        except ValueError as error:
            failed.append(error)
    if failed:
        raise failed[0]


def _rungs(folder: Path, content: bytes) -> None:
    checked_ladder(rungs_from(written(folder, "ladder.toml", content)))


def _models(folder: Path, content: bytes) -> None:
    Ladder.from_toml(written(folder, "ladder.toml", content))


def readers() -> list[Reader]:
    lines = [b"\n".join(file.read_bytes().split(b"\n")[:12]) + b"\n" for file in sorted(RECORDINGS.glob("*.jsonl"))]
    keys = [b'"record":"sample",', b'"record":"decision",', b'"pools":{"ram":null}', b'"need":{"ram":1}', b'"time":']
    kinds: dict[str, dict[str, Mapping[str, Any]]] = {}
    for name, (told, _) in FILES.items():
        kinds.setdefault(name.partition("/")[0], {})[name] = told
    ladders = [
        b'[[rung]]\nname = "large"\nneed = { ram = 6442450944 }\nquality = 2.0\n[[rung]]\nname = "small"\n'
        b"need = { ram = 1073741824 }\nquality = 1.0\nlatency = 2.5\ncontext = 2048\n"
    ]
    models = [ladders[0].replace(b"need =", b'source = "there"\ndtype = "auto"\ndevice = "cpu"\nneed =')]
    settings = [
        b'high = 0.85\n[ceiling]\ncritical = 0.9\n[reserve]\nram = "4 GiB"\n',
        b'stabilisation = "adaptive"\nbudget = "8 GiB"\nlatency = 20.0\nmax_shifts_per_hour = 6\nreserve = {ram = 1}\n',
    ]
    said = [b'high=0.85\nreserve={"ram":"4 GiB"}\nbudget=8 GiB\nstabilisation=adaptive\nlatency=none']
    names = [line.replace(b"reserve=", b"GEARSHIFT_RESERVE=").replace(b"high=", b"GEARSHIFT_HIGH=") for line in said]
    talks = [b'{"version":1,"conversations":{"a":[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]}}']
    return [
        Reader("recording", lines, _recording, (RecordingError,), keys),
        Reader("recording, skipping", lines, _skipping, (RecordingError,), keys),
        Reader("recording, zst", [*lines, *map(zstd, lines)], _packed, (RecordingError,), keys),
        *(_importer(kind, told) for kind, told in kinds.items()),
        _parquet(),
        Reader("ladder of rungs", ladders, _rungs, (ValueError, TypeError, OSError), _TOML),
        Reader("ladder of models", models, _models, (LadderError,), _TOML),
        Reader("settings file", settings, _settings, (SettingsError,), _TOML),
        Reader("environment", names, _environment, (SettingsError,)),
        Reader("--set", said, _options, (SettingsError,)),
        Reader("durations, sizes", [b"1h30m", b"1.5 GiB", b"500M", b"90"], _quantities, (ValueError,), (b"GiB", b"d")),
        Reader("tiers", [TIERS.read_bytes()], lambda f, c: read_tiers(written(f, "a.toml", c)), (TierError,), _TOML),
        Reader("words", [WORDS.read_bytes()], lambda f, c: Wording(written(f, "a.toml", c)), (WordingError,), _TOML),
        Reader(
            "conversations", talks, lambda f, c: saved_conversations.read(written(f, "a.json", c)),
            (saved_conversations.ConversationError,),
        ),
        Reader(
            "golden", [file.read_bytes() for file in sorted(GOLDEN.glob("*.json"))],
            lambda f, c: read_golden(written(f, "a.json", c)), (GoldenError,),
        ),
    ]  # fmt: skip
