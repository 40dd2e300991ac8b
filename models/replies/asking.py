"""Questions to replies, from threads and from coroutines."""

import asyncio
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import TypeAlias

from ..failures import ModelError
from .answering import Answering, Draft
from .conversation import Asked, Conversations, checked_question, checked_text
from .generation import Options, Reply
from .limits import Limits, ReplyTimeout
from .queueing import ShutDown, Turn, Turns
from .streaming import ReplyStream
from .waiting import NoRungFits

Question: TypeAlias = str | Sequence[Mapping[str, str]]


class Asking:
    """Gives each question its turn, and keeps what came of it.

    A coroutine waits for its turn without a thread; only the one reply that is being written has one.
    top: the name of the best rung. told: gets each draft that has ended, be it before its turn, and what it ended with:
    None, or what is raised then.
    """

    def __init__(
        self,
        turns: Turns,
        conversations: Conversations,
        answering: Answering,
        top: str,
        told: Callable[[Draft, BaseException | None], None],
    ) -> None:
        self._turns, self._conversations, self._answering, self._top = turns, conversations, answering, top
        self._told = told
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
        draft = Draft(options, limits, on_text)
        with self._telling(draft):
            turn = self._turns.enter()
        try:
            with self._telling(draft):
                if limits.wait(turn.ready):
                    turn.begin()
                    self._write(asked, conversation, draft)
                elif limits.cancelled:
                    draft.end = "cancelled"
                else:
                    raise limits.too_late()
        finally:
            turn.leave()
        return draft.reply(self._top)

    async def generate(
        self,
        message: Question,
        conversation: str,
        options: Options,
        timeout: float | None,
        on_text: Callable[[str], None] | None = None,
        *,
        begun: str = "",
        wait_kept: bool = False,
    ) -> Reply:
        """wait_kept: end a cancelled one only when what had been written is in the history, else at once."""
        asked = checked_question(message, conversation)
        loop, cancelled = asyncio.get_running_loop(), threading.Event()
        limits = Limits(cancelled, timeout)
        mine, draft = asyncio.Event(), Draft(options, limits, on_text, checked_text("begun", begun))
        with self._telling(draft):
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

    def stream(
        self,
        message: Question,
        conversation: str,
        options: Options,
        timeout: float | None,
        begun: str,
        rung: Callable[[], str | None],
    ) -> ReplyStream:
        return ReplyStream(
            lambda put: self.generate(message, conversation, options, timeout, put, begun=begun, wait_kept=True), rung
        )

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
            with self._telling(draft):
                turn.begin()
                self._write(asked, conversation, draft)
            found = draft.reply(self._top)
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

    def _write(self, asked: Asked, conversation: str, draft: Draft) -> None:
        try:
            self._answering.write(self._conversations.with_question(conversation, asked), draft)
        except (ModelError, NoRungFits, ReplyTimeout, ShutDown) as error:
            error.partial = draft.text
            raise
        finally:
            if draft.text or draft.end not in ("", "cancelled"):
                self._conversations.add(conversation, asked, draft.text)

    @contextmanager
    def _telling(self, draft: Draft) -> Iterator[None]:
        """Tell of a reply that ends within."""
        try:
            yield
        except asyncio.CancelledError:  # whoever asked has gone before its turn
            draft.end = "cancelled"
            self._told(draft, None)
            raise
        except BaseException as error:
            self._told(draft, error)
            raise
        if draft.end:
            self._told(draft, None)
