"""Replies of tiny real models: no character lost or doubled, whatever ends them."""

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from gearshift.models import ModelSpec, Options
from gearshift.models.braking import WindUp
from gearshift.models.decoding import Pieces, Stops
from gearshift.models.failures import ModelError, OutOfMemory
from gearshift.models.generating import PREFILL_CHUNK, TransformersModel
from gearshift.models.generation import Brake, Written
from gearshift.models.ladder import CACHE
from gearshift.models.loading import load_transformers
from gearshift.models.prompting import Prompter

QUESTION = [{"role": "user", "content": "Hello"}]
TEXT = "Hm — 😀👩‍👩‍👧 naïve 日本語, x\ufffdy  two\n\n  end. "


@pytest.fixture(scope="module")
def small(checkpoints: dict[str, Path]) -> TransformersModel:
    return load_transformers(ModelSpec(name="small", source=str(checkpoints["small"]), context=512))


def reply(model: TransformersModel, partial: str = "", brake: Brake | None = None, **given: Any) -> tuple[str, Written]:
    pieces: list[str] = []
    messages = given.pop("messages", QUESTION)
    options = Options(**{"max_new_tokens": 40, **given})
    written = model.generate(messages, partial, options, pieces.append, brake or Brake())
    return "".join(pieces), written


def test_what_was_read_and_written_is_counted_and_timed(small: TransformersModel) -> None:
    text, written = reply(small, max_new_tokens=12)
    tokens = len("user\nHello\nassistant\n") + 3  # a byte is a token here, and so is each mark of a turn
    assert len(text) == 12 and (written.end, written.prompt, written.tokens) == ("length", tokens, 12)
    assert 0 < written.first <= written.seconds


def test_a_reply_cut_after_any_character_goes_on_as_it_would_have(small: TransformersModel) -> None:
    varied = {"max_new_tokens": 24, "sampling": {"no_repeat_ngram_size": 4}}
    whole, _ = reply(small, **varied)
    assert len(whole) == 24 and " " in whole.strip()
    for cut in range(len(whole) + 1):
        rest, _ = reply(small, whole[:cut], **varied)
        assert whole[:cut] + rest == whole


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


def test_a_brake_ends_at_the_token_and_keeps_what_was_streamed(small: TransformersModel) -> None:
    whole, _ = reply(small)
    brake, pieces = Brake(), []

    def take(piece: str) -> None:
        pieces.append(piece)
        if len(pieces) == 7:
            brake.stop()

    written = small.generate(QUESTION, "", Options(max_new_tokens=40), take, brake)
    assert (written.end, written.tokens, written.finished) == ("braked", 7, False)
    assert "".join(pieces) == whole[:7]


def test_a_long_prefill_is_read_in_parts_with_the_same_result(small: TransformersModel) -> None:
    long = [{"role": "user", "content": "abc " * 90}]
    expected, written = reply(small, messages=long, max_new_tokens=8)
    assert written.prompt > PREFILL_CHUNK
    chunk, small._chunk = small._chunk, None
    try:
        assert reply(small, messages=long, max_new_tokens=8)[0] == expected
    finally:
        small._chunk = chunk


def test_a_brake_inside_a_prefill_stops_before_the_next_layer(small: TransformersModel) -> None:
    brake, seen = Brake(), []
    layers = small._model.model.layers
    hooks = [layer.register_forward_hook(lambda *_: (seen.append(1), brake.stop())[0]) for layer in layers]
    try:
        text, written = reply(small, brake=brake)
        assert (text, written.end, written.tokens, len(seen)) == ("", "braked", 0, 1)
    finally:
        for hook in hooks:
            hook.remove()
    assert all(not layer._forward_pre_hooks for layer in layers)
    assert reply(small)[1].finished


def test_a_wound_up_reply_ends_when_its_tokens_are_used_up(small: TransformersModel) -> None:
    brake, pieces = Brake(), []

    def take(piece: str) -> None:
        pieces.append(piece)
        if len(pieces) == 5:
            brake.wind_up(6)

    written = small.generate(QUESTION, "", Options(max_new_tokens=40), take, brake)
    assert (written.end, written.tokens, written.finished) == ("wound up", 11, True)
    assert "".join(pieces) == reply(small)[0][:11]


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


def test_what_the_app_raises_while_it_takes_text_ends_the_reply_and_comes_out(small: TransformersModel) -> None:
    def broken(_: str) -> None:
        raise KeyError("the app's own")

    with pytest.raises(KeyError, match="the app's own"):
        small.generate(QUESTION, "", Options(), broken, Brake())
    assert reply(small)[1].tokens == 40


def test_memory_that_runs_out_in_a_reply_is_told_and_keeps_no_tensors(small: TransformersModel) -> None:
    import weakref

    import torch

    kept: list[Any] = []

    def run_out(*_: Any) -> None:
        tensor = torch.ones(1000)
        kept.append(weakref.ref(tensor))
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    hook = small._model.model.layers[2].register_forward_pre_hook(run_out)
    try:
        with pytest.raises(OutOfMemory, match="small: RuntimeError: DefaultCPUAllocator") as caught:
            reply(small)
    finally:
        hook.remove()
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert kept[0]() is None
    assert reply(small)[1].finished


