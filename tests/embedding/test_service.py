"""The service over real sockets: streams, two at once, a full queue, a client that leaves."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
import uvicorn
from gearshift.models import ModelManager

from .examples import PATIENCE, module, until


@pytest.fixture
def client(manager: ModelManager) -> Iterator[httpx.Client]:
    app = module("service").service(manager)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="warning", timeout_graceful_shutdown=5))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until(lambda: server.started or not thread.is_alive(), "the service")
        port = server.servers[0].sockets[0].getsockname()[1]
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
    assert not thread.is_alive()


@contextmanager
def asked(client: httpx.Client, message: str, conversation: str) -> Iterator[Iterator[tuple[str, Any]]]:
    with client.stream("POST", "/chat", json={"message": message, "conversation": conversation}) as response:
        assert response.status_code == 200
        yield events(response)


def events(response: httpx.Response) -> Iterator[tuple[str, Any]]:
    lines = response.iter_lines()
    for line in lines:
        if line.startswith("event: "):
            yield line.removeprefix("event: "), json.loads(next(lines).removeprefix("data: "))


def said(found: list[tuple[str, Any]]) -> str:
    return "".join(data["text"] for kind, data in found if kind == "text")


def test_two_clients_are_answered_whole_and_a_third_is_told_to_come_back(
    client: httpx.Client, manager: ModelManager
) -> None:
    with asked(client, "One", "a") as first:
        begun = next(first)
        with asked(client, "Two", "b") as second:
            third = client.post("/chat", json={"message": "Three", "conversation": "c"})
            assert third.status_code == 503 and third.headers["retry-after"] == "5"
            assert "1 replies wait and no more may" in third.json()["detail"]
            found = {"a": [begun, *first], "b": list(second)}
    for conversation, told in found.items():
        kind, end = told[-1]
        assert kind == "end" and end == {"rungs": ["large"], "degraded": False, "end": "length", "tokens": 256}
        assert said(told) == manager.history(conversation)[1]["content"]
    assert manager.history("c") == []


def test_a_client_that_leaves_stops_the_model_and_what_was_written_is_kept(
    client: httpx.Client, manager: ModelManager
) -> None:
    with asked(client, "One", "a") as told:
        next(told)
    until(lambda: manager.history("a"), "what had been written")
    kept = manager.history("a")[1]["content"]
    with asked(client, "One", "b") as told:
        whole = said(list(told))
    assert whole.startswith(kept) and 0 < len(kept) < len(whole)


def test_a_client_that_leaves_while_it_waits_gives_up_its_place(client: httpx.Client, manager: ModelManager) -> None:
    with asked(client, "One", "a") as first:
        next(first)
        with asked(client, "Two", "b"):
            pass
        rest = list(first)
    assert rest[-1][0] == "end"
    with asked(client, "Three", "c") as third:
        assert list(third)[-1][0] == "end"
    assert manager.history("b") == []


def test_what_can_not_be_answered_is_an_event_with_its_reason(client: httpx.Client) -> None:
    with asked(client, "x" * 4000, "a") as told:
        ((kind, data),) = told
    assert kind == "error" and "longer than the rung's context" in data["reason"]
    assert client.post("/chat", json={"message": "x" * 4001, "conversation": "a"}).status_code == 422


def test_the_state_tells_the_rung_and_what_users_should_know(client: httpx.Client, manager: ModelManager) -> None:
    until(lambda: client.get("/state").json()["rung"] == "large", "the first rung")
    manager.scaler.initiate_graceful_degradation("a test asks for it", immediate=True)
    until(lambda: client.get("/state").json()["notices"], "a notice")
    state = client.get("/state").json()
    assert state["rung"] == "small" and "small" in state["notices"][0]
