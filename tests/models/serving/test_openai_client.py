"""OpenAI's client for Python, as it comes, against the app."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from gearshift.models import Ladder

from tests.models.answering import words
from tests.models.machine import TOTAL, Machine, shortage
from tests.models.serving.served import HELLO, Gate, Served, ask, brakes, gated, text_of
from tests.waiting import until


@pytest.fixture
def client(machine: Machine) -> Iterator[openai.OpenAI]:
    with Served(machine) as served, served.client() as client:
        yield client


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
