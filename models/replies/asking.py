"""Questions to replies, from threads and from coroutines."""

import asyncio
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import TypeAlias

from ..failures import ModelError
from .answering import Answering, Draft
from .conversation import Asked, Conversations, checked_question
from .generation import Options, Reply
from .limits import Limits, ReplyTimeout
from .queueing import ShutDown, Turn, Turns
from .streaming import ReplyStream
from .waiting import NoRungFits

Question: TypeAlias = str | Sequence[Mapping[str, str]]


class Asking:
    """Gives each question its turn, and keeps what came of it.

    A coroutine waits for its turn without a thread; only the one reply that is being written has one.
    top: the name of the best rung.
    """

    def __init__(self, turns: Turns, conversations: Conversations, answering: Answering, top: str) -> None:
        self._turns, self._conversations, self._answering, self._top = turns, conversations, answering, top
        self._writers: set[threading.Thread] = set()
        self._lock = threading.Lock()

    def respond(
        self,
        message: Question,
        conversation: str,
        options: Options,
        limits: Limits,
        on_text: Callable[[str], None] | None,
    ) -> Reply:
        asked = checked_question(message, conversation)
        turn = self._turns.enter()
        try:
            if not limits.wait(turn.ready):
                if limits.cancelled:
                    return self._nothing(options, limits)
                raise limits.too_late()
            turn.begin()
            return self._write(asked, conversation, Draft(options, limits, on_text))
        finally:
            turn.leave()

    async def generate(
        self,
        message: Question,
        conversation: str,
        options: Options,
        timeout: float | None,
        on_text: Callable[[str], None] | None = None,
        *,
        wait_kept: bool = False,
    ) -> Reply:
        """wait_kept: end a cancelled one only when what had been written is in the history, else at once."""
        asked = checked_question(message, conversation)
        loop, cancelled = asyncio.get_running_loop(), threading.Event()
        limits = Limits(cancelled, timeout)
        mine = asyncio.Event()
        turn = self._turns.enter(lambda: loop.call_soon_threadsafe(mine.set))
        try:
            async with asyncio.timeout(timeout):
                await mine.wait()
        except BaseException as error:
            turn.leave()
            if isinstance(error, TimeoutError):
                raise limits.too_late() from None
            raise
        done: asyncio.Future[Reply] = loop.create_future()
        kept = asyncio.Event()
        draft = Draft(options, limits, on_text)
        writer = threading.Thread(
            target=self._write_for, args=(loop, done, kept, turn, asked, conversation, draft),
            name="gearshift-reply", daemon=True,
        )  # fmt: skip
        try:
            with self._lock:
                writer.start()
                self._writers = {each for each in self._writers if each.is_alive()} | {writer}
        except RuntimeError:  # no thread can be had; nobody else would end this turn
            turn.leave()
            raise
        try:
            return await done
        except asyncio.CancelledError:
            cancelled.set()
            if wait_kept:
                await kept.wait()
            raise
        finally:
            cancelled.set()

    def stream(self, message: Question, conversation: str, options: Options, timeout: float | None) -> ReplyStream:
        return ReplyStream(lambda put: self.generate(message, conversation, options, timeout, put, wait_kept=True))

    def wait_ended(self) -> None:
        """Until no reply is written any more, but for one that the calling thread writes."""
        if not self._turns.writes_here():
            self._turns.wait_empty()
        with self._lock:
            writers = list(self._writers)
        for writer in writers:
            if writer is not threading.current_thread():
                writer.join()

    def _write_for(
        self,
        loop: asyncio.AbstractEventLoop,
        done: "asyncio.Future[Reply]",
        kept: asyncio.Event,
        turn: Turn,
        asked: Asked,
        conversation: str,
        draft: Draft,
    ) -> None:
        """In a thread: write a reply for a coroutine that may have gone meanwhile, and its loop with it."""
        found: Reply | None = None
        failed: BaseException | None = None
        try:
            turn.begin()
            found = self._write(asked, conversation, draft)
        except BaseException as error:  # noqa: BLE001 - it is the coroutine's
            failed = error
        finally:
            turn.leave()

        def tell() -> None:
            kept.set()
            if done.cancelled():
                return
            if failed is not None:
                done.set_exception(failed)
            elif found is not None:
                done.set_result(found)

        with suppress(RuntimeError):  # the loop is closed, and nobody waits
            loop.call_soon_threadsafe(tell)

    def _write(self, asked: Asked, conversation: str, draft: Draft) -> Reply:
        try:
            self._answering.write(self._conversations.with_question(conversation, asked), draft)
        except (ModelError, NoRungFits, ReplyTimeout, ShutDown) as error:
            error.partial = draft.text
            raise
        finally:
            if draft.text or draft.end not in ("", "cancelled"):
                self._conversations.add(conversation, asked, draft.text)
        return draft.reply(self._top)

    def _nothing(self, options: Options, limits: Limits) -> Reply:
        draft = Draft(options, limits, None)
        draft.end = "cancelled"
        return draft.reply(self._top)
