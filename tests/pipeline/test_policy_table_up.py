"""What leads up, and what just does not: a table. Of 1000 bytes, the ceiling is at 800; growth needs to stay at 770."""

from collections.abc import Sequence

import pytest
import reactivex
from gearshift.pipeline import Asked, Pool, Pressure, Residency, Rung, Sample, Settings, decision_stream
from gearshift.pipeline.testing import rungs_of

from tests.pipeline.feeding import LADDER, TWO_POOLS, Item, beside, case, decided, on_gpu, ramp, ready, replies, told

SOON = Settings(stabilisation=20.0, recovery=5.0)
MEDIUM, SMALL, EMPTY = ready("medium"), ready("small"), ready(None)
ALIKE = [Rung("large", {"ram": 500}, 1.02), Rung("medium", {"ram": 300}, 1.0)]
ONLY = rungs_of(500)


def broken_up(*readings: Sample) -> list[Item]:
    """Room for the large rung, but for these readings in between."""
    told = {reading.time for reading in readings}
    whole = [s for s in beside("medium", 200, 45) if s.time not in told]
    return [MEDIUM, *sorted([*whole, *readings], key=lambda s: s.time)]


def failing_loads(*times: float, until: int) -> list[Item]:
    """The only rung fails to load right after the samples of these times."""
    items: list[Item] = []
    for sample in beside("", 100, until):
        items.append(sample)
        if sample.time in times:
            items.append(Residency(sample.time + 0.5, "empty", None, failed="large"))
    return items


