"""Fakes to test with, for this project and for its users."""

from ...operators.testing import hot, marble, run, series
from ..words import GIB
from .building import residency, rungs_of, sample, samples_of
from .loader import FakeLoader
from .nvml import ScriptedGpu, ScriptedNvml
from .probe import ScriptedProbe
from .stories import marble_of, write_recording

__all__ = [
    "GIB", "FakeLoader", "ScriptedGpu", "ScriptedNvml", "ScriptedProbe", "hot", "marble", "marble_of", "residency",
    "run", "rungs_of", "sample", "samples_of", "series", "write_recording",
]  # fmt: skip
