"""What leads down, and what just does not: a table. Of 1000 bytes, the ceiling is at 800 and critical at 920."""

from collections.abc import Sequence
from typing import Any

import pytest
from gearshift.pipeline import Asked, Pool, Pressure, Residency, Rung, Sample, Settings
from gearshift.pipeline.testing import rungs_of

from tests.pipeline.feeding import TWO_POOLS, Item, beside, case, decided, on_gpu, ramp, ready, replies, told

LARGE, MEDIUM, SMALL, EMPTY = ready("large"), ready("medium"), ready("small"), ready(None)
CPU_BUSY: dict[str, Any] = {"cpu": 1.0, "load": 8.0}
CLOSE = rungs_of(500, 450, 100)
HALVES = [Rung("gpu", {"ram": 300, "cuda:0": 500}, 2.0), Rung("half", {"ram": 100, "cuda:0": 200}, 1.0)]


def stalled(full: float, seconds: int, *, since: float = 0.0, rung: str = "large", known: bool = True) -> list[Sample]:
    levels: list[int | None] = [100 if known else None] * seconds
    return beside(rung, levels, since=since, pressure={"memory": Pressure(full, full)})


def blind(used: int, own: int, seconds: int) -> list[Sample]:
    """Samples with a GPU that can't be read."""
    return [Sample(float(t), {"ram": Pool(1000, used, own), "cuda:0": None}) for t in range(seconds)]


FORECAST = [
    case("use over the ceiling counts after patience", [LARGE, *beside("large", 310, 40)],
         "30 downgrade medium planned forecast"),
    case("use just under the ceiling is left alone", [LARGE, *beside("large", 299, 90)]),
    case("a spike shorter than patience is sat out",
         [LARGE, *beside("large", [200] * 5 + [310] * 29 + [200] * 31)]),
    case("less patience sits out less", [LARGE, *beside("large", [200] * 5 + [310] * 29)],
         "25 downgrade medium planned forecast", settings=Settings(patience=20)),
    case("a rising line acts after confirm, before it arrives", [LARGE, *beside("large", ramp(200, 5, 13))],
         "11 downgrade medium planned forecast"),
    case("a longer confirm waits for so long", [LARGE, *beside("large", ramp(200, 5, 16))],
         "14 downgrade medium planned forecast", settings=Settings(confirm=5)),
    case("a line that does not arrive within the horizon is left alone", [LARGE, *beside("large", ramp(100, 1, 90))]),
    case("what came before a silence counts no more",
         [LARGE, *beside("large", 310, 20), *beside("large", 310, 31, since=40.0)],
         "68 downgrade medium planned forecast"),
    case("use that falls back under the ceiling in time is left alone",
         [LARGE, *beside("large", ramp(380, -4, 60))]),
    case("a rung that would stand on the ceiling is passed over", [LARGE, *beside("large", 350, 40)],
         "30 downgrade small planned forecast", ladder=CLOSE),
    case("a reserve lowers the ceiling", [LARGE, *beside("large", 210, 40)],
         "30 downgrade medium planned forecast", settings=Settings(reserve={"ram": 300})),
    case("a reserve that leaves enough does not", [LARGE, *beside("large", 190, 90)],
         settings=Settings(reserve={"ram": 300})),
    case("each pool of the rung counts", [ready("gpu"), *on_gpu(100, 310, 40)],
         "30 downgrade small planned forecast", ladder=TWO_POOLS),
    case("a full pool that the rung is not on does not",
         [SMALL, *(Sample(float(t), {"ram": Pool(1000, 200, 100), "cuda:0": Pool(1000, 990)}) for t in range(60))],
         ladder=TWO_POOLS),
    case("an unknown pool in a shortage is no reason", [LARGE, *beside("large", [310] * 20 + [None] * 40)]),
    case("another pool that is unknown holds a shortage up, and its return ends that",
         [ready("gpu"), *on_gpu(None, 310, 40), *on_gpu(100, 310, 2, since=40.0)],
         "40 downgrade small planned forecast", ladder=TWO_POOLS),
    case("after a shift it waits until memory has settled, and no longer where it went on",
         [LARGE, *beside("large", 310, 31), Residency(31.0, "shifting", "large"), *beside("large", 310, 1, since=31.0),
          ready("medium", 32.0), *beside("medium", 520, 50, since=32.0)],
         "30 downgrade medium planned forecast", "66 downgrade small planned forecast", settings=Settings(settle=5)),
    case("for memory that has not come back it waits 15 s",
         [MEDIUM, *beside("medium", 200, 5), Residency(5.0, "shifting", "medium"), ready("medium", 5.0),
          *beside("medium", 510, 20, since=5.0, own=390)],
         "21 downgrade small planned forecast", settings=Settings(patience=0.0)),
    case("nothing is planned while a shift is under way",
         [LARGE, Residency(-1.0, "shifting", "large"), *beside("large", 310, 90)]),
    case("the last rung stays while it is under critical", [SMALL, *beside("small", 810, 90)]),
    case("a rung that is not on the ladder is never planned away from", [ready("foreign"), *beside("large", 400, 90)]),
]  # fmt: skip

