"""Answers of Prometheus' `query_range` as JSON, of node_exporter and DCGM metrics, one or several behind each other.

Gauges are read as they are, and of counters (CPU, stalls, pages swapped in) the rate between two steps. Series are
told apart by their labels: `gpu` is the number of the GPU, and where several machines are in a file, `instance=`
picks one by its label `instance` (with or without the port) or `Hostname`. `columns={"ram.used": "metric"}` reads
metrics of other names, in bytes or `unit=`, and then these only. NaN and infinities are missing readings.
"""

import json
from collections.abc import Iterator, Sequence

import msgspec

from .asked import Asked
from .counters import Series, busy_fraction, rates
from .fields import Row
from .quantities import UNITS, number
from .source import Line, Source
from .times import wall
from .vocabulary import BYTES

NAME = "Prometheus query_range"

PAGE = 4096
MIB = 2.0**20

GAUGES = {
    "node_memory_MemTotal_bytes": ("ram.total", 1.0), "node_memory_MemAvailable_bytes": ("ram.avail", 1.0),
    "node_memory_SwapTotal_bytes": ("swap.total", 1.0), "node_memory_SwapFree_bytes": ("swap.free", 1.0),
    "node_load1": ("load", 1.0),
    "DCGM_FI_DEV_FB_TOTAL": ("gpu.total", MIB), "DCGM_FI_DEV_FB_USED": ("gpu.used", MIB),
    "DCGM_FI_DEV_FB_FREE": ("gpu.avail", MIB), "DCGM_FI_DEV_FB_RESERVED": ("gpu.reserved", MIB),
    "DCGM_FI_DEV_GPU_UTIL": ("gpu.utilisation", 0.01), "DCGM_FI_DEV_GPU_TEMP": ("gpu.temperature", 1.0),
    "DCGM_FI_DEV_POWER_USAGE": ("gpu.power", 1.0),
}  # fmt: skip
"""Field and factor of each metric; `gpu` stands for the pool of the series' GPU."""

COUNTERS = {
    "node_vmstat_pswpin": ("swap.in", float(PAGE)),
    **{f"node_pressure_{name}_{kind}_seconds_total": (f"pressure.{name}.{part}", 1.0)
       for name in ("memory", "cpu", "io") for kind, part in (("waiting", "some"), ("stalled", "full"))},
}  # fmt: skip

CPU = "node_cpu_seconds_total"


class _Matrix(msgspec.Struct):
    metric: dict[str, str]
    values: list[tuple[float, str]] | msgspec.UnsetType = msgspec.UNSET


class _Data(msgspec.Struct):
    result: list[_Matrix]


class _Answer(msgspec.Struct):
    status: str
    data: _Data | None = None
    error: str = ""


class Found(msgspec.Struct, frozen=True):
    """A series with its labels, and the line where it stands."""

    line: Line
    labels: dict[str, str]
    values: Series

    @property
    def name(self) -> str:
        return self.labels.get("__name__", "")

    @property
    def hosts(self) -> set[str]:
        """The names that its machine goes by."""
        instance = self.labels.get("instance", "")
        return {instance, instance.rpartition(":")[0] or instance, self.labels.get("Hostname", "")} - {""}


def recognise(head: Sequence[str]) -> bool:
    """Whether this is JSON as the HTTP interface of Prometheus sends it."""
    return "".join(head).replace(" ", "").startswith('{"status":')


