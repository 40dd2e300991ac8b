"""What a decision says, as data and as a sentence."""

import msgspec

GIB = 2**30


class Reason(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why, in bytes, fractions and seconds.

    rule: `forecast`, `critical`, `room`, `recovered`, `fits`, `asked`, `nothing fits`.

    need: of the rung that the numbers are about: the one left, or for growth the one taken. detail: words of who asked.
    seconds_left: until external use with that rung reaches the ceiling, None when it doesn't.
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
    detail: str = ""


class Asked(msgspec.Struct, frozen=True):
    """An app's request for a smaller rung, at `time` on the clock of the samples."""

    time: float
    reason: str
    immediate: bool = False


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
            return f"Load nothing, {self.urgency}: {_why(r)}."
        return f"{head} {where}, {self.urgency}: {_why(r)}."


def _gib(count: float) -> str:
    return f"{count / GIB:.2f} GiB"


def _why(r: Reason) -> str:
    against = f"{r.ceiling:.0%} of {_gib(r.total)} in {r.pool}"
    if r.rule == "forecast":
        when = "is already there" if r.seconds_left == 0 else "may come within the next " + f"{r.horizon:.0f} s"
        if r.seconds_left:
            when = f"is {r.seconds_left:.0f} s away"
        grow = f"grow by {r.slope / 2**20:.0f} MiB/s, so" if r.slope > 0 else "are not growing, yet"
        return f"others hold {_gib(r.external)} and {grow} the ceiling of {against} {when}"
    if r.rule == "critical":
        return f"{_gib(r.used)} are in use, past the critical {against}"
    if r.rule == "room":
        return f"{_gib(r.need)} have fitted under {against} for {r.lasted:.0f} s, beside {_gib(r.external)} of others"
    if r.rule in ("recovered", "fits"):
        return f"{_gib(r.need)} fit under {against}, beside {_gib(r.external)} of others"
    if r.rule == "nothing fits":
        return f"the smallest rung needs {_gib(r.need)}, and others hold {_gib(r.external)}; the limit is {against}"
    return r.detail or r.rule
