"""OpenAI's client for Python, as it comes, against the app."""

import asyncio
import json
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from gearshift.models import Ladder
from gearshift.models.testing import FakeHost, FakeLoader

from tests.models.machine import TOTAL, Machine, shortage
from tests.models.serving.served import HELLO, Gate, Served, brakes, until, words


@pytest.fixture
def machine(ladder: Ladder) -> Iterator[Machine]:
    made = Machine(ladder, more={"name_rung": False})
    made.load()
    yield made
    made.manager.shutdown()


@pytest.fixture
def client(machine: Machine) -> Iterator[openai.OpenAI]:
    with Served(machine) as served, served.client() as client:
        yield client


def gated(ladder: Ladder, gate: Gate, **more: Any) -> Machine:
    machine = Machine(ladder, FakeLoader(gate=gate), more=more)
    machine.load()
    return machine


def ask(client: openai.OpenAI, tokens: int = 4, **more: Any) -> Any:
    return client.chat.completions.create(
        **{"model": "gearshift", "messages": HELLO, "max_completion_tokens": tokens, **more}
    )


def text_of(stream: Any) -> str:
    return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)


def test_an_answer_is_whole_and_says_who_wrote_it(client: openai.OpenAI) -> None:
    answer = ask(client)
    (choice,) = answer.choices
    assert (choice.message.role, choice.message.content, choice.finish_reason) == ("assistant", words(4), "length")
    assert (answer.model, answer.object, answer.system_fingerprint) == ("gearshift", "chat.completion", "large")
    assert answer.usage.model_dump(exclude_none=True) == {
        "prompt_tokens": 1, "completion_tokens": 4, "total_tokens": 5,
    }  # fmt: skip
    told = answer.gearshift
    assert (told["rungs"], told["degraded"], told["end"], told["notices"]) == (["large"], False, "length", [])
    assert told["seconds"] >= told["first_seconds"] >= 0


def test_headers_tell_the_rung_and_an_id(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gearshift", messages=HELLO)
    assert (raw.headers["x-gearshift-rung"], raw.headers["x-gearshift-degraded"]) == ("large", "false")
    assert raw.parse()._request_id == raw.headers["x-request-id"] != ""
    with client.chat.completions.with_streaming_response.create(
        model="gearshift", messages=HELLO, stream=True
    ) as stream:
        assert stream.headers["x-gearshift-rung"] == "large"


def test_a_stream_has_the_same_text_and_its_last_chunk_the_metadata(client: openai.OpenAI) -> None:
    chunks = list(ask(client, stream=True))
    assert text_of(chunks) == words(4) and chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks] == [None] * (len(chunks) - 1) + ["length"]
    assert len({chunk.id for chunk in chunks}) == 1 and {chunk.object for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[-1].gearshift["rungs"] == ["large"] and chunks[-1].system_fingerprint == "large"
    assert all(chunk.usage is None for chunk in chunks)


def test_usage_comes_in_a_last_chunk_where_it_is_asked_for(client: openai.OpenAI) -> None:
    *chunks, last = ask(client, stream=True, stream_options={"include_usage": True})
    assert last.choices == [] and last.usage.completion_tokens == 4
    assert chunks[-1].choices[0].finish_reason == "length"


def test_the_stream_helper_of_the_client_gathers_it(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="gearshift", messages=HELLO, max_tokens=3) as stream:
        stream.until_done()
        assert stream.current_completion_snapshot.choices[0].message.content == words(3)


def test_what_the_model_reads_is_what_was_sent_with_the_system_texts_in_one(
    machine: Machine, client: openai.OpenAI
) -> None:
    ask(client, messages=[
        {"role": "system", "content": "Be brief."}, {"role": "user", "content": "first"},
        {"role": "assistant", "content": "one", "refusal": None, "tool_calls": None},
        {"role": "developer", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "second"}, {"type": "text", "text": "part"}]},
    ])  # fmt: skip
    told, _ = machine.loader.loaded[0].asked[0]
    assert [(message["role"], message["content"]) for message in told] == [
        ("system", "Be brief.\n\nBe kind."), ("user", "first"), ("assistant", "one"), ("user", "second\npart"),
    ]  # fmt: skip
    assert machine.manager.history() == []


