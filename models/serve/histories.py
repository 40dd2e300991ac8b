"""Conversations in the fleet, kept where Ray keeps what it must not lose."""

import asyncio
import logging
from collections import OrderedDict
from typing import Any

import msgspec
from ray.experimental import internal_kv

from ..replies.conversation import Message

log = logging.getLogger("gearshift.serve")

_SOON = 5.0
"""Seconds that a turn may take to be written before its reply ends; then it is written as soon as it can be."""
_AGAIN = 1.0
_KEYS = 16
"""Turns of which a repetition is known."""
_HELD = 4096
"""Conversations that are held in memory too: the latest, and those that aren't written yet."""


class _Kept(msgspec.Struct):
    """turns: messages, oldest first. keys: of the latest turns, with which their repetition is known."""

    turns: list[Message] = []
    keys: list[str] = []


class Histories:
    """Turns by conversation, in the store of Ray's head, as Serve keeps its own state: what loses a node loses none.

    They outlast the head too where that has a store that does. Of one event loop.

    Args:
        app: the name of the application, whose conversations these are.
        store: reads, writes and removes bytes by key; Ray's by default.
    """

    def __init__(self, app: str, store: Any = internal_kv) -> None:
        self._space, self._store = f"gearshift/{app}", store
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._one_by_one = asyncio.Lock()
        self._unwritten: dict[str, asyncio.Task[None]] = {}

    @property
    def held(self) -> int:
        """How many conversations are in memory."""
        return len(self._kept)

    async def history(self, conversation: str) -> list[Message]:
        """The turns so far, as chat messages."""
        return list((await self._read(conversation)).turns)

    async def add(self, conversation: str, key: str, question: str, answer: str) -> None:
        """Keep a turn. A repetition, known by its `key`, is not kept twice."""
        kept = await self._read(conversation)
        if key not in kept.keys:
            kept.turns += [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
            kept.keys = [*kept.keys, key][-_KEYS:]
            self._begin(conversation, kept)
        writing = self._unwritten.get(conversation)
        if writing is not None:
            await asyncio.wait({writing}, timeout=_SOON)

    async def forget(self, conversation: str) -> bool:
        """Drop a conversation. Was there one?"""
        kept = await self._read(conversation)
        known = bool(kept.turns)
        kept.turns = []
        self._begin(conversation, kept)  # the one writer, so that nothing on its way to the store comes after this
        await asyncio.wait({self._unwritten[conversation]}, timeout=_SOON)
        return known

    def _begin(self, conversation: str, kept: _Kept) -> None:
        if conversation not in self._unwritten:
            self._unwritten[conversation] = asyncio.create_task(self._write(conversation, kept))

    async def _read(self, conversation: str) -> _Kept:
        if conversation in self._kept:
            self._kept.move_to_end(conversation)
            return self._kept[conversation]
        async with self._one_by_one:
            if conversation not in self._kept:
                found = await self._found(conversation)
                self._kept[conversation] = msgspec.msgpack.decode(found, type=_Kept) if found else _Kept()
            for other in list(self._kept):
                if len(self._kept) <= _HELD:
                    break
                if other not in self._unwritten and other != conversation:
                    del self._kept[other]
            return self._kept[conversation]

    async def _found(self, conversation: str) -> bytes | None:
        """What the store has, as soon as it says so; who asks says how long to wait."""
        while True:
            try:
                return await asyncio.to_thread(self._store._internal_kv_get, conversation, namespace=self._space)
            except Exception as error:  # noqa: BLE001 - the head is away, whatever Ray says of it
                log.warning("a conversation can't be read yet: %s", error)
                await asyncio.sleep(_AGAIN)

    async def _write(self, conversation: str, kept: _Kept) -> None:
        """Until what is written is what is there."""
        written = b""
        while (content := msgspec.msgpack.encode(kept)) != written:
            try:
                if kept.turns:
                    await asyncio.to_thread(self._store._internal_kv_put, conversation, content, namespace=self._space)
                else:
                    await asyncio.to_thread(self._store._internal_kv_del, conversation, namespace=self._space)
            except Exception as error:  # noqa: BLE001 - the head is away, whatever Ray says of it
                log.warning("a conversation can't be written yet: %s", error)
                await asyncio.sleep(_AGAIN)
            else:
                written = content
        del self._unwritten[conversation]
