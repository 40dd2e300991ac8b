"""What decisions do: rungs are loaded, answer, and give their memory back.

Names are imported when they are first used, so that the command line starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .generation import Options, Reply
    from .ladder import Ladder, LadderError, ModelSpec
    from .manager import ModelManager, NoRungFits
    from .notices import Notice
    from .switcher import Outcome, Switcher

__all__ = [
    "Ladder", "LadderError", "ModelManager", "ModelSpec", "NoRungFits", "Notice", "Options", "Outcome", "Reply",
    "Switcher",
]  # fmt: skip

_ROOMS = ("generation", "ladder", "manager", "notices", "switcher")


def __getattr__(name: str) -> Any:
    if name in __all__:
        for room in _ROOMS:
            module = import_module(f"{__name__}.{room}")
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
