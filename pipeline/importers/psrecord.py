"""`psrecord PID --log FILE`, plain or with `--log-format csv`.

The memory is that of one process (and its children, if psrecord was asked for them), so that the pool `ram` is this
process against the total that you name: `totals={"ram": bytes}`. "MB" are MiB. Its CPU isn't the machine's and is
left out.
"""

import re
from collections.abc import Iterator, Sequence

from .asked import Asked
from .fields import Row
from .quantities import number, size
from .source import BadLine, Line, Source

NAME = "psrecord"

_PLAIN = re.compile(r"#\s*Elapsed time\s+CPU \(%\)\s+Real \(MB\)")
_CSV = "elapsed_time,nproc,cpu,mem_real"


def recognise(head: Sequence[str]) -> bool:
    """Whether the first line is a header of psrecord."""
    return bool(head) and (_PLAIN.match(head[0]) is not None or head[0].startswith(_CSV))


def read(source: Source, asked: Asked) -> Iterator[Row]:
    """Raises RecordingError for a line that isn't of psrecord's. Times are seconds since its start."""
    place = 2
    for line in source:
        if _PLAIN.match(line.text):
            place = 2
        elif line.text.startswith(_CSV):
            place = 3
        else:
            row = source.kept(line, _row, line, place, asked)
            if row is not None:
                yield row


def _row(line: Line, place: int, asked: Asked) -> Row:
    cells = line.text.replace(",", " ").split()
    if len(cells) < 4:
        raise BadLine(f"{len(cells)} columns where psrecord has at least 4")
    time = number(cells[0])
    if time is None:
        raise BadLine("no time on this line")
    return Row(line, time, 0.0, {"ram.used": size(cells[place], asked.unit or "MiB")}, asked.step)
