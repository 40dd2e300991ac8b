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
