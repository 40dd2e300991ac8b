"""What was scripted, as a recording; and decisions, as a marble."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import get_args

from ...operators.testing import marble
from ...operators.typing import Stamped, finite
from ..lines import VERSION, Header, Line
from ..recording import Recorder
from ..rungs import Rung, checked_ladder
from ..samples import Sample
from ..settings import Settings
from ..words import Decision

_SIGNS = {"upgrade": "u", "downgrade": "d", "shed": "s"}


def write_recording(
    path: str | Path, lines: Iterable[Line], *, ladder: Sequence[Rung] = (), settings: Settings | None = None
) -> Path:
    """Write a scripted story to a file that `load`, `replay`, `replayed` and `simulate` take.

    It says nothing of the machine that it is written on, so the same story is always the same file. A recording that
    is there already is written over, and anything else is not.

    Args:
        path: the file; compressed where it ends in `.zst`.
        lines: samples, and among them residencies, decisions, marks, and what was asked for, in their order.
        ladder, settings: for its header; with a ladder `replayed(path)` needs no other.

    Returns:
        The path.

    Raises:
        TypeError: for what is no line of a recording. ValueError: for a story without samples, or a ladder that can't
        be used. OSError.

    >>> from tempfile import TemporaryDirectory
    >>> from gearshift.pipeline import replayed
    >>> from gearshift.pipeline.testing import residency, rungs_of, samples_of
    >>> with TemporaryDirectory() as folder:
    ...     story = [residency("large"), *samples_of([100] * 20 + [450] * 20, own=500)]
    ...     path = write_recording(f"{folder}/story.jsonl", story, ladder=rungs_of(500, 300, 100))
    ...     [(decision.time, decision.target) for decision in replayed(path)]
    [(20.0, 'medium')]
    """
    kept = list(lines)
    for line in kept:
        if not isinstance(line, get_args(Line)):
            names = ", ".join(kind.__name__ for kind in get_args(Line))
            raise TypeError(f"a recording holds {names}, got {line!r}")
    if not any(isinstance(line, Sample) for line in kept):
        raise ValueError(f"a recording needs at least one sample, got {len(kept)} lines without one for {path}")
    if not isinstance(settings, Settings | None):
        raise TypeError(f"settings must be Settings or None, got settings={settings!r}")
    header = Header(VERSION, ladder=checked_ladder(ladder) if ladder else (), settings=settings)
    recorder = Recorder(path, header=header, keep=0)
    try:
        for line in kept:
            recorder.write(line)
    finally:
        recorder.close()
    return recorder.path


def marble_of(
    decisions: Iterable[Decision], length: int | None = None, *, frame: float = 1.0, since: float = 0.0
) -> str:
    """Decisions as a marble: `u` for an upgrade, `d` for a downgrade, `s` for a shed; a capital for an immediate one.

    Args:
        decisions: in any order.
        length: how many frames; by default up to the last decision.
        frame: seconds.
        since: the time at which the line begins, seconds.

    Raises:
        ValueError: for a decision outside the line, or two in one frame.

    >>> from gearshift.pipeline.testing import FakeLoader, rungs_of, samples_of
    >>> marble_of(FakeLoader(rungs_of(500, 300, 100)).play(samples_of([100] * 9 + [450] * 6)), 15)
    'u--------D-----'
    """
    begin = finite("since", since)
    signs = [
        Stamped(decision.time - begin, sign.upper() if decision.urgency == "immediate" else sign)
        for decision in decisions
        for sign in (_SIGNS[decision.kind],)
    ]
    return marble(signs, length, frame=frame)
