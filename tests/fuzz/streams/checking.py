"""What is promised of decisions, checked by arithmetic of its own: nothing of the policy is called.

- Growth only after a whole clean window: at every reading of the last `stabilisation` seconds (10 where it adapts) all
  pools were known, and the better rung fitted under `high` beside what others held; no gap, no jump of the clock, no
  shift. From nothing, the reading itself must allow it.
- No action that is planned within `settle` seconds after a shift, but on request; an immediate one only where others
  have taken more of a pool since.
- What is wanted fits beside what others hold now: for growth under `high`, else under `critical`. Where a lower rung is
  asked for, or one is slow, fails or stalls, it fits, or needs no more of any pool than the one that is left. What is
  taken for its room fits by the numbers of the decision's own reason.
- Growth takes no more shifts of an hour than its budget, one up and one back.
- A desired state is told once, until what is loaded changes. Source and target differ, and are on the ladder.
- Every decision explains itself in one clean line, by finite numbers, and comes back from JSON as it was.
"""

from collections import deque
from math import inf, isfinite

import msgspec
from gearshift.pipeline import Decision, Residency, Rung, Sample, Settings

_TICK = 1e-5
_FREE = ("asked", "slow", "failing", "stalls")
_FOR_ROOM = ("room", "recovered", "fits")
_MORE = 0.01  # of a pool that others may take before a shortage counts while memory settles
_HOUR = 3600.0
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Decision).decode


class Broken(Exception):
    """A promise that did not hold."""


class Checker:
    """Is told all that the decisions are told, in the same order, and each decision."""

    def __init__(self, ladder: list[Rung], settings: Settings) -> None:
        self._settings = settings
        self._rank = {rung.name: len(ladder) - i for i, rung in enumerate(ladder)} | {None: 0}
        self._need = {rung.name: dict(rung.need) for rung in ladder}
        self._pools = {pool for rung in ladder for pool in rung.need}
        self._newest: float | None = None
        self._sample: Sample | None = None
        self._clean = dict.fromkeys(self._need, inf)  # since when each rung could have been grown to
        self._settled = -inf
        self._level: dict[str, int] = {}  # what others held when it began
        self._back = 0.0  # seconds that the samples' clock has gone back
        self._paid: deque[float] = deque()
        self._resident = Residency(-inf)
        self._told: tuple[str | None, str] | None = None

    def sample(self, sample: Sample) -> None:
        time, newest = sample.time, self._newest
        silence = max(self._settings.gap, 3 * self._settings.interval)
        if newest is None or not newest <= time <= newest + silence:
            if not isfinite(time) or (newest is not None and -silence <= time - newest < 0):
                return  # it is left out
            if newest is not None and time < newest:
                self._settled -= newest - time
                self._back += newest - time
            self._break(time)
        self._newest, self._sample = time, sample
        if not self._level:
            self._level = {name: read.external for name, read in sample.pools.items() if read is not None}
        sound = all(self._sound(sample, pool) for pool in self._pools)
        for name in self._clean:
            if not (sound and self._fits(name, self._settings.high)):
                self._clean[name] = inf
            elif self._clean[name] == inf:
                self._clean[name] = time

    def residency(self, told: Residency) -> None:
        before, self._resident = self._resident, told
        if told.need:
            self._need[told.failed or told.rung or ""] = told.need
        if told.state != "shifting":
            self._told = None
            if (before.state == "shifting" or before.rung != told.rung) and self._newest is not None:
                self._settled, self._level = self._newest, {}
                self._break(self._newest)

    def decision(self, made: Decision) -> None:
        """Raises Broken where `made` keeps a promise not."""
        self._check(made)
        if made.urgency == "planned" and made.source is not None and self._newest is not None:
            self._paid.append(self._newest + self._back)

    def _check(self, made: Decision) -> None:
        self._telling(made)
        if self._sample is None or self._newest is None:
            raise Broken("decided on nothing")
        if made.reason.rule in _FREE:
            if made.target is not None and self._rank[made.target] >= self._rank.get(made.source, 99):
                raise Broken("what was asked for goes no rung down")
            return
        self._settling(made)
        if made.kind == "upgrade":
            self._growth(made)
        if made.reason.rule in _FOR_ROOM and made.reason.pool:
            self._by_its_numbers(made)
        if made.target is not None and not self._fits(made.target, self._settings.critical):
            raise Broken("what is wanted does not fit")

    def _settling(self, made: Decision) -> None:
        assert self._newest is not None and self._sample is not None
        if made.source is None or self._newest - self._settled >= self._settings.settle - _TICK:
            return
        if made.urgency == "planned":
            raise Broken("a planned action inside the settle window")
        level = self._level
        if not any(
            read is not None and read.external > level.get(name, read.external) + _MORE * read.total
            for name, read in self._sample.pools.items()
        ):
            raise Broken("an action inside the settle window, of which others are no cause")

    def _by_its_numbers(self, made: Decision) -> None:
        r = made.reason
        if r.need != self._need[made.target or ""].get(r.pool):
            raise Broken("the need that it tells is not the target's")
        if r.external + r.need > r.ceiling * r.total + 1:
            raise Broken("by its own numbers it does not fit beside others")
        if r.rule != "fits" and r.bound + r.need > self._settings.high * r.total + 1:
            raise Broken("by its own numbers it does not fit under the bound")

    def _growth(self, made: Decision) -> None:
        assert self._sample is not None and self._newest is not None
        if not all(self._sound(self._sample, pool) for pool in self._pools):
            raise Broken("growth while blind")
        if made.reason.rule == "room":
            self._budget()
        stabilisation = self._settings.stabilisation
        least = 10.0 if stabilisation == "adaptive" else float(stabilisation)
        if made.source is not None and self._newest - self._clean[made.target or ""] < least - _TICK:
            raise Broken("growth without a whole clean window")

    def _budget(self) -> None:
        now = self._newest + self._back if self._newest is not None else 0.0
        while self._paid and self._paid[0] <= now - _HOUR:
            self._paid.popleft()
        if len(self._paid) + 2 > self._settings.max_shifts_per_hour:
            raise Broken("growth beyond the budget of shifts")

    def _sound(self, sample: Sample, pool: str) -> bool:
        """Known, or of no machine such as this, and without contradiction."""
        if pool not in sample.pools:
            return True
        read = sample.pools[pool]
        return read is not None and read.own <= read.used

    def _fits(self, name: str, share: float) -> bool:
        assert self._sample is not None
        for pool, need in self._need[name].items():
            read = self._sample.pools.get(pool)
            if read is None:  # what is held there already, another may hold
                held = self._need.get(self._resident.rung or "", {}).get(pool, -1)
                if pool in self._sample.pools and need <= held:
                    continue
                return False
            limit = min(share * read.total, read.total - self._settings.reserve.get(pool, 0))
            if max(0, read.used - read.own) + need > limit + 1:
                return False
        return True

    def _break(self, time: float) -> None:
        self._clean = {name: inf if since == inf else time for name, since in self._clean.items()}

    def _telling(self, made: Decision) -> None:
        if made.target not in self._rank or (made.source == made.target and made.source is not None):
            raise Broken("no such step on the ladder")
        if (made.target, made.urgency) == self._told:
            raise Broken("told twice")
        self._told = made.target, made.urgency
        said = made.explain()
        if not said.isprintable() or "nan" in said or "inf" in said:
            raise Broken("it can't be read")
        if _decode(_encode(made)) != made:
            raise Broken("it is another after JSON")
