"""The words of notices: replaced, and refused where they can't be used."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from gearshift.models import WordingError
from gearshift.models.telling.wording import SHIPPED, Wording

SHIPPED_WORDS = tomllib.loads(SHIPPED.read_text("utf-8"))


def test_words_can_be_replaced_by_a_file_or_a_mapping(tmp_path: Path) -> None:
    german = {
        **SHIPPED_WORDS,
        "suggestion": {**SHIPPED_WORDS["suggestion"], "close": "{program} schließen ({gib:.2f})."},
    }
    assert Wording(german).text("suggestion", "close", program="vim", gib=1.5) == "vim schließen (1.50)."
    file = tmp_path / "words.toml"
    file.write_text(SHIPPED.read_text("utf-8").replace("would help", "would be kind"), "utf-8")
    assert Wording(file).text("suggestion", "close_busy").endswith("would be kind.")


def without(table: str, key: str) -> dict[str, Any]:
    return {**SHIPPED_WORDS, table: {k: v for k, v in SHIPPED_WORDS[table].items() if k != key}}


def changed(table: str, key: str, text: Any) -> dict[str, Any]:
    return {**SHIPPED_WORDS, table: {**SHIPPED_WORDS[table], key: text}}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ({k: v for k, v in SHIPPED_WORDS.items() if k != "model"}, "model is missing; copy it from"),
        (without("notice", "paused"), "notice.paused is missing; copy it from"),
        (changed("notice", "pauzed", "x"), "notice.pauzed is unknown; there are memory, "),
        ({**SHIPPED_WORDS, "more": {}}, "more is unknown"),
        ({**SHIPPED_WORDS, "notice": "x"}, "notice: must be a table of texts"),
        (changed("notice", "memory", 3), "notice.memory: must be a text, got 3"),
        (
            changed("notice", "memory", "Now {rang}."),
            r"notice.memory: \{rang\} is unknown; it may use \{rung\}, \{before\}",
        ),
        (changed("notice", "memory", "Now {rung.upper}."), r"\{rung.upper\} is unknown"),
        (changed("notice", "memory", "Now {}."), r"notice.memory: \{\} is unknown"),
        (changed("suggestion", "wait", "{rung}"), "suggestion.wait: .*it may use no names in braces"),
        (changed("suggestion", "close", "{gib:.1q}"), "suggestion.close: .*can't be filled in"),
        (changed("suggestion", "close", "{gib"), "suggestion.close: .*can't be filled in"),
    ],
)
def test_words_that_cannot_be_used_are_one_clear_error(words: dict[str, Any], says: str) -> None:
    with pytest.raises(WordingError, match=f"^notices: .*{says}|^notices: {says}"):
        Wording(words)


def test_a_file_of_words_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / "words.toml"
    with pytest.raises(WordingError, match="words.toml: can't be read"):
        Wording(file)
    file.write_text("not toml [")
    with pytest.raises(WordingError, match="words.toml: not TOML"):
        Wording(str(file))
