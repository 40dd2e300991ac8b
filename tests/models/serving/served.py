"""The app over a scripted machine, on a socket of its own, and OpenAI's client for it."""

import threading
from types import TracebackType
from typing import Any

import openai
import uvicorn
from gearshift.models import Ladder
from gearshift.models.replies.generation import Brake
from gearshift.models.serving import create_app
from gearshift.models.serving.running import configured, listening, place
from gearshift.models.testing import FakeModels

from tests.models.machine import Machine
from tests.waiting import until

HELLO: list[Any] = [{"role": "user", "content": "Hello"}]


def brakes(machine: Machine) -> list[Brake]:
    """Of the replies that are being written."""
    return [lease.brake for lease in machine.manager._switcher._leases.on()]


class Gate:
    """Lets words pass until `shut`, and then after `open`. passed: how many asked to."""

    def __init__(self, shut: int | None = None) -> None:
        self.passed, self._shut, self._open = 0, shut, threading.Event()

    def __call__(self) -> None:
        self.passed += 1
        if self._shut is not None and self.passed > self._shut:
            assert self._open.wait(60)

    @property
    def reached(self) -> bool:
        """A word waits at it."""
        return self._shut is not None and self.passed > self._shut

    def open(self) -> None:
        self._open.set()


class Served:
    """An app, by default `create_app` over the machine's manager, served by uvicorn in a thread."""

    def __init__(self, machine: Machine, app: Any = None, **more: Any) -> None:
        self._listener = listening(place("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._server = uvicorn.Server(configured(app or create_app(machine.manager, **more), patience=5))
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._listener]})

    def __enter__(self) -> "Served":
        self._thread.start()
        until(lambda: self._server.started)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None):
        self._server.should_exit = self._server.force_exit = True
        self._thread.join(60)
        assert not self._thread.is_alive()

    def client(self, **more: Any) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", **{"api_key": "unused", **more})


def gated(ladder: Ladder, gate: Gate, **more: Any) -> Machine:
    machine = Machine(ladder, FakeModels(gate=gate), more=more)
    machine.load()
    return machine


def ask(client: openai.OpenAI, tokens: int = 4, **more: Any) -> Any:
    return client.chat.completions.create(
        **{"model": "gearshift", "messages": HELLO, "max_completion_tokens": tokens, **more}
    )


def text_of(stream: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
