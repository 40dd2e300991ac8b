"""How others decide, as policies for the simulated machine: each with its published defaults."""

from collections.abc import Callable, Sequence
from functools import partial

from ...rungs import Rung
from ...settings import Settings
from ..policies import Policy
from .autoscalers import HorizontalPodAutoscaler, RayServe
from .fixed import AlwaysLargest, AlwaysSmallest
from .rival import Rival
from .servers import Lemonade, LoadTimeOnly, LocalAI
from .threshold import PlainThreshold

RIVALS: dict[str, Callable[[Sequence[Rung], Settings], Policy]] = {
    AlwaysLargest.name: AlwaysLargest,
    AlwaysSmallest.name: AlwaysSmallest,
    PlainThreshold.name: PlainThreshold,
    HorizontalPodAutoscaler.name: HorizontalPodAutoscaler,
    RayServe.name: RayServe,
    LoadTimeOnly.name: LoadTimeOnly,
    Lemonade.name: Lemonade,
    LocalAI.name: LocalAI,
    "localai 0.80": partial(LocalAI, threshold=0.80),
}

__all__ = [
    "RIVALS", "AlwaysLargest", "AlwaysSmallest", "HorizontalPodAutoscaler", "Lemonade", "LoadTimeOnly", "LocalAI",
    "PlainThreshold", "RayServe", "Rival",
]  # fmt: skip
