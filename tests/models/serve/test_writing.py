"""A reply that replicas write in turn, each by a script."""

import tests.with_ray  # noqa: F401

# isort: split

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from gearshift.models import Busy, ModelError, NoRungFits, Notice, Options, ReplyTimeout, WorkerLost
from gearshift.models.replies.answering import Draft
from gearshift.models.replies.limits import Limits
from gearshift.models.serve import writing
from gearshift.models.serve.parts import Begun, On, Refused, Written
from gearshift.models.serve.writing import Writing
from ray.exceptions import ActorDiedError
from ray.serve.exceptions import BackPressureError

ASKED: list[Any] = [{"role": "user", "content": "Hello"}]
DONE = Written("eos", 2, 7, ("large",), ())


class Answer:
    """What one replica sends, as Serve hands it over. cancelled: it was called off."""

    def __init__(self, script: list[Any]) -> None:
        self._script, self.cancelled = script, False

    async def __aiter__(self) -> AsyncIterator[Any]:
        for part in self._script:
            if isinstance(part, BaseException):
                raise part
            if callable(part):
                await part()
            else:
                yield part

    def cancel(self) -> None:
        self.cancelled = True
        if self._script and isinstance(self._script[0], BaseException):
            raise self._script[0]  # as Ray's does, of one that found no replica


class Replicas:
    """As a handle: the first script is for the first call. calls: with which text begun, and whom to avoid."""

    def __init__(self, *scripts: list[Any]) -> None:
        self.answers = [Answer(script) for script in scripts]
        self.calls: list[tuple[str, tuple[str, ...]]] = []

    def remote(
        self, messages: Any, options: Options, _timeout: float | None, *, begun: str, avoid: tuple[str, ...]
    ) -> Any:
        assert (messages, options.max_new_tokens) == (ASKED, 100)
        self.calls.append((begun, avoid))
        return self.answers[len(self.calls) - 1]


def write(*scripts: list[Any], timeout: float | None = None) -> tuple[Draft, Replicas, list[Notice], list[str]]:
    replicas, noticed, pieces = Replicas(*scripts), list[Notice](), list[str]()
    draft = Draft(Options(max_new_tokens=100), Limits(timeout=timeout), pieces.append)
    handle: Any = replicas
    try:
        asyncio.run(asyncio.wait_for(Writing(handle, draft, noticed.append).write(ASKED), 20))
    except Exception as error:
        error.draft, error.replicas = draft, replicas  # type: ignore[attr-defined]
        raise
    return draft, replicas, noticed, pieces


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "_PAUSE", 0.0)


def waits(seconds: float) -> Callable[[], Awaitable[None]]:
    return lambda: asyncio.sleep(seconds)


def test_a_reply_is_what_its_replica_sends() -> None:
    notice = Notice(1.0, "It is smaller now.", ())
    last = Written("eos", 2, 7, ("large",), (notice,))
    draft, replicas, noticed, pieces = write([Begun("r1", "n1"), None, On("large"), "Hel", "lo", last])
    assert (draft.text, pieces, draft.end, draft.tokens, draft.prompt_tokens) == ("Hello", ["Hel", "lo"], "eos", 2, 7)
    assert (draft.rungs, noticed, replicas.calls) == (["large"], [notice], [("", ())])


def test_when_a_replica_is_lost_another_goes_on_from_its_last_word() -> None:
    first = [Begun("r1", "n1"), On("large"), "Hel", "lo ", ActorDiedError()]
    second = [Begun("r2", "n2"), On("small"), "wor", "ld", Written("eos", 2, 9, ("small",), ())]
    draft, replicas, _, pieces = write(first, second)
    assert draft.text == "".join(pieces) == "Hello world"
    assert replicas.calls == [("", ()), ("Hello ", ("r1",))]
    assert (draft.rungs, draft.tokens, draft.prompt_tokens) == (["large", "small"], 4, 9)


def test_a_replica_that_has_no_room_is_followed_by_one_that_has() -> None:
    draft, replicas, _, _ = write(
        [Begun("r1", "n1"), Refused("NoRungFits", "no room")], [Begun("r2", "n2"), On("large"), "Hi", DONE]
    )
    assert draft.text == "Hi"
    assert replicas.calls[1] == ("", ("r1",))


@pytest.mark.parametrize(
    ("name", "kind"),
    [("NoRungFits", NoRungFits), ("Busy", Busy), ("OutOfMemory", ModelError), ("KeyError", RuntimeError)],
)
def test_where_no_other_replica_is_left_the_refusal_is_raised_with_the_text_so_far(
    name: str, kind: type[Exception]
) -> None:
    with pytest.raises(kind, match="told why") as caught:
        write(
            [Begun("r1", "n1"), On("large"), "Hel", Refused(name, "told why")],
            [Begun("r1", "n1"), Refused(name, "told why")],
        )
    assert getattr(caught.value, "partial", "Hel") == "Hel"


