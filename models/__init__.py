"""What decisions do: rungs are loaded, answer, and give their memory back."""

from .generation import Options, Reply
from .ladder import Ladder, LadderError, ModelSpec
from .manager import ModelManager, NoRungFits
from .notices import Notice
from .switcher import Outcome, Switcher

__all__ = [
    "Ladder", "LadderError", "ModelManager", "ModelSpec", "NoRungFits", "Notice", "Options", "Outcome", "Reply",
    "Switcher",
]  # fmt: skip