CRITICAL = [
    case("past critical acts at once", [LARGE, *beside("large", [100] * 5 + [430] * 2)],
         "5 downgrade medium immediate critical"),
    case("just under critical waits", [LARGE, *beside("large", [100] * 5 + [419] * 20)]),
    case("what is loaded counts with what it holds, more than it needs",
         [LARGE, *beside("large", 310, 2, own=630)], "0 downgrade medium immediate critical"),
    case("critical goes straight to the rung that fits", [LARGE, *beside("large", [100] * 5 + [560])],
         "5 downgrade small immediate critical"),
    case("critical use makes a planned shift under way an immediate one",
         [LARGE, *beside("large", [310] * 31 + [430] * 3)],
         "30 downgrade medium planned forecast", "31 downgrade medium immediate critical"),
    case("which is not said twice", [LARGE, *beside("large", [100] * 5 + [430] * 30)],
         "5 downgrade medium immediate critical"),
    case("a critical pool that the rung is not on is none of its business",
         [SMALL, *on_gpu(100, 480, 30)], ladder=TWO_POOLS),
    case("a load that turns critical is called off", [*beside("", 200, 1), Residency(0.0, "shifting"),
         *beside("", 450, 3, since=1.0)], "0 upgrade large planned fits", "1 downgrade medium immediate critical"),
    case("a load that only passes the ceiling is not", [*beside("", 200, 1), Residency(0.0, "shifting"),
         *beside("", 350, 30, since=1.0)], "0 upgrade large planned fits"),
    case("after a shift, critical waits until what was unloaded has had time to come back",
         [MEDIUM, *beside("medium", 200, 5), Residency(5.0, "shifting", "medium"), ready("medium", 5.0),
          *beside("medium", 640, 10, since=5.0)],
         "9 downgrade small immediate critical", settings=Settings(settle=5)),
    case("but not when others take more meanwhile",
         [MEDIUM, *beside("medium", 200, 5), Residency(5.0, "shifting", "medium"), ready("medium", 5.0),
          *beside("medium", [640, 660, 660, 660], since=5.0)],
         "6 downgrade small immediate critical", settings=Settings(settle=5)),
    case("nor is a shortage seen before, and it must last from then on",
         [LARGE, *beside("large", 310, 10), Residency(10.0, "shifting", "large"),
          ready("large", 10.0), *beside("large", 310, 50, since=10.0)],
         "44 downgrade medium planned forecast", settings=Settings(settle=5)),
    case("a line that gets to critical before a shift could end acts at once",
         [LARGE, *beside("large", ramp(100, 20, 11))], "8 downgrade medium planned forecast",
         "9 downgrade medium immediate soon critical"),
    case("with quicker shifts it is planned", [LARGE, *beside("large", ramp(100, 20, 11))],
         "7 downgrade medium planned forecast", settings=Settings(horizon=2.0, confirm=0.0)),
    case("a rung counts with what it has turned out to need",
         [Residency(-100.0, "ready", "large", need={"ram": 520}), *beside("large", 290, 40, own=500)],
         "30 downgrade medium planned forecast"),
    case("by our own memory, beyond what the rung needs, too",
         [LARGE, *beside("large", 100, 60, own=880)], "0 downgrade medium immediate critical"),
    case("of which the last rung is not spared", [SMALL, *beside("small", 100, 30, own=880)],
         "0 shed nothing immediate critical"),
    case("one that held more than it needs is set aside for a while",
         [LARGE, *beside("large", 100, 1, own=880), ready("medium", 1.0), *beside("medium", 100, 90, since=1.0)],
         "0 downgrade medium immediate critical", "90 upgrade large planned room",
         settings=Settings(stabilisation=30.0)),
    case("an unknown pool hides no critical one", [ready("gpu"), *blind(950, 300, 5)],
         "0 downgrade half immediate critical", ladder=HALVES),
    case("and what the resident rung holds there is all that another may take", [ready("half"), *blind(1000, 100, 5)],
         "0 shed nothing immediate nothing fits", ladder=HALVES),
    case("a rung that is not on the ladder is left too", [ready("foreign"), *beside("large", 450, 30)],
         "0 downgrade medium immediate critical"),
    case("and where nothing fits, unloaded", [ready("foreign"), *beside("", 910, 30, own=50)],
         "0 shed nothing immediate nothing fits"),
    case("a lone step is no line", [LARGE, *beside("large", [100] * 15 + [290] * 10)]),
    case("a shift planned before is hastened when critical comes sooner",
         [LARGE, *beside("large", [*ramp(200, 5, 13), *ramp(280, 20, 6)])],
         "11 downgrade medium planned forecast", "17 downgrade medium immediate soon critical"),
]  # fmt: skip

