"""The instruments as OpenTelemetry metrics, and a span for each shift."""

from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version

from opentelemetry.metrics import (
    CallbackOptions,
    Counter,
    Histogram,
    Meter,
    MeterProvider,
    Observation,
    get_meter,
)
from opentelemetry.trace import TracerProvider, get_tracer

from .events import EVENTS, of_outcome, of_reply
from .following import Answered, Ended, Followed, Follower
from .instruments import CONVENTIONS, MANAGER, Instrument
from .readings import READINGS
from .shift_spans import tell_shift

_NAME = "gearshift"


class OpenTelemetryMetrics(Follower):
    """Metrics of managers and scalers, and their shifts as spans, by OpenTelemetry's API.

    What becomes of them is up to the SDK that the app sets up; without one they cost next to nothing. Readings are
    looked up when the SDK collects; one that isn't known then, or is too old to count, has no point.

    Args:
        meters: a provider of meters; by default the one of the process.
        tracers: a provider of tracers; by default the one of the process.
    """

    def __init__(self, meters: MeterProvider | None = None, tracers: TracerProvider | None = None) -> None:
        super().__init__()
        release = version("gearshift")
        meter = get_meter(_NAME, release, meter_provider=meters, schema_url=CONVENTIONS)
        self._tracer = get_tracer(_NAME, release, tracer_provider=tracers, schema_url=CONVENTIONS)
        self._recorded = {each.name: _recorder(meter, each) for each in EVENTS}
        for each in READINGS:
            _observed(meter, each, self._reader(each))

    def _ended(self, followed: Followed, outcome: Ended) -> None:
        for instrument, (values, number) in of_outcome(outcome):
            self._record(followed, instrument, values, number)
        tell_shift(self._tracer, followed.name, outcome)

    def _answered(self, followed: Followed, reply: Answered) -> None:
        for instrument, (values, number) in of_reply(followed, reply):
            self._record(followed, instrument, values, number)

    def _record(self, followed: Followed, instrument: Instrument, values: tuple[str, ...], number: float) -> None:
        recorder, attributes = self._recorded[instrument.name], _attributes(followed, instrument, values)
        if isinstance(recorder, Counter):
            recorder.add(number, attributes)
        else:
            recorder.record(number, attributes)

    def _reader(self, instrument: Instrument) -> Callable[[CallbackOptions], Iterable[Observation]]:
        read = instrument.read
        assert read is not None

        def observe(_: CallbackOptions) -> Iterator[Observation]:
            for followed in self.followed:
                for values, number in read(followed):
                    yield Observation(number, _attributes(followed, instrument, values))

        return observe


def _attributes(followed: Followed, instrument: Instrument, values: tuple[str, ...]) -> dict[str, str]:
    told = {name: value for name, value in zip(instrument.attributes, values, strict=True) if value}
    return {MANAGER: followed.name, **told}


def _recorder(meter: Meter, instrument: Instrument) -> Counter | Histogram:
    if instrument.kind == "counter":
        return meter.create_counter(instrument.name, instrument.unit, instrument.text)
    return meter.create_histogram(
        instrument.name, instrument.unit, instrument.text, explicit_bucket_boundaries_advisory=instrument.buckets
    )


def _observed(meter: Meter, instrument: Instrument, read: Callable[[CallbackOptions], Iterable[Observation]]) -> None:
    create = {
        "gauge": meter.create_observable_gauge,
        "updown": meter.create_observable_up_down_counter,
        "counter": meter.create_observable_counter,
    }[instrument.kind]
    create(instrument.name, [read], instrument.unit, instrument.text)
