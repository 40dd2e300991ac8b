"""Settings for recordings that were sampled more slowly than gearshift samples."""

import math
from collections.abc import Iterable
from itertools import pairwise
from statistics import median

import msgspec

from ..loading import Recording
from ..samples import Sample
from ..settings import Settings

_TOLERANCE = 1.1  # a spacing this much wider than the interval is jitter
_GAP, _WINDOW = 3.5, 10  # in intervals


def fitted(settings: Settings, samples: Iterable[Sample]) -> Settings:
    """Settings for samples that are further apart than `settings` expect.

    `interval` becomes the median of their spacing, which gaps and bursts don't move; `gap` at least 3.5 of it, `window`
    at least 10, `horizon` at least one, all in seconds. Unchanged where the samples are as close as expected, or fewer
    than two.

    >>> slow = [Sample(60.0 * minute, {}) for minute in range(5)]
    >>> found = fitted(Settings(), slow)
    >>> found.interval, found.gap, found.window, found.horizon
    (60.0, 210.0, 600.0, 60.0)
    """
    times = [sample.time for sample in samples if math.isfinite(sample.time)]
    steps = [later - earlier for earlier, later in pairwise(times) if later > earlier]
    spacing = median(steps) if steps else 0.0
    if spacing <= _TOLERANCE * settings.interval:
        return settings
    return msgspec.structs.replace(
        settings,
        interval=spacing,
        gap=max(settings.gap, _GAP * spacing),
        window=max(settings.window, _WINDOW * spacing),
        horizon=max(settings.horizon, spacing),
    )


def own_settings(recording: Recording) -> Settings:
    """Those that it was made with, else the usual ones fitted to its samples."""
    header = recording.header
    return (header.settings if header is not None else None) or fitted(Settings(), recording.samples)
