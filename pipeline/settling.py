"""The blackout after a shift: until memory has settled, no further shortage is believed."""

from collections.abc import Mapping

from .outlook import Outlook

_COMES_BACK = 15.0  # seconds at most that the memory of what was unloaded may be on its way
_MOST_OWN = 1.25  # times the need of what is loaded: beyond it, something is still on its way
_MORE = 0.01  # of a pool


class Settling:
    """It lasts for `seconds`, and up to 15 s while we hold more than what is loaded needs.

    Source: the gap that Ollama leaves for memory to come back; oomd's pause after a kill.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.over = True
        self._since = float("-inf")
        self._level: dict[str, int] = {}  # what others held when it began

    def begin(self, time: float) -> None:
        self.over, self._since, self._level = False, time, {}

    def set_back(self, seconds: float) -> None:
        """The clock has gone back by so many seconds."""
        self._since -= seconds

    def update(self, outlook: Outlook, needs: Mapping[str, int]) -> None:
        """Ends it when its time has come. needs: of what is loaded."""
        pools = outlook.pools
        if not self._level:
            self._level = {name: seen.external for name, seen in pools.items() if seen is not None}
        passed = outlook.time - self._since
        if passed < self._seconds:
            return
        if passed < _COMES_BACK:
            for name, seen in pools.items():
                if seen is not None and seen.pool.own > _MOST_OWN * needs.get(name, 0) + _MORE * seen.pool.total:
                    return
        self.over = True

    def hides(self, outlook: Outlook) -> bool:
        """Is a shortage to be waited out? Not when others have taken more since it began."""
        return not self.over and not any(
            seen is not None and seen.external > self._level.get(name, seen.external) + _MORE * seen.pool.total
            for name, seen in outlook.pools.items()
        )