def test_any_other_failure_of_the_model_is_a_model_error(small: TransformersModel) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("inside a layer")

    hook = small._model.model.layers[1].register_forward_pre_hook(fail)
    try:
        with pytest.raises(ModelError, match="small: ValueError: inside a layer") as caught:
            reply(small)
    finally:
        hook.remove()
    assert not isinstance(caught.value, OutOfMemory)


@pytest.mark.parametrize(
    ("sampling", "temperature", "named"),
    [
        ({"top_pp": 0.9}, 1.0, "top_pp"),
        ({"max_new_tokens": 5}, 0.0, "Options.max_new_tokens"),
        ({"num_beams": 4}, 0.0, "num_beams"),
        ({"min_p": 3.0}, 1.0, "min_p.*3.0"),
        ({"repetition_penalty": "much"}, 0.0, "repetition_penalty.*much"),
        ({"top_k": "many"}, 1.0, "top_k.*many"),
        ({"cache_implementation": "magic"}, 0.0, "cache_implementation.*magic"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(
    small: TransformersModel, sampling: dict[str, Any], temperature: float, named: str
) -> None:
    with pytest.raises(ValueError, match=named):
        reply(small, sampling=sampling, temperature=temperature)


def test_options_reach_the_model(small: TransformersModel) -> None:
    import torch

    def sampled(**options: Any) -> str:
        torch.manual_seed(1)
        return reply(small, temperature=1.0, **options)[0]

    assert sampled() == sampled() != sampled(sampling={"top_k": 1})
    assert sampled(sampling={"top_k": 1}) == reply(small)[0]
    held_back = reply(small, sampling={"suppress_tokens": [*range(2, 5000 - 905)]})[0]
    assert held_back != reply(small)[0]


def copied(source: Path, target: Path, **changes: Any) -> Path:
    """A copy of a checkpoint, with fields of its JSON files changed: file (without .json) -> fields, None drops one."""
    target.mkdir(exist_ok=True)
    for file in source.iterdir():
        if not (file.suffix == ".jinja" and changes.get("template") == ""):
            (target / file.name).write_bytes(file.read_bytes())
    if changes.get("template"):
        (target / "chat_template.jinja").write_text(changes["template"])
    for name in ("config", "generation_config", "tokenizer_config"):
        content = json.loads((target / f"{name}.json").read_text())
        content = {k: v for k, v in {**content, **changes.get(name, {})}.items() if v is not None}
        (target / f"{name}.json").write_text(json.dumps(content))
    return target


def load(folder: Path, context: int = 512) -> TransformersModel:
    return load_transformers(ModelSpec(name=folder.name, source=str(folder), context=context))


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


def test_a_conversation_that_the_template_refuses_is_a_value_error_with_its_reason(
    tmp_path: Path, checkpoints: dict[str, Path]
) -> None:
    model = load(copied(checkpoints["small"], tmp_path / "odd", template="{{ raise_exception('users only') }}"))
    with pytest.raises(ValueError, match=r"refuses the conversation \(user\): users only"):
        reply(model)


def test_a_model_without_a_template_gets_a_plain_conversation(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    model = load(copied(checkpoints["small"], tmp_path / "plain", template=""))
    assert model._prompter is not None
    assert model._prompter.text(SYSTEM, " y") == "System: Be kind.\n\nUser: Hello\n\nAssistant: y"
    assert reply(model, messages=SYSTEM)[1].finished


def test_a_plain_reply_ends_where_the_other_would_speak_and_loses_nothing_else() -> None:
    stops = Stops(["\n\nUser:"])
    said = "".join(stops.add(piece) for piece in ("Yes", ".\n", "\nUs", "ual.", "\n\n", "User", ": and"))
    assert said == "Yes.\n\nUsual." and stops.found
    stops = Stops(["\n\nUser:"])
    assert stops.add("Yes.\n\nU") + stops.rest() == "Yes.\n\nU" and not stops.found


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


def test_closing_brakes_the_reply_first_and_answers_no_more(checkpoints: dict[str, Path]) -> None:
    model = load(checkpoints["small"])
    begun, ended = threading.Event(), []

    def write() -> None:
        ended.append(model.generate(QUESTION, "", Options(max_new_tokens=400), lambda _: begun.set(), Brake()))

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(30)
    model.close()
    assert model._model is None
    thread.join(30)
    assert ended[0].end == "braked" and 0 < ended[0].tokens < 400
    model.close()
    with pytest.raises(ModelError, match="has been unloaded"):
        reply(model)


def test_two_replies_at_once_take_turns(small: TransformersModel) -> None:
    expected, seen = reply(small), []
    threads = [threading.Thread(target=lambda: seen.append(reply(small)[0])) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert seen == [expected[0]] * 3


@pytest.mark.slow
def test_a_long_prefill_of_a_real_model_stops_soon_after_the_brake() -> None:
    if not (CACHE / "bfloat16").exists():
        pytest.skip("the demo's models are not there")
    model = load(CACHE / "bfloat16", context=4096)
    long = [{"role": "user", "content": "The sea is wide. " * 600}]
    brake = Brake()
    timer = threading.Timer(0.3, brake.stop)
    timer.start()
    began = time.monotonic()
    text, written = reply(model, messages=long, brake=brake)
    assert (text, written.end, written.tokens) == ("", "braked", 0)
    whole = time.monotonic()
    reply(model, messages=long, max_new_tokens=1)
    assert whole - began < 0.5 * (time.monotonic() - whole)
    model.close()
