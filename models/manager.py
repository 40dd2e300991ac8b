"""The app's one object: ask, and get a reply, whatever happens to the memory meanwhile."""

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Callable, Collection, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from reactivex import Observable

from ..pipeline.samples import Pool, Sample
from ..pipeline.scaler import ProactiveScaler
from ..pipeline.settings import Settings
from ..pipeline.sources import Sampler, default_probes, event_time
from ..pipeline.teller import Teller
from ..pipeline.tiers import machine_settings
from ..pipeline.words import Decision
from .hosts import Host
from .hosts.choosing import default_host
from .ladders.ladder import CACHE, Ladder, ModelSpec, default_ladder
from .needs.checkpoint import CheckpointError
from .needs.remembered import Needs
from .replies.answering import Answering
from .replies.asking import Asking, Question
from .replies.conversation import DEFAULT, Conversations, Message, naming
from .replies.ending import Ending
from .replies.generation import Options, Reply
from .replies.guarding import Guard
from .replies.limits import Limits
from .replies.queueing import Turns
from .replies.reporting import Reports
from .replies.streaming import ReplyStream
from .replies.waiting import NoRungFits, Waiting
from .switching.crash_marker import CrashMarker
from .switching.first_load import FirstLoad
from .switching.residing import Parachute, Residing
from .switching.switcher import Switcher
from .telling.neighbours import Neighbours
from .telling.notices import Notices
from .telling.suggestions import Suggestions
from .telling.wording import Wording

__all__ = ["ModelManager", "NoRungFits"]

log = logging.getLogger("gearshift.models")

_PATIENCE = 5.0
"""Seconds, at least, that a reply waits for a first sample and what is decided on it."""


