"""The instruments as Prometheus metrics."""

from collections.abc import Iterator
from typing import Any

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder

from .events import EVENTS, of_outcome, of_reply
from .following import Answered, Ended, Followed, Follower
from .instruments import Instrument, Point
from .readings import READINGS


class PrometheusMetrics(Follower):
    """Metrics of managers and scalers in a registry of prometheus-client's.

    They are looked up when they are scraped. A reading that isn't known now, or is too old to count, has no series.

    Args:
        registry: where to register them; the default one of prometheus-client's, which `start_http_server` serves.

    Raises:
        ValueError: where that registry holds metrics of these names already.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        super().__init__()
        self.registry = REGISTRY if registry is None else registry
        self._readings = _Readings(self)
        self._recorded: dict[str, Counter | Histogram] = {}
        self._registered: list[Any] = []
        try:
            self.registry.register(self._readings)
            self._registered.append(self._readings)
            for each in EVENTS:
                self._recorded[each.name] = _recorder(each, self.registry)
                self._registered.append(self._recorded[each.name])
        except ValueError as error:
            self.close()
            raise ValueError(
                f"this registry has such metrics already ({error}); follow by the PrometheusMetrics that made them, or "
                "pass another registry="
            ) from None

    def close(self) -> None:
        """Take all its metrics from the registry. Harmless when repeated."""
        while self._registered:
            self.registry.unregister(self._registered.pop())

    def exposition(self, accept: str = "") -> tuple[bytes, str]:
        """The metrics of the registry as a scrape gets them, and their content type.

        `accept` is the header of the request, which may ask for OpenMetrics. To mount them in an ASGI app, use
        `prometheus_client.make_asgi_app(metrics.registry)`.
        """
        encode, kind = choose_encoder(accept)
        return encode(self.registry), kind

    def _ended(self, followed: Followed, outcome: Ended) -> None:
        for instrument, point in of_outcome(outcome):
            self._record(followed, instrument, point)

    def _answered(self, followed: Followed, reply: Answered) -> None:
        for instrument, point in of_reply(followed, reply):
            self._record(followed, instrument, point)

    def _record(self, followed: Followed, instrument: Instrument, point: Point) -> None:
        values, number = point
        series = self._recorded[instrument.name].labels(followed.name, *values)
        if isinstance(series, Histogram):
            series.observe(number)
        else:
            series.inc(number)


class _Readings:
    """What a registry collects."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower

    def describe(self) -> Iterator[Metric]:
        return map(_family, READINGS)

    def collect(self) -> Iterator[Metric]:
        followed = self._follower.followed
        for instrument in READINGS:
            family, read = _family(instrument), instrument.read
            assert read is not None
            for each in followed:
                for values, number in read(each):
                    family.add_metric([each.name, *values], number)
            yield family


def _family(instrument: Instrument) -> Any:
    family = CounterMetricFamily if instrument.kind == "counter" else GaugeMetricFamily
    return family(instrument.prometheus, instrument.text, labels=instrument.labels)


def _recorder(instrument: Instrument, registry: CollectorRegistry) -> Counter | Histogram:
    name, text, labels = instrument.prometheus, instrument.text, instrument.labels
    if instrument.kind == "histogram":
        return Histogram(name, text, labels, buckets=instrument.buckets, registry=registry)
    return Counter(name, text, labels, registry=registry)
