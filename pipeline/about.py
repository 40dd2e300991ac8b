"""What a field of `Settings` says of itself: what it does, its unit, what may stand in it, why it is as it is."""

import math
from collections.abc import Mapping
from numbers import Integral, Real
from typing import Any, NamedTuple

FRACTION, SECONDS, BYTES, COUNT = "fraction", "seconds", "bytes", "shifts"
_WORDS = {FRACTION: "a fraction", SECONDS: "seconds", BYTES: "whole bytes", COUNT: "a whole number"}


class About(NamedTuple):
    """One field. unit: fraction, seconds, bytes or shifts. why: the reason for the default, and its source.

    above, least, most: bounds, the first of which is left out itself. up_to, under: another field that it may reach, or
    not. word: text that may stand there in place of a number. none: what None means, where it may be. by_pool: one
    number for each pool, by its name. example: where the default shows too little. group: the table that it
    may stand in.

    >>> About("Grow only so far below.", FRACTION, "quiet", above=0, under="high")
    <a fraction above 0 and below high>
    """

    what: str
    unit: str
    why: str
    above: float | None = None
    least: float | None = None
    most: float | None = None
    up_to: str = ""
    under: str = ""
    word: str = ""
    none: str = ""
    by_pool: bool = False
    example: Any = None
    group: str = ""

    def allowed(self, values: Mapping[str, Any] | None = None) -> str:
        """What may stand in it, in words; with the values of the fields that it names, where they are known.

        >>> About("", SECONDS, "", least=0, word="adaptive").allowed()
        'seconds of at least 0 or "adaptive"'
        >>> About("", FRACTION, "", above=0, up_to="critical").allowed({"critical": 0.92})
        'a fraction above 0 and at most critical (0.92)'
        """
        bounds = [f"above {self.above:g}"] if self.above is not None else []
        if self.least is not None:
            bounds += [f"of at least {self.least:g}" if self.most is None else f"from {self.least:g} to {self.most:g}"]
        elif self.most is not None:
            bounds += [f"at most {self.most:g}"]
        for how, other in (("at most", self.up_to), ("below", self.under)):
            if other:
                bounds.append(f"{how} {other}" + (f" ({values[other]!r})" if values and other in values else ""))
        text = f"{_WORDS[self.unit]} {' and '.join(bounds)}" + (" for each pool, by its name" if self.by_pool else "")
        return text + (f' or "{self.word}"' if self.word else "") + (" or None" if self.none else "")

    def wrong(self, name: str, value: Any) -> str:
        """What can't be in it, as `name=value`; empty where the value may stand there, whatever the others are."""
        if not self.by_pool:
            return "" if self._holds(value) else f"{name}={value!r}"
        if not isinstance(value, Mapping):
            return f"{name}={value!r}"
        return next((f"{name}[{pool!r}]={one!r}" for pool, one in value.items() if not self._holds(one)), "")

    def beyond(self, value: Any, values: Mapping[str, Any]) -> str:
        """The other field whose value leaves no room for this one; empty for none."""
        if self.up_to and not value <= values[self.up_to]:
            return self.up_to
        return self.under if self.under and not value < values[self.under] else ""

    def __repr__(self) -> str:
        return f"<{self.allowed()}>"

    def _holds(self, value: Any) -> bool:
        if value is None:
            return bool(self.none)
        if isinstance(value, str):
            return value != "" and value == self.word
        if not isinstance(value, Real) or isinstance(value, bool):
            return False
        if self.unit in (BYTES, COUNT) and not isinstance(value, Integral):
            return False  # a recording that held it could not be read again
        try:
            number = float(value)
        except OverflowError:
            return False
        return (
            math.isfinite(number)
            and (self.unit != FRACTION or number <= 1)
            and (self.above is None or number > self.above)
            and (self.least is None or number >= self.least)
            and (self.most is None or number <= self.most)
        )
