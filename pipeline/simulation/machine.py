"""A machine in virtual time that obeys decisions as the switcher of models does."""

import math
from collections.abc import Callable, Generator, Sequence

import msgspec

from ..rungs import Residency, Rung
from ..samples import Sample
from ..words import Decision
from .leads import Leads
from .memory import Memory, held, together
from .meter import Meter
from .policies import Policy
from .replies import Replies, Request
from .result import Moment, Shift

UNLOAD = 0.04  # seconds until the memory of a worker that exits is back
_ROUNDS = 1000  # decisions at one moment, after which a policy is taken to go round in circles


class Machine:
    """Samples and requests in, in the order of their times; a policy's decisions are carried out in between.

    One action at a time, the latest decision wins. `current` answers, `coming` is being loaded, `going` unloaded; all
    three hold memory.
    """

    def __init__(
        self,
        ladder: Sequence[Rung],
        policy: Policy,
        *,
        limit: Callable[[str, int], float],
        ceiling: float,
        load_seconds: Callable[[Rung], float],
        tokens_per_second: float,
        kill_after: float,
    ) -> None:
        self._rungs = {rung.name: rung for rung in ladder}
        self._policy, self._load_seconds, self._kill_after = policy, load_seconds, kill_after
        self.memory, self.meter, self.leads = Memory(limit, ceiling), Meter(ladder), Leads(self._rungs)
        self.replies = Replies(tokens_per_second)
        self.current: Rung | None = None
        self.coming: Rung | None = None
        self.going: Rung | None = None
        self.kills = 0
        self.shifts: list[Shift] = []
        self.decisions: list[Decision] = []
        self.timeline: list[Moment] = []
        self.residencies: list[Residency] = []
        self._now: float | None = None
        self._waiting: Decision | None = None
        self._action: Generator[float, None, None] | None = None
        self._until = math.inf  # the action under way goes on then, or, while it drains, when no reply is in progress
        self._draining = self._begun = False
        self._short_since: dict[str, float] = {}
        self._kill_at = math.inf

    @property
    def answering(self) -> Rung | None:
        """What can reply; nothing while an immediate decision waits for its turn."""
        halted = self._waiting is not None and self._waiting.urgency == "immediate"
        return None if halted else self.current

    def sample(self, sample: Sample) -> None:
        """Others hold this much from now on."""
        if self._now is None and math.isfinite(sample.time):
            self._now = sample.time
        self._run_to(sample.time)
        self.memory.read(sample.pools)
        self._weigh()
        self.leads.look(self.memory, self._clock)
        rung = self.current.name if self.current is not None else None
        self.timeline.append(Moment(self._clock, self.memory.pools(), rung, self.answering is not None))
        seen = msgspec.structs.replace(sample, pools=self.memory.seen(sample.pools))
        self._obey(self._policy.sample(seen))
        self._settle()

    def request(self, request: Request) -> None:
        """Somebody asks."""
        self._run_to(request.time)
        self.replies.ask(request)
        self._obey(self._policy.request(max(request.time, self._clock) if self._now is not None else request.time))
        self._settle()

    @property
    def _clock(self) -> float:
        return 0.0 if self._now is None else self._now

    def _run_to(self, time: float) -> None:
        """Let time pass, with all that ends or begins on the way. A step back in time, or to nowhere, is none."""
        if self._now is None or not self._now <= time < math.inf:
            return
        while (due := min(self._until, self.replies.ends, self._kill_at)) <= time:
            if self.replies.ends <= due:
                self._pass_to(due)
                self.replies.end()
            elif self._until <= due:
                self._pass_to(due)
            elif due < time:
                self._pass_to(due)
                self._kill()
            else:
                break  # short of memory for just so long, and not longer
            self._settle()
        self._pass_to(time)

    def _pass_to(self, time: float) -> None:
        if time > self._clock:
            self.meter.add(
                time - self._clock,
                answering=self.answering,
                above=self.memory.above,
                short=bool(self.memory.short),
                waiting=self.replies.waiting,
            )
            self._now = time

    def _settle(self) -> None:
        """Go on with the action under way, else take up the latest decision, until only time can help."""
        if self._now is None:
            return
        for _ in range(_ROUNDS):
            if self._action is not None and self._can_go_on():
                self._step()
            elif self._action is None and self._waiting is not None:
                decision, self._waiting = self._waiting, None
                self._weigh()  # what has just gone makes room for what comes
                self._action = self._act(decision)
                self._step()
            else:
                break
        else:
            raise RuntimeError(
                f"the policy made {_ROUNDS} decisions at {self._clock} s, and each led to the next; let it decide once"
                f" for each residency; the last was {self.decisions[-1]!r}"
            )
        if self.answering is not None and not self._draining:
            self.replies.start(self._clock)
        self._weigh()

    def _can_go_on(self) -> bool:
        if self._draining:
            return not self.replies.running or self._waiting is not None
        return self._until <= self._clock or self._must_stop_loading()

    def _must_stop_loading(self) -> bool:
        return self.coming is not None and self._waiting is not None and self._waiting.urgency == "immediate"

    def _step(self) -> None:
        assert self._action is not None
        self._until = math.inf
        try:
            self._until = self._clock + next(self._action)
        except StopIteration:
            self._action = None

    def _act(self, decision: Decision) -> Generator[float, None, None]:
        """Carry out a decision. Yields the seconds that each part takes, infinitely many to wait for a reply's end."""
        began, target = self._clock, self._rung(decision.target)
        if target is self.current:
            self._tell()
            return
        self._tell(state="shifting")
        if (
            self.current is not None
            and target is not None
            and decision.urgency == "planned"
            and self.memory.fits_beside(target)
        ):
            loaded = yield from self._loaded(target)
            if not (loaded and (yield from self._drained(decision))):
                yield from self._drop()
                return  # the newer decision tells how it goes on
            self.going, self.current, self.coming = self.current, target, None
            yield from self._leave()
        else:
            if self.current is not None:
                if not (yield from self._drained(decision)):
                    return
                self.going, self.current = self.current, None
                yield from self._leave()
            if target is not None:
                if not (yield from self._loaded(target)):
                    yield from self._drop()
                    return
                self.current, self.coming = target, None
        self._shifted(decision, began)
        self._tell(seconds=self._clock - began)

    def _loaded(self, target: Rung) -> Generator[float, None, bool]:
        """Load beside whatever is there. False when an immediate decision ended the worker that was loading."""
        self.coming, seconds = target, self._load_seconds(target)
        ends = self._clock + seconds
        yield seconds
        return self._clock >= ends

    def _drained(self, decision: Decision) -> Generator[float, None, bool]:
        """Wait until no reply is in progress. False when a newer decision came first."""
        if decision.urgency == "immediate":
            self.replies.brake(self._clock)
        self._draining = True
        yield math.inf
        self._draining = False
        return self._waiting is None

    def _drop(self) -> Generator[float, None, None]:
        """Give up what is being loaded, or has just been."""
        self.going, self.coming = self.coming, None
        yield from self._leave()

    def _leave(self) -> Generator[float, None, None]:
        yield UNLOAD
        self.going = None

    def _shifted(self, decision: Decision, began: float) -> None:
        if self._begun:
            self.shifts.append(Shift(decision, began, self._clock))
        self._begun = True

    def _obey(self, decision: Decision | None) -> None:
        """Put a decision in line, in the place of an older one that still waits."""
        if decision is None:
            return
        self._rung(decision.target)
        self.decisions.append(decision)
        self.leads.decided(decision, self.memory, self._clock)
        self._waiting = decision
        if decision.urgency == "immediate":
            self.replies.brake(self._clock)

    def _rung(self, name: str | None) -> Rung | None:
        if name is not None and name not in self._rungs:
            raise ValueError(f"a decision for {name!r}, which is not on the ladder; its rungs are {list(self._rungs)}")
        return None if name is None else self._rungs[name]

    def _tell(self, *, state: str = "", failed: str | None = None, seconds: float = 0.0) -> None:
        rung = self.current.name if self.current is not None else None
        state = state or ("ready" if rung is not None else "empty")
        residency = Residency(self._clock, state, rung, failed, seconds)
        self.residencies.append(residency)
        self._obey(self._policy.residency(residency))

    def _kill(self) -> None:
        """Memory has been short for too long: what is being loaded goes, else what is loaded, and the action fails."""
        failed = self.coming or self.current
        assert failed is not None
        if self.coming is None:
            self.replies.brake(self._clock)
            self.current = None
        self.kills += 1
        self.coming = self._action = None
        self._until = self._kill_at = math.inf
        self._draining = False
        self._short_since.clear()
        self._tell(failed=failed.name)

    def _weigh(self) -> None:
        """Add up what is held of ours now."""
        own: dict[str, int] = {}
        if self.coming is not None:
            own = together(own, held(self.coming, self.coming.context))
        if self.going is not None:
            own = together(own, held(self.going, 0))
        if self.current is not None:
            own = together(own, held(self.current, self.replies.tokens(self._clock)))
        self.memory.hold(own)
        self._watch()

    def _watch(self) -> None:
        """When the model is going to be killed, should memory stay as short as it is."""
        if not self.memory.short and not self._short_since:
            return
        self._short_since = {pool: self._short_since.get(pool, self._clock) for pool in self.memory.short}
        since = min(self._short_since.values(), default=math.inf)
        leaving = self.going is not None or (self.coming is None and self.current is None)
        self._kill_at = math.inf if leaving else max(self._clock, since + self._kill_after)
