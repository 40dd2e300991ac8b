"""Models in this process: measured, braked before they go, and gone afterwards."""

import threading
import weakref
from pathlib import Path

import pytest
from gearshift.models import Ladder, ModelSpec, Options
from gearshift.models.engine.memory import resident, trim
from gearshift.models.failures import LoadError
from gearshift.models.hosts import Freed
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.needs.need import weight_bytes
from gearshift.models.replies.generation import Brake
from gearshift.models.testing import FakeModel, FakeModels
from gearshift.pipeline.probes.ram import Own

QUESTION = [{"role": "user", "content": "Hello"}]


@pytest.fixture(scope="module")
def warm(checkpoints: dict[str, Path]) -> InlineHost:
    """A host that has loaded before, so that what a first load leaves in the process is there already."""
    host = InlineHost()
    spec = ModelSpec(name="large", source=str(checkpoints["large"]), context=512)
    model = host.load(spec)
    model.generate(QUESTION, "", Options(max_new_tokens=4), lambda _: None, Brake())
    host.unload("large", model)
    return host


def test_an_unload_gives_back_what_the_load_took(warm: InlineHost, ladder: Ladder) -> None:
    spec = ladder.named("large")
    model = warm.load(spec)
    held = warm.held("large")
    assert held["ram"] >= 0.95 * weight_bytes(spec.source)
    model.generate(QUESTION, "", Options(max_new_tokens=4), lambda _: None, Brake())
    freed = warm.unload("large", model)
    assert freed.expected >= 0.95 * held["ram"] and freed.got >= 0.95 * freed.expected
    assert warm.held("large") == {} and warm.own() == Own()


@pytest.mark.slow
def test_sixty_loads_over_three_rungs_leave_the_process_as_large_as_it_was(warm: InlineHost, ladder: Ladder) -> None:
    trim()
    before = resident().rss
    for i in range(60):
        spec = ladder[i % 3]
        model = warm.load(spec)
        model.generate(QUESTION, "", Options(max_new_tokens=2), lambda _: None, Brake())
        warm.unload(spec.name, model)
    trim()
    top = weight_bytes(ladder[0].source)
    assert resident().rss - before <= max(0.05 * top, 5 << 20)


def test_a_reply_that_is_being_written_is_braked_before_its_rung_goes(warm: InlineHost, ladder: Ladder) -> None:
    model = warm.load(ladder.named("medium"))
    begun, ended = threading.Event(), []

    def write() -> None:
        ended.append(model.generate(QUESTION, "", Options(max_new_tokens=450), lambda _: begun.set(), Brake()))

    thread = threading.Thread(target=write)
    thread.start()
    assert begun.wait(60)
    freed = warm.unload("medium", model)
    thread.join(60)
    assert ended[0].end == "braked" and freed.got >= 0.75 * freed.expected


def test_closing_unloads_what_is_left_and_can_be_done_twice() -> None:
    loader = FakeModels()
    host = InlineHost(loader)
    for name in ("large", "small"):
        host.load(ModelSpec(name=name, source="nowhere"))
    host.close()
    assert [model.closed for model in loader.loaded] == [True, True]
    host.close()


def test_whatever_a_loader_raises_becomes_a_load_error_that_keeps_nothing_of_it() -> None:
    class Tensor:
        pass

    seen: list[weakref.ref[Tensor]] = []

    def load(_: ModelSpec) -> FakeModel:
        tensor = Tensor()
        seen.append(weakref.ref(tensor))
        raise MemoryError("no room")

    host = InlineHost(load)
    with pytest.raises(LoadError, match="large: MemoryError: no room") as caught:
        host.load(ModelSpec(name="large", source="nowhere"))
    assert caught.value.out_of_memory
    assert caught.value.__cause__ is None and caught.value.__context__ is None
    assert seen[0]() is None
    assert host.held("large") == {} and host.own() == Own()


def test_a_load_error_of_the_loader_stays_as_it_is_told() -> None:
    def load(_: ModelSpec) -> FakeModel:
        raise LoadError("large: no such checkpoint")

    with pytest.raises(LoadError, match="^large: no such checkpoint$") as caught:
        InlineHost(load).load(ModelSpec(name="large", source="nowhere"))
    assert not caught.value.out_of_memory


def test_unloading_what_took_nothing_waits_for_nothing() -> None:
    host = InlineHost(FakeModels())
    model = host.load(ModelSpec(name="small", source="nowhere"))
    assert isinstance(host.unload("small", model), Freed)


def test_cancelling_and_listening_for_losses_are_harmless() -> None:
    host = InlineHost(FakeModels())
    host.cancel()
    host.on_lost(lambda *_: None)
    assert host.load(ModelSpec(name="small", source="nowhere"))
