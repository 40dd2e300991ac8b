"""Notices: when, and with what."""

import threading
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from gearshift.models import Ladder, Notice, Outcome
from gearshift.models.needs.remembered import Need, Needs
from gearshift.models.telling.neighbours import Neighbours, Program
from gearshift.models.telling.notices import Notices
from gearshift.models.telling.suggestions import Suggestions
from gearshift.models.telling.wording import SHIPPED, Wording
from gearshift.pipeline import Decision, Pool, Reason, Residency, Sample, Settings
from gearshift.pipeline.programs import Process, processes

MIB, GIB = 1 << 20, 1 << 30
TOTAL = 1000 * MIB
SHIPPED_WORDS = tomllib.loads(SHIPPED.read_text("utf-8"))


class Bench:
    """Notices by hand: samples, shifts, and what was told."""

    def __init__(self, ladder: Ladder, cache: Path, programs: list[Program] | None = None) -> None:
        self.looks = 0
        self._programs = [Program("builder", 2 * GIB, None)] if programs is None else programs
        self.needs = Needs(cache)
        suggestions = Suggestions(Wording(), Settings(), self.needs.of, self._look)
        self.notices = Notices(ladder, Wording(), suggestions)
        self.told: list[Notice] = []
        self.notices.stream.subscribe(self.told.append)
        self.time, self.external, self.rung = 0.0, 0, None

    def _look(self) -> list[Program]:
        self.looks += 1
        return self._programs

    def sample(self, time: float, external: int | None = 0) -> None:
        self.time = time
        pool = None if external is None else Pool(TOTAL, external)
        self.notices.sampled(Sample(time, {"ram": pool}))
        self.notices.close()

    def shift(self, target: str | None, *, rule: str = "forecast", kind: str = "downgrade", detail: str = "") -> None:
        decision = Decision(kind, self.rung, target, "planned", self.time, Reason(rule, detail=detail))
        ended = "unloaded" if target is None else "handed over" if self.rung else "loaded"
        self.rung = target
        self.notices.resided(Residency(self.time, "ready" if target else "empty", target))
        self.notices.ended(Outcome(ended, decision, self.time))
        self.notices.close()

    def lose(self, reason: str) -> None:
        decision = Decision("upgrade", None, self.rung, "planned", self.time, Reason("fits"))
        self.notices.resided(Residency(self.time, "empty", None, self.rung))
        self.notices.ended(Outcome("failed", decision, self.time, reason=reason))
        self.rung = None

    @property
    def kinds(self) -> list[str]:
        return [notice.kind for notice in self.told]


@pytest.fixture
def bench(ladder: Ladder, cache: Path) -> Bench:
    made = Bench(ladder, cache)
    made.sample(0.0)
    made.shift("large", kind="upgrade", rule="fits")
    return made


def test_a_downgrade_is_told_with_the_rung_and_who_took_the_memory(bench: Bench) -> None:
    bench.shift("medium")
    (notice,) = bench.told
    assert notice.text == SHIPPED_WORDS["notice"]["memory"].format(rung="medium")
    assert notice.suggestions == ("Closing builder, which holds 2.0 GiB, would help.",)
    assert str(notice) == f"{notice.text} {notice.suggestions[0]}"


def test_the_first_load_and_every_way_up_are_silent_and_look_at_no_process(bench: Bench) -> None:
    bench.shift("medium")
    looks = bench.looks
    bench.sample(200.0)
    bench.shift("large", kind="upgrade", rule="room")
    assert bench.kinds == ["memory"] and bench.looks == looks


def test_starting_below_the_top_is_no_loss(ladder: Ladder, cache: Path) -> None:
    bench = Bench(ladder, cache)
    bench.sample(0.0)
    bench.shift("small", kind="upgrade", rule="fits")
    assert bench.told == [] and bench.looks == 0


@pytest.mark.parametrize(
    ("rule", "kind", "key"),
    [
        ("forecast", "memory", "close"), ("critical", "memory", "close"), ("stalls", "memory", "close"),
        ("slow", "slow", "close_busy"), ("failing", "failing", "wait"), ("asked", "asked", "wait"),
    ],
)  # fmt: skip
def test_text_and_suggestion_fit_the_cause(bench: Bench, rule: str, kind: str, key: str) -> None:
    bench.shift("medium", rule=rule, detail="words of the app")
    (notice,) = bench.told
    assert notice.kind == kind and notice.text == SHIPPED_WORDS["notice"][kind].format(rung="medium", before="large")
    assert notice.suggestions == (SHIPPED_WORDS["suggestion"][key].format(program="builder", gib=2.0),)
    assert bench.looks == (kind == "memory")


