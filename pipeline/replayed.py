"""All decisions over a recording, as a list: for tests, and for a look at what a change of settings would do."""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
from reactivex import Observable, Subject
from reactivex import operators as ops

from .decisions import decision_stream
from .loading import Recording, load
from .policy import Residency, Rung
from .samples import Sample
from .settings import Settings
from .words import Decision


def replayed(
    recording: str | Path | Recording,
    ladder: Sequence[Rung] | str | Path | None = None,
    settings: Settings | None = None,
    residencies: Iterable[Residency] | None = None,
) -> list[Decision]:
    """The whole decision stream of a recording, in a moment: the samples' own times count.

    Args:
        recording: a file that `load` can read, or what it gave.
        ladder: rungs, best first, or a TOML file of them (see `rungs_from`). None: those that the recording names; its
            settings and residencies then count too, as far as none are given here.
        settings: `Settings()` by default, whatever the machine, so that all machines decide alike.
        residencies: what is loaded from which time on, on the samples' clock, in any order; each comes right before
            the first sample that is not earlier. By default no load ever ends, so that only the first rung is asked
            for, and what is left of it should memory run short meanwhile.

    Raises:
        RecordingError, FileNotFoundError: for the recording. ValueError: for the ladder.
    """
    found = recording if isinstance(recording, Recording) else load(recording)
    if ladder is None:
        if found.header is None or not found.header.ladder:
            raise ValueError(f"{found.path} names no ladder; pass ladder=, rungs best first")
        ladder, settings = found.header.ladder, settings or found.header.settings
        residencies = found.residencies if residencies is None else residencies
    rungs = rungs_from(ladder) if isinstance(ladder, str | Path) else ladder
    samples, loaded = _timed(found.stream(), residencies or ())
    return decision_stream(samples, loaded, rungs, settings).pipe(ops.to_list()).run()


def rungs_from(path: str | Path) -> list[Rung]:
    """Rungs from `[[rung]]` tables: `name`, `need = { ram = 6442450944 }` in bytes, and `quality` if any.

    Raises ValueError naming the file and the rung, FileNotFoundError.
    """
    file = Path(path)
    try:
        tables = tomllib.loads(file.read_text("utf-8")).get("rung")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: not TOML: {error}") from None
    if not isinstance(tables, list) or not tables:
        raise ValueError(f"{file}: holds no rung; add [[rung]] tables, the best first")
    return [_rung(f"{file}: rung[{i}]", table) for i, table in enumerate(tables)]


def _rung(where: str, table: Any) -> Rung:
    fields = Rung.__struct_fields__
    try:
        for key in set(table) - set(fields):
            raise ValueError(f"unknown key {key} = {table[key]!r}")
        rung = msgspec.convert(table, Rung)
        for pool, need in rung.need.items():
            if need < 0:
                raise ValueError(f"need must be bytes of at least 0, got {pool} = {need}")
        return rung
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: {error}; the keys of a rung are {', '.join(fields)}, its need in bytes") from None


def _timed(
    samples: Observable[Sample], residencies: Iterable[Residency]
) -> tuple[Observable[Sample], Observable[Residency]]:
    """Both streams by event time: the residencies are pushed as the samples reach their times."""
    due = sorted(residencies, key=lambda residency: residency.time, reverse=True)
    loaded: Subject[Residency] = Subject()

    def hand_over(sample: Sample) -> None:
        while due and due[-1].time <= sample.time:
            loaded.on_next(due.pop())

    return samples.pipe(ops.do_action(hand_over)), loaded
