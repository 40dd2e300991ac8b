"""What a recording says of the machine that it was made on."""

import platform
import time
from collections.abc import Sequence

from .lines import VERSION, Header, Machine
from .rungs import Rung
from .settings import Settings
from .tiers import HardwareTierDetector


def header_of_this_machine(*, ladder: Sequence[Rung] = (), settings: Settings | None = None) -> Header:
    """The first line of a recording that begins here and now."""
    detector = HardwareTierDetector()
    return Header(
        gearshift_recording=VERSION,
        wall=time.time(),
        machine=Machine(
            detector.memory, detector.cores, f"{platform.system()} {platform.machine()}", platform.python_version()
        ),
        tier=detector.detect().name,
        ladder=tuple(ladder),
        settings=settings,
    )