def test_a_downgrade_that_a_reply_asked_for_has_the_reply_s_cause(bench: Bench) -> None:
    bench.notices.because("a reply on large failed: can't allocate memory", "memory")
    bench.shift("medium", rule="asked", detail="a reply on large failed: can't allocate memory")
    assert bench.kinds == ["memory"]


def test_one_a_minute_and_the_last_change_is_told_when_it_is_over(bench: Bench) -> None:
    bench.shift("medium")
    bench.sample(10.0)
    bench.shift("small")
    bench.sample(59.9)
    assert bench.kinds == ["memory"]
    bench.sample(60.0)
    assert [notice.text for notice in bench.told[1:]] == [SHIPPED_WORDS["notice"]["memory"].format(rung="small")]
    bench.sample(300.0)
    assert len(bench.told) == 2


def test_a_change_that_was_taken_back_within_the_minute_is_not_told(bench: Bench) -> None:
    bench.shift("medium")
    bench.sample(10.0)
    bench.shift("small")
    bench.sample(20.0)
    bench.shift("medium", kind="upgrade", rule="room")
    bench.sample(100.0)
    assert len(bench.told) == 1


def test_a_pause_is_told_and_coming_back_is_not(bench: Bench) -> None:
    bench.shift(None, kind="shed", rule="critical")
    assert bench.kinds == ["paused"] and bench.told[0].text == SHIPPED_WORDS["notice"]["paused"]
    bench.sample(100.0)
    bench.shift("small", kind="upgrade", rule="recovered")
    assert bench.kinds == ["paused"]


@pytest.mark.parametrize(
    ("reason", "kind"),
    [("exited with 1", "failing"), ("killed by signal 9 (most likely the kernel ran out of memory)", "memory")],
)
def test_a_lost_rung_is_told_once_a_smaller_one_answers_although_that_is_loaded_from_nothing(
    bench: Bench, reason: str, kind: str
) -> None:
    bench.lose(reason)
    assert bench.told == []
    bench.shift("medium", kind="upgrade", rule="fits")
    assert bench.kinds == [kind]


def test_a_day_on_a_lower_rung_is_summed_up_once(bench: Bench) -> None:
    day = 24 * 3600.0
    bench.shift("medium")
    bench.sample(day - 1, 900 * MIB)
    bench.shift("small")
    bench.sample(day + 60, 900 * MIB)
    assert bench.kinds[-1] == "lasting" and bench.kinds.count("lasting") == 1
    assert bench.told[-1].text == SHIPPED_WORDS["notice"]["lasting"].format(hours=24.0, rung="small", best="large")
    bench.sample(day + 3600)
    bench.sample(3 * day)
    assert bench.kinds.count("lasting") == 1
    bench.shift("large", kind="upgrade", rule="room")
    bench.shift("medium")
    bench.sample(4 * day)
    bench.sample(4 * day + 61)
    assert bench.kinds.count("lasting") == 2


def test_a_smaller_context_is_suggested_when_the_cache_is_the_cause(ladder: Ladder, cache: Path) -> None:
    from msgspec.structs import replace

    wide = Ladder([replace(ladder[0], context=2048), ladder[2]])
    bench = Bench(wide, cache)
    told = bench.needs.of(wide[0])
    room = told.need["ram"] - told.parts["cache"] // 2
    external = int(Settings().high * TOTAL) - room
    bench.sample(0.0, external)
    bench.shift("large", kind="upgrade", rule="fits")
    bench.shift("small")
    assert bench.told[0].suggestions[1] == "With a context of 1024 instead of 2048 tokens, large would fit."


