"""A chat template is a program that a checkpoint brings: transformers keeps it in a sandbox, and here it must end."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from ..failures import ModelError

LIMIT = 10.0
"""Seconds for one text; the longest conversations take a hundredth of it."""

_FILE = "<template>"


@contextmanager
def limited(seconds: float = LIMIT) -> Iterator[None]:
    """Raises ModelError in the midst of a template that runs for longer. On this thread only.

    It looks at the clock at each line of the template: no other way ends a loop that writes nothing. A single
    calculation of the template's, such as a power of large numbers, can't be cut short: a reply's timeout kills its
    worker then.
    """
    end = time.monotonic() + seconds

    def at_line(frame: FrameType, event: str, arg: Any) -> Any:  # noqa: ARG001 - as Python calls it
        if time.monotonic() > end:
            raise ModelError(f"its chat template did not end within {seconds:g} s; give a checkpoint with another one")
        return at_line

    def at_call(frame: FrameType, event: str, arg: Any) -> Any:
        return at_line(frame, event, arg) if frame.f_code.co_filename == _FILE else None

    before = sys.gettrace()
    sys.settrace(at_call)
    try:
        yield
    finally:
        sys.settrace(before)
