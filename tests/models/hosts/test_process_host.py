"""Real workers on tiny checkpoints."""

import json
import os
import signal
import threading
from pathlib import Path

import psutil
import pytest
from gearshift.models import Ladder, ModelSpec, Options
from gearshift.models.failures import LoadError, WorkerLost
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.hosts.process import ProcessHost
from gearshift.models.needs.need import weight_bytes
from gearshift.models.replies.generation import Brake

from .replies import LONG, QUESTION, Reply, gone, load, words


def test_a_rung_loads_answers_and_its_worker_s_end_gives_all_its_memory_back(host: ProcessHost, ladder: Ladder) -> None:
    spec = ladder.named("large")
    weights = weight_bytes(spec.source)
    model = load(host, spec)
    pid = model.worker.pid
    held, own = host.held("large")["ram"], host.own()
    assert weights <= held <= weights + (150 << 20)
    assert 0.95 * weights <= own.mapped <= weights + (16 << 20) and abs(own.used - held) < 16 << 20
    text, written = words(model)
    assert text and written.finished and written.tokens > 0
    freed = host.unload("large", model)
    assert freed.expected >= weights and freed.got == freed.expected
    assert pid is not None and not psutil.pid_exists(pid)
    assert host.own() == (0, 0) and host.held("large") == {"ram": held}


def test_a_worker_writes_the_text_that_the_app_s_own_process_would(host: ProcessHost, ladder: Ladder) -> None:
    inline = InlineHost()
    ours = inline.load(ladder.named("medium"))
    expected, written = words(ours)
    inline.unload("medium", ours)
    model = load(host, ladder.named("medium"))
    text, remote = words(model)
    assert text == expected
    assert (remote.end, remote.prompt, remote.tokens) == (written.end, written.prompt, written.tokens)
    host.unload("medium", model)


def test_a_brake_in_mid_reply_stops_it_and_the_rest_continues_the_same_words(host: ProcessHost, ladder: Ladder) -> None:
    model = load(host, ladder.named("large"))
    whole, _ = words(model)
    brake, pieces = Brake(), []

    def take(piece: str) -> None:
        pieces.append(piece)
        brake.stop()

    written = model.generate(QUESTION, "", Options(max_new_tokens=40), take, brake)
    start = "".join(pieces)
    assert not written.finished and whole.startswith(start)
    rest, written = words(model, partial=start)
    assert written.finished and start + rest == whole
    host.unload("large", model)


def test_a_brake_set_beforehand_lets_no_text_through(host: ProcessHost, ladder: Ladder) -> None:
    model = load(host, ladder.named("small"))
    brake = Brake()
    brake.stop()
    text, written = words(model, brake=brake)
    assert (text, written.finished) == ("", False)
    assert words(model)[1].finished
    host.unload("small", model)


def test_a_reader_that_raises_ends_its_reply_and_the_next_one_gets_its_own_words(
    host: ProcessHost, ladder: Ladder
) -> None:
    model = load(host, ladder.named("small"))
    expected = words(model)

    def take(piece: str) -> None:
        raise KeyError(piece)

    with pytest.raises(KeyError):
        model.generate(QUESTION, "", LONG, take, Brake())
    assert words(model)[0] == expected[0]
    host.unload("small", model)


def test_a_killed_worker_is_a_loss_with_its_signal_and_what_it_wrote_stands(host: ProcessHost, ladder: Ladder) -> None:
    lost: list[tuple[str, str]] = []
    told = threading.Event()
    host.on_lost(lambda name, reason: (lost.append((name, reason)), told.set()))
    model = load(host, ladder.named("large"))
    whole, _ = words(model)
    reply = Reply(model)
    assert model.worker.pid is not None
    os.kill(model.worker.pid, signal.SIGKILL)
    reply.ended()
    assert isinstance(reply.error, WorkerLost)
    assert "killed by signal 9 (most likely the kernel ran out of memory)" in str(reply.error)
    text = "".join(reply.pieces)
    assert text and (whole.startswith(text) or text.startswith(whole))
    assert told.wait(10) and lost[0][0] == "large" and "killed by signal 9" in lost[0][1]
    assert host.own() == (0, 0)
    assert host.unload("large", model) == (0, 0)
    with pytest.raises(WorkerLost, match="signal 9"):
        words(model)