ROOM = [
    case("what a load turned out to need is not taken where it does not fit",
         [MEDIUM, Residency(-1.0, "ready", "medium", failed="large", need={"ram": 600}), *beside("medium", 200, 200)]),
    case("a rung that failed and left nothing is followed by the next one at once",
         [*beside("", 100, 2), Residency(1.5, "empty", failed="large")],
         "0 upgrade large planned fits", "1 upgrade medium planned fits"),
    case("but not by what was seen long ago",
         [*beside("", 100, 2), Residency(30.0, "empty", failed="large")], "0 upgrade large planned fits"),
    case("room that has lasted is taken", [MEDIUM, *beside("medium", 200, 25)], "20 upgrade large planned room"),
    case("and not a moment earlier", [MEDIUM, *beside("medium", 200, 20)]),
    case("by default it must last 300 s", [MEDIUM, *beside("medium", 200, 302)], "300 upgrade large planned room",
         settings=Settings()),
    case("room under the ceiling, but not under the hysteresis, is none", [MEDIUM, *beside("medium", 271, 90)]),
    case("room under both is", [MEDIUM, *beside("medium", 270, 25)], "20 upgrade large planned room"),
    case("a line that will take the room away forbids it", [MEDIUM, *beside("medium", ramp(150, 4, 40))]),
    case("one that goes down does not", [MEDIUM, *beside("medium", ramp(260, -4, 25))],
         "20 upgrade large planned room"),
    case("rungs are skipped", [SMALL, *beside("small", 200, 25)], "20 upgrade large planned room"),
    case("the best that has room is taken", [SMALL, *beside("small", 400, 25)], "20 upgrade medium planned room"),
    # small to medium beside each other: 10 × 2 / 1 s
    case("a smaller one is passed over where it would not pay until the best may be taken",
         [SMALL, *beside("small", [400] * 10 + [200] * 25)], "30 upgrade large planned room"),
    case("and taken where it would", [SMALL, *beside("small", [400] * 19 + [200] * 5)],
         "20 upgrade medium planned room", settings=Settings(stabilisation=20.0, horizon=5.0)),
    case("room that was interrupted counts anew",
         [MEDIUM, *beside("medium", [200] * 15 + [280] + [200] * 25)], "36 upgrade large planned room"),
    case("samples further apart than the gap are no silence of their own",
         [MEDIUM, *beside("medium", 200, 4, step=10.0)], "20 upgrade large planned room",
         settings=Settings(stabilisation=20.0, interval=10.0, gap=5.0)),
    case("an unknown pool interrupts it", broken_up(Sample(10.0, {"ram": None})), "31 upgrade large planned room"),
    case("a pool that holds less than is ours interrupts it", broken_up(Sample(10.0, {"ram": Pool(1000, 250, 300)})),
         "31 upgrade large planned room"),
    case("stalls interrupt it", [MEDIUM, *beside("medium", 200, 90, pressure={"memory": Pressure(0.09, 0.09)})]),
    case("and it counts anew once they are over",
         [MEDIUM, *beside("medium", 200, 30, pressure={"memory": Pressure(0.09, 0.09)}),
          *beside("medium", 200, 30, since=30.0, pressure={"memory": Pressure(0.0, 0.0)})],
         "55 upgrade large planned room"),
    case("lesser stalls do not", [MEDIUM, *beside("medium", 200, 25, pressure={"memory": Pressure(0.04, 0.04)})],
         "20 upgrade large planned room"),
    case("a gap interrupts it", [MEDIUM, *beside("medium", 200, 11), *beside("medium", 200, 25, since=21.0)],
         "41 upgrade large planned room"),
    case("a silence of no more than the gap does not",
         [MEDIUM, *beside("medium", 200, 11), *beside("medium", 200, 25, since=20.0)],
         "20 upgrade large planned room"),
    case("a shift interrupts it", [SMALL, *beside("small", 200, 10), Residency(10.0, "shifting", "small"),
         ready("medium", 10.0), *beside("medium", 200, 25, since=10.0)], "29 upgrade large planned room"),
    case("a request interrupts it", [MEDIUM, *beside("medium", 200, 10), Asked(9.0, "a game"),
         ready("small", 10.0), *beside("small", 200, 30, since=10.0)],
         "9 downgrade small planned asked", "29 upgrade large planned room"),
    case("nothing grows while a shift is under way",
         [MEDIUM, Residency(-1.0, "shifting", "medium"), *beside("medium", 200, 90)]),
    case("shifts of an hour pay for one up and its reversal", [MEDIUM, *beside("medium", 200, 25)],
         "20 upgrade large planned room", settings=Settings(stabilisation=20.0, max_shifts_per_hour=2)),
    case("with less than that nothing grows", [MEDIUM, *beside("medium", 200, 90)],
         settings=Settings(stabilisation=20.0, max_shifts_per_hour=1)),
    case("an immediate shift down is free of that",
         [ready("large"), *beside("large", [100] * 5 + [430]), ready("medium", 6.0),
          *beside("medium", 100, 30, since=6.0)],
         "5 downgrade medium immediate critical", "26 upgrade large planned room",
         settings=Settings(stabilisation=20.0, max_shifts_per_hour=2)),
    case("a planned one is not",
         [ready("large"), *beside("large", 100, 6), Asked(5.0, "a game"), ready("medium", 6.0),
          *beside("medium", 100, 60, since=6.0)],
         "5 downgrade medium planned asked", settings=Settings(stabilisation=20.0, max_shifts_per_hour=2)),
    case("what was used up comes back after an hour",
         [SMALL, *beside("small", 400, 25), ready("medium", 25.0), *beside("medium", 200, 3700, since=25.0)],
         "20 upgrade medium planned room", "3620 upgrade large planned room",
         settings=Settings(stabilisation=20.0, max_shifts_per_hour=2)),
    # a load takes 10 s as long as none was seen: (10 × 1.0 + 10 × 1.02) / 0.02 s
    case("a gain that does not outweigh the gap waits until it does", [MEDIUM, *beside("medium", 200, 1012)],
         "1010 upgrade large planned room", ladder=ALIKE),
    # beside each other there is no gap: 10 × 1.02 / 0.02 s
    case("where both fit together there is less of a gap",
         [ready("medium"), *beside("medium", 0, 512)], "510 upgrade large planned room", ladder=ALIKE),
    case("quick loads make it small", [ready("medium", seconds=1.0), *beside("medium", 200, 25)],
         "20 upgrade large planned room", ladder=ALIKE),
    case("a rung set aside is passed over", [MEDIUM, Residency(-50.0, "ready", "medium", failed="large"),
         *beside("medium", 200, 25)]),
    case("until its time is over", [MEDIUM, *beside("medium", 200, 1),
         Residency(0.0, "ready", "medium", failed="large"), *beside("medium", 200, 85, since=1.0)],
         "80 upgrade large planned room"),
    case("a pool the machine never had blocks no other",
         [SMALL, *beside("small", 100, 25)], "20 upgrade medium planned room",
         ladder=[Rung("gpu", {"cuda:0": 500}, 3.0), *rungs_of(500, 300, 100)[1:]]),
    case("a pool that failed does", [SMALL, *(Sample(float(t), {"ram": Pool(1000, 200, 100), "cuda:0": None})
         for t in range(90))], ladder=[Rung("gpu", {"cuda:0": 500}, 3.0), *rungs_of(500, 300, 100)[1:]]),
    case("all pools of the rung must have room", [SMALL, *on_gpu(100, 480, 90)], ladder=TWO_POOLS),
    case("and then do", [SMALL, *(Sample(float(t), {"ram": Pool(1000, 200, 100), "cuda:0": Pool(1000, 270)})
         for t in range(25))], "20 upgrade gpu planned room", ladder=TWO_POOLS),
    case("a reserve takes room", [MEDIUM, *beside("medium", 200, 90)],
         settings=Settings(stabilisation=20.0, reserve={"ram": 301})),
    case("a reserve within the ceiling does not", [MEDIUM, *beside("medium", 200, 25)],
         "20 upgrade large planned room", settings=Settings(stabilisation=20.0, reserve={"ram": 300})),
    case("without evidence, adaptive stabilisation waits as long as the usual one",
         [MEDIUM, *beside("medium", [200, 200], step=10.0), *beside("medium", 200, 30, since=20.0, step=10.0)],
         "300 upgrade large planned room", settings=Settings(stabilisation="adaptive", alpha=0.02)),
    case("with evidence, it waits for what the shift costs, and comes closer to the ceiling",
         [MEDIUM, *beside("medium", 285, 360)], "344 upgrade large planned room",
         settings=Settings(stabilisation="adaptive")),
    case("from a rung that is not on the ladder too", [ready("foreign"), *beside("large", 100, 25)],
         "20 upgrade large planned room"),
    case("a failing rung that was left is set aside for a minute",
         [ready("large"), *beside("large", 100, 1), *replies(*[1.0] * 5, failed=range(5)), ready("medium", 0.5),
          *beside("medium", 100, 100, since=1.0)],
         "0 downgrade medium planned failing", "80 upgrade large planned room"),
]  # fmt: skip

