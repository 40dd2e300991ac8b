"""What could have been done at best, had one known the future."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from ..loading import Recording
from ..rungs import Rung
from ..samples import Sample
from ..settings import Settings
from ..words import Decision, Reason
from .fitting import fitted
from .future import Future
from .machine import UNLOAD
from .memory import held, together
from .result import Simulation
from .scripted import Scripted
from .simulate import read_from_disk, simulate

SHIFT_COST = 1e-6  # quality × seconds that a shift must gain: enough to prefer fewer shifts, too little to change a sum
_NEVER = float("-inf")

LoadTime = float | Callable[[Rung], float] | None


class Plan(NamedTuple):
    """quality: the sum of quality × seconds that it reaches. decisions: by the number of the sample, from 0, that they
    are taken at."""

    quality: float
    decisions: dict[int, Decision]


def oracle(
    samples: Recording | Iterable[Sample],
    ladder: Sequence[Rung],
    settings: Settings | None = None,
    *,
    load_time: LoadTime = None,
) -> Simulation:
    """The best run that keeps use under the ceiling at all times while anything of ours is held: `plan`, simulated.

    A yardstick for policies, which don't know the future. It is not a bound for all of them: one that sits out a spike
    above the ceiling gains nothing during it, but saves the load that the oracle has to pay after it.

    Args:
        samples, ladder, settings, load_time: as for `simulate`. There are no requests.

    Raises:
        ValueError, TypeError: as `simulate`.
    """
    kept = samples.samples if isinstance(samples, Recording) else list(samples)
    checked = settings if settings is not None else fitted(Settings(), kept)
    script = Scripted(plan(kept, ladder, checked, load_time=load_time).decisions)
    return simulate(kept, ladder, checked, load_time=load_time, policy=script, name="oracle")


def plan(samples: Sequence[Sample], ladder: Sequence[Rung], settings: Settings, *, load_time: LoadTime = None) -> Plan:
    """The decisions with the largest sum of quality × seconds, of those that never hold anything above `settings.high`.

    Shifts are those of the simulated machine, begun at samples, with nothing loaded at the first one: beside the old
    rung where both fit when it begins and until it ends, else (planned where they don't fit when it begins, immediate
    where they won't) the old rung goes first. Of equal plans the one with the fewest shifts (each costs `SHIFT_COST`),
    then the one that shifts latest, then to the better rung.

    Source: R. Bellman, "Dynamic Programming" (1957): backwards over the samples, one value for each rung and for none;
    L. A. Belady, "A study of replacement algorithms for a virtual-storage computer" (1966) for judging by the future.
    """
    if len(samples) < 2:
        return Plan(0.0, {})
    moves = _Moves(Future(samples, settings.limit), list(ladder), load_time)
    return _read(moves, samples, *_solve(moves))


class _Move(NamedTuple):
    """until: number of the sample at which the next decision can be taken. gain: quality × seconds until then."""

    until: int
    gain: float
    urgency: str = "planned"


class _Moves:
    """What can be done at a sample. Rungs by number, best first; the number after the last one is none."""

    def __init__(self, future: Future, ladder: list[Rung], load_time: LoadTime) -> None:
        self.future, self.ladder, self.none = future, ladder, len(ladder)
        self.quality = [*(rung.quality for rung in ladder), 0.0]
        given = read_from_disk if load_time is None else load_time
        self._load = [given(rung) if callable(given) else given for rung in ladder]
        need = [rung.need for rung in ladder]
        idle = [held(rung, 0) for rung in ladder]
        count = range(len(ladder))
        self.holding = [*(future.over(idle[a]) for a in count), future.over({})]
        self._loading = [future.over(need[b]) for b in count]
        self._beside = [[future.over(together(idle[a], need[b])) for b in count] for a in count]  # a, while b loads
        self._both = [[future.over(together(idle[a], idle[b])) for b in count] for a in count]  # b, while a leaves
        self._pools = [set(rung.need) for rung in ladder]

    def shift(self, i: int, a: int, b: int) -> _Move | None:
        """From a to b at sample i; None where something would be over the ceiling, or the recording ends before."""
        began = self.future.times[i]
        if b == self.none:
            gone = began + UNLOAD
            return self._made(i, b, gone, 0.0, (self.holding[a], began, gone))
        load = self._load[b]
        if a == self.none:
            ready = began + load
            return self._made(i, b, ready, 0.0, (self._loading[b], began, ready))
        beside = self._beside[a][b]
        fits = self._pools[b] <= self.future.readable[i] and beside[i] > i
        if fits:
            ready = began + load
            gone = ready + UNLOAD
            gained = self.quality[a] * load + self.quality[b] * UNLOAD
            phases = (beside, began, ready), (self._both[a][b], ready, gone)
            if made := self._made(i, b, gone, gained, *phases):
                return made
        gone = began + UNLOAD
        ready = gone + load
        made = self._made(i, b, ready, 0.0, (self.holding[a], began, gone), (self._loading[b], gone, ready))
        return made._replace(urgency="immediate") if made is not None and fits else made

    def _made(self, i: int, b: int, end: float, gained: float, *phases: tuple[list[int], float, float]) -> _Move | None:
        times = self.future.times
        until = max(bisect_left(times, end), i + 1)
        if until == len(times):
            return None
        for over, since, to in (*phases, (self.holding[b], end, times[until])):
            if since < to and over[bisect_right(times, since) - 1] < bisect_left(times, to):
                return None
        return _Move(until, gained + self.quality[b] * (times[until] - end))


def _solve(moves: _Moves) -> tuple[list[list[float]], list[list[int]]]:
    """By rung and sample: the value of what can follow, and the rung to go to, itself to stay."""
    times, rungs = moves.future.times, range(moves.none + 1)
    last = len(times) - 1
    values = [[0.0] * (last + 1) for _ in rungs]
    choices = [[a] * (last + 1) for a in rungs]
    for i in range(last - 1, -1, -1):
        passes, seconds = moves.future.passes[i], times[i + 1] - times[i]
        for a in rungs:
            best = values[a][i + 1] + moves.quality[a] * seconds if moves.holding[a][i] > i else _NEVER
            if passes:
                for b in rungs:
                    if b != a and (move := moves.shift(i, a, b)) is not None:
                        value = move.gain - SHIFT_COST + values[b][move.until]
                        if value > best:
                            best, choices[a][i] = value, b
            values[a][i] = best
    return values, choices


def _read(moves: _Moves, samples: Sequence[Sample], values: list[list[float]], choices: list[list[int]]) -> Plan:
    """Follow the choices from the first sample on."""
    names = [*(rung.name for rung in moves.ladder), None]
    decisions: dict[int, Decision] = {}
    i, a = 0, moves.none
    while i < len(samples) - 1:
        b = choices[a][i]
        if b == a:
            i += 1
            continue
        move = moves.shift(i, a, b)
        assert move is not None
        kind = "shed" if b == moves.none else "upgrade" if b < a else "downgrade"
        decisions[i] = Decision(kind, names[a], names[b], move.urgency, samples[i].time, Reason("oracle"))
        i, a = move.until, b
    return Plan(values[moves.none][0] + SHIFT_COST * len(decisions), decisions)
