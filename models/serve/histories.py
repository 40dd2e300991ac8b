"""Conversations in the fleet, kept where Ray keeps what it must not lose."""

import asyncio
import logging
from typing import Any

import msgspec
from ray.experimental import internal_kv

from ..replies.conversation import Message

log = logging.getLogger("gearshift.serve")

_SOON = 5.0
"""Seconds that a turn may take to be written before its reply ends; then it is written as soon as it can be."""


class _Kept(msgspec.Struct):
    """turns: messages, oldest first. last: the key of the latest turn, with which its repetition is known."""

    turns: list[Message] = []
    last: str = ""


class Histories:
    """Turns by conversation, in the store of Ray's head, as Serve keeps its own state: what loses a node loses none.

    They outlast the head too where that has a store that does. Of one event loop.

    Args:
        app: the name of the application, whose conversations these are.
        store: reads, writes and removes bytes by key; Ray's by default.
    """

    def __init__(self, app: str, store: Any = internal_kv) -> None:
        self._space, self._store = f"gearshift/{app}", store
        self._kept: dict[str, _Kept] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._writing: set[asyncio.Task[None]] = set()

    async def history(self, conversation: str) -> list[Message]:
        """The turns so far, as chat messages."""
        async with self._lock(conversation):
            return list((await self._read(conversation)).turns)

    async def add(self, conversation: str, key: str, question: str, answer: str) -> None:
        """Keep a turn. A repetition, known by its `key`, is not kept twice."""
        async with self._lock(conversation):
            kept = await self._read(conversation)
            if kept.last == key:
                return
            kept.turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            kept.last = key
        writing = asyncio.create_task(self._write(conversation))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        await asyncio.wait({writing}, timeout=_SOON)

    async def forget(self, conversation: str) -> bool:
        """Drop a conversation. Was there one?"""
        async with self._lock(conversation):
            known = bool((await self._read(conversation)).turns)
            self._kept[conversation] = _Kept()
            await asyncio.to_thread(self._store._internal_kv_del, conversation, namespace=self._space)
        return known

    def _lock(self, conversation: str) -> asyncio.Lock:
        return self._locks.setdefault(conversation, asyncio.Lock())

    async def _read(self, conversation: str) -> _Kept:
        if conversation not in self._kept:
            found = await asyncio.to_thread(self._store._internal_kv_get, conversation, namespace=self._space)
            self._kept[conversation] = msgspec.msgpack.decode(found, type=_Kept) if found else _Kept()
        return self._kept[conversation]

    async def _write(self, conversation: str) -> None:
        async with self._lock(conversation):
            kept = msgspec.msgpack.encode(self._kept[conversation])
            while True:
                try:
                    await asyncio.to_thread(self._store._internal_kv_put, conversation, kept, namespace=self._space)
                except Exception as error:  # noqa: BLE001 - the head is away, whatever Ray says of it
                    log.warning("a conversation can't be written yet: %s", error)
                    await asyncio.sleep(1)
                else:
                    return
