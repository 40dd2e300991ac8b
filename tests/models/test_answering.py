"""Replies: in turn, within limits, and with every word kept. Models are fakes, shifts are real."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from gearshift.models import Busy, Ladder, ModelError, Options, OutOfMemory, Reply, ReplyTimeout, ShutDown
from gearshift.models.testing import FakeModels
from gearshift.pipeline import Performed

from tests import waiting as bounded
from tests.models.machine import FOUR, TOTAL, Machine, shortage

WAIT = 20


def words(count: int, first: int = 0) -> str:
    return "".join(f"word{i} " for i in range(first, count))


class Gate:
    """Holds a fake model before its word number `at`, until it is opened. `failures` are raised at words by number."""

    def __init__(self, at: int = -1, failures: dict[int, Exception] | None = None) -> None:
        self.at, self._failures, self._count = at, failures or {}, 0
        self.reached, self.open = threading.Event(), threading.Event()

    def __call__(self) -> None:
        number, self._count = self._count, self._count + 1
        if number == self.at:
            self.reached.set()
            assert self.open.wait(WAIT)
        if number in self._failures:
            raise self._failures[number]


class Asked(threading.Thread):
    """A question from a thread of its own, and what came of it."""

    def __init__(self, machine: Machine, message: str = "Hi", conversation: str = "default", **more: Any) -> None:
        super().__init__()
        self._ask: Callable[[], Reply] = lambda: machine.manager.respond(
            message, conversation, **{"options": FOUR, **more}
        )
        self.reply: Reply | None = None
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            self.reply = self._ask()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            self.error = error

    def result(self) -> Reply | Exception | None:
        self.join(WAIT)
        assert not self.is_alive()
        return self.reply if self.error is None else self.error


@pytest.fixture
def held(ladder: Ladder) -> Iterator[tuple[Machine, Gate]]:
    """A machine whose first reply is held before its second word."""
    gate = Gate(at=1)
    machine = Machine(ladder, FakeModels(gate=gate), more={"queue": 2})
    machine.load()
    yield machine, gate
    gate.open.set()
    machine.manager.shutdown()


def waiting(machine: Machine) -> int:
    return len(machine.manager._turns._waiting)


until = partial(bounded.until, seconds=WAIT)


def test_replies_are_written_one_at_a_time_in_the_order_in_which_they_were_asked_for(
    held: tuple[Machine, Gate],
) -> None:
    machine, gate = held
    began: list[str] = []
    first = Asked(machine, "first")
    assert gate.reached.wait(WAIT)
    second = Asked(machine, "second", "b", on_text=lambda _: began.append("second"))
    until(lambda: waiting(machine) == 1)
    third = Asked(machine, "third", on_text=lambda _: began.append("third"))
    until(lambda: waiting(machine) == 2)
    assert began == []
    gate.open.set()
    assert [each.result() for each in (first, second, third)] == [words(4)] * 3
    assert began == ["second"] * 4 + ["third"] * 4
    assert [m["content"] for m in machine.manager.history() if m["role"] == "user"] == ["first", "third"]
    third_asked, _ = machine.loader.loaded[0].asked[-1]
    assert [m["content"] for m in third_asked if m["role"] != "system"] == ["first", words(4), "third"]


def test_one_more_than_may_wait_is_told_so_at_once(held: tuple[Machine, Gate]) -> None:
    machine, gate = held
    asked = [Asked(machine)]
    assert gate.reached.wait(WAIT)
    asked += [Asked(machine), Asked(machine)]
    until(lambda: waiting(machine) == 2)
    with pytest.raises(Busy, match=r"2 replies wait.*ask again when one has ended.*longer `queue` than 2"):
        machine.manager.respond("Hi")
    with pytest.raises(Busy):
        asyncio.run(machine.manager.generate_response("Hi"))
    gate.open.set()
    assert [each.result() for each in asked] == [words(4)] * 3
    assert machine.manager.respond("Hi", options=FOUR)


@pytest.mark.parametrize("queue", [-1, 1.5])
def test_a_queue_of_no_whole_number_is_named(ladder: Ladder, queue: Any) -> None:
    with pytest.raises((TypeError, ValueError), match="queue"):
        Machine(ladder, more={"queue": queue})


def test_a_thread_that_is_cancelled_in_the_queue_leaves_it_with_an_empty_reply(held: tuple[Machine, Gate]) -> None:
    machine, gate = held
    first, cancelled = Asked(machine), threading.Event()
    assert gate.reached.wait(WAIT)
    second = Asked(machine, "second", cancelled=cancelled)
    until(lambda: waiting(machine) == 1)
    cancelled.set()
    reply = second.result()
    assert reply == "" and isinstance(reply, Reply) and (reply.end, reply.cut, reply.rung) == ("cancelled", True, None)
    assert waiting(machine) == 0
    gate.open.set()
    assert first.result() == words(4)
    assert [m["content"] for m in machine.manager.history()] == ["Hi", words(4)]


def test_a_thread_that_is_cancelled_while_it_waits_for_a_rung_gets_an_empty_reply(ladder: Ladder) -> None:
    machine, cancelled = Machine(ladder), threading.Event()
    asked = Asked(machine, cancelled=cancelled)
    until(lambda: machine.manager._turns._writing is not None)
    cancelled.set()
    reply = asked.result()
    assert reply == "" and isinstance(reply, Reply) and reply.end == "cancelled"
    machine.manager.shutdown()


def test_a_thread_that_is_cancelled_while_it_writes_gets_and_keeps_what_there_is(held: tuple[Machine, Gate]) -> None:
    machine, gate = held
    cancelled, braked = threading.Event(), threading.Event()
    asked = Asked(machine, cancelled=cancelled)
    assert gate.reached.wait(WAIT)
    (lease,) = leases(machine)
    lease.brake.watch(lambda _: braked.set())
    cancelled.set()
    assert braked.wait(WAIT)  # although no word comes meanwhile
    gate.open.set()
    reply = asked.result()
    assert reply == words(2) and isinstance(reply, Reply)
    assert (reply.end, reply.rungs, reply.tokens) == ("cancelled", ("large",), 2)
    assert [m["content"] for m in machine.manager.history()] == ["Hi", words(2)]


def leases(machine: Machine) -> list[Any]:
    return machine.manager._switcher._leases.on()


async def later(holds: Callable[[], bool]) -> None:
    for _ in range(WAIT * 100):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it did not come about")


def test_coroutines_wait_for_their_turn_without_a_thread_and_leave_the_loop_free(held: tuple[Machine, Gate]) -> None:
    machine, gate = held

    async def talk() -> list[Reply]:
        tasks = [asyncio.create_task(machine.manager.generate_response(str(i), options=FOUR)) for i in range(3)]
        await later(gate.reached.is_set)
        await later(lambda: waiting(machine) == 2)
        assert len([t for t in threading.enumerate() if t.name == "gearshift-reply"]) == 1
        gate.open.set()
        return await asyncio.gather(*tasks)

    assert asyncio.run(talk()) == [words(4)] * 3
    assert [m["content"] for m in machine.manager.history() if m["role"] == "user"] == ["0", "1", "2"]


def test_a_task_that_is_cancelled_in_the_queue_leaves_it(held: tuple[Machine, Gate]) -> None:
    machine, gate = held

    async def talk() -> None:
        first = asyncio.create_task(machine.manager.generate_response("first", options=FOUR))
        await later(gate.reached.is_set)
        second = asyncio.create_task(machine.manager.generate_response("second", options=FOUR))
        await later(lambda: waiting(machine) == 1)
        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second
        assert waiting(machine) == 0
        gate.open.set()
        assert await first == words(4)

    asyncio.run(talk())


def test_a_task_that_is_cancelled_while_it_writes_ends_at_once_and_its_words_are_kept(
    held: tuple[Machine, Gate],
) -> None:
    machine, gate = held

    async def talk() -> None:
        task = asyncio.create_task(machine.manager.generate_response("first", options=FOUR))
        await later(gate.reached.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task  # while the model is held
        gate.open.set()
        assert await machine.manager.generate_response("second", options=FOUR) == words(4)

    asyncio.run(talk())
    said = [m["content"] for m in machine.manager.history()]
    assert said[0] == "first" and words(4).startswith(said[1]) and said[1] and said[2:] == ["second", words(4)]


def test_a_loop_that_ends_in_the_middle_of_a_stream_leaves_no_thread_and_no_turn(held: tuple[Machine, Gate]) -> None:
    machine, gate = held
    streams: list[Any] = []

    async def leave() -> None:
        stream = machine.manager.stream_response("first", options=Options(max_new_tokens=10**9))
        streams.append(stream)
        assert await anext(stream) == "word0 "

    loop = asyncio.new_event_loop()
    loop.run_until_complete(leave())
    loop.close()  # with the stream still open
    gate.open.set()
    assert Asked(machine, "next", "b").result() == words(4)
    until(lambda: not [t for t in threading.enumerate() if t.name in ("gearshift-reply", "gearshift-minder")])


@pytest.mark.parametrize("timeout", [0.05, 0.3])
def test_a_timeout_while_writing_has_and_keeps_the_words_so_far(held: tuple[Machine, Gate], timeout: float) -> None:
    machine, gate = held
    asked = Asked(machine, timeout=timeout)
    assert gate.reached.wait(WAIT)
    (lease,) = leases(machine)
    until(lambda: lease.brake.stopped)
    gate.open.set()
    error = asked.result()
    assert isinstance(error, ReplyTimeout) and isinstance(error, TimeoutError)
    assert error.partial == words(2) and f"timeout of {timeout:g} s" in str(error)
    assert [m["content"] for m in machine.manager.history()] == ["Hi", words(2)]


def test_a_timeout_in_the_queue_or_before_a_rung_is_there(held: tuple[Machine, Gate], ladder: Ladder) -> None:
    machine, gate = held
    first = Asked(machine)
    assert gate.reached.wait(WAIT)
    with pytest.raises(ReplyTimeout):
        machine.manager.respond("Hi", timeout=0.01)
    with pytest.raises(ReplyTimeout) as caught:
        asyncio.run(machine.manager.generate_response("Hi", timeout=0.01))
    assert caught.value.partial == "" and waiting(machine) == 0
    gate.open.set()
    assert first.result() == words(4)
    empty = Machine(ladder)
    with pytest.raises(ReplyTimeout):
        empty.manager.respond("Hi", timeout=0.01)
    empty.manager.shutdown()


@pytest.mark.parametrize("timeout", [0, -1.0, float("nan"), float("inf")])
def test_a_timeout_that_is_none_is_named(held: tuple[Machine, Gate], timeout: float) -> None:
    with pytest.raises(ValueError, match=f"timeout={timeout!r}"):
        held[0].manager.respond("Hi", timeout=timeout)


def test_a_stream_times_out_too(held: tuple[Machine, Gate]) -> None:
    machine, gate = held

    async def talk() -> list[str]:
        pieces = []
        async for piece in machine.manager.stream_response("Hi", options=FOUR, timeout=0.2):
            pieces.append(piece)
            if len(pieces) == 1:
                (lease,) = leases(machine)
                lease.brake.watch(lambda _: gate.open.set())
        return pieces

    with pytest.raises(ReplyTimeout) as caught:
        asyncio.run(talk())
    assert caught.value.partial == words(2)


def test_what_on_text_raises_ends_the_reply_and_is_no_failure_of_the_model(ladder: Ladder) -> None:
    machine = Machine(ladder)
    machine.load()

    def take(piece: str) -> None:
        if piece == "word1 ":
            raise RuntimeError("the app's window is closed")

    with pytest.raises(RuntimeError, match="window is closed"):
        machine.manager.respond("Hi", options=FOUR, on_text=take)
    assert machine.manager.rung == "large" and machine.manager.scaler.counts == {("upgrade", "planned", "fits"): 1}
    assert machine.manager.history()[-1]["content"] == words(2)
    assert machine.manager.respond("Hi", options=FOUR)
    machine.manager.shutdown()


def test_a_question_from_inside_on_text_is_refused_instead_of_waiting_for_itself(ladder: Ladder) -> None:
    machine = Machine(ladder)
    machine.load()
    with pytest.raises(RuntimeError, match="on_text can't ask for another reply"):
        machine.manager.respond("Hi", options=FOUR, on_text=lambda _: machine.manager.respond("Hi"))
    assert machine.manager.respond("Hi", options=FOUR)
    machine.manager.shutdown()


def test_a_reply_that_is_wound_up_ends_with_its_sentence_and_says_that_it_was_cut(held: tuple[Machine, Gate]) -> None:
    machine, gate = held
    asked = Asked(machine, options=Options(max_new_tokens=100))
    assert gate.reached.wait(WAIT)
    (lease,) = leases(machine)
    lease.brake.wind_up(64)
    gate.open.set()
    reply = asked.result()
    assert reply == words(5) and isinstance(reply, Reply)
    assert (reply.end, reply.cut, reply.rungs, reply.degraded) == ("wound up", True, ("large",), False)


def test_a_reply_says_how_long_it_took_and_how_many_tokens_it_has(ladder: Ladder) -> None:
    machine = Machine(ladder)
    machine.load()
    reply = machine.manager.respond("Hi", options=FOUR)
    assert (reply.end, reply.cut, reply.tokens) == ("length", False, 4)
    assert reply.first_seconds is not None and 0 <= reply.first_seconds <= reply.seconds
    machine.manager.shutdown()


def test_memory_that_runs_out_is_learned_and_told_and_another_rung_goes_on(ladder: Ladder) -> None:
    gate = Gate(failures={2: OutOfMemory("can't allocate memory")})
    machine = Machine(ladder, FakeModels(gate=gate))
    told: list[Any] = []
    machine.manager.scaler.asked.subscribe(told.append)
    machine.load()
    before = machine.manager.needs.of(ladder[0]).need["ram"]
    reply = machine.manager.respond("Hi", options=FOUR)
    assert reply == words(4) and reply.rungs == ("large", "medium") and reply.tokens == 4
    assert machine.manager.needs.of(ladder[0]).need["ram"] >= before + 100_000_000
    assert [(each.operation, each.ok, each.rung) for each in told if isinstance(each, Performed)][0] == (
        "generate", False, "large",
    )  # fmt: skip
    machine.manager.shutdown()
    assert [notice.kind for notice in machine.notices] == ["memory"]


def test_what_the_failed_rung_had_written_is_what_the_next_one_continues(ladder: Ladder) -> None:
    gate = Gate(failures={2: ModelError("no more"), 5: ModelError("nor here")})
    machine = Machine(ladder, FakeModels(gate=gate))
    machine.load()
    reply = machine.manager.respond("Hi", options=Options(max_new_tokens=8))
    assert reply == words(8) and reply.rungs == ("large", "medium", "small") and reply.degraded
    assert [model.asked[0][1] for model in machine.loader.loaded] == ["", words(2), words(4)]
    machine.manager.shutdown()


def test_the_system_prompt_names_the_rung_that_answers_and_the_history_does_not(ladder: Ladder) -> None:
    machine = Machine(ladder, FakeModels(gate=Gate(failures={2: ModelError("no more")})), more={"system": "Be brief."})
    machine.load()
    machine.manager.respond("Hi", options=FOUR)
    systems = [model.asked[0][0][0] for model in machine.loader.loaded]
    assert systems == [
        {"role": "system", "content": f"Be brief. You are running as the model {name}."} for name in ("large", "medium")
    ]
    assert all(m["role"] != "system" for m in machine.manager.history())
    machine.manager.shutdown()
    plain = Machine(ladder, more={"name_rung": False})
    plain.load()
    plain.manager.respond("Hi", options=FOUR)
    assert plain.loader.loaded[0].asked[0][0] == [{"role": "user", "content": "Hi"}]
    plain.manager.shutdown()


def test_a_shed_in_the_middle_of_a_reply_is_told_with_the_words_so_far_and_keeps_them(
    held: tuple[Machine, Gate],
) -> None:
    machine, gate = held
    asked = Asked(machine)
    assert gate.reached.wait(WAIT)
    machine.push(int(0.99 * TOTAL))
    gate.open.set()
    error = asked.result()
    assert type(error).__name__ == "NoRungFits" and error.partial == words(2)  # pyright: ignore[reportOptionalMemberAccess]
    assert machine.manager.history()[-1]["content"] == words(2)


def test_eight_threads_with_shifts_in_between_lose_nothing(ladder: Ladder) -> None:
    count = iter(range(1_000_000))
    machines: list[Machine] = []

    def gate() -> None:
        number = next(count)
        if number % 40 == 20:
            machines[0].manager.scaler.initiate_graceful_degradation("a test", immediate=True)
        if number % 40 == 0:
            machines[0].push(0, seconds=60)

    machine = Machine(ladder, FakeModels(gate=gate), stabilisation=1.0, max_shifts_per_hour=10_000)
    machines.append(machine)
    machine.load()
    options = Options(max_new_tokens=30)
    streamed: dict[str, list[str]] = {}
    replies: dict[str, list[Reply]] = {}

    def ask(name: str) -> None:
        for i in range(6):
            pieces: list[str] = []
            reply = machine.manager.respond(f"{name} {i}", name, options=options, on_text=pieces.append)
            streamed.setdefault(name, []).append("".join(pieces))
            replies.setdefault(name, []).append(reply)

    names = [f"t{i}" for i in range(8)]
    threads = [threading.Thread(target=ask, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not any(thread.is_alive() for thread in threads)
    assert all(streamed[name] == [words(30)] * 6 == replies[name] for name in names)
    for name in names:
        said = [m["content"] for m in machine.manager.history(name)]
        assert said[::2] == [f"{name} {i}" for i in range(6)] and said[1::2] == [words(30)] * 6
    assert any(len(reply.rungs) > 1 for name in names for reply in replies[name])
    machine.manager.shutdown()


def test_the_conversation_is_equal_before_and_after_ten_shifts(ladder: Ladder, tmp_path: Any) -> None:
    machine = Machine(ladder, stabilisation=1.0, max_shifts_per_hour=10_000)
    machine.load()
    machine.manager.respond("Hi", options=FOUR)
    machine.manager.save(tmp_path / "before.json")
    for i in range(10):
        count = len(machine.outcomes)
        machine.push(shortage(machine, "small") + int(0.12 * TOTAL) if i % 2 == 0 else 0, seconds=3600)
        machine.until(lambda: len(machine.outcomes) > count)  # noqa: B023
    assert sum(outcome.kind == "handed over" for outcome in machine.outcomes) >= 10
    machine.manager.save(tmp_path / "after.json")
    assert (tmp_path / "after.json").read_bytes() == (tmp_path / "before.json").read_bytes()
    assert machine.manager.forget("default") and machine.manager.history() == []
    machine.manager.restore(tmp_path / "before.json")
    assert [m["content"] for m in machine.manager.history()] == ["Hi", words(4)]
    machine.manager.shutdown()


def test_shutdown_in_the_middle_ends_replies_where_they_are_and_those_that_wait(ladder: Ladder) -> None:
    before = set(threading.enumerate())
    gate = Gate(at=1)
    machine = Machine(ladder, FakeModels(gate=gate))
    machine.load()
    writing = Asked(machine)
    assert gate.reached.wait(WAIT)
    queued = Asked(machine)
    until(lambda: waiting(machine) == 1)
    ending = [threading.Thread(target=machine.manager.shutdown) for _ in range(3)]
    for thread in ending:
        thread.start()
    assert isinstance(queued.result(), ShutDown)
    (lease,) = leases(machine)
    until(lambda: lease.brake.stopped)
    gate.open.set()
    error = writing.result()
    assert isinstance(error, ShutDown) and error.partial == words(2)
    for thread in ending:
        thread.join(WAIT)
    assert set(threading.enumerate()) - before == set() and machine.loader.loaded[0].closed
    with pytest.raises(ShutDown, match="make a new ModelManager"):
        asyncio.run(machine.manager.generate_response("Hi"))


def test_shutdown_from_inside_a_reply_or_a_subscriber_returns_and_the_rest_follows(ladder: Ladder) -> None:
    for where in ("on_text", "outcome", "decision"):
        before = set(threading.enumerate())
        machine = Machine(ladder)
        if where == "outcome":
            machine.manager.outcomes.subscribe(lambda _, m=machine: m.manager.shutdown())
        if where == "decision":
            machine.manager.decisions.subscribe(lambda _, m=machine: m.manager.shutdown())
        machine.push(0)
        if where == "on_text":
            machine.until(lambda m=machine: m.outcomes != [])
            with pytest.raises(ShutDown) as caught:
                machine.manager.respond("Hi", options=FOUR, on_text=lambda _, m=machine: m.manager.shutdown())
            assert caught.value.partial.startswith("word0 ")
        until(lambda b=before: set(threading.enumerate()) - b == set())
        machine.manager.shutdown()


def test_a_manager_ends_with_its_async_block(ladder: Ladder) -> None:
    before = set(threading.enumerate())

    async def talk() -> Machine:
        machine = Machine(ladder)
        async with machine.manager as manager:
            machine.load()
            assert await manager.generate_response("Hi", options=FOUR) == words(4)
        return machine

    machine = asyncio.run(talk())
    assert machine.loader.loaded[0].closed and set(threading.enumerate()) - before == set()


def test_a_coroutine_for_which_no_thread_can_be_had_leaves_its_turn(
    ladder: Ladder, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine = Machine(ladder)
    machine.load()
    start = threading.Thread.start

    def refuse(thread: threading.Thread) -> None:
        if thread.name == "gearshift-reply":
            raise RuntimeError("can't start new thread")
        start(thread)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="new thread"):
            asyncio.run(machine.manager.generate_response("Hi", options=FOUR))
    assert machine.manager.respond("Hi", options=FOUR, timeout=WAIT) == words(4)
    machine.manager.shutdown()
