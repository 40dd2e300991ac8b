"""The manager over a scripted machine: samples are pushed by hand, models are fakes."""

import asyncio
import os
import shutil
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gearshift.models import Ladder, ModelError, NoRungFits, Options
from gearshift.models.testing import FakeModels
from gearshift.pipeline import Pool, Sample

from tests.models.machine import FOUR, TOTAL, Machine, shortage


def test_a_reply_says_what_wrote_it(machine: Machine) -> None:
    machine.load()
    reply = machine.manager.respond("Hi", options=FOUR)
    assert (reply, reply.rung, reply.degraded) == ("word0 word1 word2 word3 ", "large", False)
    assert reply.seconds >= 0


def test_history_is_the_same_across_shifts_and_by_conversation(machine: Machine) -> None:
    machine.load()
    machine.manager.respond("one", options=FOUR)
    machine.manager.respond("other", "b", options=FOUR)
    machine.push(shortage(machine, "small") + int(0.12 * TOTAL))
    machine.until(lambda: len(machine.outcomes) == 2)
    reply = machine.manager.respond("two", options=FOUR)
    assert reply.degraded
    assert [m["content"] for m in machine.manager.history() if m["role"] == "user"] == ["one", "two"]
    assert [m["content"] for m in machine.manager.history("b") if m["role"] == "user"] == ["other"]


def test_an_immediate_downgrade_hands_the_reply_over_and_loses_no_word(ladder: Ladder) -> None:
    third, go = threading.Event(), threading.Event()
    words = iter(range(1000))

    def gate() -> None:
        if next(words) == 3:
            third.set()
            go.wait(20)

    machine = Machine(ladder, FakeModels(gate=gate))
    machine.load()
    replies: list[Any] = []
    asking = threading.Thread(
        target=lambda: replies.append(machine.manager.respond("Hi", options=Options(max_new_tokens=9)))
    )
    asking.start()
    assert third.wait(20)
    decision = machine.manager.scaler.initiate_graceful_degradation("a test", immediate=True)
    assert decision is not None and decision.target == "medium"
    go.set()
    asking.join()
    machine.until(lambda: any(o.kind == "handed over" for o in machine.outcomes))
    assert replies[0] == "".join(f"word{i} " for i in range(9))
    assert replies[0].rungs == ("large", "medium") and replies[0].degraded
    machine.manager.shutdown()


def test_a_planned_downgrade_lets_the_reply_finish_first(ladder: Ladder) -> None:
    began, go = threading.Event(), threading.Event()

    def gate() -> None:
        began.set()
        go.wait(20)

    machine = Machine(ladder, FakeModels(gate=gate))
    machine.load()
    replies: list[Any] = []
    asking = threading.Thread(target=lambda: replies.append(machine.manager.respond("Hi", options=FOUR)))
    asking.start()
    assert began.wait(20)
    machine.manager.scaler.initiate_graceful_degradation("a test")
    assert not machine.loader.loaded[0].closed
    go.set()
    asking.join()
    machine.until(lambda: any(o.kind == "handed over" for o in machine.outcomes))
    assert replies[0].rungs == ("large",)
    assert machine.loader.loaded[0].closed and machine.manager.rung == "medium"
    machine.manager.shutdown()


def test_a_model_that_runs_out_of_memory_mid_reply_hands_over_to_a_smaller_one(ladder: Ladder) -> None:
    words = iter(range(1000))

    def gate() -> None:
        if next(words) == 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    machine = Machine(ladder, FakeModels(gate=gate))
    machine.load()
    reply = machine.manager.respond("Hi", options=FOUR)
    assert reply == "word0 word1 word2 word3 " and reply.rungs == ("large", "medium")
    machine.manager.shutdown()


def test_a_failure_on_the_last_rung_is_tried_once_more(ladder: Ladder) -> None:
    words = iter(range(1000))

    def gate() -> None:
        if next(words) == 1:
            raise RuntimeError("not this time")

    machine = Machine(ladder, FakeModels(gate=gate))
    machine.load(shortage(machine, "small") - (1 << 20))
    assert machine.manager.rung == "small"
    reply = machine.manager.respond("Hi", options=FOUR)
    assert (reply, reply.rungs, reply.tokens) == ("word0 word1 word2 word3 ", ("small",), 4)
    machine.manager.shutdown()


def test_a_second_failure_on_the_last_rung_reaches_the_caller_and_the_words_so_far_are_kept(ladder: Ladder) -> None:
    words = iter(range(1000))

    def gate() -> None:
        if next(words) in (1, 2):
            raise RuntimeError("no way out")

    machine = Machine(ladder, FakeModels(gate=gate))
    machine.load(shortage(machine, "small") - (1 << 20))
    assert machine.manager.rung == "small"
    with pytest.raises(ModelError, match="no way out") as caught:
        machine.manager.respond("Hi", options=FOUR)
    assert caught.value.partial == "word0 "
    assert [m["content"] for m in machine.manager.history()] == ["Hi", "word0 "]
    assert machine.manager.respond("Hi", options=FOUR) == "word0 word1 word2 word3 "
    machine.manager.shutdown()


def test_notices_come_on_downgrades_only_and_suggest_something(ladder: Ladder) -> None:
    machine = Machine(ladder, stabilisation=20.0)
    machine.load()
    machine.manager.scaler.initiate_graceful_degradation("a test")
    machine.until(lambda: len(machine.outcomes) == 2)
    assert len(machine.notices) == 1
    assert "medium" in machine.notices[0].text and machine.notices[0].suggestions
    machine.push(0, seconds=40)
    machine.until(lambda: len(machine.outcomes) == 3)
    assert machine.manager.rung == "large" and len(machine.notices) == 1
    machine.manager.shutdown()