STALLS = [
    case("stalls that last act at once", [LARGE, *stalled(0.2, 30)], "18 downgrade medium immediate stalls"),
    case("stalls of ten seconds do not, however hard", [LARGE, *stalled(0.5, 5), *stalled(0.0, 60, since=5.0)]),
    case("nor do small ones, however long", [LARGE, *stalled(0.09, 600)]),
    case("nor those that are over by now",
         [LARGE, *stalled(0.5, 60, known=False), *stalled(0.0, 20, since=60.0)]),
    case("those that go on do, once all pools are known",
         [LARGE, *stalled(0.5, 60, known=False), *stalled(0.5, 1, since=60.0)],
         "60 downgrade medium immediate stalls"),
    case("below the last rung nothing is left to gain", [SMALL, *stalled(0.5, 60, rung="small")]),
    case("nor while a shift is under way",
         [LARGE, Residency(-1.0, "shifting", "large"), *stalled(0.5, 60)]),
    case("an alarm of the service manager is such a stall",
         [LARGE, *beside("large", 100, 1), *beside("large", 100, 1, since=1.0, alarm=True)],
         "1 downgrade medium immediate stalls"),
    case("but not while what was unloaded comes back",
         [MEDIUM, *beside("medium", 100, 5), Residency(5.0, "shifting", "medium"), ready("medium", 5.0),
          *beside("medium", 100, 3, since=5.0, alarm=True)], settings=Settings(settle=5)),
    case("no alarm is none", [LARGE, *beside("large", 100, 30, alarm=False)]),
    case("work that only some wait for is none", [LARGE, *beside("large", 100, 90,
         pressure={"memory": Pressure(0.9, 0.0), "io": Pressure(1.0, 1.0), "cpu": Pressure(1.0, 1.0)})]),
]  # fmt: skip

