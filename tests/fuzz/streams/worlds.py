"""Random worlds: a ladder, settings, what others do to the machine, and all that can go wrong with readings and times.

A world is made of its seed and its number alone, so that one of a million can be made again.
"""

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from gearshift.pipeline import Asked, Performed, Pool, Pressure, Rung, Sample, Settings

TOTALS = (1000, 1000, 1000, 16 << 30, 3, 1 << 50)
BAD_TIMES = (float("nan"), float("inf"), float("-inf"))
Happening = Sample | Asked | Performed | str


class World(NamedTuple):
    """happenings: what is fed in, in order; a text is a fault of the machine itself, "lost". load_seconds: of a shift.
    breaks: share of the loads that fail. size: what loads hold, in times of their need."""

    ladder: list[Rung]
    settings: Settings
    happenings: list[Happening]
    faults: int
    load_seconds: float
    breaks: float
    size: float


def world(seed: int, number: int) -> World:
    r = Random((seed << 40) ^ number)
    total = r.choice(TOTALS)
    pools = ["ram"] if r.random() < 0.7 else ["ram", "cuda:0"]
    ladder, settings = _ladder(r, total, pools), _settings(r, total)
    weather = _Weather(r, total, pools, settings)
    length = r.choice((5, 5, 10, 10, 20, 40)) if r.random() < 0.997 else 1000
    happenings = list(weather.happenings(length, [rung.name for rung in ladder]))
    return World(
        ladder, settings, happenings, weather.faults, r.choice((0.0, 0.0, 1.0, 3.0, 8.0, 40.0)),
        r.choice((0.0, 0.0, 0.1, 0.5)), r.choice((1.0, 1.0, 0.6, 1.4)),
    )  # fmt: skip


def _ladder(r: Random, total: int, pools: list[str]) -> list[Rung]:
    count = r.randint(1, 5)
    alike = r.random() < 0.1
    needs = [int(total * r.choice((r.random(), r.random() * 0.3, 0.0, 2.0))) for _ in range(count)]
    if r.random() < 0.8:
        needs.sort(reverse=True)
    rungs = []
    for i, need in enumerate(needs):
        chosen = pools if r.random() < 0.5 else [r.choice(pools)]
        quality = 1.0 if alike else float(count - i)
        rungs.append(Rung(f"rung{i}", dict.fromkeys(chosen, need), quality, latency=r.choice((None, None, 2.0))))
    return rungs


def _settings(r: Random, total: int) -> Settings:
    high = r.choice((0.8, 0.8, 0.6, 0.3, 0.97))
    critical = min(1.0, high + r.choice((0.0, 0.05, 0.12)))
    more: dict[str, Any] = {}
    if r.random() < 0.1:
        more["reserve"] = {"ram": int(total * r.random() * 1.5)}
    if r.random() < 0.2:
        more["latency"] = r.choice((0.5, 20.0))
    return Settings(
        high=high, critical=critical, hysteresis=high * r.choice((0.01, 0.04, 0.3, 0.99)),
        interval=r.choice((0.1, 1.0, 5.0)), fastest=r.choice((0.05, 1.0)), window=r.choice((1.0, 10.0, 60.0)),
        horizon=r.choice((0.0, 3.0, 10.0, 1000.0)), alpha=r.choice((0.001, 0.1, 0.5)),
        confirm=r.choice((0.0, 2.0, 10.0)), patience=r.choice((0.0, 5.0, 30.0)),
        stabilisation="adaptive" if r.random() < 0.2 else r.choice((0.0, 5.0, 5.0, 30.0, 300.0)),
        recovery=r.choice((0.0, 5.0, 15.0)), settle=r.choice((0.0, 2.0, 10.0)), retry=r.choice((0.0, 5.0, 60.0)),
        gap=r.choice((2.0, 10.0)), max_shifts_per_hour=r.choice((0, 2, 6, 1000)), stall=r.choice((0.1, 0.01, 1.0)),
        **more,
    )  # fmt: skip


class _Weather:
    def __init__(self, r: Random, total: int, pools: list[str], settings: Settings) -> None:
        self._r, self._total, self._pools = r, total, pools
        self._step = r.choice((settings.interval, settings.interval, settings.interval * 2.5))
        self._wild = r.choice((0.0, 0.02, 0.1, 0.4))
        self._level = {pool: r.random() * 0.7 for pool in pools}
        self._kind = self._left = 0
        self._slope = 0.0
        self.faults = 0

    def happenings(self, length: int, names: list[str]) -> Iterator[Happening]:
        """Pools hold what others have; who plays them adds our own."""
        r, time = self._r, _start(self._r)
        for _ in range(length):
            time += self._step * (1 if r.random() < 0.9 else 0.5 + r.random())
            self._move()
            if r.random() < self._wild:
                self.faults += 1
                kind = r.randrange(14)
                if kind < 5:
                    time, stamps = _odd_time(r, time, kind)
                    for stamp in stamps:
                        yield self._sample(stamp)
                    continue
                if kind < 9:
                    yield self._odd_sample(time, kind)
                    continue
                yield self._event(time, kind, names)
            yield self._sample(time)

    def _move(self) -> None:
        r = self._r
        if self._left <= 0:
            self._kind, self._left = r.randrange(4), r.randint(1, 25)
            self._slope = (r.random() - 0.4) * r.choice((0.01, 0.05, 0.3))
        self._left -= 1
        for pool in self._level:
            step = (0.0, self._slope, (r.random() - 0.5) * 0.1, self._slope if self._left % 6 < 3 else -self._slope)
            self._level[pool] = min(1.2, max(0.0, self._level[pool] + step[self._kind]))

    def _sample(self, time: float, **more: Any) -> Sample:
        pools: dict[str, Pool | None] = {n: Pool(self._total, int(v * self._total)) for n, v in self._level.items()}
        return Sample(time, pools, **more)

    def _odd_sample(self, time: float, kind: int) -> Sample:
        r = self._r
        name = r.choice(self._pools)
        if kind == 5:
            return Sample(time, {**self._sample(time).pools, name: None}, missing=(name,))
        if kind == 6:  # it claims that more is ours than is in use
            return Sample(time, {**self._sample(time).pools, name: Pool(self._total, 0, self._total)})
        if kind == 7:
            told = Sample(time, dict(self._sample(time).pools))
            del told.pools[name]
            return told
        if r.random() < 0.5:
            total = max(1, int(self._total * r.choice((0.25, 0.5, 2.0))))
            return Sample(time, {**self._sample(time).pools, name: Pool(total, int(total * r.random() * 1.5))})
        stalls = r.random()
        return self._sample(time, pressure={"memory": Pressure(stalls, stalls * r.random())}, alarm=r.random() < 0.3)

    def _event(self, time: float, kind: int, names: list[str]) -> Happening:
        r = self._r
        if kind < 11:
            return "lost"
        if kind < 12:
            return Asked(time, "a game\nstarts", r.random() < 0.5)
        return Performed(time, "generate", r.random() * 40, r.random() < 0.4, r.choice((None, *names)))


def _start(r: Random) -> float:
    return r.choice((0.0, 0.0, 1e5, 1.7e9, -50.0, 1e12))


def _odd_time(r: Random, time: float, kind: int) -> tuple[float, list[float]]:
    if kind == 0:
        return time, [time, time]
    if kind == 1:
        return time, [time - r.random() * 30]
    if kind == 2:
        return time, [time + 1, time]
    if kind == 3:
        time += r.choice((6249.0, 100.0, 11.0, 1e7))
        return time, [time]
    back = time - r.choice((60.0, 3600.0, 1e6))
    return back, [r.choice(BAD_TIMES), back]
