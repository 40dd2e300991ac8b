"""A slice of the hammer, and its plan. All of it: `make hammer`."""

import faulthandler
import threading
from pathlib import Path

import pytest

from .hammer.__main__ import lost
from .hammer.managers import well_formed
from .hammer.plan import steps
from .hammer.run import hammer
from .hammer.world import World


def test_all_that_an_app_can_call_from_16_threads_and_a_loop_breaks_no_promise_and_loses_no_reply(
    tmp_path: Path,
) -> None:
    counted = hammer(tmp_path, count=1500, threads=16, seed=1, limit=120)
    assert counted.broken == []
    assert counted.of["steps"] == 1500 and lost(counted) == 0
    assert counted.of["asks"] > 100 and counted.of["ended: replied"] > 20, counted.of
    assert counted.of["ends in the midst of it"] and counted.of["models lost"] and counted.of["replies called off"]


def test_the_plan_is_that_of_its_seed() -> None:
    assert steps("a", 200, task=True, real=True) == steps("a", 200, task=True, real=True)
    assert steps("a", 200, task=True, real=True) != steps("b", 200, task=True, real=True)


def test_words_that_are_mixed_up_or_missing_are_seen() -> None:
    assert well_formed("word0 word1 word2 ")
    assert not well_formed("word0 word0 word1 ") and not well_formed("word0 word2 ")


def test_a_thread_that_hangs_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    go, dumped, worlds = threading.Event(), list[bool](), list[World]()

    def hang(world: World, *_: object) -> None:
        worlds.append(world)
        go.wait(60)

    monkeypatch.setattr(World, "preflight", hang)
    monkeypatch.setattr(faulthandler, "dump_traceback", lambda **_: dumped.append(True))
    before = set(threading.enumerate())
    try:
        counted = hammer(tmp_path, count=60, threads=2, seed=1, limit=2)
    finally:
        go.set()
        for thread in set(threading.enumerate()) - before:
            if thread.name == "loop" or thread.name.startswith("hammer "):
                thread.join(60)
        worlds[0].end()
    assert dumped and any("these hang" in breach for breach in counted.broken)
