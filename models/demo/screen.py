"""The demo's output: a moving panel under the lines in a terminal, plain lines elsewhere."""

import threading
import time
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.panel import Panel
from rich.text import Text

from ...pipeline.outlook import Outlook
from ...pipeline.settings import Settings
from ...pipeline.words import GIB

_PLAIN_EVERY = 2.0  # seconds between usage lines without a terminal


class Screen:
    """Thread-safe: samples, decisions and replies come from different threads."""

    def __init__(self, settings: Settings) -> None:
        self.console = Console(highlight=False)
        self._settings = settings
        self._lock = threading.Lock()
        self._live = (
            Live(console=self.console, refresh_per_second=8, transient=True) if self.console.is_terminal else None
        )
        self._reply = self._rung = ""
        self._usage = Text()
        self._spoken = float("-inf")
        self._began = time.monotonic()

    def __enter__(self) -> "Screen":
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(self, *_: Any) -> None:
        if self._live is not None:
            self._live.stop()

    def say(self, text: str, style: str = "") -> None:
        with self._lock:
            self.console.print(Text(f"{time.monotonic() - self._began:6.1f} s  {text}", style=style))

    def typing(self, piece: str) -> None:
        with self._lock:
            self._reply = "" if piece == "" else self._reply + piece
            self._draw()

    def usage(self, seen: Outlook, rung: str | None, need: int) -> None:
        pool = seen.pools.get("ram")
        if pool is None:
            return
        forecast = int(pool.bound(self._settings.horizon)) + need
        with self._lock:
            self._rung = rung or "shifting"
            self._usage = self._bar(pool.pool.used, forecast, pool.pool.total)
            if self._live is not None:
                self._draw()
            elif seen.time - self._spoken >= _PLAIN_EVERY:
                self._spoken = seen.time
                self.console.print(f"{time.monotonic() - self._began:6.1f} s  {self._usage.plain}")

    def _bar(self, used: int, forecast: int, total: int) -> Text:
        width = 48
        ceiling, critical = (int(width * share) for share in (self._settings.high, self._settings.critical))
        text = Text("[")
        for i in range(width):
            if i == critical:
                text.append("!", "bold red")
            elif i == ceiling:
                text.append("|", "bold yellow")
            elif i < width * used / total:
                text.append("█" if self._live else "#", "cyan")
            elif i < width * forecast / total:
                text.append("░" if self._live else "+", "magenta")
            else:
                text.append(" ")
        text.append(f"] {used / GIB:.2f} of {total / GIB:.2f} GiB, forecast {forecast / GIB:.2f}, ")
        return text.append(f"ceiling {self._settings.high * total / GIB:.2f}, on {self._rung}")

    def _draw(self) -> None:
        if self._live is not None:
            title = "█ in use  ░ forecast  | ceiling  ! critical"
            self._live.update(Panel(Group(self._usage, Text(self._reply[-300:], style="green")), title=title))
