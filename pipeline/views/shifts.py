"""The shifts that a recording tells of."""

from collections.abc import Iterable, Sequence

from ..lines import Line
from ..rungs import Residency, Rung, learned
from ..samples import Sample
from ..settings import Settings
from ..simulation.leads import Leads
from ..simulation.memory import Memory
from ..simulation.result import Shift
from ..words import Decision


def shifts_of(lines: Iterable[Line], ladder: Sequence[Rung], settings: Settings) -> list[Shift]:
    """Decisions that a residency shows to have been carried out, with their lead times; the first load is none."""
    rungs = {rung.name: rung for rung in ladder}
    memory, leads = Memory(settings.limit, settings.high), Leads(rungs)
    asked: Decision | None = None
    found: list[Shift] = []
    begun = False
    for line in lines:
        if isinstance(line, Sample):
            memory.read(line.pools)
            leads.look(memory, line.time)
        elif isinstance(line, Decision):
            asked = line
            leads.decided(line, memory, line.time)
        elif isinstance(line, Residency):
            for name in (line.rung, line.failed):
                if name in rungs:
                    rungs[name] = learned(rungs[name], line)
            if asked is not None and line.rung == asked.target and line.state in ("ready", "empty"):
                if begun:
                    found.append(Shift(asked, max(asked.time, line.time - line.seconds), line.time))
                asked = None
            begun = begun or line.rung is not None
    return [shift._replace(lead=leads.of(shift.decision)) for shift in found]