def test_preflight_of_a_reply_moves_to_a_rung_that_fits(ladder: Ladder) -> None:
    machine = Machine(ladder, critical=1.0, confirm=60.0)
    machine.load()
    external = TOTAL - machine.needs["large"] + (1 << 20)
    machine.source.on_next(Sample(2.0, {"ram": Pool(TOTAL, external)}, interval=60.0))
    assert machine.manager.rung == "large" and len(machine.outcomes) == 1
    reply = machine.manager.respond("Hi", options=FOUR)
    assert reply.rungs[-1] != "large" and reply == "word0 word1 word2 word3 "
    machine.manager.shutdown()


def test_a_source_that_fell_silent_moves_no_reply(ladder: Ladder) -> None:
    machine = Machine(ladder, critical=1.0, confirm=60.0)
    machine.load()
    external = TOTAL - machine.needs["large"] + (1 << 20)
    machine.source.on_next(Sample(2.0, {"ram": Pool(TOTAL, external)}, interval=1e-9))
    assert machine.manager.respond("Hi", options=FOUR).rungs == ("large",)
    machine.manager.shutdown()


def test_the_preflight_of_a_reply_counts_its_tokens(machine: Machine) -> None:
    asked: list[tuple[Any, ...]] = []
    check = machine.manager.scaler.check_preflight_resources

    def spy(operation: str = "generate", rung: str | None = None, *, tokens: int = 0) -> Any:
        asked.append((operation, rung, tokens))
        return check(operation, rung, tokens=tokens)

    machine.load()
    machine.manager.scaler.check_preflight_resources = spy
    told = machine.loader.loaded[0].asked
    machine.manager.respond("x" * 30, options=FOUR)
    machine.manager.respond("y" * 3000, options=FOUR)
    characters = sum(len(message["content"]) for message in told[0][0])
    assert characters > 30
    assert asked == [("generate", "large", -(-characters // 3) + 4), ("generate", "large", 512)]


def test_when_no_rung_fits_the_app_is_told_the_numbers_and_lives_on(machine: Machine) -> None:
    machine.push(int(0.99 * TOTAL))
    with pytest.raises(NoRungFits, match=r"smallest rung needs .* GiB.*others hold .* GiB"):
        machine.manager.respond("Hi")
    with pytest.raises(NoRungFits):
        asyncio.run(machine.manager.generate_response("Hi"))
    machine.push(0, seconds=60)
    machine.until(lambda: any(o.kind == "loaded" for o in machine.outcomes))
    assert machine.manager.respond("Hi", options=FOUR)


def test_a_rung_that_does_not_load_is_set_aside_for_the_next(ladder: Ladder) -> None:
    machine = Machine(ladder, FakeModels(broken=("large",)))
    machine.push(0)
    machine.until(lambda: [o.kind for o in machine.outcomes] == ["failed"])
    assert "broken on purpose" in machine.outcomes[0].reason
    machine.push(0)
    machine.until(lambda: machine.outcomes[-1].kind == "loaded")
    assert machine.manager.respond("Hi", options=FOUR).rung == "medium"
    machine.manager.shutdown()


def test_a_subscriber_that_raises_stops_nothing(machine: Machine) -> None:
    def bad(_: Any) -> None:
        raise RuntimeError("an app's mistake")

    machine.manager.decisions.subscribe(bad)
    machine.manager.outcomes.subscribe(bad)
    machine.manager.scaler.samples.subscribe(bad)
    machine.load()
    machine.push(0)
    assert machine.manager.respond("Hi", options=FOUR)


def test_shutdown_twice_unloads_and_leaves_no_thread(ladder: Ladder) -> None:
    before = set(threading.enumerate())
    machine = Machine(ladder)
    machine.load()
    machine.manager.shutdown()
    machine.manager.shutdown()
    assert machine.loader.loaded[0].closed
    assert set(threading.enumerate()) - before == set()
    with pytest.raises(RuntimeError, match="shut down"):
        machine.manager.respond("Hi")


def test_what_fails_at_a_shutdown_keeps_nothing_else_from_ending(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("not now")

    before = set(threading.enumerate())
    machine = Machine(ladder)
    machine.load()
    monkeypatch.setattr(machine.manager._residing, "close", fail)
    with pytest.raises(OSError, match="not now"):
        machine.manager.shutdown()
    assert machine.loader.loaded[0].closed
    assert set(threading.enumerate()) - before == set()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_that_the_app_forked_ends_nothing_of_it(machine: Machine) -> None:
    machine.load()
    child = os.fork()
    if child == 0:
        try:
            machine.manager.shutdown()
            with pytest.raises(RuntimeError, match="make a new ModelManager after a fork"):
                machine.manager.respond("Hi", options=FOUR)
        except BaseException:  # noqa: BLE001 - the child must not go on with the tests
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    assert machine.manager.respond("Hi", options=FOUR).rung == "large"


def test_a_reply_survives_that_its_checkpoint_has_gone(
    ladder: Ladder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    words = iter(range(1000))

    def gate() -> None:
        if next(words) == 2:
            shutil.rmtree(tmp_path / "large")
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    shutil.copytree(ladder[0].source, tmp_path / "large")
    moved = Ladder([msgspec.structs.replace(ladder[0], source=str(tmp_path / "large")), *ladder[1:]])
    machine = Machine(moved, FakeModels(gate=gate))
    machine.load()
    reply = machine.manager.respond("Hi", options=FOUR)
    assert reply == "word0 word1 word2 word3 " and reply.rungs == ("large", "medium")
    assert "what large needs can't be corrected" in caplog.text
    machine.manager.shutdown()
