from typing import Any

import pytest
from gearshift.models import Options
from gearshift.models.replies.generation import tokens_of


@pytest.mark.parametrize(
    ("characters", "written", "context", "tokens"),
    [(0, 1, 2048, 1), (1, 1, 2048, 2), (3, 1, 2048, 2), (4, 1, 2048, 3), (300, 100, 2048, 200), (300, 100, 150, 150)],
)
def test_tokens_are_counted_from_characters_upwards_and_end_at_the_context(
    characters: int, written: int, context: int, tokens: int
) -> None:
    messages = [
        {"role": "system", "content": "x" * (characters // 2)},
        {"role": "user", "content": "x" * -(-characters // 2)},
    ]
    assert tokens_of(messages, Options(max_new_tokens=written), context=context) == tokens


@pytest.mark.parametrize(
    ("options", "error", "says"),
    [
        ({"max_new_tokens": 0}, ValueError, "max_new_tokens=0"),
        ({"max_new_tokens": 2.5}, TypeError, "max_new_tokens=2.5"),
        ({"max_new_tokens": float("nan")}, TypeError, "max_new_tokens=nan"),
        ({"max_new_tokens": "4"}, TypeError, "max_new_tokens='4'"),
        ({"temperature": -1}, ValueError, "temperature=-1"),
        ({"temperature": float("inf")}, ValueError, "temperature=inf"),
        ({"temperature": float("nan")}, ValueError, "temperature=nan"),
        ({"temperature": 1e-45}, ValueError, "temperature=1e-45"),
        ({"temperature": None}, TypeError, "temperature=None"),
        ({"sampling": None}, TypeError, "sampling=None"),
        ({"sampling": {3: 4}}, TypeError, "sampling={3: 4}"),
    ],
)
def test_options_that_no_model_can_use_are_named_when_they_are_made(
    options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        Options(**options)