REPORTS = [
    case("a busy processor alone does nothing", [LARGE, *beside("large", 100, 90, **CPU_BUSY)]),
    case("with slower replies it steps down",
         [LARGE, *replies(*[1.0] * 20), *beside("large", 100, 2, **CPU_BUSY), *replies(*[2.5] * 5, time=1.0)],
         "1 downgrade medium planned slow"),
    case("slower replies alone do not", [LARGE, *replies(*[1.0] * 20), *beside("large", 100, 2),
         *replies(*[9.0] * 9, time=1.0)]),
    case("nor do those that are less than twice as slow",
         [LARGE, *replies(*[1.0] * 20), *beside("large", 100, 2, **CPU_BUSY), *replies(*[1.9] * 9, time=1.0)]),
    case("a latency that half of five replies miss steps down",
         [LARGE, *beside("large", 100, 1), *replies(1.0, 3.0, 3.0, 1.0, 3.0)], "0 downgrade medium planned slow",
         settings=Settings(latency=2.0)),
    case("four replies tell nothing yet", [LARGE, *beside("large", 100, 1), *replies(*[3.0] * 4)],
         settings=Settings(latency=2.0)),
    case("less than half tells nothing", [LARGE, *beside("large", 100, 1), *replies(3.0, 3.0, 1.0, 1.0, 1.0)],
         settings=Settings(latency=2.0)),
    case("failures of half step down", [LARGE, *beside("large", 100, 1), *replies(*[1.0] * 5, failed=(2, 3, 4))],
         "0 downgrade medium planned failing"),
    case("that the last one went well does not make them slow",
         [LARGE, *beside("large", 100, 1), *replies(*[1.0] * 5, failed=(0, 1, 2))],
         "0 downgrade medium planned failing"),
    case("failures of less than half do not",
         [LARGE, *beside("large", 100, 1), *replies(*[1.0] * 5, failed=(3, 4))]),
    case("failures of another rung do not",
         [LARGE, *beside("large", 100, 1), *replies(*[1.0] * 5, rung="small", failed=range(5))]),
    case("a rung that is being left fails no further",
         [LARGE, *beside("large", 310, 31), *replies(*[1.0] * 5, failed=range(5))],
         "30 downgrade medium planned forecast"),
    case("the last rung fails where it is",
         [SMALL, *beside("small", 100, 1), *replies(*[1.0] * 5, rung="small", failed=range(5))]),
]  # fmt: skip

ASKED = [
    case("what is asked for steps down one rung", [LARGE, *beside("large", 100, 1), Asked(0.0, "a game")],
         "0 downgrade medium planned asked"),
    case("at once if so asked", [LARGE, *beside("large", 100, 1), Asked(0.0, "a game", immediate=True)],
         "0 downgrade medium immediate asked"),
    case("past a rung that would not fit", [LARGE, *beside("large", 350, 1), Asked(0.0, "a game")],
         "0 downgrade small planned asked", ladder=CLOSE),
    case("past a rung that is set aside",
         [LARGE, Residency(-50.0, "ready", "large", failed="medium"), *beside("large", 100, 1), Asked(0.0, "a game")],
         "0 downgrade small planned asked"),
    case("but not past one that was, and is no more",
         [LARGE, *beside("large", 100, 1), Residency(0.0, "ready", "large", failed="medium"),
          *beside("large", 100, 70, since=1.0), Asked(70.0, "a game")], "70 downgrade medium planned asked"),
    case("twice is two rungs, though the first is still under way",
         [LARGE, *beside("large", 100, 1), Asked(0.0, "a game"), Asked(0.0, "another")],
         "0 downgrade medium planned asked", "0 downgrade small planned asked"),
    case("below the last rung there is nothing to ask for", [SMALL, *beside("small", 100, 1), Asked(0.0, "a game")]),
    case("with nothing loaded neither", [EMPTY, *beside("", 950, 1), Asked(0.0, "a game")],
         "0 shed nothing immediate nothing fits"),
    case("nor before the machine was seen", [LARGE, Asked(0.0, "a game"), *beside("large", 100, 5)]),
]  # fmt: skip

NOTHING_FITS = [
    case("what can't be loaded is not, and said once", [EMPTY, *beside("", 950, 90)],
         "0 shed nothing immediate nothing fits"),
    case("the last rung may be loaded under critical", [EMPTY, *beside("", 810, 5)], "0 upgrade small planned fits"),
    case("the last rung goes when it turns critical", [SMALL, *beside("small", [100] * 5 + [830] * 5)],
         "5 shed nothing immediate nothing fits"),
    case("a line that leads there is no reason yet", [SMALL, *beside("small", ramp(600, 5, 47))],
         "45 shed nothing immediate nothing fits"),
    case("with all rungs below too large, all goes", [LARGE, *beside("large", [100] * 5 + [880])],
         "5 shed nothing immediate nothing fits"),
    case("a reserve leaves nothing", [EMPTY, *beside("", 10, 5)], "0 shed nothing immediate nothing fits",
         settings=Settings(reserve={"ram": 900})),
]  # fmt: skip


@pytest.mark.parametrize(
    ("items", "ladder", "settings", "expected"), [*FORECAST, *CRITICAL, *STALLS, *REPORTS, *ASKED, *NOTHING_FITS]
)
def test_a_shift_down(
    items: list[Item], ladder: Sequence[Rung], settings: Settings | None, expected: list[str]
) -> None:
    assert told(decided(items, ladder, settings)) == expected
