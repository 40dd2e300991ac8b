"""Replies of tiny real models: counted, braked, wound up, and no character lost or doubled."""

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from gearshift.models import ModelSpec, Options
from gearshift.models.engine.generating import PREFILL_CHUNK, TransformersModel
from gearshift.models.engine.loading import load_transformers
from gearshift.models.failures import ModelError, OutOfMemory
from gearshift.models.ladders.ladder import CACHE
from gearshift.models.replies.generation import Brake

from .replies import QUESTION, copied, load, reply


@pytest.fixture(scope="module")
def small(checkpoints: dict[str, Path]) -> TransformersModel:
    return load_transformers(ModelSpec(name="small", source=str(checkpoints["small"]), context=512))


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


def test_a_generation_config_that_can_not_be_used_is_the_model_s_fault_and_not_an_option_s(
    tmp_path: Path, checkpoints: dict[str, Path]
) -> None:
    model = load(copied(checkpoints["small"], tmp_path / "odd", generation_config={"suppress_tokens": "abc"}))
    with pytest.raises(ModelError, match=r"odd: its generation_config\.json can't be used: ValueError: too many"):
        reply(model)


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
        ({"bad_words_ids": [[99999]]}, 0.0, "bad_words_ids.*99999"),
        ({"watermarking_config": {"bias": 1}}, 0.0, "watermarking_config.*bias"),
        ({"is_assistant": True}, 0.0, "is_assistant.*True"),
        ({"max_time": "long"}, 0.0, "max_time.*long"),
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
