"""Text from tokens: each character once, and an end in good order."""

from pathlib import Path
from typing import Any

import pytest
from gearshift.models.engine.braking import WindUp
from gearshift.models.engine.decoding import Pieces, Stops
from gearshift.models.ladders.ladder import CACHE
from gearshift.models.replies.generation import Brake

TEXT = "Hm — 😀👩‍👩‍👧 naïve 日本語, x\ufffdy  two\n\n  end. "


@pytest.mark.parametrize("source", ["tiny", "bfloat16"])
def test_tokens_become_text_once_and_a_brake_inside_a_character_leaves_it_to_the_continuation(
    source: str, checkpoints: dict[str, Path]
) -> None:
    from transformers import AutoTokenizer

    folder = checkpoints["small"] if source == "tiny" else CACHE / source
    if not folder.exists():
        pytest.skip("the demo's models are not there")
    tokenizer = AutoTokenizer.from_pretrained(folder)

    def decode(ids: Any) -> str:
        return tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False)

    def ids_of(text: str) -> list[int]:
        return tokenizer(text, add_special_tokens=False)["input_ids"]

    tokens = ids_of(TEXT)
    for cut in range(len(tokens) + 1):
        first = Pieces(decode)
        streamed = "".join(first.add(token) for token in tokens[:cut])
        assert TEXT.startswith(streamed) and not streamed.endswith("\ufffd")
        rest = Pieces(decode, ids_of(streamed))
        assert streamed + "".join(rest.add(token) for token in ids_of(TEXT[len(streamed) :])) == TEXT


def test_a_decoder_that_drops_the_first_space_loses_none_in_a_continuation() -> None:
    words = ["▁The", "▁sea", "▁is", "▁wide"]

    def decode(ids: Any) -> str:
        return "".join(words[i] for i in ids).replace("▁", " ").removeprefix(" ")

    start, rest = Pieces(decode), Pieces(decode, [0, 1])
    assert "".join(start.add(i) for i in (0, 1)) == "The sea"
    assert "".join(rest.add(i) for i in (2, 3)) == " is wide"


def test_bytes_that_never_make_a_character_are_told_and_not_waited_for() -> None:
    def decode(ids: Any) -> str:
        return bytes(ids).decode("utf-8", "replace")

    pieces = Pieces(decode)
    assert "".join(pieces.add(0xFF) for _ in range(50)).count("\ufffd") >= 47
    assert "".join(pieces.add(byte) for byte in "ab€".encode()).endswith("ab€")


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ([" It", " is", " 3", ".", "14", " m", ".", " And", " more"], " It is 3.14 m."),
        ([" He", " said", " “Go", ".”", " Then"], " He said “Go.”"),
        ([" Really", "?!", "\n", " Yes"], " Really?!"),
        (["海は", "広い。", "そして"], "海は広い。"),
        ([" one", ",", " two", " three"], " one, two three"),
        ([" Yes.\n\n", "No"], " Yes.\n\n"),
    ],
)
def test_winding_up_ends_with_the_first_sentence(pieces: list[str], expected: str) -> None:
    brake, said = Brake(), ""
    brake.wind_up(20)
    wind_up = WindUp(brake)
    for piece in pieces:
        if wind_up.ends_before(piece):
            break
        said += piece
        if wind_up.over:
            break
    assert said == expected


def test_a_sentence_that_ended_just_before_is_ended_with() -> None:
    brake = Brake()
    wind_up = WindUp(brake)
    assert not wind_up.ends_before(" Done.") and not wind_up.over
    brake.wind_up(20)
    assert wind_up.ends_before(" And") and wind_up.over


def test_a_plain_reply_ends_where_the_other_would_speak_and_loses_nothing_else() -> None:
    stops = Stops(["\n\nUser:"])
    said = "".join(stops.add(piece) for piece in ("Yes", ".\n", "\nUs", "ual.", "\n\n", "User", ": and"))
    assert said == "Yes.\n\nUsual." and stops.found
    stops = Stops(["\n\nUser:"])
    assert stops.add("Yes.\n\nU") + stops.rest() == "Yes.\n\nU" and not stops.found
