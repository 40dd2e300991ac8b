"""A worker that hangs under a reply, real processes: it holds up nothing for long."""

import os
import signal
import threading

import psutil
import pytest
from gearshift.models import Ladder, ModelManager, Options
from gearshift.models.hosts.process import ProcessHost
from gearshift.models.replies.queueing import ShutDown
from gearshift.pipeline import Settings

from tests.models.machine import FOUR

WAIT = 60


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gearshift.models.replies.limits.STUCK", 0.5)


def manager(ladder: Ladder) -> ModelManager:
    return ModelManager(ladder, Settings(interval=0.1, high=0.98, critical=0.99), host=ProcessHost())


def hang_the_worker() -> None:
    (server,) = psutil.Process().children()
    (worker,) = server.children()
    os.kill(worker.pid, signal.SIGSTOP)


def test_an_immediate_shift_goes_on_and_the_reply_with_it(ladder: Ladder) -> None:
    with manager(ladder) as made:
        assert made.respond("Hello.", options=FOUR).rungs == ("large",)
        pieces: list[str] = []

        def take(piece: str) -> None:
            pieces.append(piece)
            if len(pieces) == 3:
                hang_the_worker()
                assert made.scaler.initiate_graceful_degradation("a test", immediate=True) is not None

        reply = made.respond("Tell me.", options=Options(max_new_tokens=200), on_text=take)
        assert reply == "".join(pieces) and reply.rungs == ("large", "medium")


def test_a_shutdown_ends_it_and_the_reply_keeps_its_words(ladder: Ladder) -> None:
    made, pieces, hung = manager(ladder), list[str](), threading.Event()
    assert made.respond("Hello.", options=FOUR).rungs == ("large",)

    def take(piece: str) -> None:
        pieces.append(piece)
        if len(pieces) == 3:
            hang_the_worker()
            hung.set()

    told: list[str] = []

    def ask() -> None:
        with pytest.raises(ShutDown) as ended:
            made.respond("Tell me.", options=Options(max_new_tokens=200), on_text=take)
        told.append(ended.value.partial)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    assert hung.wait(WAIT)
    ending = threading.Thread(target=made.shutdown, daemon=True)
    ending.start()
    ending.join(WAIT)
    asking.join(WAIT)
    assert not ending.is_alive() and told == ["".join(pieces)]
    assert made.history()[-1]["content"] == told[0] and psutil.Process().children(recursive=True) == []