@pytest.mark.parametrize(("name", "kind"), [("TypeError", TypeError), ("ReplyTimeout", ReplyTimeout)])
def test_what_no_replica_can_do_better_is_raised_at_once(name: str, kind: type[Exception]) -> None:
    with pytest.raises(kind, match="told why"):
        write([Begun("r1", "n1"), Refused(name, "told why")])


def test_a_replica_without_a_sign_of_life_counts_as_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SILENT", 0.1)
    draft, replicas, _, _ = write([Begun("r1", "n1"), On("large"), "Hel", waits(10)], [Begun("r2", "n2"), "lo", DONE])
    assert draft.text == "Hello"
    assert replicas.answers[0].cancelled
    assert not replicas.answers[1].cancelled


def test_signs_of_life_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "SILENT", 0.2)
    slowly: list[Any] = [part for _ in range(5) for part in (waits(0.1), None)]
    draft, replicas, _, _ = write([Begun("r1", "n1"), *slowly, On("large"), "Hi", DONE])
    assert (draft.text, len(replicas.calls)) == ("Hi", 1)


def test_a_timeout_ends_it_with_the_text_so_far_and_calls_the_replica_off() -> None:
    with pytest.raises(ReplyTimeout) as caught:
        write([Begun("r1", "n1"), On("large"), "Hel", waits(10)], timeout=0.2)
    assert caught.value.partial == "Hel"
    assert caught.value.replicas.answers[0].cancelled  # type: ignore[attr-defined]


def test_a_reply_that_ends_one_replica_after_the_other_is_given_up_with_its_text() -> None:
    lost = [[Begun(f"r{at}", "n"), ActorDiedError()] for at in range(3)]
    with pytest.raises(WorkerLost, match="3 replicas in a row were lost") as caught:
        write([Begun("r", "n"), On("large"), "Hel", ActorDiedError()], *lost)
    assert caught.value.partial == "Hel"


def test_losses_with_a_word_in_between_do_not_add_up() -> None:
    lost = [[Begun(f"r{at}", "n"), On("large"), "a", ActorDiedError()] for at in range(6)]
    draft, _, _, _ = write(*lost, [Begun("r", "n"), On("large"), "a", Written("eos", 1, 7, ("large",), ())])
    assert (draft.text, draft.tokens) == ("a" * 7, 7)


def test_a_fleet_whose_lines_are_full_is_busy() -> None:
    with pytest.raises(Busy, match="ask again"):
        write([BackPressureError(num_queued_requests=3, max_queued_requests=3)])


def test_a_reply_that_has_begun_waits_for_a_place_and_is_not_thrown_away() -> None:
    full = BackPressureError(num_queued_requests=3, max_queued_requests=3)
    draft, _, _, _ = write(
        [Begun("r1", "n1"), On("large"), "Hel", ActorDiedError()], [full], [Begun("r2", "n2"), "lo", DONE]
    )
    assert draft.text == "Hello"


def test_a_message_that_is_too_long_for_one_rung_is_asked_of_another() -> None:
    draft, _, _, _ = write(
        [Begun("r1", "n1"), Refused("ValueError", "longer than the rung's context")], [Begun("r2", "n2"), "Hi", DONE]
    )
    assert draft.text == "Hi"


def test_a_shift_within_one_replica_is_told_once() -> None:
    parts = [Begun("r1", "n1"), On("large"), "a", On("small"), "b", Written("eos", 2, 7, ("large", "small"), ())]
    draft, _, _, _ = write(parts)
    assert draft.rungs == ["large", "small"]


def test_a_stream_that_ends_without_its_end_is_gone_on_with() -> None:
    draft, _, _, _ = write([Begun("r1", "n1"), On("large"), "Hel"], [Begun("r2", "n2"), "lo", DONE])
    assert draft.text == "Hello"


def test_whoever_calls_it_off_stops_the_replica() -> None:
    async def left() -> Answer:
        replicas = Replicas([Begun("r1", "n1"), On("large"), "Hel", waits(10)])
        handle: Any = replicas
        draft = Draft(Options(max_new_tokens=100), Limits(), None)
        task = asyncio.create_task(Writing(handle, draft, lambda _: None).write(ASKED))
        while not draft.text:
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return replicas.answers[0]

    assert asyncio.run(left()).cancelled
