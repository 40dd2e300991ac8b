"""A ladder file for commands that only decide: one of models, or one of rungs with their needs."""

from pathlib import Path

from ...pipeline.reading import WRITTEN, read_whole
from ...pipeline.replayed import rungs_from
from ...pipeline.rungs import Rung, checked_ladder
from ...pipeline.toml_file import parsed


def rungs_in(file: Path) -> list[Rung]:
    """Rungs, the best first. Where the file names models by their `source`, with what those are known to need here.

    Raises ValueError, OSError.
    """
    if _names_models(file):
        from ..ladders.ladder import Ladder
        from ..needs.remembered import Needs

        return Ladder.from_toml(file).rungs(Needs())
    return list(checked_ladder(rungs_from(file)))


def _names_models(file: Path) -> bool:
    try:
        rungs = parsed(read_whole(file, WRITTEN)).get("rung")
    except ValueError:
        return False  # which is told of by what reads it
    return isinstance(rungs, list) and any(isinstance(rung, dict) and "source" in rung for rung in rungs)
