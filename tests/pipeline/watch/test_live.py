"""This machine on a terminal."""

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from gearshift.pipeline import Pool, ProactiveScaler, Reading, Rung, Sample, Sampler, Settings, load
from gearshift.pipeline.programs import Process, held_by_name
from gearshift.pipeline.sources import event_time
from gearshift.pipeline.testing import ScriptedProbe
from gearshift.pipeline.watch.live import LiveApp, Programs
from reactivex import Subject
from textual.pilot import Pilot

from .pictures import GIB

Steps = Callable[[LiveApp, Pilot[None]], Awaitable[None]]
LADDER = [Rung("large", {"ram": 6 * GIB}), Rung("small", {"ram": 2 * GIB}, quality=0.5)]
HOSTILE = "\x1b[2J[red]evil[/red]"


def look() -> list[Process]:
    return [Process(1, 0.0, "firefox", GIB), Process(2, 0.0, "firefox", GIB), Process(3, 0.0, HOSTILE, 5 * GIB)]


def run(app: LiveApp, steps: Steps, size: tuple[int, int] = (80, 24)) -> None:
    async def inside() -> None:
        async with app.run_test(size=size) as pilot:
            await steps(app, pilot)

    asyncio.run(inside())


async def until(pilot: Pilot[None], true: Callable[[], bool]) -> None:
    for _ in range(500):
        if true():
            return
        await pilot.pause(0.01)
    raise AssertionError("it has not come about in five seconds")


def fed(recording: Path | None = None) -> tuple[LiveApp, Subject[Sample]]:
    """An app, and what to put samples into."""
    source: Subject[Sample] = Subject()
    scaler = ProactiveScaler(LADDER, Settings(), source, dry_run=True)
    return LiveApp(scaler, "this machine", recording=recording, programs=Programs(look)), source


def now(used: int = GIB) -> Sample:
    return Sample(event_time(), {"ram": Pool(10 * GIB, used)}, wall=1_700_000_000.0)


def test_samples_decisions_and_programs_appear_as_they_come() -> None:
    app, source = fed()

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        assert "waiting for the first sample" in app.canvas.text
        source.on_next(now())
        await until(pilot, lambda: "Shift up from nothing to large" in app.canvas.text)
        source.on_next(now(2 * GIB))
        await until(pilot, lambda: "others 2.00, ours 6.00 in pretence" in app.canvas.text)
        text = app.canvas.text
        assert "loaded large in pretence since" in text and "[large]  small" in text
        assert "firefox 2.00" in text and "\\x1b[2J[red]" in text and "\x1b" not in text

    run(app, steps)


def test_it_reads_this_machine_and_its_thread_ends_with_it() -> None:
    sampler = Sampler([ScriptedProbe([Reading(pools={"ram": Pool(10 * GIB, 3 * GIB)})])])
    scaler = ProactiveScaler([], Settings(interval=0.05), sampler=sampler, dry_run=True)
    app = LiveApp(scaler, "this machine", programs=Programs(look))

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: "30% of 10.00 GiB in use: others 3.00" in app.canvas.text)
        assert "no ladder, so nothing is decided" in app.canvas.text

    run(app, steps)
    count = len(app.story.times)
    scaler.stop_continuous_monitoring()
    assert len(app.story.times) == count


def test_paused_the_picture_stands_still_while_the_story_goes_on() -> None:
    app, source = fed()

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        source.on_next(now())
        await until(pilot, lambda: "others 1.00" in app.canvas.text)
        await pilot.press("space")
        source.on_next(now(2 * GIB))
        await until(pilot, lambda: len(app.story.times) == 2)
        assert "paused" in app.canvas.text and "others 1.00" in app.canvas.text
        await pilot.press("space")
        assert "others 2.00" in app.canvas.text

    run(app, steps)


def test_a_mark_is_written_to_the_recording_among_samples_and_decisions(tmp_path: Path) -> None:
    app, source = fed(tmp_path / "run.jsonl")
    app.begin_recording()

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        source.on_next(now())
        await until(pilot, lambda: "others 1.00" in app.canvas.text)
        await pilot.press("m", *"tea", "enter")
        await until(pilot, lambda: "mark   tea" in app.canvas.text)
        assert "recording" in app.canvas.text.splitlines()[0]

    run(app, steps)
    found = load(tmp_path / "run.jsonl")
    assert [mark.text for mark in found.marks] == ["tea"] and found.marks[0].time == found.samples[0].time
    assert [decision.target for decision in found.decisions] == ["large"]
    assert found.header is not None and found.header.ladder == tuple(LADDER)


def test_a_recording_that_has_ended_is_told_of(tmp_path: Path) -> None:
    app, source = fed(tmp_path / "run.jsonl")
    recorder = app.begin_recording()
    assert recorder is not None

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        source.on_next(now())
        await until(pilot, lambda: " recording " in app.canvas.text)
        recorder.dispose()
        source.on_next(now())
        await until(pilot, lambda: "recording has ended" in app.canvas.text)

    run(app, steps)


def test_samples_that_come_thick_and_fast_are_drawn_now_and_then_and_the_last_of_them_too() -> None:
    app, source = fed()

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        pictures: set[str] = set()

        def feed() -> None:
            for used in range(100, 200):
                source.on_next(now(used * GIB // 100))

        thread = threading.Thread(target=feed)  # as the sampler's, it knows nothing of the app
        thread.start()
        while thread.is_alive() or len(app.story.times) < 100:
            await pilot.pause(0)
            pictures.add(app.canvas.text)
        await until(pilot, lambda: "others 1.99" in app.canvas.text)
        assert len(app.story.times) == 100 and len(pictures) < 50

    run(app, steps)


def test_a_sensor_that_falls_silent_is_told_of() -> None:
    app, source = fed()

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        source.on_next(now())
        await until(pilot, lambda: bool(app.story.times))
        newest = app.story.outlooks[-1].time
        assert app.late(newest + 2.9) == "" and app.late(newest + 12) == "no sample for 12 s"
        source.on_next(Sample(event_time() - 60, {"ram": Pool(10 * GIB, GIB)}))
        await until(pilot, lambda: "no sample for 60 s" in app.canvas.text.splitlines()[0])

    run(app, steps)


def test_warnings_of_the_package_are_told_in_the_log_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    app, source = fed()

    async def steps(app: LiveApp, pilot: Pilot[None]) -> None:
        source.on_next(now())
        logging.getLogger("gearshift.pipeline").warning("probe %s failed", "nvml")
        await until(pilot, lambda: "note   probe nvml failed" in app.canvas.text)

    run(app, steps)
    assert "nvml" not in capfd.readouterr().err
    assert all(
        type(handler).__module__ != "gearshift.pipeline.watch.app"
        for handler in logging.getLogger("gearshift").handlers
    )


def test_programs_are_looked_up_seldom() -> None:
    looks = 0

    def counted() -> list[Process]:
        nonlocal looks
        looks += 1
        return look()

    programs = Programs(counted)
    for tenths in range(100):
        programs.update(tenths / 10)
    assert looks in (1, 2) and programs.found == held_by_name(look())