class ModelManager:
    """Keeps the best rung that fits loaded, and conversations going across shifts.

    Args:
        ladder: a `Ladder`, the path of a TOML file, or None for the one in the user's cache folder.
        settings: `Settings`; those of `machine_settings()` by default: of its user, else of its tier.
        source: samples; this machine by default.
        host: where models live; worker processes by default, where they can be had.
        system: a system prompt for every conversation.
        name_rung: tell the model in its system prompt which rung it is, one sentence.
        parachute: keep the smallest rung loaded beside the one that answers, so that the worst moment needs no load.
        queue: how many replies may wait while one is written; a further one raises Busy.
        notices: a TOML file, or a mapping, with the words for `notices` in place of those that ship.
        cache: the folder for what is remembered from run to run; gearshift's own in the user's cache by default.
        dry_run: load the best rung that fits, then only tell what would be done: shifts are decided, explained, logged
            and counted as if each had been carried out, but replies stay on that rung, and there are no notices.

    `notices`, `residencies`, `outcomes`, `decisions` and `replies` (each that has ended, in the queue or at its door
    too, without its text) are Observables. Their items come one after another, in order, from a thread of gearshift's
    that does nothing else. A subscriber may block, raise, or call anything here: it holds up no sample, shift or reply,
    and the other subscribers for a second at most.
    `needs` is what is known of the rungs' memory. Thread-safe.
    Raises LadderError, WordingError, or SettingsError (TierError for tiers), before anything is loaded.
    """

    def __init__(
        self,
        ladder: Ladder | str | Path | None = None,
        settings: Settings | None = None,
        *,
        source: Observable[Sample] | None = None,
        host: Host | None = None,
        system: str | None = None,
        name_rung: bool = True,
        parachute: bool = False,
        queue: int = 16,
        notices: str | Path | Mapping[str, Any] | None = None,
        cache: str | Path | None = None,
        dry_run: bool = False,
    ) -> None:
        self.ladder = ladder if isinstance(ladder, Ladder) else Ladder.from_toml(ladder) if ladder else default_ladder()
        self.settings = settings or machine_settings()
        self._wording = Wording(notices)
        self._turns = Turns(queue)
        folder = Path(cache) if cache is not None else CACHE
        self.needs = Needs(folder / "needs")
        self._marker = CrashMarker(self.ladder, folder / "running")
        kept = Parachute(self.ladder, self.needs, wanted=parachute)
        rungs = kept.rungs(self.ladder)
        self._host = host or default_host(self.ladder)
        self._sampler = Sampler(default_probes(budget=self.settings.budget, own=self._host.own))
        self._switcher = Switcher(
            self.ladder, self._host, self.needs, self._pools, self.settings, keep=kept.name, mark=self._marker.note
        )
        self._teller = Teller()
        self.outcomes = self._teller.aside(self._switcher.outcomes)
        self._residing = Residing(self._switcher.residencies, kept, crashed=self._crashed(), clock=event_time)
        self.residencies = self._teller.aside(self._residing.stream)
        self.scaler = ProactiveScaler(
            rungs, self.settings, source, residencies=self._residing.stream, sampler=self._sampler, dry_run=dry_run,
            teller=self._teller,
        )  # fmt: skip
        self.decisions = self.scaler.decisions
        self._conversations = Conversations(system)
        self._name_rung = name_rung
        self._first = FirstLoad() if dry_run else None
        self._waiting = Waiting(self._switcher, max(_PATIENCE, self.settings.silence), lambda: self._why_none)
        suggestions = Suggestions(self._wording, self.settings, self.needs.of, Neighbours().programs)
        self._notices = Notices(self.ladder, self._wording, suggestions)
        self.notices = self._teller.aside(self._notices.stream)
        guard = Guard(self.scaler, dry=dry_run, ran_out=self._ran_out, because=self._notices.because)
        kill = getattr(self._host, "kill", None)  # only what lives in a process of its own can be killed
        reports = Reports(self.ladder[0].name)
        self.replies = self._teller.aside(reports.replies)
        answering = Answering(self._waiting, guard, self._named, kill=kill, again=not dry_run)
        self._asking = Asking(self._turns, self._conversations, answering, self.ladder[0].name, reports.tell)
        self._end = Ending(self._close)
        self._subscriptions = [self.scaler.at_once.decisions.subscribe(self._decide)]
        if self._first is not None:
            self._subscriptions.append(self._switcher.residencies.subscribe(self._first.saw))
        else:
            self._subscriptions.append(self.scaler.at_once.samples.subscribe(self._notices.sampled))
            self._subscriptions.append(self._switcher.residencies.subscribe(self._notices.resided))
            self._subscriptions.append(self._switcher.outcomes.subscribe(self._notices.ended))
        self._process = os.getpid()
        atexit.register(self.shutdown)
        self.scaler.start_continuous_monitoring()

    @property
    def rung(self) -> str | None:
        """The name of what is loaded now."""
        return self._switcher.rung

    def respond(
        self,
        message: Question,
        conversation_id: str = DEFAULT,
        *,
        options: Options | None = None,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """Answer, blocking. `on_text` gets pieces as they come, from this thread.

        A reply that a shift interrupts, or a failure such as memory running out, is continued by the next rung. One
        that `cancelled` calls off, at any stage, is returned as far as it came (`Reply.cut`).

        Args:
            message: a question in the conversation that is kept by this id; or a whole conversation that the app keeps,
                as chat messages `{"role": "system" | "user" | "assistant", "content": str}`, the user's last.
            conversation_id: any text; a new one begins a conversation.
            options: length, temperature and stops; `Options()` by default.
            timeout: seconds for the whole reply, waiting included.

        Raises:
            Busy: as many replies wait as may.
            NoRungFits, ReplyTimeout, ModelError (the last rung failed twice), ShutDown: with the text so far as
                `.partial`; it is in the history too.
            RuntimeError: from inside of `on_text`, and in a child that the app forked; make a new manager there.
            ValueError, TypeError: for a message longer than the rung's context; for messages, options and timeouts
                that can't be used.
        """
        limits = Limits(cancelled, timeout)
        return self._asking.respond(message, conversation_id, options or Options(), limits, on_text)

    async def generate_response(
        self,
        message: Question,
        conversation_id: str = DEFAULT,
        *,
        options: Options | None = None,
        timeout: float | None = None,
    ) -> Reply:
        """As `respond`, without blocking the event loop. Cancelling the task stops the model at the next token.

        message, conversation_id, options, timeout (seconds): as there, and so are the errors. What had been written by
        then is in the history before the next reply begins.
        """
        return await self._asking.generate(message, conversation_id, options or Options(), timeout)

    def stream_response(
        self,
        message: Question,
        conversation_id: str = DEFAULT,
        *,
        options: Options | None = None,
        timeout: float | None = None,
        begun: str = "",
    ) -> ReplyStream:
        """The reply piece by piece, as `generate_response` would give it; its `.reply` is the whole of it, at the end.

        message, conversation_id, options, timeout (seconds): as for `respond`; the loop raises what that does. Leaving
        the loop early stops the model.
        begun: first words of this reply, which another manager gave: it goes on after them, and only the rest comes.
        """
        return self._asking.stream(message, conversation_id, options or Options(), timeout, begun, lambda: self.rung)

    def history(self, conversation_id: str = DEFAULT) -> list[Message]:
        """The turns of `conversation_id` so far, as chat messages; none where nothing was said."""
        return self._conversations.history(conversation_id)

    def forget(self, conversation_id: str) -> bool:
        """Drop the history of `conversation_id`. Was there one?"""
        return self._conversations.forget(conversation_id)

    def save(self, path: str | Path) -> None:
        """Write all conversations to a JSON file, whole or not at all. Raises OSError."""
        self._conversations.save(path)

    def restore(self, path: str | Path) -> None:
        """Replace all conversations by those of a file. Raises ConversationError, and then changes nothing."""
        self._conversations.restore(path)

    def shutdown(self) -> None:
        """Stop monitoring, brake replies, unload, and end all threads and processes. Idempotent, from any thread.

        A reply in progress ends where it is: it raises ShutDown. Called from inside `on_text` or a subscriber, it
        returns at once, and the rest follows as soon as that has returned. In a child that the app forked it does
        nothing: all is the parent's.
        """
        if os.getpid() != self._process:
            return
        here = self._turns.writes_here() or threading.current_thread().name.startswith("gearshift-")
        self._end.begin(wait=not here)

    def __enter__(self) -> "ModelManager":
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()

    async def __aenter__(self) -> "ModelManager":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await asyncio.to_thread(self.shutdown)

    def _close(self) -> None:
        atexit.unregister(self.shutdown)
        ends = [
            self._turns.close, self._waiting.close, self.scaler.stop_continuous_monitoring,
            *(subscription.dispose for subscription in self._subscriptions), self._switcher.close,
            self._residing.close, self._asking.wait_ended, self._notices.close, self._host.close, self._marker.close,
            self._sampler.close, self._teller.wait,
        ]  # fmt: skip
        with ExitStack() as each:  # which goes on where one of them raises
            for end in reversed(ends):
                each.callback(end)

    def _named(self, messages: list[Message], rung: str) -> list[Message]:
        return naming(messages, self._wording.text("model", "rung", rung=rung)) if self._name_rung else messages

    def _ran_out(self, spec: ModelSpec) -> None:
        try:
            need = self.needs.ran_out(spec).need
        except CheckpointError as error:  # its files have gone meanwhile; the reply goes on elsewhere all the same
            log.warning("what %s needs can't be corrected after memory ran out: %s", spec.name, error)
        else:
            self._residing.ran_out(spec.name, need)

    def _crashed(self) -> list[str]:
        """The rung with which an earlier run ended uncleanly and those above it, but never the last one."""
        rung, names = self._marker.previous(), [spec.name for spec in self.ladder]
        return names[: names.index(rung) + 1][: len(names) - 1] if rung in names else []

    @property
    def _why_none(self) -> str:
        return self.scaler.check_preflight_resources(rung=self.ladder[-1].name).reason

    def _pools(self, names: Collection[str]) -> Mapping[str, Pool | None]:
        return self._sampler.take_pools(names).pools

    def _decide(self, decision: Decision) -> None:
        if self._first is None or self._first.acts_on(decision):
            self._switcher.submit(decision)
        self._waiting.decided(decision)
