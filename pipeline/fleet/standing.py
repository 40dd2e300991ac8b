"""What a node tells of itself."""

from collections.abc import Sequence

import msgspec

from ..outlook import Outlook
from ..policy import room
from ..preflight import best_fitting
from ..rungs import Residency, Rung
from ..samples import Whole
from ..settings import Settings


class Standing(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="record", tag="standing"):
    """A node as it stood at `time`, seconds on its own clock.

    rung: what is loaded, None for nothing. quality: of that rung, in units of the ladder's; 0 for none. ready: it
    answers now; False while it shifts. roomy: others are not on the way to crowd that rung out. waiting: how many
    replies are in line, with the one that is being written. fits: the best rung that would fit now, None for none.
    headroom: bytes free under the ceiling in the tightest pool of that one, 0 for none. assistant: a model is kept
    here, rather than that one could be.
    """

    node: str
    time: float
    rung: str | None = None
    quality: float = 0.0
    ready: bool = False
    roomy: bool = False
    waiting: int = 0
    fits: str | None = None
    headroom: Whole = 0
    assistant: bool = True

    def _repr_html_(self) -> str:
        from ..views.html import record_html

        return record_html(self)


def standing(
    node: str,
    outlook: Outlook,
    residency: Residency,
    ladder: Sequence[Rung],
    settings: Settings,
    *,
    waiting: int = 0,
    assistant: bool = True,
) -> Standing:
    """What is to be told of a node.

    Args:
        node: its name.
        outlook: the newest one there.
        residency: what is loaded there.
        ladder: rungs, best first, as they are known there.
        settings: of that machine.
        waiting: how many replies are in line there.
        assistant: is a model kept there?

    >>> from gearshift.pipeline import Pool, Sample
    >>> from gearshift.pipeline.outlook import OutlookWindow
    >>> seen = OutlookWindow(Settings()).sample(Sample(5.0, {"ram": Pool(16 << 30, 6 << 30, own=4 << 30)}))
    >>> ladder = [Rung("large", {"ram": 12 << 30}), Rung("small", {"ram": 4 << 30}, quality=0.7)]
    >>> told = standing("n1", seen, Residency(4.0, "ready", "small"), ladder, Settings())
    >>> told.ready, told.roomy, told.quality, told.fits
    (True, True, 0.7, 'large')
    """
    rungs = {rung.name: rung for rung in ladder}
    loaded = rungs.get(residency.rung or "")
    ahead = None
    if loaded is not None:
        ahead = room(outlook, loaded, ceiling=settings.high, horizon=outlook.shrink, reserve=settings.reserve)
    fits = best_fitting(outlook, ladder, settings)
    free = 0
    if fits is not None:
        here = room(outlook, rungs[fits], ceiling=settings.critical, horizon=0, reserve=settings.reserve)
        free = 0 if here is None else int(here.ceiling * here.total) - here.bound - here.need
    return Standing(
        node, outlook.time, residency.rung, 0.0 if loaded is None else loaded.quality,
        ready=loaded is not None and residency.state == "ready", roomy=ahead is not None and ahead.fits,
        waiting=waiting, fits=fits, headroom=max(0, free), assistant=assistant,
    )  # fmt: skip
