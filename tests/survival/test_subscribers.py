"""Subscribers that raise, block or call back in: all else goes on, and so do the other subscribers."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from gearshift.models import ModelManager, Options, ShutDown
from gearshift.models.testing import FakeHost, FakeModels, fake_ladder
from gearshift.pipeline import ProactiveScaler, Settings
from gearshift.pipeline.testing import rungs_of

from tests.waiting import until

QUICK = Settings(interval=0.01, fastest=0.01, settle=0, high=0.97, critical=0.98)
TWO = Options(max_new_tokens=2)
DEADLINE = 60.0
OF_SCALER = ("samples", "outlooks", "decisions", "asked")
OF_MANAGER = ("decisions", "residencies", "outcomes", "notices", "replies")
SIZES = {"large": 3 << 20, "medium": 2 << 20, "small": 1 << 20}


class App:
    """A manager of this machine's samples over fakes, and the means to make it shift."""

    def __init__(self, folder: Path) -> None:
        self.host = FakeHost(FakeModels())
        self.manager = ModelManager(fake_ladder(folder / "rungs", **SIZES), QUICK, host=self.host, cache=folder)
        self.told: dict[str, list[Any]] = {}

    def stream(self, name: str) -> Any:
        return getattr(self.manager if name in OF_MANAGER else self.manager.scaler, name)

    def listen(self, name: str) -> list[Any]:
        self.told[name] = told = []
        self.stream(name).subscribe(told.append)
        return told

    def stir(self) -> None:
        """Something to tell on every stream: a reply, a shift down, and a notice of it. Raises ShutDown."""
        self.manager.respond("Hello.", options=TWO)
        self.manager.scaler.initiate_graceful_degradation("a test", immediate=True)
        self.manager.respond("And now?", options=TWO)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gearshift.pipeline.teller.PATIENCE", 0.3)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    made = App(tmp_path)
    yield made
    made.manager.shutdown()


@pytest.mark.parametrize("name", ["samples", "outlooks", "asked", *OF_MANAGER])
def test_one_that_blocks_holds_up_no_sample_decision_shift_or_reply_and_no_other_subscriber(
    app: App, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    entered, go, late = threading.Event(), threading.Event(), list[Any]()

    def block(item: Any) -> None:
        entered.set()
        go.wait(DEADLINE)
        late.append(item)

    app.stream(name).subscribe(block)
    others = {each: app.listen(each) for each in {*OF_SCALER, *OF_MANAGER}}
    try:
        app.stir()
        until(entered.is_set)
        until(lambda: all(others.values()))
        seen = len(others["samples"])
        until(lambda: len(others["samples"]) > seen + 20)
        assert app.manager.respond("Are you there?", options=TWO) == "word0 word1 "
        until(lambda: len(others["replies"]) == 3)
    finally:
        go.set()
    first, count = others[name][0], len(others[name])
    until(lambda: first in late and len(late) >= late.index(first) + count)
    met = late.index(first)
    assert late[met : met + count] == others[name][:count], "what came meanwhile, it gets afterwards, in order"
    assert "a subscriber has not returned for 0.3 s" in caplog.text


@pytest.mark.parametrize("name", ["samples", "outlooks", "asked", *OF_MANAGER])
def test_one_that_raises_is_dropped_and_nothing_else_is(app: App, name: str, caplog: pytest.LogCaptureFixture) -> None:
    raised: list[Any] = []

    def refuse(item: Any) -> None:
        raised.append(item)
        raise RuntimeError("a subscriber's own")

    app.stream(name).subscribe(refuse)
    told = app.listen(name)
    app.stir()
    until(lambda: told)
    assert app.manager.respond("Are you there?", options=TWO) == "word0 word1 "
    until(lambda: raised)
    assert len(raised) == 1 and "a subscriber raised and was dropped" in caplog.text


def _asks(app: App) -> Any:
    return app.manager.respond("From inside.", "inside", options=TWO)


def _degrades(app: App) -> Any:
    app.manager.scaler.initiate_graceful_degradation("from inside", immediate=True)
    return app.manager.scaler.check_preflight_resources()


def _listens(app: App) -> Any:
    told: list[Any] = []
    app.manager.scaler.samples.subscribe(told.append)
    until(lambda: told)  # another thread goes on with the others meanwhile
    return told


def _shuts_down(app: App) -> Any:
    app.manager.shutdown()
    return True


@pytest.mark.parametrize("deed", [_asks, _degrades, _listens, _shuts_down])
@pytest.mark.parametrize("name", ["samples", "outlooks", "asked", *OF_MANAGER])
def test_one_may_call_back_in(app: App, name: str, deed: Callable[[App], Any]) -> None:
    came: list[Any] = []
    once = threading.Lock()

    def call(_: Any) -> None:
        if once.acquire(blocking=False):
            came.append(deed(app))

    app.manager.respond("Hello.", options=TWO)
    app.stream(name).subscribe(call)
    with suppress(*(ShutDown,) if deed is _shuts_down else ()):
        app.stir()
    until(lambda: came)
    assert came[0]


def test_after_a_shutdown_no_thread_is_left_but_one_that_a_subscriber_blocks(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    app, entered, go = App(tmp_path), threading.Event(), threading.Event()

    def block(_: Any) -> None:
        entered.set()
        go.wait(DEADLINE)

    app.stream("outcomes").subscribe(block)
    app.stir()
    until(entered.is_set)
    ending = threading.Thread(target=app.manager.shutdown)
    ending.start()
    ending.join(30)
    assert not ending.is_alive(), "the shutdown waits for a subscriber"
    left = set(threading.enumerate()) - before - {ending}
    assert {thread.name for thread in left} <= {"gearshift-teller", "gearshift-notice"}
    go.set()
    until(lambda: set(threading.enumerate()) - {ending} <= before)


def test_a_stop_of_a_scaler_does_not_wait_for_one_that_blocks_for_longer_than_seconds() -> None:
    before = set(threading.enumerate())
    scaler, entered, go = ProactiveScaler(rungs_of(500, 300, 100), QUICK), threading.Event(), threading.Event()

    def block(_: Any) -> None:
        entered.set()
        go.wait(DEADLINE)

    scaler.samples.subscribe(block)
    others: list[Any] = []
    scaler.samples.subscribe(others.append)
    with scaler:
        until(lambda: entered.is_set() and len(others) > 5)
    assert {thread.name for thread in set(threading.enumerate()) - before} == {"gearshift-teller"}
    go.set()
    until(lambda: set(threading.enumerate()) <= before)
