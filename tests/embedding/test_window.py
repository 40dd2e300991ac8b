"""The window: it goes on ticking while a reply is written, and Escape cancels that."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from gearshift.models import ModelManager
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.testing import FakeModels, fake_ladder
from textual.pilot import Pilot

from .examples import PATIENCE, module

Steps = Callable[[Any, Pilot[None]], Awaitable[None]]


def run(manager: ModelManager, steps: Steps) -> None:
    window = module("window").Window(manager)

    async def inside() -> None:
        async with window.run_test(size=(100, 30)) as pilot:
            await steps(window, pilot)

    asyncio.run(inside())


async def until(pilot: Pilot[None], true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        await pilot.pause(0.02)


async def ask(pilot: Pilot[None], question: str) -> None:
    await pilot.press(*question, "enter")


def shown(window: Any) -> str:
    return str(window.query_one("#talk").render())


def test_the_window_ticks_while_a_reply_is_written_and_shows_it_as_it_comes(manager: ModelManager) -> None:
    async def steps(window: Any, pilot: Pilot[None]) -> None:
        ticks: list[int] = []
        window.set_interval(0.01, lambda: ticks.append(len(window.talk)))
        await ask(pilot, "hello")
        await until(pilot, lambda: "tokens" in window.status)
        assert "256 tokens" in window.status and "end: length" in window.status
        # one length before it was asked, one with the question, one at the end: all others are of words that came
        assert len(set(ticks)) > 6, "no tick came between the first words and the last"
        assert manager.history()[1]["content"] in shown(window) and "> hello" in shown(window)
        await until(pilot, lambda: str(window.query_one("#status").render()).startswith("large: 256 tokens"))

    run(manager, steps)


def test_escape_cancels_the_reply_and_what_was_typed_meanwhile_can_be_asked(tmp_path: Path) -> None:
    words = threading.Semaphore(4)  # the model writes no more until it may: the reply can't end while keys are pressed

    async def steps(window: Any, pilot: Pilot[None]) -> None:
        await ask(pilot, "hello")
        await until(pilot, lambda: "word3" in window.talk)
        await ask(pilot, "again")
        assert window.query_one("Input").value == "again" and "> again" not in window.talk
        await pilot.press("escape")
        await until(pilot, lambda: words.release() or "end: cancelled" in window.status)
        words.release(1000)
        await pilot.press("enter")
        await until(pilot, lambda: "256 tokens" in window.status)

    models = FakeModels(gate=lambda: words.acquire() and None)
    ladder = fake_ladder(tmp_path / "ladder", large=20 << 20)
    with ModelManager(ladder, host=InlineHost(models), cache=tmp_path) as manager:
        run(manager, steps)
        assert [len(turn["content"].split()) < 256 for turn in manager.history()[1::2]] == [True, False]


def test_leaving_the_window_in_mid_reply_ends_the_reply_with_its_manager(manager: ModelManager) -> None:
    async def steps(window: Any, pilot: Pilot[None]) -> None:
        await ask(pilot, "hello")
        await until(pilot, lambda: len(window.talk) > 20)

    run(manager, steps)
    manager.shutdown()
    assert manager.history()[1]["content"]
    asking = [thread for thread in threading.enumerate() if "(ask)" in thread.name]
    for thread in asking:
        thread.join(PATIENCE)
    assert not any(thread.is_alive() for thread in asking)


def test_a_notice_and_an_error_are_shown_where_the_user_looks(manager: ModelManager) -> None:
    async def steps(window: Any, pilot: Pilot[None]) -> None:
        await until(pilot, lambda: manager.rung == "large")
        manager.scaler.initiate_graceful_degradation("a test asks for it", immediate=True)
        await until(pilot, lambda: "smaller model (small)" in shown(window).replace("\n", " "))
        manager.shutdown()
        await ask(pilot, "hello")
        await until(pilot, lambda: "shut down" in window.status)

    run(manager, steps)
