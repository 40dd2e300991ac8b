"""What a decision says, as data and as a sentence."""

import msgspec

GIB = 2**30


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why, in bytes, fractions and seconds.

    rule: down `forecast`, `critical`, `soon critical`, `stalls`, `slow`, `failing`, `asked`, `nothing fits`; up `room`,
    `recovered`, `fits`.

    need: of the rung that the numbers are about: the one left, or for growth the one taken. detail: words of who asked,
    or why nothing may be loaded although it would fit.
    seconds_left: until external use with that rung reaches the ceiling, None when it doesn't. back_at, back_after: the
    opposite would be decided once others had held this much for so long: less of it after a shift down, more after
    one up.
    """

    rule: str
    pool: str = ""
    total: int = 0
    used: int = 0
    external: int = 0
    bound: int = 0
    need: int = 0
    ceiling: float = 0.0
    horizon: float = 0.0
    slope: float = 0.0
    seconds_left: float | None = None
    lasted: float = 0.0
    back_at: int = 0
    back_after: float = 0.0
    detail: str = ""

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self)


class Asked(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="record", tag="asked"):
    """An app's request for a smaller rung, at `time` on the clock of the samples."""

    time: float
    reason: str
    immediate: bool = False


class Performed(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="record", tag="performed"):
    """How an operation on `rung` went, told at `time` on the clock of the samples."""

    time: float
    operation: str
    seconds: float
    ok: bool = True
    rung: str | None = None


class Decision(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="record", tag="decision"):
    """A desired state: `target` (None: nothing) instead of `source`, at `time`.

    kind: upgrade, downgrade, shed. urgency: planned, immediate.
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
            lasting = f" for {r.back_after:g} s" if r.back_after else ""
            return f"; it goes down again should others hold over {gib(r.back_at)}{lasting}"
        return f"; it goes up again once others hold under {gib(r.back_at)} for {r.back_after:g} s"

    def _repr_html_(self) -> str:
        from .views.html import record_html

        return record_html(self, headline=self.explain())


def gib(count: float) -> str:
    """Bytes for people.

    >>> gib(3 << 29)
    '1.50 GiB'
    """
    return f"{count / GIB:.2f} GiB"


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
    return r.detail or r.rule
