"""Notices, kept until a reply tells them."""

import logging
from collections import deque
from typing import Any

from reactivex import Observable

from ..telling.notices import Notice

log = logging.getLogger("gearshift.serving")

_MOST = 8


class News:
    """What was noticed since a reply told of it last; the oldest go where there is too much. Thread-safe."""

    def __init__(self, notices: Observable[Notice]) -> None:
        self._kept: deque[Notice] = deque(maxlen=_MOST)
        notices.subscribe(self._noticed)

    def take(self) -> list[dict[str, Any]]:
        """For the metadata of one reply; the next does not tell them again."""
        taken: list[dict[str, Any]] = []
        while self._kept:
            try:
                notice = self._kept.popleft()
            except IndexError:  # another reply was faster
                break
            taken.append({"kind": notice.kind, "text": notice.text, "suggestions": list(notice.suggestions)})
        return taken

    def _noticed(self, notice: Notice) -> None:
        log.warning("%s", notice)
        self._kept.append(notice)
