"""A recording or a simulation as a picture needs it: series by pool, stretches by rung, decisions and shifts."""

from collections.abc import Iterable, Sequence

import msgspec

from ..lines import Line, Mark
from ..loading import Recording
from ..outlook import Outlook, OutlookWindow
from ..pretence import carried_out
from ..replayed import by_time
from ..rungs import Residency, Rung
from ..samples import Sample
from ..settings import Settings
from ..simulation.fitting import own_settings
from ..simulation.result import Shift, Simulation
from ..words import Decision
from .clock import dated
from .misses import Misses, MissTrack
from .shifts import shifts_of


class Track(msgspec.Struct, frozen=True):
    """A pool at each of a timeline's times, in bytes; None where it was not read.

    total: as last read. bound: what others were expected not to exceed within the shrink horizon, as told at that time,
    the total at most. misses: how that turned out.
    """

    total: int
    external: list[int | None]
    own: list[int | None]
    bound: list[float | None]
    misses: Misses


class Stretch(msgspec.Struct, frozen=True):
    """From `begin` to `end`, seconds, `rung` was loaded (None: nothing). state: `empty`, `shifting`, `ready`."""

    begin: float
    end: float
    rung: str | None
    state: str


class Timeline(msgspec.Struct, frozen=True, kw_only=True):
    """What happened, in order.

    name: of the recording or the policy. times: of the samples, seconds. wall: seconds since 1970 at the first of them,
    0.0 where that isn't known. tracks: by pool. stretches: what was loaded, without gaps between them. shifts:
    decisions that were carried out.
    """

    name: str
    times: list[float]
    wall: float
    tracks: dict[str, Track]
    stretches: list[Stretch]
    decisions: list[Decision]
    shifts: list[Shift]
    marks: list[Mark]
    ladder: tuple[Rung, ...]
    settings: Settings

    @property
    def rung_names(self) -> list[str]:
        """Of the ladder, best first, then those that were loaded without standing on it."""
        loaded = (stretch.rung for stretch in self.stretches if stretch.rung is not None)
        return list(dict.fromkeys([*(rung.name for rung in self.ladder), *loaded]))

    def _repr_html_(self) -> str:
        from .cards import timeline_html

        return timeline_html(self)


def timeline(found: Recording | Simulation, settings: Settings | None = None) -> Timeline:
    """The timeline of a recording, with what was decided while it was made, or of a simulation.

    Of a recording that holds no residency each decision counts as carried out at once, as in a dry run, in `stretches`
    alone. settings: for ceilings and bounds; by default the recording's own, else `Settings()` fitted to its samples. A
    simulation has its own. Samples older than those before them are left out.
    """
    if isinstance(found, Simulation):
        samples = [Sample(moment.time, dict(moment.pools)) for moment in found.timeline]
        lines = by_time(samples, found.residencies, ())
        return _timeline(found.policy, lines, found.ladder, found.settings, found.decisions, found.shifts, ())
    header = found.header
    chosen = settings or own_settings(found)
    ladder = header.ladder if header is not None else ()
    shifts = shifts_of(found.lines, ladder, chosen)
    told = _timeline(found.path.name, found.lines, ladder, chosen, found.decisions, shifts, found.marks)
    if not found.dry:
        return told
    return msgspec.structs.replace(told, stretches=stretches(list(map(carried_out, found.decisions)), told.times))


def _timeline(
    name: str,
    lines: Iterable[Line],
    ladder: tuple[Rung, ...],
    settings: Settings,
    decisions: Sequence[Decision],
    shifts: Sequence[Shift],
    marks: Sequence[Mark],
) -> Timeline:
    window = OutlookWindow(settings)
    seen: list[Outlook] = []
    residencies: list[Residency] = []
    for line in lines:
        if isinstance(line, Residency):
            residencies.append(line)
        outlook = window.update(line)
        if isinstance(outlook, Outlook):
            seen.append(outlook)
    times = [outlook.time for outlook in seen]
    pools = dict.fromkeys(name for outlook in seen for name in outlook.pools)
    return Timeline(
        name=name,
        times=times,
        wall=dated(seen[0].sample.wall) if seen else 0.0,
        tracks={pool: track for pool in pools if (track := _track(pool, seen, settings)) is not None},
        stretches=stretches(residencies, times),
        decisions=list(decisions),
        shifts=list(shifts),
        marks=list(marks),
        ladder=ladder,
        settings=settings,
    )


def _track(pool: str, seen: Sequence[Outlook], settings: Settings) -> Track | None:
    external: list[int | None] = []
    own: list[int | None] = []
    bound: list[float | None] = []
    misses = MissTrack(settings.alpha)
    total = 0
    for outlook in seen:
        found = outlook.pools.get(pool)
        if found is None:
            for series in (external, own, bound):
                series.append(None)
            continue
        total = found.pool.total
        reach = found.bound(outlook.shrink)
        external.append(found.external)
        own.append(min(found.pool.own, found.pool.used))
        bound.append(min(reach, total))
        misses.update(outlook.time, found.external / total, reach / total, outlook.shrink, found.margins[0] is not None)
    return Track(total, external, own, bound, misses.found()) if total else None


def stretches(residencies: Sequence[Residency], times: Sequence[float]) -> list[Stretch]:
    """What was loaded between the first sample and the last; nothing before the first that is told."""
    if not times:
        return []
    changes = [(times[0], None, "empty"), *((r.time, r.rung, r.state) for r in residencies)]
    found: list[Stretch] = []
    for (begin, rung, state), after in zip(changes, [*(c[0] for c in changes[1:]), times[-1]], strict=True):
        begin, end = max(begin, times[0]), min(after, times[-1])
        if found and (found[-1].rung, found[-1].state) == (rung, state):
            found[-1] = msgspec.structs.replace(found[-1], end=max(end, found[-1].end))
        elif end > begin:
            found.append(Stretch(begin, end, rung, state))
    return found
