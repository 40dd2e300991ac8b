"""`with` and `async with`, for what monitors."""

import asyncio
from abc import ABC, abstractmethod
from typing import Any, Self


class Monitored(ABC):
    """Monitors inside of a `with` or an `async with`."""

    @abstractmethod
    def start_continuous_monitoring(self) -> bool:
        """Begin to sample. False where it ran already."""

    @abstractmethod
    def stop_continuous_monitoring(self) -> None:
        """End sampling. Harmless when nothing runs."""

    def __enter__(self) -> Self:
        self.start_continuous_monitoring()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop_continuous_monitoring()

    async def __aenter__(self) -> Self:
        self.start_continuous_monitoring()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await asyncio.to_thread(self.stop_continuous_monitoring)
