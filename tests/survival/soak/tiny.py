"""A ladder of tiny real checkpoints, made by another process: this one is to stay without torch, as an app does."""

import subprocess
import sys
from pathlib import Path

from gearshift.models import Ladder, ModelSpec

_MAKE = (
    "import sys; from pathlib import Path; from tests.models.checkpoints import make_checkpoint; "
    "[make_checkpoint(Path(sys.argv[1]) / part[0], int(part[1])) for part in (a.split('=') for a in sys.argv[2:])]"
)


def tiny_ladder(folder: Path, *, context: int = 512, **widths: int) -> Ladder:
    """Rungs by name, best first, each so many units wide. context: tokens of each."""
    asked = [f"{name}={width}" for name, width in widths.items()]
    subprocess.run([sys.executable, "-c", _MAKE, str(folder), *asked], check=True, stderr=subprocess.DEVNULL)
    return Ladder([ModelSpec(name=name, source=str(folder / name), context=context) for name in widths])
