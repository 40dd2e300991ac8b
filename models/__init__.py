"""What decisions do: rungs are loaded, answer, and give their memory back.

Names are imported when they are first used, so that the command line starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .failures import LoadError, ModelError, OutOfMemory, WorkerLost
    from .ladders.ladder import Ladder, LadderError, ModelSpec
    from .manager import ModelManager
    from .replies.generation import Options, Reply
    from .replies.limits import ReplyTimeout
    from .replies.queueing import Busy, ShutDown
    from .replies.saved_conversations import ConversationError
    from .replies.streaming import ReplyStream
    from .replies.waiting import NoRungFits
    from .switching.switcher import Outcome, Switcher
    from .telling.notices import Notice
    from .telling.wording import WordingError

__all__ = [
    "Busy", "ConversationError", "Ladder", "LadderError", "LoadError", "ModelError", "ModelManager", "ModelSpec",
    "NoRungFits", "Notice", "Options", "OutOfMemory", "Outcome", "Reply", "ReplyStream", "ReplyTimeout", "ShutDown",
    "Switcher", "WordingError", "WorkerLost",
]  # fmt: skip

_ROOMS = (
    "failures", "manager", "ladders.ladder", "replies.generation", "replies.limits", "replies.queueing",
    "replies.saved_conversations", "replies.streaming", "replies.waiting", "switching.switcher", "telling.notices",
    "telling.wording",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    if name in __all__:
        for room in _ROOMS:
            module = import_module(f"{__name__}.{room}")
            if name in vars(module):
                return vars(module)[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
