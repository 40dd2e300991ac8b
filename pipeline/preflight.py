"""May an operation start? A pure function of what was seen last, the ladder and the settings."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from .outlook import Outlook
from .policy import room
from .rungs import Rung
from .settings import Settings
from .words import GIB

FRESH = 3
"""A sample counts for this many of its intervals."""


class _Answer(NamedTuple):
    ok: bool
    reason: str


class Preflight(_Answer):
    """The answer to a pre-flight check: unpacks as `ok, reason`, and is equal to that pair.

    ok: the operation fits. reason: one sentence with the numbers. fits: the best rung on the ladder that would fit,
    None when none does or when it can't be told. known: the memory that the rung needs could be judged; while it is
    False, `ok` is False too, and says nothing of a shortage.

    >>> ok, reason = Preflight(False, "generate: does not fit", fits="small")
    >>> ok, reason
    (False, 'generate: does not fit')
    >>> Preflight(False, "generate: does not fit", fits="small").fits
    'small'
    """

    fits: str | None
    known: bool

    def __new__(cls, ok: bool, reason: str, fits: str | None = None, known: bool = True) -> "Preflight":
        answer = super().__new__(cls, ok, reason)
        answer.fits, answer.known = fits, known
        return answer

    def __repr__(self) -> str:
        return f"Preflight(ok={self.ok}, reason={self.reason!r}, fits={self.fits!r}, known={self.known})"

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self, headline=self.reason, fields=("ok", "fits", "known"))


class Seen(NamedTuple):
    """An outlook, and when it came: seconds on this machine's event clock, whatever clock its sample is of."""

    outlook: Outlook
    arrived: float

    def stale(self, now: float, interval: float) -> bool:
        """Is it older than three intervals, of its sample's own where that says one, else of `interval` seconds?"""
        return now - self.arrived > FRESH * (self.outlook.sample.interval or interval)


def with_tokens(rung: Rung, tokens: int) -> Rung:
    """The rung as it is with a context of so many tokens, where that is more than it has room for already.

    >>> with_tokens(Rung("large", {"ram": 1000}, context=100, per_token={"ram": 2}), 150).need
    {'ram': 1100}
    """
    further = tokens - rung.context
    if further <= 0 or not rung.per_token:
        return rung
    need = dict(rung.need)
    for pool, size in rung.per_token.items():
        need[pool] = need.get(pool, 0) + further * size
    return msgspec.structs.replace(rung, need=need)


def best_fitting(outlook: Outlook, ladder: Sequence[Rung], settings: Settings, *, tokens: int = 0) -> str | None:
    """The first rung that fits under `critical` beside what others hold now; None where none does."""
    for rung in ladder:
        here = room(outlook, with_tokens(rung, tokens), ceiling=settings.critical, horizon=0, reserve=settings.reserve)
        if here is not None and here.fits:
            return rung.name
    return None


def judge(
    outlook: Outlook, ladder: Sequence[Rung], rung: Rung | None, settings: Settings, *, operation: str, tokens: int = 0,
    loaded: str | None = None,
) -> Preflight:  # fmt: skip
    """Does `operation` fit on `rung`, with the cache of `tokens` tokens, on a machine as `outlook` shows it?

    loaded: the name of what is, for where `rung` is None.
    """
    fits = best_fitting(outlook, ladder, settings, tokens=tokens)
    other = f"; {fits} would fit" if fits is not None else ""
    if rung is None:
        what = "no rung is loaded" if loaded is None else f"{loaded} is loaded, which is not on the ladder"
        return Preflight(False, f"{operation}: {what}{other}", fits, known=False)
    here = room(outlook, with_tokens(rung, tokens), ceiling=settings.critical, horizon=0, reserve=settings.reserve)
    if here is None:
        told = f"{operation}: the memory that {rung.name} needs can't be read{other}"
        return Preflight(False, told, fits, known=False)
    asked = f" with {tokens} tokens" if tokens else ""
    numbers = (
        f"{rung.name}{asked} needs {here.need / GIB:.2f} GiB in {here.pool}, "
        f"others hold {here.external / GIB:.2f} GiB, the limit is {here.ceiling:.0%} of {here.total / GIB:.2f} GiB"
    )
    if here.fits:
        return Preflight(True, f"{operation}: fits: {numbers}", fits)
    return Preflight(False, f"{operation}: does not fit: {numbers}{other or '; no rung would fit'}", fits)


def silent(operation: str, then: Preflight | None, age: float) -> Preflight:
    """The answer where the given source has been silent for `age` seconds: what is not known permits nothing.

    then: what the last sample says, None where none has come.
    """
    if then is None:
        return Preflight(False, f"{operation}: no sample has come from the source yet", known=False)
    words = then.reason.removeprefix(f"{operation}: ")
    told = f"{operation}: the last sample is {age:.1f} s old, too old to start on; by it: {words}"
    return Preflight(False, told, known=False)
