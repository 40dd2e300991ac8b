"""The manager over hosts whose rungs can be lost, with a parachute, after a crash, and with real models."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from gearshift.models import Ladder, ModelManager, Options
from gearshift.models.hosts import Host
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.hosts.process import ProcessHost
from gearshift.models.needs.remembered import Needs
from gearshift.models.switching.crash_marker import CrashMarker
from gearshift.models.switching.residing import Parachute, Residing
from gearshift.models.testing import FakeHost, FakeModels
from gearshift.pipeline import Pool, Residency, Sample, Settings
from reactivex import Subject

from tests.models.answering import words
from tests.models.machine import FOUR, TOTAL, Machine
from tests.waiting import until

WAIT = 60


@contextmanager
def sampling(machine: Machine) -> Iterator[None]:
    """Samples go on meanwhile, as they do on a real machine."""
    done = threading.Event()

    def feed() -> None:
        while not done.wait(0.02):
            machine.push(0)

    feeder = threading.Thread(target=feed)
    feeder.start()
    yield
    done.set()
    feeder.join()


def test_a_reply_whose_worker_is_lost_goes_on_with_the_next_rung(ladder: Ladder) -> None:
    number = iter(range(1000))

    def gate() -> None:
        if next(number) == 2:
            host.lose("large", "killed by signal 9 (most likely the kernel ran out of memory)")

    host = FakeHost(FakeModels(gate=gate))
    machine = Machine(ladder, host=host)
    machine.load()
    with sampling(machine):
        reply = machine.manager.respond("Hi", options=Options(max_new_tokens=8))
    assert reply == words(8) and reply.rungs == ("large", "medium") and reply.degraded
    machine.manager.shutdown()
    assert [notice.kind for notice in machine.notices] == ["memory"] and host.closed == 1


def test_the_last_rung_is_loaded_again_when_it_is_lost(ladder: Ladder) -> None:
    number = iter(range(1000))

    def gate() -> None:
        if next(number) == 2:
            host.lose("small")

    host = FakeHost(FakeModels(gate=gate))
    machine = Machine(Ladder([ladder[2]]), host=host)
    machine.load()
    with sampling(machine):
        reply = machine.manager.respond("Hi", options=Options(max_new_tokens=8))
    assert reply == words(8) and reply.rungs == ("small",) and not reply.degraded
    machine.manager.shutdown()


def test_a_parachute_answers_without_a_load_and_is_counted_into_the_others_needs(ladder: Ladder) -> None:
    host = FakeHost()
    machine = Machine(ladder, host=host, more={"parachute": True})
    machine.load()
    until(lambda: machine.manager._switcher.kept == "small")
    small = machine.needs["small"]
    told = {rung.name: rung.need["ram"] for rung in machine.manager.scaler.ladder}
    assert told == {name: need + (small if name != "small" else 0) for name, need in machine.needs.items()}
    loads = len(host._load.loaded)  # pyright: ignore[reportFunctionMemberAccess]
    machine.push(int(0.9 * TOTAL) - small)
    until(lambda: machine.manager.rung == "small")
    assert machine.manager.respond("Hi", options=FOUR).rungs == ("small",)
    assert len(host._load.loaded) == loads  # pyright: ignore[reportFunctionMemberAccess]
    machine.manager.shutdown()


def test_a_ladder_of_one_rung_has_no_parachute(ladder: Ladder, tmp_path: Path) -> None:
    assert Parachute(Ladder([ladder[0]]), Needs(tmp_path), wanted=True).name is None
    assert Parachute(ladder, Needs(tmp_path), wanted=False).name is None


@pytest.mark.parametrize(("ran", "first"), [("large", "medium"), ("medium", "small"), ("small", "small")])
def test_after_an_unclean_end_it_starts_one_rung_lower_where_there_is_one_and_after_a_clean_end_at_the_top(
    ladder: Ladder, cache: Path, ran: str, first: str
) -> None:
    pid = os.fork()
    if pid == 0:
        CrashMarker(ladder, cache / "running").note(ran)
        os._exit(1)
    os.waitpid(pid, 0)
    machine = Machine(ladder)
    machine.load()
    assert machine.manager.rung == first and machine.notices == []
    machine.manager.shutdown()
    assert list((cache / "running").iterdir()) == []
    machine = Machine(ladder)
    machine.load()
    assert machine.manager.rung == "large"
    machine.manager.shutdown()


def residing(ladder: Ladder, tmp_path: Path, *, wanted: bool = False, crashed: Sequence[str] = ()) -> Any:
    told: Subject[Residency] = Subject()
    needs = Needs(tmp_path)
    made = Residing(told, Parachute(ladder, needs, wanted=wanted), crashed=crashed, clock=lambda: 5.0)
    seen: list[Residency] = []
    made.stream.subscribe(seen.append)
    return told, made, seen, needs


def test_a_crash_is_told_first_and_to_the_first_subscriber_only(ladder: Ladder, tmp_path: Path) -> None:
    told, made, seen, _ = residing(ladder, tmp_path, crashed=["large", "medium"])
    assert seen == [Residency(5.0, failed="large"), Residency(5.0, failed="medium")]
    later: list[Residency] = []
    made.stream.subscribe(later.append)
    told.on_next(Residency(6.0, "ready", "medium", seconds=2.0))
    assert later == [Residency(6.0, "ready", "medium", seconds=2.0)] == seen[2:]


def test_who_subscribes_late_is_told_what_is_loaded(ladder: Ladder, tmp_path: Path) -> None:
    told, made, _, _ = residing(ladder, tmp_path)
    told.on_next(Residency(6.0, "ready", "medium", failed="large", seconds=2.0, need={"ram": 5}))
    late: list[Residency] = []
    made.stream.subscribe(late.append)
    assert late == [Residency(6.0, "ready", "medium")]


def test_a_rung_that_ran_out_is_told_with_its_need_while_it_is_the_one_loaded(ladder: Ladder, tmp_path: Path) -> None:
    told, made, seen, _ = residing(ladder, tmp_path)
    made.ran_out("large", {"ram": 7})
    assert seen == []
    told.on_next(Residency(1.0, "ready", "large", seconds=2.0))
    made.ran_out("large", {"ram": 7})
    assert seen[1:] == [Residency(5.0, "ready", "large", need={"ram": 7})]
    told.on_next(Residency(6.0, "shifting", "large"))
    made.ran_out("large", {"ram": 8})
    assert len(seen) == 3


def test_needs_that_are_learned_keep_room_for_the_parachute(ladder: Ladder, tmp_path: Path) -> None:
    told, _, seen, needs = residing(ladder, tmp_path, wanted=True)
    small = needs.of(ladder[2]).need["ram"]
    told.on_next(Residency(1.0, "ready", "large", need={"ram": 7}))
    told.on_next(Residency(2.0, "ready", "small", need={"ram": 7}))
    told.on_next(Residency(3.0, "ready", "small", failed="medium", need={"ram": 9}))
    assert [residency.need["ram"] for residency in seen] == [7 + small, 7, 9 + small]


@contextmanager
def answering(ladder: Ladder, host: Host) -> Iterator[ModelManager]:
    """A manager on a machine with all the room in the world, its best rung loaded."""
    source: Subject[Sample] = Subject()
    with ModelManager(ladder, Settings(interval=0.1, settle=0), source=source, host=host) as manager:
        loaded = threading.Event()
        manager.outcomes.subscribe(lambda outcome: loaded.set() if outcome.kind == "loaded" else None)
        source.on_next(Sample(1.0, {"ram": Pool(64 << 30, 0)}))
        assert loaded.wait(WAIT)
        yield manager


@pytest.mark.parametrize("where", ["inline", "process"])
def test_a_real_reply_is_handed_over_mid_sentence_with_every_character_kept(ladder: Ladder, where: str) -> None:
    host = InlineHost() if where == "inline" else ProcessHost()
    options = Options(max_new_tokens=60)
    with answering(ladder, host) as manager:
        pieces: list[str] = []

        def take(piece: str) -> None:
            pieces.append(piece)
            if len(pieces) == 5:
                assert manager.scaler.initiate_graceful_degradation("a test", immediate=True) is not None

        reply = manager.respond("Tell me.", options=options, on_text=take)
        assert reply == "".join(pieces) and reply.rungs == ("large", "medium") and reply.degraded
        assert len(reply) > len("".join(pieces[:5])) and reply.end == "length" and reply.tokens > 5
        assert manager.history()[-1]["content"] == reply


def test_a_real_planned_downgrade_finishes_the_reply_in_good_order(ladder: Ladder) -> None:
    options = Options(max_new_tokens=400)
    with answering(ladder, InlineHost()) as manager:
        handed = threading.Event()
        manager.outcomes.subscribe(lambda outcome: handed.set() if outcome.kind == "handed over" else None)
        pieces: list[str] = []

        def take(piece: str) -> None:
            pieces.append(piece)
            if len(pieces) == 5:
                manager.scaler.initiate_graceful_degradation("a test")

        reply = manager.respond("Tell me.", options=options, on_text=take)
        assert (reply.end, reply.cut, reply.rungs) == ("wound up", True, ("large",)) and reply == "".join(pieces)
        assert handed.wait(WAIT) and manager.rung == "medium"
        assert manager.respond("And then?", options=FOUR).rung == "medium"


def test_a_real_worker_that_is_killed_mid_reply_costs_no_character(ladder: Ladder) -> None:
    import psutil

    with ModelManager(ladder, Settings(interval=0.1, high=0.98, critical=0.99), host=ProcessHost()) as manager:
        assert manager.respond("Hello.", options=FOUR).rungs == ("large",)
        pieces: list[str] = []
        leaves = [p for p in psutil.Process().children(recursive=True) if not p.children()]

        def take(piece: str) -> None:
            pieces.append(piece)
            if len(pieces) == 5:
                for worker in leaves:
                    os.kill(worker.pid, signal.SIGKILL)

        reply = manager.respond("Tell me.", options=Options(max_new_tokens=200), on_text=take)
        assert reply == "".join(pieces) and reply.rungs == ("large", "medium")
    assert psutil.Process().children(recursive=True) == []


def test_a_real_worker_that_hangs_is_killed_once_its_reply_is_called_off(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    import psutil

    monkeypatch.setattr("gearshift.models.replies.limits.STUCK", 0.5)
    with ModelManager(ladder, Settings(interval=0.1, high=0.98, critical=0.99), host=ProcessHost()) as manager:
        assert manager.respond("Hello.", options=FOUR).rungs == ("large",)
        (server,) = psutil.Process().children()
        (worker,) = server.children()
        pieces, cancelled = list[str](), threading.Event()

        def take(piece: str) -> None:
            pieces.append(piece)
            worker.suspend()
            cancelled.set()

        reply = manager.respond("Tell me.", options=Options(max_new_tokens=400), on_text=take, cancelled=cancelled)
        assert reply == "".join(pieces) != "" and reply.end == "cancelled"
        assert manager.respond("Again.", options=FOUR, timeout=WAIT).rungs == ("medium",)
    assert psutil.Process().children(recursive=True) == []


def test_a_reply_that_the_next_rung_has_no_context_for_ends_where_it_is(ladder: Ladder) -> None:
    narrow = Ladder([ladder[0], msgspec.structs.replace(ladder[1], context=64)])
    with answering(narrow, InlineHost()) as manager:
        pieces: list[str] = []

        def take(piece: str) -> None:
            pieces.append(piece)
            if len(pieces) == 5:
                manager.scaler.initiate_graceful_degradation("a test", immediate=True)

        reply = manager.respond("Tell me. " * 20, options=Options(max_new_tokens=60), on_text=take)
        assert (reply, reply.end, reply.cut) == ("".join(pieces), "context", True)
        assert manager.history()[-1]["content"] == reply
