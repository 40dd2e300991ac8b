"""The switcher over real models in this process, with readings of this machine."""

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from gearshift.models import Ladder, ModelSpec, Options
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.switching.switcher import Switcher
from gearshift.pipeline import Settings
from gearshift.pipeline.sources import Sampler, default_probes

from tests.models.checkpoints import make_checkpoint
from tests.models.switching import RANKS, ScriptedNeeds, to

WIDTHS = {"large": 128, "medium": 96, "small": 64}
ALL = Settings(high=1.0, critical=1.0, hysteresis=0.01)


@pytest.fixture(scope="module")
def tied(tmp_path_factory: pytest.TempPathFactory) -> Ladder:
    """Three rungs whose heads are their embeddings: those that a load gone wrong leaves without any."""
    root = tmp_path_factory.mktemp("tied")
    paths = {name: make_checkpoint(root / name, width, tied=True) for name, width in WIDTHS.items()}
    return Ladder([ModelSpec(name=name, source=str(path), context=256) for name, path in paths.items()])


@pytest.fixture
def switcher(tied: Ladder) -> Iterator[Switcher]:
    host = InlineHost()
    sampler = Sampler(default_probes(own=host.own))
    needs = ScriptedNeeds(dict.fromkeys(WIDTHS, 64 << 20))
    made = Switcher(tied, host, needs, lambda names: sampler.take_pools(names).pools, ALL, keep="small")
    yield made
    made.close()
    sampler.close()
    assert host.own().used == 0
    host.close()


def logits(model: Any) -> Any:
    import torch

    with torch.inference_mode():
        return model(torch.arange(2, 34)[None]).logits


def at_rest(switcher: Switcher) -> None:
    changed = switcher._leases.changed
    with changed:
        assert changed.wait_for(lambda: switcher.idle, 120)


def test_after_500_decisions_from_4_threads_the_model_is_whole_and_right(tied: Ladder, switcher: Switcher) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    outcomes: list[Any] = []
    written: list[str] = []
    switcher.outcomes.subscribe(outcomes.append)
    start, over, last = threading.Barrier(5), threading.Event(), [to("small")]

    def submit(seed: int) -> None:
        chance = random.Random(seed)
        start.wait(20)
        for _ in range(125):
            decision = to(chance.choice(list(RANKS)), chance.choice(list(RANKS)), immediate=chance.random() < 0.5)
            with switcher._leases.changed:
                last[0] = decision
                switcher.submit(decision)
            if chance.random() < 0.1:
                at_rest(switcher)

    def ask() -> None:
        start.wait(20)
        while not over.is_set():
            with switcher.leased(timeout=0.01) as lease:
                if lease is not None:
                    question = [{"role": "user", "content": "Hi"}]
                    lease.model.generate(question, "", Options(max_new_tokens=4), written.append, lease.brake)

    threads = [threading.Thread(target=submit, args=(seed,)) for seed in range(4)]
    asking = threading.Thread(target=ask)
    for thread in [*threads, asking]:
        thread.start()
    for thread in threads:
        thread.join(240)
    over.set()
    asking.join(60)
    assert not any(thread.is_alive() for thread in [*threads, asking])
    at_rest(switcher)
    assert switcher.rung == last[0].target and len(outcomes) == 500
    assert "failed" not in {outcome.kind for outcome in outcomes} and written
    for spec in tied:
        switcher.submit(to(spec.name))
        at_rest(switcher)
        with switcher.leased() as lease:
            assert lease is not None and lease.spec == spec
            model: Any = lease.model._model  # pyright: ignore[reportAttributeAccessIssue]
            assert not any(parameter.is_meta for parameter in model.parameters())
            plain = AutoModelForCausalLM.from_pretrained(Path(spec.source))
            assert torch.equal(logits(model), logits(plain))


def test_what_is_loaded_holds_what_its_outcome_says_and_gives_it_back(switcher: Switcher) -> None:
    outcomes: list[Any] = []
    switcher.outcomes.subscribe(outcomes.append)
    for decision in (to("large"), to("small", "large"), to("large", "small"), to(None, "large", immediate=True)):
        switcher.submit(decision)
        at_rest(switcher)
    assert [outcome.kind for outcome in outcomes] == ["loaded", "handed over", "handed over", "unloaded"]
    assert outcomes[1].load == 0, "what is kept takes no load"
    assert all(outcome.load > 0 for outcome in outcomes[::2][:2])
    assert 0 < outcomes[1].freed.expected <= outcomes[0].held["ram"]
