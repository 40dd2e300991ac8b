"""One decision at a time, carried out: what leaves, what comes, and in which order."""

import logging
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ...pipeline.settings import Settings
from ...pipeline.words import Decision
from ..ladders.ladder import Ladder, ModelSpec
from .leases import Leases, Loaded
from .loads import Failure, Loads
from .orders import Orders
from .outcomes import Account, Outcome, Told
from .room import Needs, Room, Short

log = logging.getLogger("gearshift.models")

_FORGIVEN = 60.0  # seconds between two losses


class End(NamedTuple):
    """How an action ended; `failed` is told with what is loaded then."""

    kind: str
    reason: str = ""
    failed: str | None = None


_SUPERSEDED = End("superseded")


class Acting:
    """Everything here runs on the switcher's thread."""

    def __init__(
        self,
        ladder: Ladder,
        leases: Leases,
        orders: Orders,
        loads: Loads,
        needs: Needs,
        room: Room,
        told: Told,
        settings: Settings,
        *,
        keep: str | None,
        finish_tokens: int,
        mark: Callable[[str | None], None],
        clock: Callable[[], float],
    ) -> None:
        self._ladder, self._leases, self._orders, self._loads = ladder, leases, orders, loads
        self._needs, self._room, self._told, self._settings = needs, room, told, settings
        self._keep, self._finish_tokens, self._mark, self._clock = keep, finish_tokens, mark, clock
        self._specs = {spec.name: spec for spec in ladder}
        self._last_lost = float("-inf")  # the ladder's last rung

    def act(self, decision: Decision) -> None:
        """Carry it out, and tell how that ended."""
        account = Account(decision, self._clock)
        try:
            end = self._carry_out(account)
        except Exception as error:
            log.exception("carrying out %s failed", decision.explain())
            end = End("failed", f"{type(error).__name__}: {error}", decision.target)
        self._sweep(account)
        self.take_in_losses("shifting")
        if end.kind != "superseded":  # the newer decision tells how it goes on
            done = end.kind in ("loaded", "handed over", "unloaded")
            self._mark(self._leases.rung)
            self._told.residency(failed=end.failed, seconds=account.seconds if done else 0.0, need=account.need)
        if end.kind == "failed":
            log.error("could not shift to %s: %s", decision.target, end.reason)
        self._told.outcome(account.outcome(end.kind, end.reason))

    def take_in_losses(self, state: str = "") -> None:
        """Tell what was lost since; a loss of what answered leaves what is kept, or nothing."""
        for loss in self._orders.losses():
            assert loss.loaded is not None
            self._loads.unload(loss.loaded)
            reason = f"{loss.name} was lost: {loss.reason}"
            log.error(reason)
            if not loss.current:
                continue
            self._mark(self._leases.rung)
            self._told.residency(state, failed=None if self._forgiven(loss.name) else loss.name)
            self._told.outcome(Outcome("failed", loss.loaded.decision, self._clock(), reason=reason, lost=True))

    def _forgiven(self, name: str) -> bool:
        """There is nothing below the last rung, so it is tried again at once, unless it is lost over and over."""
        if name != self._ladder[-1].name:
            return False
        before, self._last_lost = self._last_lost, self._clock()
        return self._last_lost - before > _FORGIVEN

    def _carry_out(self, account: Account) -> End:
        decision, leases = account.decision, self._leases
        if decision.target == leases.rung:
            return End("skipped", "it is what is loaded" if decision.target is not None else "nothing is loaded")
        self._told.residency("shifting")
        if decision.target is None:
            return End("unloaded") if self._leave(account, self._loads.all()) else _SUPERSEDED
        spec = self._specs.get(decision.target)
        if spec is None:
            names = ", ".join(self._specs)
            return End("failed", f"{decision.target!r} is not on the ladder; its rungs are {names}", decision.target)
        if leases.kept is not None and leases.kept.name == spec.name:
            return self._hand_over(account, leases.kept)
        return self._shift(account, spec)

    def _shift(self, account: Account, spec: ModelSpec) -> End:
        decision, share = account.decision, self._share(account.decision, spec)
        leaving, short = self._leaving(decision, spec, share)
        if short is not None:
            there = self._leases.current
            left = decision.kind != "upgrade" and there is not None and self._room.critical(there)
            if left and not self._leave(account, self._going()):
                return _SUPERSEDED
            return self._skipped(spec, short)
        if leaving or decision.urgency == "immediate":
            expected = self._room.leaving(leaving)
            if not self._leave(account, leaving):
                return _SUPERSEDED
            with account.timed("unload"):
                short = self._room.back(expected, spec, share, self._wait, self._clock)
            if self._orders.elsewhere(spec.name):
                return _SUPERSEDED
            if short is not None:
                return self._skipped(spec, short)
        return self._load(account, spec, beside=bool(self._going()))

    def _leaving(
        self, decision: Decision, spec: ModelSpec, share: float | None
    ) -> tuple[Sequence[Loaded], Short | None]:
        """What goes before `spec` comes, as little as will do; and why none of that would do."""
        there, going = self._loads.all(), self._going()
        if decision.urgency == "immediate":
            return going, None
        ways: list[Sequence[Loaded]] = [()]
        if going:
            ways.append(going)
        if len(there) > len(going) and decision.kind == "upgrade":
            ways.append(there)
        short = None
        for leaving in ways:
            staying = [each for each in there if each not in leaving] if leaving else None
            beside = not leaving and bool(there)
            short = self._room.short(spec, share=None if beside else share, staying=staying)
            if short is None:
                return leaving, None
        return (), short

    def _share(self, decision: Decision, spec: ModelSpec) -> float | None:
        """What may be in use with it: growth stays under `high`, and a last resort under `critical`."""
        last = spec.name == self._ladder[-1].name
        return self._settings.critical if last or decision.kind == "downgrade" else None

    def _going(self) -> list[Loaded]:
        """All that a shift leaves: what is loaded and not to be kept."""
        return [each for each in self._loads.all() if each is not self._leases.kept]

    @staticmethod
    def _skipped(spec: ModelSpec, short: Short) -> End:
        # decisions go by what a rung takes once loaded: where that fits, they would ask for it again and again
        return End("skipped", short.reason, spec.name if short.passing else None)

    def _load(self, account: Account, spec: ModelSpec, *, beside: bool) -> End:
        orders = self._orders
        self._mark(self._better(spec))

        def unwanted() -> bool:
            return orders.elsewhere(spec.name) or (beside and orders.urgent)

        with account.timed("load"):
            made = self._loads.load(spec, account.decision, unwanted)
        if isinstance(made, Failure):
            if made.out_of_memory:
                account.need = self._needs.ran_out(spec).need
            elif unwanted():
                return _SUPERSEDED
            return End("failed", made.reason, spec.name)
        account.held, account.need = made.held, self._learn(made)
        if orders.elsewhere(spec.name):
            if not beside:
                self._set(made)
            return _SUPERSEDED
        return self._hand_over(account, made)

    def _hand_over(self, account: Account, new: Loaded) -> End:
        """New replies go to it at once; what was there before is unloaded when its last reply has ended."""
        decision = account.decision
        if not self._set(new):
            return End("failed", "it was lost as soon as it was loaded", new.name)
        going = [each for each in self._going() if each is not new]
        with account.timed("wait"):
            self._hurry(decision, going)
            if not self._leases.drained(going, unless=lambda: self._orders.pressing):
                self._leases.wind_up(going, self._finish_tokens)
                self._leases.drained(going)
        self._unload(account, going)
        return End("handed over" if decision.source is not None else "loaded")

    def _leave(self, account: Account, leaving: Sequence[Loaded]) -> bool:
        """Unload these once no reply holds them. False when a newer decision has come first, and all stays."""
        leases = self._leases
        with leases.changed:
            leases.draining = leases.draining or leases.current in leaving
        with account.timed("wait"):
            self._hurry(account.decision, leaving)
            drained = leases.drained(leaving, unless=lambda: self._orders.pressing)
        with leases.changed:
            leases.draining = False
            if drained and leases.current in leaving:
                leases.current = leases.kept if leases.kept not in leaving else None
            leases.changed.notify_all()
        if drained:
            self._unload(account, leaving)
        return drained

    def _hurry(self, decision: Decision, leaving: Sequence[Loaded]) -> None:
        """Growth can wait for replies; memory that runs short can't for long."""
        if decision.urgency == "immediate":
            self._leases.stop(leaving)
        elif decision.kind != "upgrade":
            self._leases.wind_up(leaving, self._finish_tokens)

    def _set(self, new: Loaded) -> bool:
        """Let it answer. False when it is gone already."""
        with self._leases.changed:
            if new.lost:
                return False
            self._leases.current, self._leases.draining = new, False
            if new.name == self._keep:
                self._leases.kept = new
            self._leases.changed.notify_all()
            return True

    def _unload(self, account: Account, leaving: Sequence[Loaded]) -> None:
        with account.timed("unload"):
            for each in leaving:
                account.add(self._loads.unload(each))

    def _sweep(self, account: Account) -> None:
        """What an action that did not end well has left beside what answers."""
        left = [each for each in self._going() if each is not self._leases.current]
        self._leases.drained(left)
        self._unload(account, left)

    def keep_one(self, decision: Decision) -> None:
        """Load what is to be kept beside what answers, when there is room and nothing more pressing."""
        leases = self._leases
        if self._keep is None or leases.kept is not None or leases.current is None or self._orders.pressing:
            return
        spec = self._specs[self._keep]
        if (short := self._room.short(spec)) is not None:
            log.info("%s is not kept loaded for now: %s", spec.name, short.reason)
            return
        made = self._loads.load(spec, decision, lambda: self._orders.elsewhere(spec.name))
        if isinstance(made, Failure):
            if made.out_of_memory:
                self._needs.ran_out(spec)
            log.warning("%s is not kept loaded, until the next shift: %s", spec.name, made.reason)
            return
        self._learn(made)
        with leases.changed:
            leases.kept = None if made.lost else made

    def _learn(self, made: Loaded) -> dict[str, int]:
        try:
            return self._needs.learn(made.spec, made.held).need
        except OSError:
            log.exception("what %s takes could not be remembered", made.name)
            return {}

    def _wait(self, seconds: float) -> bool:
        """False when they have passed; True at once when an immediate decision, or the end, can't wait for them."""
        with self._leases.changed:
            return self._leases.changed.wait_for(lambda: self._orders.urgent, seconds)

    def _better(self, spec: ModelSpec) -> str:
        """Of what is loaded and what is coming, the one higher up the ladder: it is what memory may run out with."""
        names = {spec.name, self._leases.rung}
        return next(each.name for each in self._ladder if each.name in names)
