"""The clock on the wall is set, summer time ends, the machine sleeps, the process is stopped: under a live source."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from gearshift.pipeline import (
    Decision,
    Pool,
    ProactiveScaler,
    Reading,
    Residency,
    Sampler,
    event_time,
    load,
    replayed,
    sources,
)  # fmt: skip
from gearshift.pipeline.testing import GIB, ScriptedProbe, residency
from gearshift.pipeline.watch.story import Story
from gearshift.pipeline.watch.wording import moment
from reactivex.subject import BehaviorSubject

from tests.pipeline.clocked import BEGINS, GAP, LADDER, SETTINGS, SHORT, STABLE
from tests.waiting import until

HOUR = 3600.0


@contextmanager
def program(folder: Path, *steps: str) -> Iterator["subprocess.Popen[str]"]:
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.pipeline.clocked", str(folder), *steps],
        stdout=subprocess.PIPE, text=True, env={**os.environ, "TZ": "Europe/Berlin"},
    )  # fmt: skip
    try:
        yield child
    finally:
        if child.poll() is None:
            child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def test_what_the_wall_clock_does_changes_no_decision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with program(tmp_path, "10:3600", "30:-7200", "60:0.5", "61:86400", "62:-82800") as child:
        out, _ = child.communicate(timeout=120)
        assert child.returncode == 0
    found = load(tmp_path / "run.jsonl")
    assert [(d.kind, d.target) for d in found.decisions] == [
        ("upgrade", "large"), ("downgrade", "small"), ("upgrade", "large"),
    ]  # fmt: skip
    assert replayed(tmp_path / "run.jsonl") == found.decisions
    times, walls = [s.time for s in found.samples], [s.wall for s in found.samples]
    set_by = [b - a for a, b in zip(walls, walls[1:], strict=False)]
    assert max(set_by) > 3000 and min(set_by) < -3000, "the clock was really set"
    assert times == sorted(times) and max(b - a for a, b in zip(times, times[1:], strict=False)) < 3000
    room_since = times[SHORT.stop]
    assert found.decisions[2].time - room_since >= STABLE - SETTINGS.interval
    assert out.count("\n") >= len(times) and "<html" in (tmp_path / "report.html").read_text()
    log, metrics = (tmp_path / "log.txt").read_text(), (tmp_path / "metrics.txt").read_text()
    assert log.count("Shift") >= 2 and "WARNING" not in log.replace("WARNING Shift", "")
    assert "gearshift_decisions_total{" in metrics and "system_memory_usage_bytes{" in metrics
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    try:
        story = Story("a run", SETTINGS, tuple(LADDER))
        for line in found.lines:
            story.add(line)
        assert moment(story, times[0])
    finally:
        monkeypatch.undo()
        time.tzset()


def test_it_begins_right_before_summer_time_ends() -> None:
    os.environ["TZ"], before = "Europe/Berlin", os.environ.get("TZ")
    time.tzset()
    try:
        assert [time.localtime(BEGINS + s).tm_hour for s in (0, 4)] == [2, 2]
        assert [time.localtime(BEGINS + s).tm_isdst for s in (0, 4)] == [1, 0]
    finally:
        os.environ.pop("TZ") if before is None else os.environ.update(TZ=before)
        time.tzset()


def test_the_event_clock_counts_on_through_a_suspension() -> None:
    clock = getattr(time, "CLOCK_BOOTTIME", None)
    if clock is None:
        pytest.skip("only Linux has a clock of its own for that")
    before = time.clock_gettime(clock)
    assert before <= event_time() <= time.clock_gettime(clock)


def test_after_a_suspension_growth_waits_for_its_whole_window(monkeypatch: pytest.MonkeyPatch) -> None:
    asleep = [0.0]
    monkeypatch.setattr(sources, "event_time", lambda: event_time() + asleep[0])
    loaded: BehaviorSubject[Residency] = BehaviorSubject(residency("small"))
    probe = ScriptedProbe([Reading({"ram": Pool(16 * GIB, 3 * GIB, GIB)})])
    made, times = list[Decision](), list[float]()
    scaler = ProactiveScaler(LADDER, SETTINGS, residencies=loaded, sampler=Sampler([probe]))

    with scaler.decisions.subscribe(made.append), scaler.samples.subscribe(lambda s: times.append(s.time)), scaler:
        until(lambda: len(times) >= 10, 30)
        asleep[0] = 6249.0
        slept = len(times)
        until(lambda: len(times) >= slept + 2, 30)
        until(lambda: made, 30)
    awake = next(b for a, b in zip(times, times[1:], strict=False) if b - a > 6000)
    assert [d.target for d in made] == ["large"] and made[0].time - awake >= STABLE


@pytest.mark.slow
def test_after_a_stop_of_the_process_growth_waits_for_its_whole_window(tmp_path: Path) -> None:
    with program(tmp_path) as child:
        assert child.stdout is not None
        lines: list[str] = []
        while len(lines) < SHORT.stop + 5:
            lines.append(child.stdout.readline())
            assert lines[-1]
        os.kill(child.pid, signal.SIGSTOP)
        time.sleep(2.5)
        os.kill(child.pid, signal.SIGCONT)
        child.communicate(timeout=120)
        assert child.returncode == 0
    found = load(tmp_path / "run.jsonl")
    times = [s.time for s in found.samples]
    awake = next(b for a, b in zip(times, times[1:], strict=False) if b - a > 2.4)
    assert [d.target for d in found.decisions] == ["large", "small", "large"]
    assert found.decisions[2].time - awake >= STABLE > GAP
    assert replayed(tmp_path / "run.jsonl") == found.decisions
    assert "hang" not in (tmp_path / "log.txt").read_text() and "held up" not in (tmp_path / "log.txt").read_text()
