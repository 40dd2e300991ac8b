"""Who is let in, and what is read of a body: told by raw requests, as OpenAI's client makes none of these."""

import asyncio
import http.client
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from gearshift.models import Ladder
from gearshift.models.serving import create_app
from gearshift.models.serving.running import listening, place

from tests.models.answering import words
from tests.models.machine import Machine
from tests.models.serving.served import HELLO, Gate, Served, ask, gated
from tests.waiting import until

LIMIT = 4096
GOOD = json.dumps({"model": "gearshift", "messages": HELLO, "max_tokens": 3})
JSON = {"content-type": "application/json"}


@pytest.fixture
def served(machine: Machine) -> Iterator[Served]:
    with Served(machine, body_limit=LIMIT, hosts=("localhost", "127.0.0.1")) as served:
        yield served


def request(
    served: Served, body: Any = GOOD, *, method: str = "POST", path: str = "/v1/chat/completions", **headers: str
) -> tuple[int, Any, dict[str, str]]:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, path, body, {**JSON, **named}, encode_chunked=not isinstance(body, (str, bytes)))
    response = connection.getresponse()
    content = response.read()
    connection.close()
    told = {name.lower(): value for name, value in response.getheaders()}
    return response.status, json.loads(content) if "json" in told.get("content-type", "") else content, told


@pytest.mark.parametrize("name", ["evil.example", "evil.example:8321", "", "127.0.0.1.evil.example", "[::1"])
def test_a_name_that_a_web_page_may_have_pointed_here_is_refused(served: Served, name: str) -> None:
    status, told, _ = request(served, host=name)
    assert status == 403 and told["error"]["code"] == "host_not_allowed"
    assert "--allow-host" in told["error"]["message"]


def test_its_own_names_are_taken_with_any_port(served: Served) -> None:
    assert [request(served, host=name)[0] for name in ("localhost", "LOCALHOST:1", "127.0.0.1:80")] == [200] * 3


def test_no_web_page_may_read_it_unless_its_origin_is_named(machine: Machine, served: Served) -> None:
    preflight = {"origin": "https://a.example", "access_control_request_method": "POST"}
    assert request(served, method="OPTIONS", **preflight)[0] == 405
    assert "access-control-allow-origin" not in request(served, origin="https://a.example")[2]
    with Served(machine, origins=["https://a.example"], key="secret") as other:
        status, _, told = request(other, method="OPTIONS", **preflight)
        assert (status, told["access-control-allow-origin"]) == (200, "https://a.example")
        found = request(other, origin="https://a.example", authorization="Bearer secret")[2]
        assert found["access-control-allow-origin"] == "https://a.example"
        assert request(other, method="OPTIONS", **{**preflight, "origin": "https://b.example"})[0] == 400


def test_a_key_lets_in_only_those_who_have_it(machine: Machine) -> None:
    with Served(machine, key="secret") as served:
        for given in ("Bearer wrong", "Bearer", "Basic secret", "Bearer secret2", "Bearer s\xe9cret", "secret"):
            status, told, headers = request(served, authorization=given)
            assert (status, headers["www-authenticate"]) == (401, "Bearer"), given
            assert told["error"]["code"] == "invalid_api_key" and "secret" not in json.dumps(told)
        assert request(served)[0] == 401 and request(served, method="GET", path="/v1/models")[0] == 401
        assert request(served, method="GET", path="/health")[:2] == (200, {"status": "ok"})
        assert request(served, authorization="bearer secret")[0] == 200
        with served.client(api_key="wrong") as client, pytest.raises(openai.AuthenticationError, match="key is wrong"):
            ask(client)
        with served.client(api_key="secret") as client:
            assert ask(client).choices[0].message.content == words(4)


@pytest.mark.parametrize("key", ["", "two words", "schlüssel", "line\n"])
def test_a_key_that_no_header_can_hold_is_refused_without_telling_it(machine: Machine, key: str) -> None:
    with pytest.raises(ValueError, match="visible ASCII") as error:
        create_app(machine.manager, key=key)
    assert not key.strip() or key.strip() not in str(error.value)


def test_a_body_that_is_too_large_is_told_so_to_the_client(served: Served) -> None:
    with served.client() as client, pytest.raises(openai.APIStatusError, match=f"longer than {LIMIT} bytes") as error:
        ask(client, messages=[{"role": "user", "content": "x" * 10 * LIMIT}])
    assert error.value.status_code == 413


def test_a_body_in_chunks_is_measured_as_it_comes(served: Served) -> None:
    assert request(served, (b"x" * 1000 for _ in range(10)))[:1] == (413,)
    assert request(served, (GOOD[i : i + 7].encode() for i in range(0, len(GOOD), 7)))[0] == 200


