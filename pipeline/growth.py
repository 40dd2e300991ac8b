"""When a larger rung is worth its shift: how long it has fitted, what the shift costs, what went wrong before."""

from collections import deque
from collections.abc import Sequence

from .outlook import Outlook
from .rungs import Residency, Rung, learned, qualities
from .settings import ADAPTIVE, Settings

LEAST = 10.0  # seconds that even strong evidence must have lasted
USUAL = 300.0  # seconds, where the evidence isn't strong
_MOST = 4 * USUAL
_FORGOTTEN = 1800.0  # seconds in which a strike counts for half
_HOUR = 3600.0
_PAYS_FOR = 2  # a shift up, and its reversal


def floor(settings: Settings) -> float:
    """Seconds for which growth must have been possible in any case."""
    return LEAST if settings.stabilisation == ADAPTIVE else float(settings.stabilisation)


class Growth:
    """Judges growth by event time. What it keeps is bounded by the ladder, and by the shifts of an hour.

    A shift costs the quality of the time in which nothing answers, twice, since an upgrade may have to be taken back.
    It must be earned by the gain in quality over the expected stay, and a rung that has fitted for so long is
    expected to fit for as long again, at first for five minutes. `stabilisation="adaptive"` waits until what was lost
    by not shifting has come to what the shift costs: that loses at most twice what a clairvoyant would.
    Sources: the cost of change in Autopilot (Rzadca et al., EuroSys 2020); Lindy's law; the ski-rental argument
    (Karlin et al., "Competitive snoopy caching", 1988); exponential back-off.
    """

    def __init__(self, ladder: Sequence[Rung], settings: Settings) -> None:
        self._rungs = list(reversed(ladder))
        self._quality = qualities(ladder)
        self._settings = settings
        self._fitted_since = [float("-inf")] * len(ladder)
        self.fits, self.lacking = -1, frozenset[int]()
        self._shifts: deque[float] = deque()
        self._strikes, self._struck_at = 0.0, 0.0
        self._up: tuple[float, int] | None = None
        self._load_seconds: float | None = None

    def saw(self, time: float, fits: int, lacking: frozenset[int] = frozenset()) -> None:
        """The best rank that has room at `time`, and those below it that have none."""
        for rank in range(fits + 1):
            if not self._has_room(rank) and rank not in lacking:
                self._fitted_since[rank] = time
        self.fits, self.lacking = fits, lacking

    def _has_room(self, rank: int) -> bool:
        return rank <= self.fits and rank not in self.lacking

    def learn(self, residency: Residency) -> None:
        """Take a rung for what it has turned out to need."""
        self._rungs = [learned(rung, residency) for rung in self._rungs]

    def restart(self, time: float) -> None:
        """Whatever fitted before `time` no longer counts."""
        self._fitted_since = [max(since, time) for since in self._fitted_since]

    def set_back(self, seconds: float) -> None:
        """The clock has gone back by so many seconds."""
        self._fitted_since = [since - seconds for since in self._fitted_since]
        self._shifts = deque(at - seconds for at in self._shifts)
        self._struck_at -= seconds
        if self._up is not None:
            self._up = self._up[0] - seconds, self._up[1]

    def lasted(self, rank: int, time: float) -> float:
        """Seconds for which `rank` has had room without a break."""
        return time - self._fitted_since[rank] if self._has_room(rank) else 0.0

    def took(self, seconds: float) -> None:
        """A shift, or a first load, was finished in so many seconds."""
        self._load_seconds = seconds if self._load_seconds is None else (self._load_seconds + seconds) / 2

    def shifted(self, time: float, source: int, target: int, *, free: bool) -> None:
        """A shift was decided on; `free` ones don't count for the budget."""
        if not free:
            self._forget(time)  # where nothing grows, nobody asks for the budget, and they would pile up
            self._shifts.append(time)
        if target > source:
            self._up = (time, target)
        elif self._up is not None:
            at, rank = self._up
            self._up = None
            if source == rank and time - at < USUAL:
                self._strikes, self._struck_at = self._struck(time) + 1, time

    def _struck(self, time: float) -> float:
        return self._strikes * 0.5 ** ((time - self._struck_at) / _FORGOTTEN) if self._strikes else 0.0

    def in_budget(self, time: float) -> bool:
        self._forget(time)
        return len(self._shifts) + _PAYS_FOR <= self._settings.max_shifts_per_hour

    def _forget(self, time: float) -> None:
        shifts = self._shifts
        while shifts and shifts[0] <= time - _HOUR:
            shifts.popleft()

    def wait(self, outlook: Outlook, source: int, target: int) -> float:
        """Seconds for which `target` must have had room before a shift to it from `source` is worth it."""
        earned = self._break_even(outlook, source, target)
        if self._settings.stabilisation != ADAPTIVE:
            expected = USUAL * 0.5 ** self._struck(outlook.time)
            return max(float(self._settings.stabilisation), earned if earned > expected else 0.0)
        known = all(
            seen is not None and seen.margins[1] is not None
            for seen in map(outlook.pools.get, self._rungs[target].need)
        )
        base = max(LEAST, earned) if known else max(USUAL, earned)
        return max(LEAST, min(base * 2.0 ** self._struck(outlook.time), max(_MOST, earned)))

    def pays(self, outlook: Outlook, source: int, target: int, seconds: float) -> bool:
        """Would a shift to `target` be worth it for so many seconds?"""
        return seconds >= self._break_even(outlook, source, target)

    def _break_even(self, outlook: Outlook, source: int, target: int) -> float:
        """Seconds of the better quality that make up for both shifts."""
        now = self._quality[source] if source >= 0 else 0.0  # of what is not on the ladder nothing is known
        then = self._quality[target]
        load = self._settings.horizon if self._load_seconds is None else self._load_seconds
        gap = 0.0 if source < 0 or self._fit_together(outlook, source, target) else load * now
        back = load * then
        return (gap + back) / (then - now)

    def _fit_together(self, outlook: Outlook, source: int, target: int) -> bool:
        """Can the target be loaded beside what is there, so that nothing is without an answer meanwhile?"""
        for name, need in self._rungs[target].need.items():
            seen = outlook.pools.get(name)
            held = self._rungs[source].need.get(name, 0)
            if seen is None or seen.external + held + need > self._settings.limit(name, seen.pool.total):
                return False
        return True
