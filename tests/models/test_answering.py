"""Replies with every word kept. Models are fakes, shifts are real."""

import threading
from typing import Any

import pytest
from gearshift.models import Ladder, ModelError, Options, OutOfMemory, Reply
from gearshift.models.testing import FakeModels
from gearshift.pipeline import Performed

from tests.models.answering import WAIT, Asked, Gate, leases, words
from tests.models.machine import FOUR, TOTAL, Machine, shortage


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
