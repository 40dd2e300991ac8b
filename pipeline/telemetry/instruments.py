"""What an instrument is, and how Prometheus spells it."""

import re
from collections.abc import Callable, Iterable
from typing import Any, Literal, NamedTuple

CONVENTIONS = "https://opentelemetry.io/schemas/1.44.0"
"""The OpenTelemetry semantic conventions that the names follow, where they have one."""

MANAGER = "gearshift.manager"
"""The attribute that every point has: the name that a manager or scaler is followed under."""

Point = tuple[tuple[str, ...], float]
"""Values of the attributes, in the order of the instrument's, and a number. An empty value is no attribute."""

_UNITS = {
    "By": "bytes", "By/s": "bytes_per_second", "s": "seconds", "Cel": "celsius", "W": "watts", "1": "",
}  # fmt: skip


class Instrument(NamedTuple):
    """One measurement, by its OpenTelemetry name.

    kind: as in OpenTelemetry; an `updown` is a gauge whose values may be added up. unit: by UCUM, `{…}` for what is
    counted. text: one sentence. attributes: names, without `gearshift.manager`. read: for what is looked at when it is
    scraped, its points as they are now; None for what is recorded when it happens. buckets: of a histogram, the bounds
    that its numbers are at or below, in its unit.
    """

    name: str
    kind: Literal["gauge", "updown", "counter", "histogram"]
    unit: str
    text: str
    attributes: tuple[str, ...] = ()
    read: Callable[[Any], Iterable[Point]] | None = None
    buckets: tuple[float, ...] = ()

    @property
    def prometheus(self) -> str:
        """Its name in Prometheus.

        >>> Instrument("system.memory.usage", "updown", "By", "").prometheus
        'system_memory_usage_bytes'
        >>> Instrument("hw.gpu.utilization", "gauge", "1", "").prometheus
        'hw_gpu_utilization_ratio'
        >>> Instrument("gearshift.decisions", "counter", "{decision}", "").prometheus
        'gearshift_decisions_total'

        Source: "Prometheus and OpenMetrics Compatibility" of the OpenTelemetry specification.
        """
        words = [underscored(self.name)]
        if not self.unit.startswith("{") and _UNITS[self.unit]:
            words.append(_UNITS[self.unit])
        if self.unit == "1" and self.kind == "gauge":
            words.append("ratio")
        if self.kind == "counter":
            words.append("total")
        return "_".join(words)

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of its labels in Prometheus, that of the manager first."""
        return tuple(map(underscored, (MANAGER, *self.attributes)))


def underscored(name: str) -> str:
    """A name as Prometheus takes it.

    >>> underscored("gen_ai.response.model")
    'gen_ai_response_model'
    """
    return re.sub(r"[^a-zA-Z0-9_]+", "_", name)
