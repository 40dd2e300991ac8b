"""What OpenAI's client is told where there is no answer, or waits for one, or leaves before it."""

import json
import threading
from typing import Any

import openai
import pytest
from gearshift.models import Ladder
from gearshift.models.testing import FakeHost

from tests.models.answering import words
from tests.models.machine import TOTAL, Machine
from tests.models.serving.served import HELLO, Gate, Served, ask, brakes, gated, text_of
from tests.waiting import until


def test_a_stream_that_is_left_stops_the_model_and_the_next_is_answered(ladder: Ladder) -> None:
    gate = Gate(shut=3)
    machine = gated(ladder, gate)
    with Served(machine) as served, served.client() as client:
        stream = ask(client, 100_000, stream=True)
        assert next(chunk.choices[0].delta.content for chunk in stream if chunk.choices[0].delta.content) == "word0 "
        until(lambda: gate.reached)
        stream.close()
        until(lambda: any(brake.stopped for brake in brakes(machine)))
        gate.open()
        assert ask(client).choices[0].message.content == words(4)
    assert gate.passed < 1000
    machine.manager.shutdown()


def test_a_client_that_gives_up_on_a_whole_answer_stops_the_model_too(ladder: Ladder) -> None:
    gate = Gate(shut=3)
    machine = gated(ladder, gate)
    with Served(machine) as served, served.client(max_retries=0) as client:
        with pytest.raises(openai.APITimeoutError):
            ask(client, 100_000, timeout=1.0)
        until(lambda: any(brake.stopped for brake in brakes(machine)))
        gate.open()
        assert ask(client).choices[0].message.content == words(4)
    assert gate.passed < 1000
    machine.manager.shutdown()


def test_a_full_queue_is_told_with_a_time_to_ask_again_which_the_client_does(
    ladder: Ladder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "gearshift.serving")
    gate = Gate(shut=2)
    machine = gated(ladder, gate, queue=0)
    with Served(machine) as served, served.client() as patient, served.client(max_retries=0) as hasty:
        first = ask(hasty, stream=True)
        until(lambda: gate.reached)
        with pytest.raises(openai.RateLimitError, match="0 replies wait and no more may") as error:
            ask(hasty)
        assert error.value.response.headers["retry-after"] == "2" and error.value.code == "busy"
        got: list[Any] = []
        thread = threading.Thread(target=lambda: got.append(ask(patient)))
        thread.start()
        until(lambda: sum("completions 429 " in line for line in caplog.messages) == 2)
        gate.open()
        assert text_of(first) == words(4)
        thread.join(60)
    assert got[0].choices[0].message.content == words(4)
    machine.manager.shutdown()


def test_a_failure_in_mid_stream_is_an_error_and_what_came_stays_with_the_client(ladder: Ladder) -> None:
    gate = Gate(shut=3)
    machine = gated(ladder, gate)
    with Served(machine, timeout=2.0) as served, served.client() as client:
        got: list[str] = []
        with pytest.raises(openai.APIError, match=r"longer than its timeout of 2 s") as error:
            for chunk in ask(client, 9, stream=True):
                got.append(chunk.choices[0].delta.content or "")
                if len(got) == 3:
                    threading.Timer(2.5, gate.open).start()
        assert "".join(got) == words(len("".join(got).split())) != ""
        assert error.value.code == "timeout" and error.value.body["partial"] == "".join(got)  # pyright: ignore
    machine.manager.shutdown()


def test_a_timeout_is_not_asked_for_again_and_has_what_there_was(
    ladder: Ladder, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "gearshift.serving")
    gate = Gate(shut=3)
    machine = gated(ladder, gate)
    threading.Timer(1.5, gate.open).start()
    with Served(machine, timeout=1.0) as served, served.client() as client:
        with pytest.raises(openai.InternalServerError, match="longer than its timeout") as error:
            ask(client, 9)
        assert error.value.status_code == 504 and error.value.body["partial"] == words(4)  # pyright: ignore
    assert sum("completions 504 " in line for line in caplog.messages) == 1
    machine.manager.shutdown()


def test_a_machine_without_room_is_told_with_its_numbers_and_asked_again_later(ladder: Ladder) -> None:
    machine = Machine(ladder)
    machine.push(TOTAL - 1)
    with Served(machine) as served, served.client(max_retries=0) as client:
        with pytest.raises(openai.InternalServerError, match="GiB") as error:
            ask(client)
        assert error.value.status_code == 503 and error.value.code == "no_rung_fits"
        assert error.value.response.headers["retry-after"] == "10"
    machine.manager.shutdown()


def test_a_server_that_is_shut_down_says_so(machine: Machine) -> None:
    with Served(machine) as served, served.client(max_retries=0) as client:
        machine.manager.shutdown()
        with pytest.raises(openai.InternalServerError, match="shutting down") as error:
            ask(client)
        assert error.value.status_code == 503


def test_while_a_stream_waits_for_a_load_it_gives_signs_of_life_that_the_client_skips(ladder: Ladder) -> None:
    host = FakeHost(loading=True)
    machine = Machine(ladder, host=host)
    machine.push(0)
    with Served(machine, keep_alive=0.2) as served, served.client() as client:
        with client.chat.completions.with_streaming_response.create(
            model="gearshift", messages=HELLO, max_tokens=4, stream=True
        ) as raw:
            lines = raw.iter_lines()
            seen = [next(lines) for _ in range(5)]
            assert ": ping" in seen and "x-gearshift-rung" not in raw.headers
            host.go.set()
            data = [line for line in (*seen, *lines) if line.startswith("data: {")]
        assert json.loads(data[-1][6:])["choices"][0]["finish_reason"] == "length"
        assert text_of(ask(client, stream=True)) == words(4)
    machine.manager.shutdown()


def test_pings_do_not_disturb_the_client(ladder: Ladder) -> None:
    host = FakeHost(loading=True)
    machine = Machine(ladder, host=host)
    machine.push(0)
    threading.Timer(1.0, host.go.set).start()
    with Served(machine, keep_alive=0.1) as served, served.client() as client:
        assert text_of(ask(client, stream=True)) == words(4)
    machine.manager.shutdown()
