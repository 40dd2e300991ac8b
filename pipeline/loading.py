"""A recording as a whole, whoever made it."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import reactivex
from reactivex import Observable

from .lines import Header, Line, Mark, RecordingError
from .reading import opened
from .replaying import OnBad, read_recording
from .rungs import Residency
from .samples import Sample
from .words import Asked, Decision, Performed

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


class Recording:
    """All that a file holds, in memory.

    Made by `load`. path: the file. format: `gearshift`, or the name of the importer that read it. header: None for
    other formats. lines: all of them, in the order in which they were written. samples, decisions, residencies, marks,
    asked: those of one kind, `asked` with the reports of how operations went. skipped: how many lines were left out.
    """

    def __init__(self, path: Path, format: str, lines: Sequence[Line], *, header: Header | None, skipped: int) -> None:
        self.path, self.format, self.header, self.skipped = path, format, header, skipped
        self.lines = list(lines)
        self.samples = [line for line in lines if isinstance(line, Sample)]
        self.decisions = [line for line in lines if isinstance(line, Decision)]
        self.residencies = [line for line in lines if isinstance(line, Residency)]
        self.marks = [line for line in lines if isinstance(line, Mark)]
        self.asked = [line for line in lines if isinstance(line, Asked | Performed)]

    def __len__(self) -> int:
        return len(self.samples)

    def __repr__(self) -> str:
        span = self.samples[-1].time - self.samples[0].time if self.samples else 0.0
        left_out = f", {self.skipped} lines left out" if self.skipped else ""
        return f"<Recording {self.path.name}: {self.format}, {len(self.samples)} samples over {span:.1f} s{left_out}>"

    @property
    def dry(self) -> bool:
        """It holds decisions, and nothing of what was loaded: they were made in a dry run, or before the first load."""
        return bool(self.decisions) and not self.residencies

    @property
    def title(self) -> str:
        """Its name, for people."""
        return f"{self.path.name}, a dry run" if self.dry else self.path.name

    def stream(self) -> Observable[Sample]:
        """The samples as a cold Observable, as fast as they are taken."""
        return reactivex.from_iterable(self.samples)

    def plot(
        self,
        *,
        pools: str | Sequence[str] | None = None,
        dark: bool = False,
        width: int | None = None,
        height: int | None = None,
    ) -> "Figure":
        """Memory, forecasts and decisions over time: a plotly Figure.

        Args:
            pools: those to show; by default all.
            dark: for a dark background.
            width, height: pixels; by default as wide as there is room, and as high as the pools need.

        Raises:
            ValueError: where there is nothing to draw, or no such pool.
        """
        from .views.figures import figure
        from .views.timeline import timeline

        return figure(timeline(self), pools=pools, dark=dark, width=width, height=height)

    def _repr_html_(self) -> str:
        from .views.cards import recording_html

        return recording_html(self)


def load(
    path: str | Path,
    *,
    on_bad: OnBad = "raise",
    columns: Mapping[str, str] | Sequence[str] | None = None,
    totals: Mapping[str, int] | None = None,
    interval: float | None = None,
    unit: str | None = None,
    instance: str | None = None,
) -> Recording:
    """Read a recording of gearshift or of another tool; the format is recognised by what the file holds.

    Args:
        path: the file.
        on_bad: "raise" at a line that can't be read, or "skip" and count it.
        columns, totals, interval, unit, instance: what the file itself doesn't say; see `gearshift.pipeline.importers`.

    Raises:
        RecordingError: naming file, line and remedy. OSError, ImportError.
    """
    file = Path(path)
    if _is_ours(file):
        bad: list[int] = []
        header, lines = read_recording(file, on_bad=on_bad, skipped=lambda number, _: bad.append(number))
        return Recording(file, "gearshift", list(lines), header=header, skipped=len(bad))
    from .importers import import_samples

    found = import_samples(
        file, columns=columns, totals=totals, interval=interval, unit=unit, instance=instance, on_bad=on_bad
    )
    return Recording(file, found.format, found.samples, header=None, skipped=found.skipped)


def _is_ours(file: Path) -> bool:
    if file.suffix == ".zst":
        return True
    with opened(file) as source:
        head = source.read(4096)
    if not head.strip():
        raise RecordingError(f"{file}:1: an empty file, not a recording")
    return b'"gearshift_recording"' in head.split(b"\n", 1)[0]
