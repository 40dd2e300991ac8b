"""Real transformers models, tiny, in real memory."""

import json
import threading
from pathlib import Path

import pytest
from gearshift.models import Ladder, ModelSpec, Options
from gearshift.models.engine.loading import load_transformers
from gearshift.models.engine.memory import resident, trim
from gearshift.models.failures import LoadError
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.needs.need import weight_bytes
from gearshift.models.replies.generation import Brake

QUESTION = [{"role": "user", "content": "Hello"}]


def words(model, brake: Brake | None = None, partial: str = "", tokens: int = 12) -> tuple[str, bool]:
    pieces: list[str] = []
    written = model.generate(QUESTION, partial, Options(max_new_tokens=tokens), pieces.append, brake or Brake())
    return "".join(pieces), written.finished


def test_load_generate_shift_unload_and_the_memory_comes_back(ladder: Ladder) -> None:
    host = InlineHost()
    host.unload("small", host.load(ladder.named("small")))  # what a first load leaves behind, once
    trim()
    before = resident().rss
    large = host.load(ladder.named("large"))
    held = host.own()
    weights = weight_bytes(ladder.named("large").source)
    assert weights <= held.used + (1 << 20) and held.mapped >= 0.95 * weights
    assert resident().rss - before >= 0.95 * weights
    text, finished = words(large)
    assert finished and text
    expected, got = host.unload("large", large)
    del large
    assert expected >= 0.95 * weights
    assert got >= 0.9 * weights
    assert host.own().used == 0
    small = host.load(ladder.named("small"))
    assert words(small)[0]
    host.unload("small", small)


def test_the_first_token_needs_no_more_weights_from_disk(ladder: Ladder) -> None:
    host = InlineHost()
    model = host.load(ladder.named("large"))
    mapped = resident().mapped
    words(model)
    assert resident().mapped - mapped < 0.05 * weight_bytes(ladder.named("large").source)
    host.unload("large", model)


def test_a_brake_stops_at_a_token_and_the_rest_continues_the_same_words(ladder: Ladder) -> None:
    model = load_transformers(ladder.named("large"))
    whole, _ = words(model, tokens=40)
    brake = Brake()
    pieces: list[str] = []

    def take(piece: str) -> None:
        pieces.append(piece)
        brake.stop()

    finished = model.generate(QUESTION, "", Options(max_new_tokens=40), take, brake).finished
    start = "".join(pieces)
    assert not finished and whole.startswith(start) and len(start) < len(whole)
    rest, finished = words(model, partial=start, tokens=40)
    assert finished and start + rest == whole


def test_a_brake_set_before_the_prefill_stops_it(ladder: Ladder) -> None:
    model = load_transformers(ladder.named("small"))
    brake = Brake()
    brake.stop()
    assert words(model, brake) == ("", False)
    assert words(model)[1]


def test_tied_weights_survive_many_loads_from_many_threads(ladder: Ladder) -> None:
    expected = words(load_transformers(ladder.named("small")))
    seen: list[object] = []

    def load() -> None:
        for _ in range(5):
            seen.append(words(load_transformers(ladder.named("small"))))

    threads = [threading.Thread(target=load) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [expected] * 20


def test_a_broken_checkpoint_is_a_load_error_with_its_reason(tmp_path: Path, checkpoints: dict[str, Path]) -> None:
    for file in checkpoints["small"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "no-such-model"}))
    with pytest.raises(LoadError, match="broken: .*no-such-model") as caught:
        load_transformers(ModelSpec(name="broken", source=str(tmp_path)))
    assert caught.value.__cause__ is None and caught.value.__context__ is None


def test_a_message_longer_than_the_context_is_refused_and_old_turns_are_dropped(ladder: Ladder) -> None:
    model = load_transformers(ladder.named("small"))
    brake = Brake()
    old = [{"role": "user", "content": "x" * 200}, {"role": "assistant", "content": "y" * 200}] * 3
    assert model.generate([*old, *QUESTION], "", Options(max_new_tokens=4), lambda _: None, brake)
    with pytest.raises(ValueError, match="longer than the rung's context"):
        model.generate([{"role": "user", "content": "x" * 600}], "", Options(max_new_tokens=4), lambda _: None, brake)