def test_a_quantised_rung_that_would_fit_is_suggested_with_its_size(ladder: Ladder) -> None:
    need = 300 * MIB

    def need_of(spec: Any) -> Need:
        return Need({"ram": need // 2 if spec.quantisation == "torchao-int8" else need}, {})

    suggestions = Suggestions(Wording(), Settings(), need_of, list)
    pools = {"ram": Pool(TOTAL, int(0.8 * TOTAL) - need * 2 // 3)}
    told = suggestions.for_memory(ladder[0], pools, count=2, last=False)
    words = SHIPPED_WORDS["suggestion"]
    assert told == [words["close_any"], words["quantised"].format(kind="int8", rung="large", gib=need / 2 / GIB)]


def test_a_size_that_fits_is_suggested_when_nothing_does(ladder: Ladder) -> None:
    need = Need({"ram": 400 * MIB}, {}, {}, False, {"weights": 400 * MIB, "cache": 0})
    suggestions = Suggestions(Wording(), Settings(), lambda _: need, list)
    room = 200 * MIB
    pools = {"ram": Pool(TOTAL, int(0.8 * TOTAL) - room)}
    told = suggestions.for_memory(ladder[0], pools, count=2, last=True)
    assert told[1] == SHIPPED_WORDS["suggestion"]["smaller"].format(gib=room / GIB)
    assert len(suggestions.for_memory(ladder[0], {"ram": None}, count=2, last=True)) == 1


@pytest.mark.parametrize(
    ("program", "says"),
    [
        (Program("firefox", 3 * GIB, 2 * GIB), "Closing some tabs of firefox, which holds 3.0 GiB, would help."),
        (Program("cc1plus", 3 * GIB, 2 * GIB), "Closing cc1plus, which has taken 2.0 GiB lately, would help."),
        (Program("database", 3 * GIB, 1 * MIB), "Closing database, which holds 3.0 GiB, would help."),
    ],
)
def test_each_program_is_suggested_in_words_that_fit_it(
    ladder: Ladder, program: Program, says: str, cache: Path
) -> None:
    suggestions = Suggestions(Wording(), Settings(), Needs(cache).of, lambda: [program])
    assert suggestions.for_memory(ladder[0], {}, count=2, last=False) == [says]


def test_who_grew_lately_comes_before_who_is_large() -> None:
    now = 10_000.0
    looks: Iterator[list[Process]] = iter(
        [
            [Process(1, 0.0, "database", 8 * GIB), Process(2, 0.0, "editor", GIB)],
            [
                Process(1, 0.0, "database", 8 * GIB + MIB), Process(2, 0.0, "editor", 3 * GIB),
                Process(3, now - 5, "cc1plus", GIB), Process(4, now - 5, "cc1plus", 2 * GIB),
                Process(2_000, now - 5, "tiny", MIB),
            ],
        ]
    )  # fmt: skip
    neighbours = Neighbours(lambda: next(looks), clock=lambda: now)
    assert [(p.name, p.grown) for p in neighbours.programs()] == [("database", None), ("editor", None)]
    found = neighbours.programs()
    assert [(p.name, p.held, p.grown) for p in found] == [
        ("cc1plus", 3 * GIB, 3 * GIB), ("editor", 3 * GIB, 2 * GIB), ("database", 8 * GIB + MIB, MIB),
    ]  # fmt: skip


def test_growth_since_long_ago_is_not_lately() -> None:
    times = iter([0.0, 10_000.0])
    neighbours = Neighbours(lambda: [Process(1, -1e6, "database", GIB)], clock=lambda: next(times))
    neighbours.programs()
    assert neighbours.programs() == [Program("database", GIB, None)]


def test_this_process_and_its_descendants_are_no_others() -> None:
    import subprocess
    import sys

    code = "import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', 'input()']); print(p.pid); p.wait()"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None and child.stdin is not None
        ours = {psutil.Process().pid, child.pid, int(child.stdout.readline())}
        found = {process.pid for process in processes()}
        assert ours.isdisjoint(found) and all(psutil.pid_exists(pid) for pid in ours)
        child.stdin.close()


def test_a_subscriber_may_take_its_time_without_holding_up_samples(bench: Bench) -> None:
    go, got = threading.Event(), threading.Event()

    def slow(_: Notice) -> None:
        got.set()
        go.wait(20)

    bench.notices.stream.subscribe(slow)
    decision = Decision("downgrade", "large", "medium", "planned", 0.0, Reason("forecast"))
    bench.notices.resided(Residency(0.0, "ready", "medium"))
    bench.notices.ended(Outcome("handed over", decision, 0.0))
    assert got.wait(20)
    bench.notices.sampled(Sample(100.0, {}))
    go.set()
    bench.notices.close()
    assert len(bench.told) == 1
