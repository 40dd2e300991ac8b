"""A reply written by replicas: by one, or by several in turn when nodes are lost or memory asks for it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ray.exceptions import RayError, RayTaskError
from ray.serve.exceptions import BackPressureError, RequestCancelledError
from ray.serve.handle import DeploymentHandle

from ..failures import WorkerLost
from ..replies.answering import Draft
from ..replies.queueing import Busy
from ..telling.notices import Notice
from .parts import Begun, On, Part, Refused, Written, as_error, elsewhere

log = logging.getLogger("gearshift.serve")

SILENT = 15.0
"""Seconds without even a sign of life, after which a replica counts as lost: Ray may take longer to find out."""
_LOSSES = 3
"""Replicas in a row, lost over one reply without a further word of it: it may be the reply that ends them."""
_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class Writing:
    """One reply. Pieces go into the draft as they come; none is given twice, whoever goes on with it.

    Args:
        assistant: the handle of the assistants' `stream`.
        noticed: gets what was noticed where it was written.
    """

    def __init__(self, assistant: DeploymentHandle, draft: Draft, noticed: Callable[[Notice], object]) -> None:
        self._assistant, self._draft, self._noticed = assistant, draft, noticed
        self._avoid: list[str] = []
        self._replica: str | None = None
        self._rung: str | None = None
        self._unsure = self._before = 0

    async def write(self, messages: Sequence[Mapping[str, str]]) -> None:
        """Fill the draft until its `end`. Raises what `ModelManager` does; the draft stands."""
        losses, pause = 0, _PAUSE
        while not self._draft.end:
            if self._draft.full:  # the replica was lost after its last word
                self._draft.end = "length"
                return
            before = self._draft.tokens
            failure = await self._part(messages)
            if failure is None:
                continue
            if isinstance(failure, Refused):
                limited = self._draft.limits.timeout is not None
                if failure.error == "ReplyTimeout" and limited:  # it told of the seconds that were left
                    failure = Refused(failure.error, str(self._draft.limits.too_late()))
                if self._replica in self._avoid or not elsewhere(failure):
                    raise as_error(failure, self._draft.text)
            else:
                losses, pause = (0, _PAUSE) if self._draft.tokens > before else (losses, pause)
                losses += self._replica is not None
                if losses >= _LOSSES:
                    raise self._given_up(failure)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
            if self._replica is not None:
                self._avoid.append(self._replica)
            log.warning("a reply goes on elsewhere after %d tokens: %s", self._draft.tokens, failure)

    async def _part(self, messages: Sequence[Mapping[str, str]]) -> Refused | BaseException | None:
        """What one replica writes. Returns why it did not write to the end, if it did not."""
        draft, limits = self._draft, self._draft.limits
        left = None if limits.timeout is None else max(0.001, limits.timeout - limits.seconds)
        self._replica = self._rung = None
        loop = asyncio.get_running_loop()
        until = None if left is None else loop.time() + left
        parts: Any = self._assistant.remote(messages, draft.options, left, begun=draft.text, avoid=tuple(self._avoid))
        try:
            async with asyncio.timeout_at(until) as within:
                async for part in parts:
                    if isinstance(part, Refused):
                        return part
                    self._take(part)
                    if draft.end or draft.raised is not None:
                        break
                    soon = loop.time() + SILENT
                    within.reschedule(soon if until is None else min(soon, until))
        except TimeoutError as error:
            if until is not None and loop.time() >= until:
                late = limits.too_late()
                late.partial = draft.text
                raise late from None
            return error
        except BackPressureError as error:
            if draft.text or self._avoid:  # it had its place already
                return error
            raise Busy(f"as many replies wait in the fleet as may; ask again when one has ended ({error})") from None
        except RayTaskError:  # a mistake in what runs there
            raise
        except (RayError, RequestCancelledError) as error:
            return error
        finally:
            if not draft.end:
                with contextlib.suppress(Exception):  # Ray's raises again what kept the request from a replica
                    parts.cancel()
        if draft.raised is not None:
            raise draft.raised
        return None if draft.end else ConnectionError("the replica ended in mid-reply")

    def _take(self, part: Part) -> None:
        draft = self._draft
        if isinstance(part, str):
            if self._rung is not None:
                draft.by(self._rung)
            draft.tokens += 1  # at least; the end tells how many these were
            self._unsure += 1
            draft.take(part)
        elif isinstance(part, Begun):
            self._replica, self._unsure, self._before = part.replica, 0, len(self._draft.rungs)
        elif isinstance(part, On):
            self._rung = part.rung
        elif isinstance(part, Written):
            del draft.rungs[self._before :]  # the end knows them for sure
            for rung in part.rungs:
                draft.by(rung)
            draft.tokens += part.tokens - self._unsure
            draft.prompt_tokens = draft.prompt_tokens or part.prompt_tokens
            draft.end = part.end
            for notice in part.notices:
                self._noticed(notice)

    def _given_up(self, failure: BaseException) -> WorkerLost:
        error = WorkerLost(
            f"{_LOSSES} replicas in a row were lost over this reply, without a further word of it; ask it otherwise, "
            f"or look at why the last one ended: {failure}"
        )
        error.partial = self._draft.text
        return error
