"""A policy on a simulated machine, in the company that a recording tells of."""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence

from reactivex import Observable
from reactivex import operators as ops

from ..loading import Recording
from ..rungs import Rung, checked_ladder
from ..samples import Sample
from ..settings import Settings
from .fitting import fitted
from .machine import Machine
from .policies import Gearshift, Policy
from .replies import Request
from .result import Simulation

_COLD_READ = 1.5e9  # bytes a second, as measured for weights that no cache holds
_QUICKEST = 0.5  # seconds that a load takes, however small the rung


def read_from_disk(rung: Rung) -> float:
    """Seconds to load a rung whose bytes come off a disk at 1.5 GB/s, at least 0.5.

    >>> read_from_disk(Rung("half", {"ram": 6_000_000_000}))
    4.0
    """
    return max(_QUICKEST, sum(rung.need.values()) / _COLD_READ)


def simulate(
    samples: Recording | Observable[Sample] | Iterable[Sample],
    ladder: Sequence[Rung],
    settings: Settings | None = None,
    *,
    load_time: float | Callable[[Rung], float] | None = None,
    requests: Iterable[Request] = (),
    policy: Policy | None = None,
    kill_after: float = 2.8,
    ceiling: float | None = None,
    tokens_per_second: float = 20.0,
    name: str = "gearshift",
) -> Simulation:
    """What a policy would have done to the model, and to its quality, beside the programs of a recording.

    Each sample tells what others hold until the next one; what is loaded comes from the policy's own decisions. The
    machine does one thing at a time, as a real one does. A planned shift loads the new rung beside the old one
    where both fit under the ceiling, and lets a reply in progress end; else the old one goes first, and nothing answers
    meanwhile. An immediate shift stops the reply, which goes on with the next rung. An unload takes 0.04 s. A pool
    that a sample can't tell of stays as it was, the policy sees None, and nothing is loaded beside. Time does
    not pass at a sample that is earlier than one before; the policy gets it all the same. Nothing passes after the
    last one. Own memory is taken anew at each sample and change, and is constant in between.

    Args:
        samples: in the order of their times. What they say of `own` is taken off, not simulated.
        ladder: rungs, best first. While a rung loads it holds all of its need; then its need without the `context`,
            and `per_token` for each token of the reply in progress.
        settings: of gearshift, and what fits (`high`); `Settings()` as `fitted` to the samples by default.
        load_time: seconds, for each rung if it is a function; `read_from_disk` by default.
        requests: in the order of their times; see `every`.
        policy: gearshift's own by default.
        kill_after: seconds for which a pool that holds some of ours may be over its total. After that the rung
            being loaded, else the loaded one, is killed.
        ceiling: fraction of a pool above which `above_seconds` count, for comparing settings; their `high` by default.
        tokens_per_second: tokens that a reply grows by each second. Its prompt takes no time.
        name: of the policy, for the result.

    Raises:
        ValueError: for a ladder that is empty, not best first, or has two rungs of one name; a decision for an unknown
            rung; times or rates that are out of range; requests out of order. TypeError: for a ladder of no rungs.
        RuntimeError: for a policy whose decisions at one moment don't end.

    >>> from gearshift.pipeline import load
    >>> ladder = [Rung("large", {"ram": 18_500_000_000}), Rung("small", {"ram": 4_000_000_000}, quality=0.7)]
    >>> found = simulate(load("tests/recordings/leak.jsonl"), ladder, load_time=3.0)
    >>> [(shift.decision.target, round(shift.lead, 1)) for shift in found.shifts]
    [('small', 8.5)]
    >>> round(found.effective_quality, 2), found.above_seconds, found.kills
    (0.73, 0.0, 0)
    """
    rungs = checked_ladder(ladder)
    if not kill_after > 0:
        raise ValueError(f"kill_after must be seconds above 0 (infinite: never), got kill_after={kill_after!r}")
    if not (math.isfinite(tokens_per_second) and tokens_per_second > 0):
        raise ValueError(f"tokens_per_second must be above 0, got tokens_per_second={tokens_per_second!r}")
    kept = _listed(samples)
    chosen = settings if settings is not None else fitted(Settings(), kept)
    machine = Machine(
        rungs,
        policy if policy is not None else Gearshift(rungs, chosen),
        limit=chosen.limit,
        ceiling=chosen.high if ceiling is None else ceiling,
        load_seconds=_load_seconds(load_time),
        tokens_per_second=tokens_per_second,
        kill_after=kill_after,
    )
    _run(machine, kept, requests)
    return _told(machine, name, rungs, chosen)


def _run(machine: Machine, samples: Sequence[Sample], requests: Iterable[Request]) -> None:
    asked = _in_order(requests)
    following = next(asked, None)
    for sample in samples:
        while following is not None and following.time <= sample.time:
            machine.request(following)
            following = next(asked, None)
        machine.sample(sample)


def _told(machine: Machine, name: str, ladder: tuple[Rung, ...], settings: Settings) -> Simulation:
    meter = machine.meter
    return Simulation(
        policy=name,
        seconds=meter.seconds,
        time_by_rung=meter.by_rung,
        mean_quality=meter.mean_quality,
        effective_quality=meter.effective_quality,
        above_seconds=meter.above,
        overcommit_seconds=meter.short,
        kills=machine.kills,
        shifts=tuple(shift._replace(lead=machine.leads.of(shift.decision)) for shift in machine.shifts),
        decisions=tuple(machine.decisions),
        timeline=tuple(machine.timeline),
        residencies=tuple(machine.residencies),
        ladder=ladder,
        settings=settings,
        replies=machine.replies.finished,
        waited=meter.waited,
    )


def _listed(samples: Recording | Observable[Sample] | Iterable[Sample]) -> list[Sample]:
    if isinstance(samples, Recording):
        return samples.samples
    if isinstance(samples, Observable):
        return samples.pipe(ops.to_list()).run()
    return list(samples)


def _load_seconds(load_time: float | Callable[[Rung], float] | None) -> Callable[[Rung], float]:
    if load_time is None:
        return read_from_disk
    given = load_time
    if not callable(given):
        _check_load_time(given, "every rung")
        return lambda _: given

    def seconds(rung: Rung) -> float:
        found = given(rung)
        _check_load_time(found, rung.name)
        return found

    return seconds


def _check_load_time(seconds: float, rung: str) -> None:
    if not (math.isfinite(seconds) and seconds >= 0):
        raise ValueError(f"load_time must be seconds of at least 0, got load_time={seconds!r} for {rung}")


def _in_order(requests: Iterable[Request]) -> Iterator[Request]:
    newest = -math.inf
    for request in requests:
        if not request.time >= newest:
            raise ValueError(f"requests must be in the order of their times, got {request.time} after {newest}")
        if not (request.prompt >= 0 and request.generated >= 0):
            raise ValueError(f"a request's tokens must be at least 0, got {request}")
        newest = request.time
        yield request
