"""All decisions over a recording, as a list: for tests, and for a look at what a change of settings would do."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import reactivex
from reactivex import Observable, Subject
from reactivex import operators as ops

from .decisions import decision_stream
from .lines import Line
from .loading import Recording, load
from .reading import WRITTEN, RefusedError, read_whole
from .rungs import Residency, Rung
from .samples import Sample
from .settings import Settings
from .toml_file import parsed
from .words import Asked, Decision, Performed


def replayed(
    recording: str | Path | Recording,
    ladder: Sequence[Rung] | str | Path | None = None,
    settings: Settings | None = None,
    residencies: Iterable[Residency] | None = None,
    asked: Iterable[Asked | Performed] | None = None,
) -> list[Decision]:
    """The whole decision stream of a recording, in a moment: the samples' own times count.

    Args:
        recording: a file that `load` can read, or what it gave.
        ladder: rungs, best first, or a TOML file of them (see `rungs_from`). None: those that the recording names; its
            settings, residencies and what was asked for then count too, as far as none are given here, in the order in
            which they were written: a recording replays to the decisions that were made.
        settings: `Settings()` by default, whatever the machine, so that all machines decide alike.
        residencies: what is loaded from which time on, on the samples' clock, in any order; each comes right before
            the first sample that is not earlier. By default no load ever ends, so that only the first rung is asked
            for, and what is left of it should memory run short meanwhile.
        asked: requests, and how operations went; each comes right before the first sample that is later. By default
            none.

    Raises:
        RecordingError, FileNotFoundError: for the recording. ValueError: for the ladder.
    """
    found = recording if isinstance(recording, Recording) else load(recording)
    if ladder is None:
        if found.header is None or not found.header.ladder:
            raise ValueError(f"{found.path} names no ladder; pass ladder=, rungs best first")
        ladder, settings = found.header.ladder, settings or found.header.settings
        if residencies is None and asked is None:
            return _decisions(found.lines, ladder, settings)
        residencies = found.residencies if residencies is None else residencies
        asked = found.asked if asked is None else asked
    rungs = rungs_from(ladder) if isinstance(ladder, str | Path) else ladder
    return _decisions(by_time(found.samples, residencies or (), asked or ()), rungs, settings)


def _decisions(lines: Iterable[Line], ladder: Sequence[Rung], settings: Settings | None) -> list[Decision]:
    """What is decided on these lines, taken one by one."""
    loaded, asked = Subject[Residency](), Subject[Asked | Performed]()

    def hand_over(line: Line) -> None:
        if isinstance(line, Residency):
            loaded.on_next(line)
        elif isinstance(line, Asked | Performed):
            asked.on_next(line)

    samples: Observable[Any] = reactivex.from_iterable(lines).pipe(
        ops.do_action(hand_over), ops.filter(lambda line: isinstance(line, Sample))
    )
    return decision_stream(samples, loaded, ladder, settings, asked=asked).pipe(ops.to_list()).run()


def by_time(
    samples: Iterable[Sample], residencies: Iterable[Residency], asked: Iterable[Asked | Performed]
) -> Iterator[Line]:
    """A residency counts for the sample of its own time; a request is made on a sample, and comes after it."""
    others = deque(sorted([*residencies, *asked], key=lambda other: (other.time, not isinstance(other, Residency))))
    for sample in samples:
        while others and (
            others[0].time < sample.time or (others[0].time == sample.time and isinstance(others[0], Residency))
        ):
            yield others.popleft()
        yield sample
    yield from others


def rungs_from(path: str | Path) -> list[Rung]:
    """Rungs from `[[rung]]` tables: `name`, `need = { ram = 6442450944 }` in bytes, and `quality` if any.

    Raises ValueError naming the file and the rung, OSError.
    """
    file = Path(path)
    try:
        tables = parsed(read_whole(file, WRITTEN)).get("rung")
    except ValueError as error:
        raise RefusedError(f"{file}: not TOML: {error}; a ladder holds [[rung]] tables") from None
    if not isinstance(tables, list) or not tables:
        raise RefusedError(f"{file}: holds no rung; add [[rung]] tables, the best first")
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
        raise RefusedError(f"{where}: {error}; the keys of a rung are {', '.join(fields)}, its need in bytes") from None
