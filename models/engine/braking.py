"""Ending a reply early: inside its prefill, at a token, or with its sentence."""

import re
from collections.abc import Callable
from typing import Any

from ..replies.generation import Brake

# A sentence is over once white space follows its mark (so not in 3.14), or at once where a script has no spaces.
_MARKED = re.compile(r"[.!?…][\"'”’»)\]*_]*$")
_OVER = re.compile(r"(?:[。！？｡]|[.!?…:;)\]\"'”’»*_]\s*\n|\n\s*\n)[\"'”’」』)\]]*\s*$")
_TAIL = 8  # characters that the marks of a sentence's end are looked for in


class Braked(Exception):
    """A generation was told to stop; what it wrote so far stands."""


def brake_prefill(model: Any, brake: Callable[[], bool]) -> Callable[[], None]:
    """Raise Braked from the next layer once `brake()`; a prefill asks no stopping criterion. Returns what ends that."""

    def check(*_: Any) -> None:
        if brake():
            raise Braked

    layers = [module for name, module in model.named_modules() if name.rsplit(".", 1)[-1].isdigit()]
    hooks = [layer.register_forward_pre_hook(check) for layer in layers]

    def end() -> None:
        for hook in hooks:
            hook.remove()
        hooks.clear()

    return end


class WindUp:
    """Brings a reply to an end in good order once `brake.wind_up` was called: with its sentence, or its tokens used up.

    >>> brake, said = Brake(), []
    >>> brake.wind_up(9)
    >>> wind_up = WindUp(brake)
    >>> for piece in (" It", " is", " 3", ".", "14", ".", " And"):
    ...     if not wind_up.ends_before(piece):
    ...         said.append(piece)
    >>> "".join(said), wind_up.over
    (' It is 3.14.', True)
    """

    def __init__(self, brake: Brake) -> None:
        self._brake = brake
        self._tail = ""
        self._left: int | None = None
        self.over = False

    def ends_before(self, piece: str) -> bool:
        """Take in the text of one token more. True when the reply is over without it; `over` when it is with it."""
        told = self._brake.left
        if told is not None and self._left is None:
            self._left = told
        if self._left is not None:
            if self._left <= 0 or (piece[:1].isspace() and _MARKED.search(self._tail)):
                self.over = True
                return True
            self._left -= 1
        self._tail = (self._tail + piece)[-_TAIL:]
        if self._left is not None:
            self.over = self._left <= 0 or _OVER.search(self._tail) is not None
        return False
