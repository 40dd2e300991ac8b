"""What a decision says, as data and as a sentence."""

import msgspec

from .samples import Whole

GIB = 2**30


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why, in bytes, fractions and seconds; what has no part in it is 0 or empty.

    rule: down `forecast`, `critical`, `soon critical`, `stalls`, `slow`, `failing`, `asked`, `nothing fits`; up `room`,
    `recovered`, `fits`.

    pool: the one that was short, or that has the least room. total, used, external: its bytes in all, in use, and held
    by others. bound: bytes that others should not exceed within `horizon` seconds. need: bytes of the rung that the
    numbers are about: the one left, or for growth the one taken. ceiling: the fraction of `total` that may be in use.
    slope: bytes a second by which others grow. seconds_left: seconds until external use with that rung reaches the
    ceiling, None when it doesn't. lasted: seconds for which there has been room. back_at, back_after: the opposite
    would be decided once others had held so many bytes for so many seconds: less than that after a shift down, more
    after one up. detail: words of who asked, or why nothing may be loaded although it would fit.
    """

    rule: str
    pool: str = ""
    total: Whole = 0
    used: Whole = 0
    external: Whole = 0
    bound: Whole = 0
    need: Whole = 0
    ceiling: float = 0.0
    horizon: float = 0.0
    slope: float = 0.0
    seconds_left: float | None = None
    lasted: float = 0.0
    back_at: Whole = 0
    back_after: float = 0.0
    detail: str = ""

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


class Asked(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="record", tag="asked"):
    """An app's request for a smaller rung, at `time`, seconds on the clock of the samples.

    reason: its words, which become the decision's `reason.detail`. immediate: not to wait for the reply in progress.
    """

    time: float
    reason: str
    immediate: bool = False


class Performed(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="record", tag="performed"):
    """How an `operation` on `rung` went, told at `time`, seconds on the clock of the samples.

    seconds: how long it took. ok: it did not fail. rung: None where nothing was loaded.
    """

    time: float
    operation: str
    seconds: float
    ok: bool = True
    rung: str | None = None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="record", tag="decision"):
    """A desired state: `target` (None: nothing) instead of `source`, at `time`, seconds on the clock of the samples.

    kind: `upgrade`, `downgrade`, or `shed` (to nothing). urgency: `planned` lets a reply in progress end, `immediate`
    hands it over. reason: why, with the numbers behind it.

    >>> why = Reason("forecast", "ram", 16 << 30, external=10 << 30, ceiling=0.8, slope=2**26, seconds_left=12.0)
    >>> Decision("downgrade", "large", "small", "planned", 60.0, why).explain()
    'Shift down from large to small, planned: others hold 10.00 GiB and grow by 64 MiB/s, so the ceiling of 80% of \
16.00 GiB in ram is 12 s away.'
    """

    kind: str
    source: str | None
    target: str | None
    urgency: str
    time: float
    reason: Reason

    def explain(self) -> str:
        """One plain sentence: what, and why."""
        r = self.reason
        where = f"{self.source or 'nothing'} to {self.target or 'nothing'}"
        head = {"upgrade": "Shift up from", "downgrade": "Shift down from", "shed": "Unload: from"}[self.kind]
        if self.kind == "shed" and self.source is None:
            where, head = "", "Load nothing"
        return f"{head} {where}".rstrip() + f", {self.urgency}: {_why(r)}{self._opposite()}."

    def _opposite(self) -> str:
        r = self.reason
        if not r.back_at:
            return ""
        if self.kind == "upgrade":
            lasting = f" for {wait(r.back_after)}" if r.back_after else ""
            return f"; it goes down again should others hold over {gib(r.back_at)}{lasting}"
        return f"; it goes up again once others hold under {gib(r.back_at)} for {wait(r.back_after)}"

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self, headline=self.explain())


def gib(count: float) -> str:
    """Bytes for people.

    >>> gib(3 << 29)
    '1.50 GiB'
    """
    return f"{count / GIB:.2f} GiB"


def wait(seconds: float) -> str:
    """A time to wait for, no finer than it matters.

    >>> wait(300.0), wait(0.5), wait(324.375)
    ('300 s', '0.5 s', '324 s')
    """
    return f"{round(seconds) if seconds >= 10 else round(seconds, 1):g} s"


def duration(seconds: float) -> str:
    """12.3 s, or 1:02:03 from two minutes on.

    >>> duration(12.34), duration(3723.0), duration(90000.0)
    ('12.3 s', '1:02:03', '25:00:00')
    """
    if seconds < 120:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def counted(number: int, what: str) -> str:
    """1 shift, 2 shifts."""
    return f"{number} {what}{'' if number == 1 else 's'}"


def _why(r: Reason) -> str:
    said = " ".join(r.detail.split()) or r.rule
    if not r.pool:
        return f"work waits for memory; {r.detail}" if r.rule == "stalls" else said
    against = f"{r.ceiling:.0%} of {gib(r.total)} in {r.pool}"
    if r.rule == "forecast":
        when = "is already there" if r.seconds_left == 0 else "may come within the next " + f"{r.horizon:.0f} s"
        if r.seconds_left:
            when = f"is {r.seconds_left:.0f} s away"
        grow = f"grow by {r.slope / 2**20:.0f} MiB/s, so" if r.slope > 0 else "are not growing, yet"
        return f"others hold {gib(r.external)} and {grow} the ceiling of {against} {when}"
    if r.rule == "soon critical":
        grow = f"grow by {r.slope / 2**20:.0f} MiB/s"
        return f"others hold {gib(r.external)} and {grow}, so the critical {against} comes before a shift could end"
    if r.rule == "stalls":
        return f"work waits for memory, {gib(r.used)} of {gib(r.total)} in {r.pool} are in use"
    if r.rule == "critical":
        if r.used < r.ceiling * r.total:  # so it is a load on its way that would be
            return f"others hold {gib(r.external)}, and with {gib(r.need)} more that is past the critical {against}"
        return f"{gib(r.used)} are in use, past the critical {against}"
    if r.rule == "room":
        return f"{gib(r.need)} have fitted under {against} for {r.lasted:.0f} s, beside {gib(r.external)} of others"
    if r.rule in ("recovered", "fits"):
        return f"{gib(r.need)} fit under {against}, beside {gib(r.external)} of others"
    if r.rule == "nothing fits" and not r.detail:
        return f"the smallest rung needs {gib(r.need)}, and others hold {gib(r.external)}; the limit is {against}"
    return said
