"""What of a conversation reaches the model, whatever its tokenizer and template know."""

from pathlib import Path

import pytest
from gearshift.models import ModelSpec
from gearshift.models.engine.generating import TransformersModel
from gearshift.models.engine.loading import load_transformers
from gearshift.models.engine.prompting import Prompter
from gearshift.models.ladders.ladder import CACHE

from .replies import QUESTION, copied, load, reply
from .test_decoding import TEXT


@pytest.fixture(scope="module")
def small(checkpoints: dict[str, Path]) -> TransformersModel:
    return load_transformers(ModelSpec(name="small", source=str(checkpoints["small"]), context=512))


@pytest.mark.parametrize("source", ["tiny", "bfloat16"])
def test_a_partial_reply_reaches_the_model_to_the_character(source: str, checkpoints: dict[str, Path]) -> None:
    from transformers import AutoTokenizer

    folder = checkpoints["small"] if source == "tiny" else CACHE / source
    if not folder.exists():
        pytest.skip("the demo's models are not there")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompter = Prompter(tokenizer)
    opening = prompter.text(QUESTION, "")
    for cut in range(len(TEXT) + 1):
        text = prompter.text(QUESTION, TEXT[:cut])
        assert text == opening + TEXT[:cut]
        assert tokenizer.decode(tokenizer(text, add_special_tokens=False)["input_ids"]) == text


def test_no_end_a_list_of_ends_and_no_pad_token_say_nothing_on_the_terminal(
    tmp_path: Path, checkpoints: dict[str, Path], capfd: pytest.CaptureFixture[str]
) -> None:
    none = {"eos_token_id": None, "pad_token_id": None}
    bare = copied(
        checkpoints["small"], tmp_path / "bare", config=none, generation_config=none,
        tokenizer_config={"eos_token": None, "pad_token": None},
    )  # fmt: skip
    model = load(bare)
    whole, written = reply(model)
    assert written.end == "length"
    last = model._tokenizer(whole)["input_ids"][-1]
    listed = load(copied(checkpoints["small"], tmp_path / "list", generation_config={"eos_token_id": [1, last]}))
    mute = load(
        copied(
            checkpoints["small"],
            tmp_path / "samples",
            generation_config={"do_sample": True, "temperature": 0.6, "top_p": 0.9, "top_k": 20, "max_length": 20},
        )
    )
    capfd.readouterr()
    assert reply(model)[0] == whole
    text, written = reply(listed)
    assert written.end == "eos" and text == whole.split(whole[-1])[0] and written.tokens == len(text) + 1
    assert reply(mute)[0] == whole
    assert reply(mute, temperature=0.8)[1].tokens == 40
    out, err = capfd.readouterr()
    assert (out, err) == ("", "")


SYSTEM = [{"role": "system", "content": "Be kind."}, *QUESTION]


REFUSES = (
    "{% for m in messages %}{% if m['role'] == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{{ m['role'] + ': ' + m['content'] | trim + '\n' }}{% endfor %}{% if add_generation_prompt %}model: {% endif %}"
)


IGNORES = (
    "{% for m in messages %}{% if m['role'] != 'system' %}{{ m['role'] + ': ' + m['content'] + '\n' }}{% endif %}"
    "{% endfor %}{% if add_generation_prompt %}model: {% endif %}"
)


@pytest.mark.parametrize("template", [REFUSES, IGNORES], ids=["refuses", "ignores"])
def test_a_template_without_a_system_role_gets_the_system_text_before_the_first_question(
    template: str, tmp_path: Path, checkpoints: dict[str, Path]
) -> None:
    model = load(copied(checkpoints["small"], tmp_path / "system", template=template))
    assert model._prompter is not None
    assert model._prompter.text(SYSTEM, " yes ") == "user: Be kind.\n\nHello\nmodel:  yes "
    assert reply(model, messages=SYSTEM)[1].finished


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ raise_exception('users only') }}", "users only"),
        ("{{ messages[0].content + 3 }}", "can only concatenate str"),
        ("{{ 1 / 0 }}", "division by zero"),
    ],
)
def test_a_conversation_that_the_template_refuses_is_a_value_error_with_its_reason(
    template: str, reason: str, tmp_path: Path, checkpoints: dict[str, Path]
) -> None:
    model = load(copied(checkpoints["small"], tmp_path / "odd", template=template))
    with pytest.raises(ValueError, match=rf"refuses the conversation \(user\): {reason}"):
        reply(model)


def test_a_model_without_a_template_gets_a_plain_conversation(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    model = load(copied(checkpoints["small"], tmp_path / "plain", template=""))
    assert model._prompter is not None
    assert model._prompter.text(SYSTEM, " y") == "System: Be kind.\n\nUser: Hello\n\nAssistant: y"
    assert reply(model, messages=SYSTEM)[1].finished


def test_the_oldest_turns_go_first_and_the_system_prompt_and_the_question_stay(small: TransformersModel) -> None:
    old = [{"role": "user", "content": "x" * 150}, {"role": "assistant", "content": "y" * 150}] * 3
    ids = small._prompt([SYSTEM[0], *old, *QUESTION], "", 40)
    text = small._tokenizer.decode(ids)
    assert "Be kind." in text and "Hello" in text and len(ids) <= 512 - 40
    assert 0 < text.count("x" * 150) < 3


def test_a_question_that_leaves_little_room_gets_the_reply_that_fits(small: TransformersModel) -> None:
    text, written = reply(small, messages=[{"role": "user", "content": "x" * 400}], max_new_tokens=256)
    assert written.end == "length" and written.prompt + written.tokens == 512 and len(text) == written.tokens


def test_a_reply_longer_than_the_context_goes_on_from_its_last_words(small: TransformersModel) -> None:
    partial = "abc " * 200
    text, written = reply(small, partial, max_new_tokens=810)
    assert text and written.tokens == 10 and written.prompt <= 512


def test_a_reply_that_is_as_long_as_asked_for_is_finished(small: TransformersModel) -> None:
    text, written = reply(small, "abc", max_new_tokens=3)
    assert text == "" and written.finished and written.tokens == 0


@pytest.mark.parametrize("quote", ["m['content']", "m['content'] | trim", "m | string"])
def test_what_a_template_quotes_of_the_conversation_is_not_in_its_error(
    quote: str, checkpoints: dict[str, Path]
) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoints["small"])
    tokenizer.chat_template = f"{{% for m in messages %}}{{{{ raise_exception('never ' ~ ({quote})) }}}}{{% endfor %}}"
    with pytest.raises(ValueError, match="never .*…") as raised:
        Prompter(tokenizer).text([{"role": "user", "content": " it's a\nsecret "}], "")
    assert "secret" not in str(raised.value)