def test_a_loss_that_is_told_late_does_not_hit_a_newer_worker_of_that_name(ladder: Ladder) -> None:
    host, told, lost = ProcessHost(), threading.Event(), []

    def slow(*_: str) -> None:
        host.unload("small", model)
        host.load(ladder.named("small"))
        told.set()

    host.on_lost(slow)
    host.on_lost(lambda name, reason: lost.append((name, reason)))
    model = load(host, ladder.named("small"))
    assert model.worker.pid is not None
    os.kill(model.worker.pid, signal.SIGKILL)
    assert told.wait(60)
    host.close()
    assert lost == []


def test_an_unload_is_no_loss(ladder: Ladder) -> None:
    host, lost = ProcessHost(), []
    host.on_lost(lambda name, reason: lost.append((name, reason)))
    host.unload("small", host.load(ladder.named("small")))
    host.load(ladder.named("small"))
    host.close()
    assert lost == []


def test_a_worker_that_hangs_in_a_reply_can_be_killed_with_a_reason(host: ProcessHost, ladder: Ladder) -> None:
    model = load(host, ladder.named("large"))
    reply = Reply(model)
    assert model.worker.pid is not None
    os.kill(model.worker.pid, signal.SIGSTOP)
    host.kill("large", "answered nothing for 30 s")
    assert isinstance(reply.ended().error, WorkerLost) and "answered nothing for 30 s" in str(reply.error)
    host.unload("large", model)


def test_a_stopped_worker_is_unloaded_all_the_same(host: ProcessHost, ladder: Ladder) -> None:
    model = load(host, ladder.named("small"))
    pid = model.worker.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    freed = host.unload("small", model)
    assert freed.got == freed.expected > 0 and gone(pid)


def test_two_rungs_answer_at_the_same_time(host: ProcessHost, ladder: Ladder) -> None:
    large, small = load(host, ladder.named("large")), load(host, ladder.named("small"))
    expected = words(large)[0], words(small)[0]
    replies = [Reply(large), Reply(small)]
    assert all(reply.is_alive() for reply in replies)
    assert host.own().used > host.held("large")["ram"]
    for reply, start in zip(replies, expected, strict=True):
        reply.brake.stop()
        text = "".join(reply.ended().pieces)
        assert text and (start.startswith(text) or text.startswith(start))
    for name, model in (("large", large), ("small", small)):
        host.unload(name, model)


def test_a_broken_checkpoint_is_a_load_error_with_its_reason(
    host: ProcessHost, tmp_path: Path, checkpoints: dict[str, Path]
) -> None:
    for file in checkpoints["small"].iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps({**config, "model_type": "no-such-model"}))
    with pytest.raises(LoadError, match="broken: .*no-such-model") as caught:
        host.load(ModelSpec(name="broken", source=str(tmp_path)))
    assert not caught.value.out_of_memory and host.own() == (0, 0)
    with pytest.raises(LoadError, match="broken: the rung can't be used: .*Path"):
        host.load(ModelSpec(name="broken", source=tmp_path))  # pyright: ignore[reportArgumentType]


def test_what_a_message_or_an_option_is_refused_for_is_told(host: ProcessHost, ladder: Ladder) -> None:
    model = load(host, ladder.named("small"))
    with pytest.raises(ValueError, match="longer than the rung's context"):
        model.generate([{"role": "user", "content": "x" * 600}], "", Options(max_new_tokens=4), print, Brake())
    for messages, options in (
        (QUESTION, Options(sampling={"stop": object()})),
        ([{"role": "user", "content": 5}], LONG),
    ):
        with pytest.raises(ValueError, match="the messages or their options can't be used: .*(object|int)"):
            model.generate(messages, "", options, print, Brake())
    assert words(model)[1].finished
    host.unload("small", model)


def test_a_relative_source_is_found_from_where_the_app_is_now(
    host: ProcessHost, checkpoints: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    host.unload("small", host.load(ModelSpec(name="small", source=str(checkpoints["small"]))))
    monkeypatch.chdir(checkpoints["small"].parent)
    model = load(host, ModelSpec(name="small", source="small", context=512))
    assert words(model)[1].finished
    host.unload("small", model)


def test_a_worker_is_offered_to_the_kernel_before_the_app(host: ProcessHost, ladder: Ladder) -> None:
    model = load(host, ladder.named("small"))
    assert int(Path(f"/proc/{model.worker.pid}/oom_score_adj").read_text()) >= 800
    host.unload("small", model)


def test_an_argument_that_makes_no_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="timeout must be above 0 seconds, got timeout=0"):
        ProcessHost(timeout=0)
    host = ProcessHost()
    with pytest.raises(TypeError, match="loaded by another host"):
        host.unload("small", object())  # pyright: ignore[reportArgumentType]
    host.close()