def test_the_one_model_is_listed_with_its_rungs(client: openai.OpenAI) -> None:
    (model,) = client.models.list().data
    assert (model.id, model.owned_by) == ("gearshift", "gearshift")
    told: Any = model
    assert [rung["name"] for rung in told.rungs] == ["large", "medium", "small"] and told.rung == "large"
    assert client.models.retrieve("gearshift") == model


def test_another_model_is_not_found_even_where_it_is_a_rung(client: openai.OpenAI) -> None:
    for asked in (lambda: ask(client, model="large"), lambda: client.models.retrieve("large")):
        with pytest.raises(openai.NotFoundError, match="'large' is none of those here: there is 'gearshift'") as error:
            asked()
        assert error.value.code == "model_not_found" and error.value.param == "model"


def test_what_cannot_be_done_is_a_bad_request_that_names_it(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="n=2 can't be done: .*ask once for each") as error:
        ask(client, n=2)
    assert (error.value.param, error.value.type) == ("n", "invalid_request_error")


def test_two_clients_at_once_each_get_their_own_text_whole(ladder: Ladder) -> None:
    gate = Gate(shut=2)
    machine = gated(ladder, gate)
    got: dict[int, str] = {}
    with Served(machine) as served, served.client() as one, served.client() as two:

        def read(client: openai.OpenAI, tokens: int) -> None:
            got[tokens] = text_of(ask(client, tokens, stream=True))

        threads = [threading.Thread(target=read, args=each) for each in ((one, 30), (two, 17))]
        for thread in threads:
            thread.start()
        until(lambda: gate.reached)
        gate.open()
        for thread in threads:
            thread.join(60)
    machine.manager.shutdown()
    assert got == {30: words(30), 17: words(17)}


def test_the_async_client_streams_two_at_once(machine: Machine) -> None:
    async def both(url: str) -> list[str]:
        async def one(tokens: int) -> str:
            stream = await client.chat.completions.create(
                model="gearshift", messages=HELLO, max_tokens=tokens, stream=True
            )
            return "".join([chunk.choices[0].delta.content or "" async for chunk in stream])

        async with openai.AsyncOpenAI(base_url=url, api_key="unused") as client:
            return await asyncio.gather(one(5), one(9))

    with Served(machine) as served:
        assert asyncio.run(both(f"{served.url}/v1")) == [words(5), words(9)]


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


def test_a_shift_in_mid_stream_gives_one_uninterrupted_text(ladder: Ladder) -> None:
    gate = Gate(shut=3)
    machine = gated(ladder, gate)
    with Served(machine) as served, served.client() as client:
        stream = ask(client, 9, stream=True)
        until(lambda: gate.reached)
        machine.manager.scaler.initiate_graceful_degradation("a test", immediate=True)
        gate.open()
        chunks = list(stream)
    machine.manager.shutdown()
    assert text_of(chunks) == words(9)
    assert chunks[-1].gearshift["rungs"] == ["large", "medium"] and chunks[-1].gearshift["degraded"]
    assert chunks[-1].system_fingerprint == "large+medium"


def test_a_reply_that_is_brought_to_an_end_for_a_shift_stops_and_says_so(ladder: Ladder) -> None:
    gate = Gate(shut=3)
    machine = gated(ladder, gate)
    with Served(machine) as served, served.client() as client:
        stream = ask(client, 99, stream=True)
        until(lambda: gate.reached)
        machine.manager.scaler.initiate_graceful_degradation("a test")
        until(lambda: any(brake.left is not None for brake in brakes(machine)))
        gate.open()
        *chunks, last = stream
    machine.manager.shutdown()
    assert text_of(chunks) == words(5)
    assert (last.choices[0].finish_reason, last.gearshift["end"]) == ("stop", "wound up")


def test_after_a_forced_shift_answers_are_degraded_and_the_notice_is_told_once(
    machine: Machine, client: openai.OpenAI
) -> None:
    machine.push(shortage(machine, "small") + int(0.12 * TOTAL))
    machine.until(lambda: len(machine.outcomes) == 2)
    until(lambda: machine.notices)
    told, again = ask(client).gearshift, ask(client).gearshift
    assert told["rungs"] == ["small"] and told["degraded"]
    (notice,) = told["notices"]
    assert (notice["kind"], notice["text"]) == ("memory", machine.notices[0].text)
    assert again["notices"] == [] and again["degraded"]


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