FITS = [
    case("the best rung that fits is loaded first", beside("", 200, 3), "0 upgrade large planned fits"),
    case("or a smaller one", beside("", 350, 3), "0 upgrade medium planned fits"),
    case("without knowing all pools nothing is", [Sample(0.0, {"ram": None})]),
    case("nor while a pool holds less than is ours", [Sample(0.0, {"ram": Pool(1000, 0, 50)}), *beside("", 350, 1,
         since=1.0)], "1 upgrade medium planned fits"),
    case("what was read first does not matter, once it is known", [Sample(0.0, {"ram": None}), *beside("", 200, 1,
         since=1.0)], "1 upgrade large planned fits"),
    case("a load that failed is followed by the next rung",
         [*beside("", 100, 1), Residency(0.5, "empty", None, failed="large"), *beside("", 100, 3, since=1.0)],
         "0 upgrade large planned fits", "0 upgrade medium planned fits"),
]  # fmt: skip

RECOVERED = [
    case("after all was unloaded, what fits comes back once it has lasted",
         [EMPTY, *beside("", [950] * 5 + [200] * 10)], "0 shed nothing immediate nothing fits",
         "10 upgrade large planned recovered"),
    case("not earlier", [EMPTY, *beside("", [950] * 5 + [200] * 5)], "0 shed nothing immediate nothing fits"),
    case("not over critical, where a first load might be tried", [EMPTY, *beside("", [950] * 5 + [810] * 30)],
         "0 shed nothing immediate nothing fits"),
    case("the best of what has lasted comes", [EMPTY, *beside("", [950] * 5 + [400] * 3 + [200] * 5)],
         "0 shed nothing immediate nothing fits", "10 upgrade medium planned recovered"),
    case("not on a pool that holds less than is ours",
         [EMPTY, *beside("", [950] * 5), *(Sample(5.0 + i, {"ram": Pool(1000, 0, 50)}) for i in range(20)),
          *beside("", [950])], "0 shed nothing immediate nothing fits"),
    case("not while work stalls", [EMPTY, *beside("", [950] * 5 + [200] * 30, pressure={"memory": Pressure(0.5, 0.5)})],
         "0 shed nothing immediate nothing fits", settings=Settings(recovery=0.0)),
    case("a gap makes it wait again", [EMPTY, *beside("", [950, 200, 200]), *beside("", 200, 10, since=13.0)],
         "0 shed nothing immediate nothing fits", "18 upgrade large planned recovered"),
    case("a rung that fails is set aside for 60, then 120, then 240 s",
         failing_loads(0, 61, 182, until=430),
         "0 upgrade large planned fits", "1 shed nothing immediate nothing fits",
         "60 upgrade large planned recovered", "62 shed nothing immediate nothing fits",
         "181 upgrade large planned recovered", "183 shed nothing immediate nothing fits",
         "422 upgrade large planned recovered",
         settings=Settings(recovery=0.0, retry=60.0), ladder=ONLY),
]  # fmt: skip


@pytest.mark.parametrize(("items", "ladder", "settings", "expected"), [*ROOM, *FITS, *RECOVERED])
def test_a_shift_up(items: list[Item], ladder: Sequence[Rung], settings: Settings | None, expected: list[str]) -> None:
    assert told(decided(items, ladder, SOON if settings is None else settings)) == expected


def test_a_ladder_that_ascends_is_refused() -> None:
    errors: list[Exception] = []
    ascending = [Rung("small", {"ram": 100}, 1.0), Rung("large", {"ram": 500}, 2.0)]
    decision_stream(reactivex.empty(), reactivex.never(), ascending).subscribe(on_error=errors.append)
    assert "ladder must be best first, but 'large' (quality 2) stands below 'small' (1)" in str(errors[0])
    assert told(decided(beside("", 100, 1), [*LADDER])) == ["0 upgrade large planned fits"]
