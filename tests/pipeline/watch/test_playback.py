"""A recording on a terminal: what keys do, and what is then to be seen."""

import asyncio
import random
from collections.abc import Awaitable, Callable

import pytest
from gearshift.pipeline.watch.board import Board, View
from gearshift.pipeline.watch.canvas import changed
from gearshift.pipeline.watch.playback import PlaybackApp
from gearshift.pipeline.watch.screens import AskMark, Help
from textual.pilot import Pilot

from .pictures import GIB, played, played_anew, steady, told

Steps = Callable[[PlaybackApp, Pilot[None]], Awaitable[None]]


def run(app: PlaybackApp, steps: Steps, size: tuple[int, int] = (80, 24)) -> None:
    """The steps, on a terminal that isn't there; the app stands still until it is told to go on."""

    async def inside() -> None:
        async with app.run_test(size=size) as pilot:
            app.paused = True
            app.go(app.story.begin)
            await pilot.pause()
            await steps(app, pilot)

    asyncio.run(inside())


def test_it_begins_at_the_beginning_and_keys_seek() -> None:
    app = PlaybackApp(played_anew("leak"))
    length = app.story.end - app.story.begin

    async def steps(app: PlaybackApp, pilot: Pilot[None]) -> None:
        at: list[float] = []
        for key in ("right", "right", "left", "end", "shift+left", "pagedown", "home", "shift+right"):
            await pilot.press(key)
            at.append(app.position - app.story.begin)
        assert at == pytest.approx([10, 20, 10, length, 0, length / 10, 0, length])
        assert "end" in app.canvas.text.splitlines()[0]

    run(app, steps)


def test_going_back_shows_just_what_playing_up_to_there_shows() -> None:
    story = played_anew("leak")
    forward = PlaybackApp(story)
    seeking = PlaybackApp(played_anew("leak"))
    stops = [story.begin + share * (story.end - story.begin) for share in (0.05, 0.2, 0.33, 0.5, 0.77, 1.0)]
    seen: dict[float, str] = {}

    async def play(app: PlaybackApp, _pilot: Pilot[None]) -> None:
        at = app.story.begin
        while at < app.story.end:
            at += 0.7
            for stop in stops:
                if at - 0.7 < stop <= at:
                    app.go(stop)
                    seen[stop] = app.canvas.text
            app.go(at)

    async def seek(app: PlaybackApp, _pilot: Pilot[None]) -> None:
        app.go(app.story.end)
        order = stops * 3
        random.Random(7).shuffle(order)
        for stop in order:
            app.go(stop)
            assert app.canvas.text == seen[stop]

    run(forward, play)
    run(seeking, seek)
    assert len(seen) == len(stops) and len(set(seen.values())) == len(stops)


def test_time_passes_unless_it_is_paused_and_as_fast_as_asked_for() -> None:
    app = PlaybackApp(played("leak"), speed=1000.0)

    async def steps(app: PlaybackApp, pilot: Pilot[None]) -> None:
        await pilot.pause(0.3)
        assert app.position == app.story.begin and "paused" in app.canvas.text
        await pilot.press("less_than_sign")
        assert app.speed == 500 and "500x" in app.canvas.text
        await pilot.press("greater_than_sign", "space")
        while app.position < app.story.end:
            await pilot.pause(0.05)
        assert app.canvas.text.splitlines()[0].split()[-2] == "end"

    run(app, steps)


def test_windows_grow_shrink_and_go_round() -> None:
    app = PlaybackApp(played("leak"))

    async def steps(app: PlaybackApp, pilot: Pilot[None]) -> None:
        assert app.window == 60.0
        await pilot.press("plus")
        assert app.window == 120.0 and "window 2 min" in app.canvas.text
        await pilot.press("minus", "minus", "minus")
        assert app.window == 30.0
        for _ in app.windows:
            await pilot.press("w")
        assert app.window == 30.0

    run(app, steps)


def test_a_mark_is_shown_from_its_moment_on_whatever_is_typed() -> None:
    app = PlaybackApp(played("leak"))

    async def steps(app: PlaybackApp, pilot: Pilot[None]) -> None:
        await pilot.press("right", "m")
        assert isinstance(app.screen, AskMark)
        await pilot.press(*"q[b]x", "enter")
        await pilot.pause()
        assert "mark   q[b]x" in app.canvas.text
        await pilot.press("left")
        assert "q[b]x" not in app.canvas.text
        await pilot.press("end", "m", "escape")
        await pilot.pause()
        assert not isinstance(app.screen, AskMark)
        assert [entry.text for entry in app.story.entries if entry.kind == "mark"].count("q[b]x") == 1

    run(app, steps)


def test_help_names_the_keys_and_any_key_closes_it() -> None:
    app = PlaybackApp(played("leak"))

    async def steps(app: PlaybackApp, pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        assert isinstance(app.screen, Help)
        assert app.screen.query("Static")
        await pilot.press("x")
        await pilot.pause()
        assert not isinstance(app.screen, Help)
        await pilot.press("q")
        await pilot.pause()
        assert not app.is_running

    run(app, steps)


def test_the_picture_grows_with_the_terminal() -> None:
    app = PlaybackApp(played_anew("leak"))

    async def steps(app: PlaybackApp, pilot: Pilot[None]) -> None:
        for size in ((120, 40), (40, 10), (80, 24)):
            await pilot.resize_terminal(*size)
            await pilot.pause()
            lines = app.canvas.text.splitlines()
            assert (len(lines[0]), len(lines)) == size

    run(app, steps)


def test_a_second_changes_but_few_lines() -> None:
    board = Board(played("leak"))
    position = board.story.begin + 20
    before, after = (board.draw(View(at, 60.0, speed=1.0), 80, 24) for at in (position, position + 0.5))
    rows = changed(before, after)
    assert 0 < len(rows) < 16 and not {2 + 12, 15, 16, 17, 23} & set(rows)
    assert changed(before, board.draw(View(position, 60.0, speed=1.0), 80, 24)) == []


def test_ctrl_c_quits() -> None:
    app = PlaybackApp(played("leak"))

    async def steps(app: PlaybackApp, pilot: Pilot[None]) -> None:
        await pilot.press("ctrl+c")
        await pilot.pause()
        assert not app.is_running

    run(app, steps)


def test_a_long_recording_is_sought_in_as_quickly_as_a_short_one() -> None:
    story = told([steady(float(t), used=(2 + t % 7) * GIB) for t in range(20_000)])
    app = PlaybackApp(story)

    async def steps(app: PlaybackApp, _pilot: Pilot[None]) -> None:
        looked = 0

        class Counting(list):  # type: ignore[type-arg]
            def __getitem__(self, at):  # noqa: ANN001, ANN204
                nonlocal looked
                looked += len(range(*at.indices(len(self)))) if isinstance(at, slice) else 1
                return list.__getitem__(self, at)

        story.outlooks = Counting(story.outlooks)
        app.go(19_000.0)
        app.go(3.0)
        app.go(18_000.0)
        assert looked < 2500

    run(app, steps)


def test_the_log_scrolls_no_further_than_it_goes() -> None:
    app = PlaybackApp(played_anew("leak"))

    async def steps(app: PlaybackApp, pilot: Pilot[None]) -> None:
        await pilot.press("end", *["down"] * 30)
        assert "lines above" in app.canvas.text
        last = app.log_scroll
        assert 5 <= last < 12
        await pilot.press(*["up"] * last)
        assert app.log_scroll == 0 and "lines above" not in app.canvas.text

    run(app, steps)
