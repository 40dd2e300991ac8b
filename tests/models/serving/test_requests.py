"""OpenAI's fields to messages and options: what is done, what is ignored, and what is refused by name."""

from typing import Any

import pytest
from gearshift.models import Options
from gearshift.models.serving.errors import ApiError
from gearshift.models.serving.parameters import HINTS, NEUTRAL
from gearshift.models.serving.requests import chat_request, messages_of, options_of

USER = {"role": "user", "content": "Hi"}


def options(**fields: Any) -> Options:
    return options_of(chat_request({"model": "gearshift", "messages": [USER], **fields}), 512)


def refused(**fields: Any) -> ApiError:
    with pytest.raises(ApiError) as error:
        asked = chat_request({"model": "gearshift", "messages": [USER], **fields})
        messages_of(asked)
        options_of(asked, 512)
    assert error.value.status == 400
    return error.value


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, Options(max_new_tokens=512)),
        ({"max_tokens": 7}, Options(max_new_tokens=7)),
        ({"max_completion_tokens": 7, "max_tokens": 7}, Options(max_new_tokens=7)),
        ({"temperature": 1}, Options(max_new_tokens=512, temperature=1.0)),
        ({"top_p": 0.5}, Options(max_new_tokens=512, temperature=1.0, sampling={"top_p": 0.5})),
        ({"top_p": 0.5, "temperature": 0}, Options(max_new_tokens=512, sampling={"top_p": 0.5})),
        ({"repetition_penalty": 1.1}, Options(max_new_tokens=512, sampling={"repetition_penalty": 1.1})),
        ({"stop": "a"}, Options(max_new_tokens=512, stop=("a",))),
        ({"stop": ["a", "b"]}, Options(max_new_tokens=512, stop=("a", "b"))),
        ({"stop": [], "seed": 1, "temperature": None}, Options(max_new_tokens=512)),
    ],
)
def test_fields_become_options(fields: dict[str, Any], expected: Options) -> None:
    assert options(**fields) == expected


@pytest.mark.parametrize("name", sorted(HINTS))
def test_hints_are_ignored_whatever_they_say(name: str) -> None:
    assert options(**{name: {"any": "value"}}) == options()


@pytest.mark.parametrize("name", sorted(NEUTRAL))
def test_what_cannot_be_done_is_refused_unless_it_asks_for_nothing(name: str) -> None:
    for nothing in (None, *NEUTRAL[name][0]):
        assert options(**{name: nothing}) == options()
    error = refused(**{name: {"some": "thing"}})
    assert error.param == name and NEUTRAL[name][1] in str(error) and "{'some': 'thing'}" in str(error)


@pytest.mark.parametrize(
    ("fields", "param", "told"),
    [
        ({"temperature": 2.1}, "temperature", "temperature=2.1 can't be used: expected `float` <= 2.0"),
        ({"temperature": -1}, "temperature", ">= 0"),
        ({"temperature": 1e-9}, "temperature", "must be 0 or from 1e-06 up, and finite, got temperature=1e-09"),
        ({"temperature": True}, "temperature", "got `bool`"),
        ({"top_p": 0}, "top_p", "top_p=0 "),
        ({"repetition_penalty": 1e-300, "temperature": 1}, "repetition_penalty", "expected `float` >= 0.01"),
        ({"max_tokens": 0}, "max_tokens", "max_tokens=0 "),
        ({"max_tokens": 1, "max_completion_tokens": 2}, "max_tokens", "differs from max_completion_tokens"),
        ({"stop": [""]}, "stop", "empty text"),
        ({"stop": ["x"] * 17}, "stop", "<= 16"),
        ({"seed": 7, "temperature": 0.5}, "seed", "take temperature=0"),
        ({"stream_options": {"include_usage": True}}, "stream_options", "stream=true"),
        ({"temprature": 1}, "temprature", "did you mean temperature?"),
        ({"messages": []}, "messages", "correct it"),
        ({"messages": [{"role": "tool", "content": "x"}, USER]}, "messages[0].role", "call no tools"),
        ({"messages": [{"role": "owner", "content": "x"}, USER]}, "messages[0].role", "no such role"),
        ({"messages": [USER, {"role": "assistant", "content": "x"}]}, "messages", "must be the user's"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages", "must be the user's"),
        ({"messages": [{"role": "user"}]}, "messages[0].content", "is missing"),
        ({"messages": [{**USER, "tool_calls": [1]}]}, "messages[0].tool_calls", "only text"),
        ({"messages": [{**USER, "content": [{"type": "input_audio"}]}]}, "messages[0].content[0]", "'input_audio'"),
        ({"messages": [{**USER, "content": [{"type": "text"}]}]}, "messages[0].content[0]", "give {"),
        ({"messages": [{**USER, "content": 5}]}, "messages[0].content", "messages[0].content=5"),
    ],
)
def test_values_that_cannot_be_used_are_refused_by_name(fields: dict[str, Any], param: str, told: str) -> None:
    error = refused(**fields)
    assert error.param == param and told in str(error)
