"""OpenAI's client, as it comes, is answered alike by `gearshift serve` and by a fleet on Ray Serve."""

from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest
from gearshift.models import Ladder

from tests.clusters.served import serving
from tests.clusters.town import PATIENCE, Town
from tests.models.serving.served import HELLO, ask, text_of
from tests.waiting import until

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["gearshift serve", "Ray Serve"])
def url(request: pytest.FixtureRequest, ladder: Ladder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    if request.param == "Ray Serve":
        town: Town = request.getfixturevalue("shared")
        town.ready()
        yield town.url
        return
    with serving(ladder, tmp_path_factory.mktemp("served")) as found:
        yield found


@pytest.fixture
def client(url: str) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=url, api_key="unused") as client:
        yield client


def test_an_answer_is_whole_and_says_who_wrote_it(client: openai.OpenAI) -> None:
    answer = ask(client, 6)
    (choice,) = answer.choices
    assert len(choice.message.content) == answer.usage.completion_tokens == 6
    assert (choice.finish_reason, answer.model, answer.object) == ("length", "gearshift", "chat.completion")
    assert answer.usage.prompt_tokens > 5
    assert answer.gearshift["rungs"] == [answer.system_fingerprint] == ["large"]


def test_a_stream_has_the_same_text_and_ends_with_its_usage(client: openai.OpenAI) -> None:
    *chunks, last = ask(client, 6, stream=True, stream_options={"include_usage": True})
    assert text_of(chunks) == ask(client, 6).choices[0].message.content
    assert (chunks[-1].choices[0].finish_reason, last.usage.completion_tokens) == ("length", 6)
    assert sum(bool(chunk.choices[0].delta.content) for chunk in chunks) > 2  # it came in pieces


def test_headers_tell_the_rung(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="gearshift", messages=HELLO, max_tokens=4)
    assert (raw.headers["x-gearshift-rung"], raw.headers["x-gearshift-degraded"]) == ("large", "false")
    create = client.chat.completions.with_streaming_response.create
    with create(model="gearshift", messages=HELLO, max_tokens=4, stream=True) as stream:
        assert stream.headers["x-gearshift-rung"] == "large"


def test_the_one_model_is_listed_with_its_rungs(client: openai.OpenAI) -> None:
    (model,) = client.models.list().data
    told: Any = model
    assert model.id == "gearshift"
    assert [rung["name"] for rung in told.rungs] == ["large", "small"]
    until(lambda: getattr(client.models.retrieve("gearshift"), "rung", None) == "large")


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"n": 2}, openai.BadRequestError, "n=2 can't be done"),
        ({"model": "large"}, openai.NotFoundError, "'large' is none of those here"),
        ({"temperature": -1.0}, openai.BadRequestError, "temperature"),
        ({"messages": [{"role": "user", "content": "a" * 5000}]}, openai.BadRequestError, "longer than the rung's"),
    ],
)
def test_what_cannot_be_done_is_an_error_that_names_it(
    client: openai.OpenAI, asked: dict[str, Any], error: type[openai.APIStatusError], told: str
) -> None:
    for stream in (False, True):
        with pytest.raises(error, match=told):
            ask(client, stream=stream, **asked)


def test_a_path_that_is_not_there_is_told_in_the_same_shape(url: str) -> None:
    answer = httpx.get(f"{url}/nothing")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_url")


def test_a_stream_that_is_left_stops_the_model_wherever_it_is(client: openai.OpenAI) -> None:
    stream = ask(client, 1900, stream=True)
    for chunk in stream:
        if chunk.choices[0].delta.content:
            break
    stream.close()
    # a reply of that length takes far longer: it can only be answered at once if the other one has stopped
    both = [ask(client.with_options(timeout=10), 4), ask(client.with_options(timeout=10), 4)]
    assert [answer.choices[0].finish_reason for answer in both] == ["length", "length"]


def test_a_fleet_no_longer_writes_for_a_client_that_left(town: Town) -> None:
    with openai.OpenAI(base_url=town.url, api_key="unused") as client:
        stream = ask(client, 1900, stream=True)
        town.busy()
        stream.close()
    until(lambda: not any(told.waiting for told in town.fleet.nodes.values()), PATIENCE)
