"""Random weather for a closed loop: what others hold, with all that can go wrong with readings and times."""

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import NamedTuple

from gearshift.pipeline import Asked, Decision, Performed, Pool, Residency, Rung, Sample, Settings, decision_stream
from hypothesis import strategies as st
from reactivex import Observable, Subject

TOTAL = 1000
Event = Sample | Residency | Asked | Performed | Decision


class Look(NamedTuple):
    """A reading to come: `external` None can't be read; `wrong` claims more of ours than there is."""

    time: float
    external: int | None
    wrong: bool = False


class Storm(NamedTuple):
    looks: list[Look]
    ladder: list[Rung]
    settings: Settings
    load_seconds: float
    asked: dict[int, Asked | Performed]  # by the number of the look that they follow


levels = st.integers(0, 450) | st.integers(0, 950)
few = st.integers(1, 3)
stretches = st.one_of(
    st.tuples(st.just("steady"), st.integers(1, 60), levels),
    st.tuples(st.just("ramp"), st.integers(3, 60), levels),
    st.tuples(st.just("wave"), st.integers(10, 60), levels),
    st.tuples(st.just("spike"), few, levels),
    st.tuples(st.sampled_from(["unknown", "wrong", "twice", "back"]), few, levels),
    st.tuples(st.just("gap"), st.integers(11, 90), levels),
)


def looks_of(weather: Iterable[tuple[str, int, int]]) -> list[Look]:
    """One a second. Times that go back do so by less than a gap."""
    looks, time, level = [Look(0.0, 100)], 0.0, 100
    for kind, count, to in weather:
        if kind == "gap":
            time += count
            continue
        for i in range(1, count + 1):
            time += 0.0 if kind == "twice" else 1.0
            shown: int | None = level
            if kind in ("steady", "spike"):
                shown = to
            elif kind == "ramp":
                shown = level + (to - level) * i // count
            elif kind == "wave":
                shown = to if i % 8 < 4 else level
            elif kind == "unknown":
                shown = None
            late = 3.5 if kind == "back" else 0.0
            looks.append(Look(time - late, shown, kind == "wrong"))
        level = to if kind in ("steady", "ramp") else level
    return looks


@st.composite
def ladders(draw: st.DrawFn) -> list[Rung]:
    needs = sorted(draw(st.sets(st.integers(20, 700), min_size=2, max_size=4)), reverse=True)
    gains = draw(st.sampled_from([(4.0, 3.0, 2.0, 1.0), (1.3, 1.2, 1.1, 1.0), (1.0, 1.0, 1.0, 1.0)]))
    return [Rung(f"rung{i}", {"ram": need}, gains[i]) for i, need in enumerate(needs)]


cautions = st.builds(
    lambda high, above, **more: Settings(high=high, critical=high + above, **more),
    st.sampled_from([0.6, 0.8, 0.88]),
    st.sampled_from([0.0, 0.05, 0.12]),
    hysteresis=st.sampled_from([0.01, 0.03, 0.1]),
    window=st.sampled_from([10.0, 30.0]),
    horizon=st.sampled_from([0.0, 3.0, 10.0]),
    alpha=st.sampled_from([0.05, 0.2]),
    confirm=st.sampled_from([0.0, 2.0]),
    patience=st.sampled_from([0.0, 5.0, 20.0]),
    stabilisation=st.sampled_from([0.0, 10.0, 40.0]),
    recovery=st.sampled_from([0.0, 5.0]),
    settle=st.sampled_from([0.0, 2.0, 5.0]),
    gap=st.sampled_from([5.0, 10.0]),
    max_shifts_per_hour=st.sampled_from([0, 3, 6, 100]),
)

requests = st.dictionaries(
    st.integers(0, 200),
    st.one_of(
        st.builds(lambda immediate: Asked(0.0, "a game", immediate), st.booleans()),
        st.builds(lambda ok: Performed(0.0, "generate", 1.0, ok, "rung0"), st.sampled_from([False, False, True])),
    ),
    max_size=20,
)


@st.composite
def storms(draw: st.DrawFn, *, asking: bool = True) -> Storm:
    looks = looks_of(draw(st.lists(stretches, min_size=1, max_size=12)))
    asked = draw(requests) if asking else {}
    return Storm(looks, draw(ladders()), draw(cautions), draw(st.sampled_from([0.0, 2.0, 7.0])), asked)


class Loop:
    """Plays a storm item by item; a machine obeys each decision after `load_seconds`. `events`: all, in their order."""

    def __init__(self, storm: Storm, *, before: Callable[["Loop"], object] | None = None) -> None:
        self.storm = storm
        self.samples, self.residencies = Subject[Sample](), Subject[Residency]()
        self.asked = Subject[Asked | Performed]()
        self.events: list[Event] = []
        self._needs = {None: 0} | {rung.name: rung.need["ram"] for rung in storm.ladder}
        self._resident: str | None = None
        self._due: tuple[float, Decision] | None = None
        if before is not None:
            before(self)
        ways: list[Observable] = [self.samples, self.residencies, self.asked]
        for way in ways:
            way.subscribe(self.events.append)
        stream = decision_stream(self.samples, self.residencies, storm.ladder, storm.settings, asked=self.asked)
        stream.subscribe(self._obey, self._broken)

    @staticmethod
    def _broken(error: Exception) -> None:
        raise error

    def _obey(self, decision: Decision) -> None:
        self.events.append(decision)
        self._due = (decision.time + self.storm.load_seconds, decision)
        self.residencies.on_next(Residency(decision.time, "shifting", self._resident))

    def _arrive(self, time: float) -> None:
        if self._due is not None and time >= self._due[0]:
            self._resident, self._due = self._due[1].target, None
            state = "ready" if self._resident else "empty"
            self.residencies.on_next(Residency(time, state, self._resident, seconds=self.storm.load_seconds))

    def step(self, number: int) -> None:
        look = self.storm.looks[number]
        self._arrive(look.time)
        own = self._needs[self._resident]
        pool = None if look.external is None else Pool(TOTAL, look.external + own, own)
        if pool is not None and look.wrong:
            pool = Pool(TOTAL, pool.own, pool.own + 50)
        self.samples.on_next(Sample(look.time, {"ram": pool}, missing=() if pool else ("ram",)))
        if number in self.storm.asked:
            asked = self.storm.asked[number]
            made = (
                Asked(look.time, asked.reason, asked.immediate)
                if isinstance(asked, Asked)
                else Performed(look.time, asked.operation, asked.seconds, asked.ok, self._resident)
            )
            self.asked.on_next(made)

    def run(self) -> list[Event]:
        for number in range(len(self.storm.looks)):
            self.step(number)
        return self.events


def decisions_of(events: Iterable[Event]) -> list[Decision]:
    return [event for event in events if isinstance(event, Decision)]


def gaps_of(samples: Iterable[Sample], gap: float) -> list[float]:
    """When a silence of more than `gap` ended."""
    newest: list[float] = []
    for sample in samples:
        newest.append(max(sample.time, newest[-1]) if newest else sample.time)
    return [later for earlier, later in pairwise(newest) if later - earlier > gap]
