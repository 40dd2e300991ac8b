"""A chat: lines in, replies out, one after the other."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from types import FrameType

from ...pipeline.printable import clean
from ..failures import ModelError
from ..manager import ModelManager, NoRungFits
from ..replies.generation import Options, Reply
from ..replies.limits import ReplyTimeout
from ..replies.queueing import Busy
from .chat_between import Between
from .chat_commands import Commands
from .flowing import Flowing

_WHY_ENDED = {
    "wound up": "ended with this sentence, for a shift to another rung",
    "cancelled": "cancelled; what was said is kept",
    "context": "ended here: the rung that took over has no context for more",
}


class Session:
    """Asks the manager what is typed, or piped in. timeout: seconds for each reply, None for no limit."""

    def __init__(self, manager: ModelManager, between: Between, options: Options, timeout: float | None) -> None:
        self._manager, self._between, self._options, self._timeout = manager, between, options, timeout
        self._commands = Commands(manager, between)
        self._interrupts = 0
        self._unanswered = 0

    def run(self, *, talking: bool) -> int:
        """Until the input ends. talking: with somebody at a terminal. Returns the exit code."""
        try:
            self._between.wait_for_first(self._manager)
        except KeyboardInterrupt:
            return 130
        try:
            for line in self._typed() if talking else self._piped():
                if self._commands.understood(line):
                    if self._commands.ended:
                        break
                elif line:
                    self._ask(line)
        except KeyboardInterrupt:
            return 0 if talking else 130
        return 1 if self._unanswered and not talking else 0

    def _typed(self) -> Iterator[str]:
        """Lines from the terminal, edited and remembered by readline where there is one."""
        with contextlib.suppress(ImportError):
            import readline  # noqa: F401 - `input` uses it from then on
        self._between.add("/help tells what this can do; Ctrl-D ends it")
        while True:
            self._between.show()
            try:
                line = input(f"{clean(self._manager.rung or 'nothing loaded')} > ")
            except EOFError:
                print()
                return
            except KeyboardInterrupt:
                print()
                self._interrupted()
                self._between.add("Ctrl-C again, or Ctrl-D, ends the chat")
                continue
            self._interrupts = 0
            yield line.strip()

    def _piped(self) -> Iterator[str]:
        for line in sys.stdin:
            self._between.show()
            yield line.strip()

    def _ask(self, question: str) -> None:
        cancelled, flowing = threading.Event(), Flowing()
        try:
            with self._cancelling(cancelled):
                reply = self._manager.respond(
                    question, options=self._options, on_text=flowing.write, cancelled=cancelled, timeout=self._timeout
                )
        except (NoRungFits, Busy, ReplyTimeout, ModelError, ValueError) as error:
            if getattr(error, "partial", ""):
                flowing.end()
            self._unanswered += 1
            self._between.add(f"No answer: {error}", "bold red")
        else:
            flowing.end()
            self._remark(reply)
        self._between.show()

    def _remark(self, reply: Reply) -> None:
        if reply.end == "length":
            all_of_it = reply.tokens >= self._options.max_new_tokens
            why = "--max-tokens allows more" if all_of_it else "there the context of the rung ends"
            self._between.add(f"stopped at {reply.tokens} tokens; {why}")
        elif reply.end in _WHY_ENDED:
            self._between.add(_WHY_ENDED[reply.end])
        if reply.end == "cancelled" and not reply:
            self._unanswered += 1

    @contextlib.contextmanager
    def _cancelling(self, cancelled: threading.Event) -> Iterator[None]:
        """Ctrl-C meanwhile cancels the reply, which then ends in good order; the next one does not wait for that."""

        def interrupt(_signal: int, _frame: FrameType | None) -> None:
            cancelled.set()
            self._interrupted()

        before = signal.signal(signal.SIGINT, interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def _interrupted(self) -> None:
        """Raises KeyboardInterrupt at the second since a line was typed."""
        self._interrupts += 1
        if self._interrupts > 1:
            raise KeyboardInterrupt
