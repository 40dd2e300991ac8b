"""The app's one object: ask, and get a reply, whatever happens to the memory meanwhile."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from reactivex import Observable, Subject

from ..pipeline.rungs import Rung
from ..pipeline.samples import Pool, Sample
from ..pipeline.scaler import ProactiveScaler
from ..pipeline.settings import Settings
from ..pipeline.shielding import shielded
from ..pipeline.sources import Sampler, default_probes
from ..pipeline.tiers import machine_settings
from ..pipeline.words import Decision
from .conversation import Conversations, Message
from .first_load import FirstLoad
from .generation import Options, Reply, tokens_of
from .hosts import Host
from .hosts.inline import InlineHost
from .ladder import Ladder, ModelSpec, default_ladder
from .notices import Notice, notice_for
from .switcher import Lease, Outcome, Switcher


class NoRungFits(RuntimeError):
    """Not even the smallest rung fits now; the message has the numbers. Ask again later."""


class ModelManager:
    """Keeps the best rung that fits loaded, and conversations going across shifts.

    Args:
        ladder: a `Ladder`, the path of a TOML file, or None for the one in the user's cache folder.
        settings: `Settings`; this machine's tier by default.
        source: samples; this machine by default.
        host: where models live; this process by default.
        system: a system prompt for every conversation.
        dry_run: load the best rung that fits, then only tell what would be done: shifts are decided, explained, logged
            and counted as if each had been carried out, but replies stay on that rung, and there are no notices.

    `notices`, `residencies`, `outcomes` and `decisions` are Observables; their items come from gearshift's threads.
    Raises LadderError, or TierError for a file that GEARSHIFT_TIERS names, before anything is loaded.
    """

    def __init__(
        self,
        ladder: Ladder | str | Path | None = None,
        settings: Settings | None = None,
        *,
        source: Observable[Sample] | None = None,
        host: Host | None = None,
        system: str | None = None,
        dry_run: bool = False,
    ) -> None:
        self.ladder = ladder if isinstance(ladder, Ladder) else Ladder.from_toml(ladder) if ladder else default_ladder()
        self.settings = settings or machine_settings()
        self._rungs = {rung.name: rung for rung in self.ladder.rungs()}
        self._host = host or InlineHost()
        self._sampler = Sampler(default_probes(budget=self.settings.budget, own=self._host.own))
        self._switcher = Switcher(self.ladder, self._host, _Estimates(self._rungs), self._pools, self.settings)
        self._conversations = Conversations(system)
        self._notices: Subject[Notice] = Subject()
        self.notices: Observable[Notice] = shielded(self._notices)
        self.residencies, self.outcomes = self._switcher.residencies, self._switcher.outcomes
        self._turn = threading.Lock()
        self._workers = ThreadPoolExecutor(thread_name_prefix="gearshift-reply")
        self._shut = threading.Lock()
        self._down = False
        self._decided = threading.Event()
        self._shed: Decision | None = None
        self.scaler = ProactiveScaler(
            list(self._rungs.values()),
            self.settings,
            source,
            residencies=self._switcher.residencies,
            sampler=self._sampler,
            dry_run=dry_run,
        )
        self.decisions = self.scaler.decisions
        self._first = FirstLoad() if dry_run else None
        self._subscriptions = [
            self.scaler.decisions.subscribe(self._decide),
            self._switcher.outcomes.subscribe(self._finished),
        ]
        if self._first is not None:
            self._subscriptions.append(self._switcher.residencies.subscribe(self._first.saw))
        self.scaler.start_continuous_monitoring()

    @property
    def rung(self) -> str | None:
        """The name of what is loaded now."""
        return self._switcher.rung

    def history(self, conversation_id: str = "default") -> list[Message]:
        """The turns so far, as chat messages."""
        return self._conversations.history(conversation_id)

    def respond(
        self,
        message: str,
        conversation_id: str = "default",
        *,
        options: Options | None = None,
        on_text: Callable[[str], None] | None = None,
        cancelled: threading.Event | None = None,
    ) -> Reply:
        """Answer, blocking. `on_text` gets pieces as they come, from this thread.

        A reply that a shift interrupts, or a failure such as memory running out, is continued by the next rung.
        Raises NoRungFits, or RuntimeError after
        `shutdown`, or what the model raised.
        """
        asked = time.monotonic()
        with self._turn:
            messages = self._conversations.with_question(conversation_id, message)
            text, rungs = "", []

            def take(piece: str) -> None:
                nonlocal text
                text += piece
                if on_text is not None:
                    on_text(piece)

            finished = False
            while not finished and not (cancelled is not None and cancelled.is_set()):
                with self._lease() as lease:
                    if not rungs or rungs[-1] != lease.spec.name:
                        rungs.append(lease.spec.name)
                    self._check(lease.spec, tokens_of(messages, options or Options(), context=lease.spec.context))
                    try:
                        finished = self._write(lease, messages, text, options or Options(), take, cancelled)
                    except (MemoryError, RuntimeError) as error:  # out of memory has both faces
                        told = f"a reply on {lease.spec.name} failed: {error}"
                        if self.scaler.initiate_graceful_degradation(told, immediate=True) is None or self._first:
                            raise
            seconds = time.monotonic() - asked
            if finished or text:
                self._conversations.add(conversation_id, message, text)
        return Reply(text, rungs=tuple(rungs), degraded=any(r != self.ladder[0].name for r in rungs), seconds=seconds)

    async def generate_response(
        self, message: str, conversation_id: str = "default", *, options: Options | None = None
    ) -> Reply:
        """As `respond`, without blocking the event loop."""
        loop = asyncio.get_running_loop()
        cancelled = threading.Event()
        try:
            return await loop.run_in_executor(
                self._workers, lambda: self.respond(message, conversation_id, options=options, cancelled=cancelled)
            )
        except asyncio.CancelledError:
            cancelled.set()
            raise

    async def stream_response(
        self, message: str, conversation_id: str = "default", *, options: Options | None = None
    ) -> AsyncIterator[str]:
        """The reply piece by piece. Leaving the loop early stops the model at the next token."""
        loop = asyncio.get_running_loop()
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        cancelled = threading.Event()

        def put(piece: str | None) -> None:
            loop.call_soon_threadsafe(pieces.put_nowait, piece)

        def work() -> None:
            try:
                self.respond(message, conversation_id, options=options, on_text=put, cancelled=cancelled)
            finally:
                put(None)

        done = loop.run_in_executor(self._workers, work)
        try:
            while (piece := await pieces.get()) is not None:
                yield piece
            await done
        finally:
            cancelled.set()

    def shutdown(self) -> None:
        """Stop monitoring, let the action under way end, unload. Idempotent; replies in progress end where they are."""
        with self._shut:
            if self._down:
                return
            self._down = True
            self._decided.set()
            self.scaler.stop_continuous_monitoring()
            for subscription in self._subscriptions:
                subscription.dispose()
            self._switcher.close()
            self._workers.shutdown(wait=True)
            self._sampler.close()

    def __enter__(self) -> "ModelManager":
        return self

    def __exit__(self, *_: Any) -> None:
        self.shutdown()

    def _lease(self) -> Any:
        return _Leasing(self)

    def _check(self, spec: ModelSpec, tokens: int) -> None:
        """The pre-flight check of a reply: when its rung no longer fits, a smaller one takes over at once.

        In a dry run it is of the rung that would write the reply.
        """
        rung = spec.name if self._first is None else None
        found = self.scaler.check_preflight_resources("generate", rung, tokens=tokens)
        if not found.ok and found.known:
            self.scaler.initiate_graceful_degradation(found.reason, immediate=True)

    def _write(
        self,
        lease: Lease,
        messages: list[Message],
        text: str,
        options: Options,
        take: Callable[[str], None],
        cancelled: threading.Event | None,
    ) -> bool:
        began = time.monotonic()

        def take_or_stop(piece: str) -> None:
            take(piece)
            if cancelled is not None and cancelled.is_set():
                lease.brake.stop()

        ok = False
        try:
            written = lease.model.generate(messages, text, options, take_or_stop, lease.brake)
            ok = True
            return written.finished
        finally:
            self.scaler.record_performance(f"generate on {lease.spec.name}", time.monotonic() - began, ok)

    def _no_rung(self) -> NoRungFits:
        if self._shed is not None:
            return NoRungFits(self._shed.explain())
        last = list(self._rungs)[-1]
        return NoRungFits(self.scaler.check_preflight_resources(rung=last).reason)

    def _pools(self, names: Collection[str]) -> Mapping[str, Pool | None]:
        return self._sampler.take_pools(names).pools

    def _decide(self, decision: Decision) -> None:
        self._shed = decision if decision.target is None else None
        if self._first is None or self._first.acts_on(decision):
            self._switcher.submit(decision)
        self._decided.set()

    def _finished(self, outcome: Outcome) -> None:
        if outcome.kind in ("handed over", "unloaded"):
            notice = notice_for(outcome.decision)
            if notice is not None:
                self._notices.on_next(notice)


class _Leasing:
    """A lease, or the clear error why there is none."""

    def __init__(self, manager: ModelManager) -> None:
        self._manager = manager

    def __enter__(self) -> Lease:
        m = self._manager
        patience = time.monotonic() + max(5.0, 3 * m.settings.interval)
        m._decided.wait(timeout=patience - time.monotonic())
        while True:
            self._inner = m._switcher.leased()
            lease = self._inner.__enter__()
            if lease is not None or m._shed is not None or m._down or time.monotonic() > patience:
                break
            time.sleep(0.05)  # a rung failed to load; the next sample decides on another
        if lease is None:
            if m._down:
                raise RuntimeError("the manager has been shut down; make a new ModelManager")
            raise m._no_rung()
        return lease

    def __exit__(self, *error: Any) -> None:
        self._inner.__exit__(*error)


class _Estimate(NamedTuple):
    need: dict[str, int]
    peak: dict[str, int]


class _Estimates:
    """What rungs need by their files alone."""

    def __init__(self, rungs: Mapping[str, Rung]) -> None:
        self._rungs = rungs

    def of(self, spec: ModelSpec) -> _Estimate:
        need = self._rungs[spec.name].need
        return _Estimate(need, need)

    def learn(self, spec: ModelSpec, held: Mapping[str, int]) -> _Estimate:  # noqa: ARG002
        return _Estimate({}, {})

    def ran_out(self, spec: ModelSpec) -> _Estimate:  # noqa: ARG002
        return _Estimate({}, {})
