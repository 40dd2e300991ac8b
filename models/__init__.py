"""What decisions do: rungs are loaded, answer, and give their memory back.

Names are imported when they are first used, so that the command line starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .failures import LoadError, ModelError, OutOfMemory, WorkerLost
    from .generation import Options, Reply
    from .ladder import Ladder, LadderError, ModelSpec
    from .limits import ReplyTimeout
    from .manager import ModelManager
    from .notices import Notice
    from .queueing import Busy, ShutDown
    from .saved_conversations import ConversationError
    from .switcher import Outcome, Switcher
    from .waiting import NoRungFits
    from .wording import WordingError

__all__ = [
    "Busy", "ConversationError", "Ladder", "LadderError", "LoadError", "ModelError", "ModelManager", "ModelSpec",
    "NoRungFits", "Notice", "Options", "OutOfMemory", "Outcome", "Reply", "ReplyTimeout", "ShutDown", "Switcher",
    "WordingError", "WorkerLost",
]  # fmt: skip

_ROOMS = (
    "failures", "generation", "ladder", "limits", "manager", "notices", "queueing", "saved_conversations", "switcher",
    "waiting", "wording",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        for room in _ROOMS:
            module = import_module(f"{__name__}.{room}")
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
