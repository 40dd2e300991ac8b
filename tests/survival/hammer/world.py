"""The deeds of the plan, and what each may end in."""

import asyncio
import threading
import traceback
from collections import deque
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random
from typing import Any

from gearshift.models import ModelError, Options, Reply, ReplyTimeout

from .listeners import listen
from .managers import CONVERSATIONS, DOCUMENTED, Count, Kept, Managers
from .plan import Step

_LATE = 0.002  # seconds, for replies that are to come too late


class World:
    """Thread-safe. `now` says what each thread or task is in the midst of."""

    def __init__(self, managers: Managers, folder: Path, count: Count) -> None:
        self.managers, self._folder, self._count = managers, folder, count
        self.now: dict[str, Step] = {}
        self._wires: deque[Any] = deque()

    def end(self) -> None:
        for wire in self._wires:
            wire.dispose()
        self.managers.end_all()

    def breach(self, what: str) -> None:
        self._count.breach(what)

    def do(self, who: str, step: Step) -> None:
        self.now[who] = step
        kept, random = self.managers.at(step.slot), Random(step.draw)
        try:
            getattr(self, step.deed)(kept, step, random)
        except Exception:  # noqa: BLE001 - whatever it is, it is a breach
            self._count.breach(f"{step.deed}: {traceback.format_exc(limit=-4)}")
        self._count.add("steps")

    async def do_in_task(self, who: str, step: Step) -> None:
        self.now[who] = step
        deed = getattr(self, step.deed)
        if not asyncio.iscoroutinefunction(deed):
            await asyncio.to_thread(self.do, who, step)
            return
        kept = await asyncio.to_thread(self.managers.at, step.slot)
        try:
            await deed(kept, step, Random(step.draw))
        except Exception:  # noqa: BLE001 - whatever it is, it is a breach
            self._count.breach(f"{step.deed}: {traceback.format_exc(limit=-4)}")
        self._count.add("steps")

    # questions to a scaler

    def start(self, kept: Kept, _: Step, random: Random) -> None:
        random.choice([kept.scaler, kept.manager.scaler]).start_continuous_monitoring()

    def stop(self, kept: Kept, *_: object) -> None:
        kept.scaler.stop_continuous_monitoring()

    def preflight(self, kept: Kept, _: Step, random: Random) -> None:
        scaler, rung = random.choice([kept.scaler, kept.manager.scaler]), random.choice([None, "large", "small"])
        scaler.check_preflight_resources("generate", rung, tokens=random.randrange(9))

    def trends(self, kept: Kept, *_: object) -> None:
        kept.scaler.analyze_resource_trends()

    def upgradable(self, kept: Kept, *_: object) -> None:
        kept.manager.scaler.should_upgrade_model()

    def degrade(self, kept: Kept, _: Step, random: Random) -> None:
        kept.manager.scaler.initiate_graceful_degradation("the hammer", immediate=random.random() < 0.5)

    def record(self, kept: Kept, _: Step, random: Random) -> None:
        kept.scaler.record_performance("generate", random.random(), ok=random.random() < 0.8)

    def counts(self, kept: Kept, *_: object) -> None:
        assert all(count > 0 for count in kept.manager.scaler.counts.values())

    # conversations, subscribers, ends

    def history(self, kept: Kept, _: Step, random: Random) -> None:
        turns = kept.manager.history(random.choice(CONVERSATIONS))
        assert [turn["role"] for turn in turns] == ["user", "assistant"] * (len(turns) // 2)

    def forget(self, kept: Kept, *_: object) -> None:
        kept.manager.forget("passing")

    def save(self, kept: Kept, step: Step, _: Random) -> None:
        file = self._folder / f"{step.slot}.json"
        kept.manager.save(file)

    def listen(self, kept: Kept, _: Step, random: Random) -> None:
        self._wires.append(listen(kept, random, self._count))

    def leave(self, *_: object) -> None:
        if len(self._wires) > 4:
            self._wires.popleft().dispose()

    def lose(self, kept: Kept, *_: object) -> None:
        if kept.lose():
            self._count.add("models lost")

    def shut_down(self, _kept: Kept, step: Step, _: Random) -> None:
        self._count.add("ends in the midst of it")
        self.managers.end(step.slot)

    # replies

    def respond(self, kept: Kept, step: Step, random: Random) -> None:
        talk, question, options = self._asked(step, random)
        self._ended(lambda: kept.manager.respond(question, talk, options=options), kept, talk, question, options)

    def respond_called_off(self, kept: Kept, step: Step, random: Random) -> None:
        talk, question, _ = self._asked(step, random)
        options, cancelled = Options(max_new_tokens=2000), threading.Event()
        timer = threading.Timer(random.random() * 0.02, cancelled.set)
        timer.start()
        self._count.add("replies called off")
        self._ended(
            lambda: kept.manager.respond(question, talk, options=options, cancelled=cancelled),
            kept, talk, question, options,
        )  # fmt: skip
        timer.join()

    def respond_late(self, kept: Kept, step: Step, random: Random) -> None:
        talk, question, options = self._asked(step, random)
        late = lambda: kept.manager.respond(question, talk, options=options, timeout=_LATE)  # noqa: E731
        self._ended(late, kept, talk, question, options, late=True)

    async def generate(self, kept: Kept, step: Step, random: Random) -> None:
        talk, question, options = self._asked(step, random)
        await self._awaited(kept.manager.generate_response(question, talk, options=options), kept, talk, question)

    async def generate_cancelled(self, kept: Kept, step: Step, random: Random) -> None:
        talk, question, _ = self._asked(step, random)
        asked = kept.manager.generate_response(question, talk, options=Options(max_new_tokens=2000))
        await self._cancelled(asked, kept, talk, question, random)

    async def stream(self, kept: Kept, step: Step, random: Random) -> None:
        talk, question, options = self._asked(step, random)
        await self._awaited(self._read(kept, talk, question, options, 10**9), kept, talk, question)

    async def stream_left(self, kept: Kept, step: Step, random: Random) -> None:
        talk, question, _ = self._asked(step, random)
        left = self._read(kept, talk, question, Options(max_new_tokens=2000), random.randrange(3))
        await self._awaited(left, kept, talk, question)

    async def stream_cancelled(self, kept: Kept, step: Step, random: Random) -> None:
        talk, question, _ = self._asked(step, random)
        read = self._read(kept, talk, question, Options(max_new_tokens=2000), 10**9)
        await self._cancelled(read, kept, talk, question, random)

    async def _read(self, kept: Kept, talk: str, question: str, options: Options, pieces: int) -> Reply | None:
        read: list[str] = []
        async with kept.manager.stream_response(question, talk, options=options) as stream:
            async for piece in stream:
                read.append(piece)
                if len(read) > pieces:
                    return None
        if stream.reply is not None and stream.reply != "".join(read):
            self._count.breach(f"a stream gave {''.join(read)!r}, and its reply is {str(stream.reply)!r}")
        return stream.reply

    async def _cancelled(
        self, asked: Awaitable[Reply | None], kept: Kept, talk: str, question: str, random: Random
    ) -> None:
        task = asyncio.ensure_future(asked)
        asyncio.get_running_loop().call_later(random.random() * 0.02, task.cancel)
        self._count.add("replies called off")
        await self._awaited(task, kept, talk, question)

    async def _awaited(self, asked: Awaitable[Reply | None], kept: Kept, talk: str, question: str) -> None:
        found: BaseException | Reply | None
        try:
            found = await asked
        except (*DOCUMENTED, asyncio.CancelledError) as error:
            found = error

        def ended() -> Reply | None:
            if isinstance(found, BaseException):
                raise found
            return found

        self._ended(ended, kept, talk, question)

    def _asked(self, step: Step, random: Random) -> tuple[str, str, Options]:
        self._count.add("asks")
        return random.choice([*CONVERSATIONS, "passing"]), f"Question {step.draw}?", Options(
            max_new_tokens=random.randrange(1, 12)
        )  # fmt: skip

    def _ended(
        self, asked: Callable[[], Reply | None], kept: Kept, talk: str, question: str, options: Options | None = None,
        *, late: bool = False,
    ) -> None:  # fmt: skip
        """Every ask ends here, in a reply or in an error that is documented; `asks` less these are lost."""
        try:
            reply = asked()
        except asyncio.CancelledError:
            self._count.add("ended: cancelled")
            return
        except DOCUMENTED as error:
            self._count.add(f"ended: {type(error).__name__}")
            if isinstance(error, ModelError) and "AssertionError" in str(error):
                self._count.breach(f"a model was used after its end: {error}")
            if isinstance(error, ReplyTimeout) and not late:
                self._count.breach(f"a reply without a timeout came too late: {error}")
            return
        if reply is None or reply.end == "cancelled":
            self._count.add("ended: left")
            return
        self._count.add("ended: replied")
        kept.whole.append((talk, question, str(reply)))
        if kept.fake and options is not None and len(reply.split()) != options.max_new_tokens and not kept_short(reply):
            self._count.breach(f"{options.max_new_tokens} words were asked for, and came: {str(reply)!r} ({reply.end})")


def kept_short(reply: Reply) -> bool:
    """It was wound up for a shift."""
    return reply.end == "wound up"
