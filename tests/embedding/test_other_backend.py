"""llama.cpp behind gearshift: real weights, real replies, and memory that comes back."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import msgspec
import pytest
from gearshift.models import Ladder, LoadError, ModelManager, ModelSpec, Options
from gearshift.models.hosts import Brake, Model, Own
from gearshift.models.hosts.inline import InlineHost

from .examples import module, program

QUESTION = [{"role": "user", "content": "What is gravity?"}]


@pytest.fixture(scope="module")
def backend() -> ModuleType:
    return module("other_backend")


@pytest.fixture
def rungs(backend: ModuleType, gguf: Path) -> Ladder:
    return backend.ladder(str(gguf))


@pytest.fixture
def model(backend: ModuleType, rungs: Ladder) -> Iterator[Model]:
    model = backend.LlamaModel(rungs.named("short"))
    yield model
    model.close()


def test_it_answers_by_itself_and_neither_torch_nor_transformers_is_imported(gguf: Path, tmp_path: Path) -> None:
    done = program("other_backend", gguf, cache=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "gravity" in done.stdout.lower() and done.stdout.splitlines()[-1].startswith("(long, ")
    assert done.stderr.splitlines()[-1] == "['psutil']"


def test_a_brake_stops_it_at_a_token_and_the_rest_continues_the_same_words(model: Model) -> None:
    whole: list[str] = []
    assert model.generate(QUESTION, "", Options(max_new_tokens=24), whole.append, Brake()).end == "length"
    brake, start = Brake(), []

    def take(piece: str) -> None:
        start.append(piece)
        if len(start) == 6:
            brake.stop()

    written = model.generate(QUESTION, "", Options(max_new_tokens=24), take, brake)
    assert (written.end, written.tokens, written.finished) == ("braked", 6, False) and written.prompt > 5
    rest: list[str] = []
    model.generate(QUESTION, "".join(start), Options(max_new_tokens=24), rest.append, Brake())
    assert start == whole[:6]
    assert "".join(start + rest)[:60] == "".join(whole)[:60]


def test_wound_up_it_ends_with_its_sentence(model: Model) -> None:
    brake, said = Brake(), []
    brake.wind_up(100)
    written = model.generate(QUESTION, "", Options(max_new_tokens=200), said.append, brake)
    assert written.end == "wound up" and "".join(said).rstrip().endswith(".")


def test_a_brake_ends_the_reading_of_a_long_prompt(backend: ModuleType, rungs: Ladder) -> None:
    model, brake, said = backend.LlamaModel(rungs.named("long")), Brake(), []
    brake.stop()
    question = [{"role": "user", "content": "word " * 500}]
    braked = model.generate(question, "", Options(max_new_tokens=1), said.append, brake)
    assert (braked.end, braked.tokens, said) == ("braked", 0, []) and braked.prompt > 500
    whole = model.generate(question, "", Options(max_new_tokens=1), said.append, Brake())
    assert whole.end != "braked" and braked.seconds < whole.seconds / 2
    model.close()


def test_a_conversation_of_very_many_short_turns_is_answered(backend: ModuleType, rungs: Ladder) -> None:
    model = backend.LlamaModel(msgspec.structs.replace(rungs.named("short"), context=384))  # which is soon read
    old = [{"role": role, "content": f"number {i} ok"} for i in range(2000) for role in ("user", "assistant")]
    assert model.generate([*old, *QUESTION], "", Options(max_new_tokens=4), lambda _: None, Brake()).tokens
    model.close()


def test_old_turns_are_left_out_and_a_message_that_is_too_long_is_refused_with_the_numbers(model: Model) -> None:
    old = [{"role": role, "content": "water " * 300} for role in ("user", "assistant")] * 3
    assert model.generate([*old, *QUESTION], "", Options(max_new_tokens=4), lambda _: None, Brake()).tokens
    with pytest.raises(ValueError, match=r"exceeds the available context size \(1024 tokens\)"):
        model.generate([{"role": "user", "content": "word " * 2000}], "", Options(), lambda _: None, Brake())


def test_an_unload_gives_back_what_the_load_took(backend: ModuleType, rungs: Ladder) -> None:
    host = InlineHost(backend.LlamaModel)
    for spec in (rungs.named("short"), rungs.named("long")):  # the first leaves the library's own behind
        model = host.load(spec)
        model.generate(QUESTION, "", Options(max_new_tokens=4), lambda _: None, Brake())
        held = host.held(spec.name)["ram"]
        freed = host.unload(spec.name, model)
    assert held > 200e6 and freed.expected > 200e6 and freed.got >= 0.75 * freed.expected
    assert host.own() == Own()


def test_what_is_no_model_is_a_load_error(backend: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "none.gguf"
    file.write_bytes(b"GGUF and nothing else")
    with pytest.raises(LoadError, match="broken: RuntimeError: Failed to init server"):
        InlineHost(backend.LlamaModel).load(ModelSpec(name="broken", source=str(file)))


def test_a_reply_that_a_shift_interrupts_is_continued_by_the_other_rung(
    backend: ModuleType, rungs: Ladder, tmp_path: Path
) -> None:
    pieces: list[str] = []
    with ModelManager(rungs, host=InlineHost(backend.LlamaModel), cache=tmp_path) as manager:

        def take(piece: str) -> None:
            pieces.append(piece)
            if len(pieces) == 6:
                manager.scaler.initiate_graceful_degradation("a test asks for it", immediate=True)

        began = time.monotonic()
        reply = manager.respond("What is gravity?", on_text=take, options=Options(max_new_tokens=60))
        assert reply.rungs == ("long", "short") and reply.degraded and reply == "".join(pieces)
        assert reply.lower().count("gravity is") <= 2 and reply.seconds <= time.monotonic() - began
        need = manager.needs.of(rungs.named("long"))
        assert need.measured and need.need["ram"] >= rungs.named("long").need["ram"]
