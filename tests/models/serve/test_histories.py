"""Conversations in a store that may be away for a while."""

import tests.with_ray  # noqa: F401

# isort: split

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from gearshift.models.serve import histories
from gearshift.models.serve.histories import Histories


class Store:
    """As Ray's store of its head. away: it can't be written."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.away = False

    def _internal_kv_get(self, key: str, *, namespace: str) -> bytes | None:
        return self.kept.get(f"{namespace}/{key}")

    def _internal_kv_put(self, key: str, value: bytes, *, namespace: str) -> None:
        if self.away:
            raise ConnectionError("the head is away")
        self.kept[f"{namespace}/{key}"] = value

    def _internal_kv_del(self, key: str, *, namespace: str) -> None:
        self.kept.pop(f"{namespace}/{key}", None)


def said(*texts: str) -> list[dict[str, str]]:
    return [{"role": role, "content": text} for role, text in zip(("user", "assistant") * len(texts), texts)]  # noqa: B905


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 30))


def test_turns_are_kept_in_order_and_found_again_by_another_view() -> None:
    store = Store()

    async def talk() -> None:
        first = Histories("app", store)
        await first.add("ann", "1", "Hello", "Hi")
        await first.add("ann", "2", "How?", "Well")
        await first.add("ben", "3", "Who?", "Me")
        after = Histories("app", store)
        assert await after.history("ann") == said("Hello", "Hi", "How?", "Well")
        assert await after.history("ben") == said("Who?", "Me")
        assert await Histories("other", store).history("ann") == []

    run(talk())


def test_a_turn_that_is_told_twice_is_kept_once() -> None:
    async def talk() -> None:
        kept = Histories("app", Store())
        for _ in range(2):
            await kept.add("ann", "1", "Hello", "Hi")
        assert await kept.history("ann") == said("Hello", "Hi")

    run(talk())


def test_turns_at_once_are_all_kept() -> None:
    async def talk() -> None:
        store = Store()
        kept = Histories("app", store)
        await asyncio.gather(*(kept.add("ann", str(at), f"q{at}", f"a{at}") for at in range(20)))
        found = await Histories("app", store).history("ann")
        assert {message["content"] for message in found} == {f"{kind}{at}" for kind in "qa" for at in range(20)}

    run(talk())


def test_a_turn_while_the_store_is_away_is_there_at_once_and_written_as_soon_as_it_is_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(histories, "_SOON", 0.05)
    monkeypatch.setattr(histories, "_AGAIN", 0.02)
    store = Store()

    async def talk() -> None:
        kept = Histories("app", store)
        store.away = True
        await kept.add("ann", "1", "Hello", "Hi")
        await kept.add("ann", "2", "How?", "Well")
        assert await kept.history("ann") == said("Hello", "Hi", "How?", "Well")
        assert not store.kept
        store.away = False
        while await Histories("app", store).history("ann") != said("Hello", "Hi", "How?", "Well"):
            await asyncio.sleep(0.01)

    run(talk())


def test_a_conversation_that_was_dropped_is_gone_everywhere() -> None:
    async def talk() -> None:
        store = Store()
        kept = Histories("app", store)
        await kept.add("ann", "1", "Hello", "Hi")
        assert await kept.forget("ann")
        assert not await kept.forget("ann")
        assert await kept.history("ann") == await Histories("app", store).history("ann") == []
        assert store.kept == {}

    run(talk())


def test_a_repetition_is_known_although_another_turn_came_between() -> None:
    async def talk() -> None:
        kept = Histories("app", Store())
        for key in ("1", "2", "1"):
            await kept.add("ann", key, f"q{key}", f"a{key}")
        assert await kept.history("ann") == said("q1", "a1", "q2", "a2")

    run(talk())


def test_a_turn_that_comes_while_a_conversation_is_dropped_is_kept() -> None:
    async def talk() -> None:
        store = Store()
        kept = Histories("app", store)
        await kept.add("ann", "1", "Hello", "Hi")
        dropping = asyncio.create_task(kept.forget("ann"))
        await asyncio.sleep(0)
        await kept.add("ann", "2", "Again", "Yes")
        assert await dropping
        assert await Histories("app", store).history("ann") == said("Again", "Yes")

    run(talk())


def test_of_many_conversations_only_the_latest_are_held_but_none_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(histories, "_HELD", 10)

    async def talk() -> None:
        kept = Histories("app", Store())
        for at in range(50):
            await kept.add(f"talk-{at}", "1", f"q{at}", f"a{at}")
        assert kept.held <= 10
        for at in range(50):
            assert await kept.history(f"talk-{at}") == said(f"q{at}", f"a{at}")

    run(talk())
