"""What would help, fit to the cause."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from ...pipeline.samples import Pool
from ...pipeline.settings import Settings
from ...pipeline.words import GIB
from ..ladders.ladder import ModelSpec
from .neighbours import WORTH, Program
from .wording import Wording

_CONTEXT_STEP = 256
_LEAST_CONTEXT = 0.25  # of the ladder's own: a smaller one is hardly the same assistant
_QUANTISED = {"int8": "torchao-int8", "int4": "torchao-int4"}


class NeedOf(Protocol):
    """Bytes by pool, and of which the cache of a full context, as `Needs.of` tells."""

    @property
    def need(self) -> Mapping[str, int]: ...
    @property
    def parts(self) -> Mapping[str, int]: ...


class Suggestions:
    """Sentences from the wording table.

    Args:
        need_of: what a rung needs, one that isn't on the ladder too.
        programs: who holds memory, the likeliest cause first; called where it is asked about memory only.
    """

    def __init__(
        self,
        wording: Wording,
        settings: Settings,
        need_of: Callable[[ModelSpec], NeedOf],
        programs: Callable[[], Sequence[Program]],
    ) -> None:
        self._wording, self._settings = wording, settings
        self._need_of, self._programs = need_of, programs

    def for_memory(self, spec: ModelSpec, pools: Mapping[str, Pool | None], *, count: int, last: bool) -> list[str]:
        """`count` at most, for `spec` to fit again. last: nothing smaller is left."""
        room = self._room(spec, pools)
        own = self._about_rung(spec, room, last=last) if room is not None else None
        found = [own] if own is not None else []
        return [*self._closing(spec.pool, count - len(found)), *found]

    def for_speed(self) -> list[str]:
        return [self._say("close_busy")]

    def for_waiting(self) -> list[str]:
        return [self._say("wait")]

    def _say(self, key: str, **values: object) -> str:
        return self._wording.text("suggestion", key, **values)

    def _room(self, spec: ModelSpec, pools: Mapping[str, Pool | None]) -> float | None:
        """Bytes that a rung in its pool may need now; None where that isn't known."""
        pool = pools.get(spec.pool)
        return None if pool is None else self._settings.limit(spec.pool, pool.total) - pool.external

    def _closing(self, pool: str, count: int) -> list[str]:
        # who holds an accelerator's memory isn't who holds RAM
        programs = self._programs()[:count] if pool == "ram" else []
        return [self._close(program) for program in programs] or [self._say("close_any")]

    def _close(self, program: Program) -> str:
        if program.browser:
            return self._say("close_tabs", program=program.name, gib=program.held / GIB)
        if program.grown is not None and program.grown >= WORTH:
            return self._say("close_grown", program=program.name, gib=program.grown / GIB)
        return self._say("close", program=program.name, gib=program.held / GIB)

    def _about_rung(self, spec: ModelSpec, room: float, *, last: bool) -> str | None:
        """A change of the ladder by which the rung, or else a smaller one, would fit beside what others hold."""
        told = self._need_of(spec)
        need, cache = told.need.get(spec.pool, 0), told.parts.get("cache", 0)
        if need <= room:
            return None
        if cache and need - cache < room:
            fit = int((room - (need - cache)) / cache * spec.context) // _CONTEXT_STEP * _CONTEXT_STEP
            if fit >= _LEAST_CONTEXT * spec.context:
                return self._say("context", rung=spec.name, context=spec.context, tokens=fit)
        for kind, quantisation in _QUANTISED.items() if spec.quantisation is None else ():
            size = self._need_of(msgspec.structs.replace(spec, quantisation=quantisation)).need.get(spec.pool, need)
            if size <= room:
                return self._say("quantised", rung=spec.name, gib=size / GIB, kind=kind)
        return self._say("smaller", gib=room / GIB) if last and room >= WORTH else None