def read(source: Source, asked: Asked) -> Iterator[Row]:
    """Raises RecordingError for JSON that is no such answer, and for series that can't be told apart."""
    gauges = {metric: (field, _factor(field, asked)) for field, metric in asked.named.items()} or GAUGES
    everything = _found(source)
    known = [s for s in everything if s.name in gauges or (not asked.named and s.name in (*COUNTERS, CPU))]
    if not known:
        names = ", ".join(sorted({s.name or "(without a name)" for s in everything})) or "nothing"
        raise source.error(
            Line(1, names), "no metric that is known", 'query metrics by name, or pass columns={"ram.used": "metric"}'
        )
    known = _of_one_machine(source, known, asked)
    cores = len({s.labels.get("cpu") for s in known if s.name == CPU})
    fields: dict[str, tuple[Line, Series]] = {}
    for series in known:
        if series.name == CPU:
            continue
        field, factor = gauges.get(series.name) or COUNTERS[series.name]
        field = field.replace("gpu.", f"cuda:{series.labels.get('gpu', '0')}.", 1)
        if field in fields:
            what = f"a second series for {field}, {series.name} {_told(series)}"
            raise source.error(series.line, what, "narrow the query to one, or pass instance=")
        values = rates(series.values) if series.name in COUNTERS else series.values
        if field == "load":
            if not cores:
                continue
            factor = 1 / cores
        fields[field] = (series.line, {t: None if v is None else v * factor for t, v in values.items()})
    idle = [s.values for s in known if s.name == CPU and s.labels.get("mode") in ("idle", "iowait")]
    if idle:
        fields["cpu"] = (known[0].line, busy_fraction(idle, cores))
    yield from _rows(fields, asked)


def _rows(fields: dict[str, tuple[Line, Series]], asked: Asked) -> Iterator[Row]:
    for time in sorted({time for _, series in fields.values() for time in series}):
        line = next(line for line, series in fields.values() if time in series)
        values = {field: series.get(time) for field, (_, series) in fields.items()}
        yield Row(line, time, wall(time), values, asked.step)


def _factor(field: str, asked: Asked) -> float:
    return float(UNITS[asked.unit or "B"]) if field.rpartition(".")[2] in BYTES else 1.0


def _found(source: Source) -> list[Found]:
    at = source.blanks(0)
    raw: list[_Matrix] = []
    while at < len(source.text):
        answer, at = source.document("save the answer again", at)
        raw.extend(_matrices(source, answer))
        at = source.blanks(at)
    source.cut = 0  # what parses as a whole was not cut
    lines = source.places(r'"values"\s*:')
    return [
        Found(line, series.metric, _readings(source, line, series)) for line, series in zip(lines, raw, strict=False)
    ]


def _matrices(source: Source, answer: object) -> list[_Matrix]:
    """The series of one answer. Raises RecordingError where Prometheus told an error, or sent something else."""
    first = source.lines[0]
    try:
        found = msgspec.convert(answer, _Answer)
    except msgspec.ValidationError as error:
        raise source.error(first, f"not an answer to query_range ({error})", "save the answer as it came") from None
    if found.data is None:
        raise source.error(first, f"Prometheus answered {found.status}: {found.error}", "mend the query")
    if any(series.values is msgspec.UNSET for series in found.data.result):
        raise source.error(first, "an answer for one moment", "ask /api/v1/query_range, with start, end and step")
    return found.data.result


def _readings(source: Source, line: Line, series: _Matrix) -> Series:
    """The values of a series; one that can't be read is counted and missing where bad lines are skipped."""
    pairs = [] if isinstance(series.values, msgspec.UnsetType) else series.values
    name = series.metric.get("__name__", "")
    return {time: source.kept(Line(line.number, f"{name} {time} {text}"), number, text) for time, text in pairs}


def _of_one_machine(source: Source, known: list[Found], asked: Asked) -> list[Found]:
    names = sorted({s.labels["instance"] for s in known if "instance" in s.labels})
    if asked.instance is not None:
        picked = [s for s in known if asked.instance in s.hosts]
        if not picked:
            shown = Line(known[0].line.number, ", ".join(names))
            raise source.error(shown, f"no series of instance {asked.instance!r}", "pass one of those shown")
        return picked
    if len({name.rpartition(":")[0] or name for name in names}) > 1:
        shown = Line(known[0].line.number, ", ".join(names))
        raise source.error(shown, "series of several machines", f"pass one of them, such as instance={names[0]!r}")
    return known


def _told(series: Found) -> str:
    return json.dumps({label: value for label, value in series.labels.items() if label != "__name__"})