def test_a_body_without_end_is_not_read_to_its_end(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), 60) as raw:
        raw.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: 1000000000000\r\n\r\n"
        )
        assert raw.recv(1 << 16).startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("", "can't be read as JSON"),
        ("{", "can't be read as JSON"),
        ('{"model": NaN}', "can't be read as JSON"),
        (f'{{"seed": 1{"0" * 3000}}}', "missing required field `model`"),
        ("[" * LIMIT, "can't be read as JSON"),
        (b'{"model": "\xff"}', "can't be read as JSON"),
        ('{"model": "\\ud800"}', "can't be read as JSON"),
        ("[]", "must be a JSON object, got list"),
        ("null", "must be a JSON object, got NoneType"),
        ('{"model": "gearshift"}', "missing required field `messages`"),
        (GOOD.replace("3", "1" + "0" * 30), "max_tokens=1000"),
        (GOOD.replace("3", "1.5"), "max_tokens=1.5"),
        (GOOD.replace("3", "true"), "max_tokens=True"),
        (GOOD.replace('"max_tokens"', '"a\\u0000\\ud83d\\ude00"'), "is no field of a request"),
    ],
)
def test_json_that_cannot_be_used_is_a_bad_request(served: Served, body: Any, told: str) -> None:
    status, found, _ = request(served, body)
    assert status == 400 and told in found["error"]["message"]
    assert set(found["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "multipart/form-data"])
def test_what_a_form_of_a_web_page_can_send_is_refused(served: Served, kind: str) -> None:
    status, told, _ = request(served, **{"content-type": kind})
    assert status == 400 and "must be application/json" in told["error"]["message"]
    assert request(served, **{"content-type": "Application/JSON; charset=utf-8"})[0] == 200


def test_paths_and_methods_that_are_not_there_are_told_in_the_same_shape(served: Served) -> None:
    for method, path, status in (("GET", "/", 404), ("GET", "/v1/chat/completions", 405), ("POST", "/v1/nothing", 404)):
        found, told, _ = request(served, method=method, path=path)
        assert found == status and "/v1/chat/completions" in told["error"]["message"]
    assert request(served, method="GET", path="/docs")[0] == 404


def test_health_says_whether_a_rung_is_loaded(ladder: Ladder) -> None:
    machine = Machine(ladder)
    with Served(machine) as served:
        assert request(served, method="GET", path="/health")[:2] == (503, {"status": "no rung is loaded"})
        machine.load()
        assert request(served, method="GET", path="/health")[:2] == (200, {"status": "ok"})
    machine.manager.shutdown()


def test_the_log_has_a_line_for_each_request_and_no_word_of_it(
    served: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "gearshift.serving")
    request(served, GOOD.replace("Hello", "private"), path="/v1/chat/completions?q=private")
    _, _, headers = request(served, path="/v1/%1b%5B31m%0Aforged")
    until(lambda: len(caplog.messages) == 2)
    first, second = caplog.messages
    assert "POST /v1/chat/completions 200 " in first and "(large, 3 tokens, length)" in first
    assert "private" not in first and "word0" not in first
    assert "\x1b" not in second and "\n" not in second and second.endswith(headers["x-request-id"])


def test_a_request_whose_head_does_not_come_is_not_waited_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gearshift.models.serving.promptness.HEAD", 0.5)
    head = b"GET /health HTTP/1.1\r\nhost: localhost\r\n"
    with Served(machine) as served:
        for before, begun in ((b"", b""), (b"", head), (head + b"\r\n", head)):
            with socket.create_connection(("127.0.0.1", served.port), 60) as raw:
                seen = b""
                if before:  # one that was answered, on the same connection
                    raw.sendall(before)
                    while not seen.endswith(b"}"):
                        seen += raw.recv(1 << 16)
                raw.sendall(begun)
                while piece := raw.recv(1 << 16):
                    seen += piece
            assert seen.count(b"HTTP/1.1 200 ") == (1 if before else 0)


def test_a_reply_may_take_longer_than_a_head(ladder: Ladder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gearshift.models.serving.promptness.HEAD", 0.3)
    gate = Gate(shut=2)
    machine = gated(ladder, gate)
    threading.Timer(1.0, gate.open).start()
    with Served(machine) as served, served.client(max_retries=0) as client:
        assert ask(client).choices[0].message.content == words(4)
    machine.manager.shutdown()


def test_it_is_mounted_into_an_app_of_ones_own(machine: Machine) -> None:
    import fastapi

    mine = fastapi.FastAPI()
    mine.mount("/llm", create_app(machine.manager, key="secret"))
    with Served(machine, mine) as served:
        assert request(served, method="GET", path="/llm/health")[0] == 200
        assert request(served, path="/llm/v1/chat/completions")[0] == 401
        with openai.OpenAI(base_url=f"{served.url}/llm/v1", api_key="secret") as client:
            assert ask(client).choices[0].message.content == words(4)


def test_answers_are_sent_at_once_and_not_held_back_for_an_acknowledgement() -> None:
    async def held_back() -> int:
        server = await asyncio.start_server(accepted, sock=listening(place("127.0.0.1", 0)))
        with socket.create_connection(server.sockets[0].getsockname()[:2]):
            told = await options.get()
        server.close()
        return told

    async def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        options.put_nowait(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    options: asyncio.Queue[int] = asyncio.Queue()
    assert asyncio.run(held_back()) != 0
