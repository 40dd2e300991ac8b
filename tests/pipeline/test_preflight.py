import asyncio
import copy
import pickle
import threading
import time
from typing import Any

import pytest
from gearshift.pipeline import Pool, Preflight, ProactiveScaler, Reading, Residency, Rung, Sample, Sampler, Settings
from gearshift.pipeline.outlook import Outlook, OutlookWindow
from gearshift.pipeline.preflight import best_fitting, judge, with_tokens
from gearshift.pipeline.testing import ScriptedProbe, rungs_of, samples_of
from hypothesis import given
from hypothesis import strategies as st
from reactivex import Subject
from reactivex.subject import BehaviorSubject

GIB = 2**30
LADDER = [
    Rung("large", {"ram": 6 * GIB}, context=2048, per_token={"ram": GIB // 1024}),
    Rung("small", {"ram": 2 * GIB}, context=2048, per_token={"ram": GIB // 4096}),
]
CALM = Settings(critical=0.9)


def machine(*, total: int = 10 * GIB, used: int = 0, own: int = 0, pool: str = "ram") -> Outlook:
    found = Pool(total, used, own)
    return OutlookWindow(Settings()).sample(Sample(0.0, {pool: found}))


def asked(seen: Outlook, rung: int | None = 0, tokens: int = 0, ladder: list[Rung] = LADDER) -> Preflight:
    chosen = None if rung is None else ladder[rung]
    return judge(seen, ladder, chosen, CALM, operation="generate", tokens=tokens)


def test_an_answer_is_a_pair_that_says_more() -> None:
    answer = Preflight(False, "no", fits="small", known=False)
    ok, reason = answer
    assert (ok, reason) == (answer[0], answer[1]) == (answer.ok, answer.reason) == answer == (False, "no")
    assert len(answer) == 2 and hash(answer) == hash((False, "no"))
    assert Preflight(True, "yes").fits is None and Preflight(True, "yes").known
    assert repr(answer) == "Preflight(ok=False, reason='no', fits='small', known=False)"
    for twin in (pickle.loads(pickle.dumps(answer)), copy.copy(answer)):
        assert (type(twin), twin, twin.fits, twin.known) == (Preflight, answer, "small", False)


def test_tokens_within_the_context_add_nothing_and_each_further_one_adds_its_bytes() -> None:
    assert with_tokens(LADDER[0], 2048) is LADDER[0]
    assert with_tokens(LADDER[0], 2049).need == {"ram": 6 * GIB + GIB // 1024}
    assert LADDER[0].need == {"ram": 6 * GIB}
    split = Rung("split", {"cuda:0": 100}, context=10, per_token={"cuda:0": 2, "ram": 3})
    assert with_tokens(split, 20).need == {"cuda:0": 120, "ram": 30}
    assert with_tokens(Rung("plain", {"ram": 5}), 10**6).need == {"ram": 5}


def test_the_limit_itself_is_within_it() -> None:
    most = 9 * GIB - 6 * GIB
    assert asked(machine(used=most)).ok
    assert not asked(machine(used=most + 1)).ok
    assert asked(machine(used=most + 6 * GIB, own=6 * GIB)).ok, "what our models hold is not taken from them"


def test_the_cache_of_a_long_prompt_is_part_of_what_must_fit() -> None:
    seen = machine(used=2 * GIB)
    assert asked(seen, tokens=2048 + 1024).ok
    answer = asked(seen, tokens=2048 + 1025)
    assert not answer.ok and answer.fits == "small" and answer.known
    assert answer.reason == (
        "generate: does not fit: large with 3073 tokens needs 7.00 GiB in ram, others hold 2.00 GiB, "
        "the limit is 90% of 10.00 GiB; small would fit"
    )
    answer = asked(seen, tokens=10**6)
    assert answer.fits is None and answer.reason.endswith("; no rung would fit")


def test_an_answer_that_fits_says_the_numbers_and_the_best_rung() -> None:
    answer = asked(machine(used=1 * GIB), rung=1, tokens=100)
    assert answer == (
        True,
        "generate: fits: small with 100 tokens needs 2.00 GiB in ram, others hold 1.00 GiB, "
        "the limit is 90% of 10.00 GiB",
    )
    assert answer.fits == "large"


def test_a_pool_that_is_unknown_permits_nothing_but_another_may_fit() -> None:
    answer = asked(machine(pool="cuda:0"))
    assert answer == (False, "generate: the memory that large needs can't be read")
    assert (answer.fits, answer.known) == (None, False)
    ladder = [*LADDER, Rung("card", {"cuda:0": GIB})]
    answer = asked(machine(pool="cuda:0"), ladder=ladder)
    assert (answer.ok, answer.fits, answer.known) == (False, "card", False)
    assert answer.reason.endswith("; card would fit")


def test_without_a_resident_rung_it_says_what_could_be_loaded() -> None:
    answer = asked(machine(), rung=None)
    assert answer == (False, "generate: no rung is loaded; large would fit") and answer.fits == "large"


@given(
    st.lists(st.integers(0, 1200), min_size=1, max_size=4), st.integers(0, 1000), st.integers(0, 60), st.integers(0, 9)
)
def test_what_fits_is_the_first_rung_whose_own_answer_is_yes(
    needs: list[int], used: int, tokens: int, size: int
) -> None:
    ladder = [Rung(f"r{i}", {"ram": need}, context=30, per_token={"ram": size}) for i, need in enumerate(needs)]
    seen = machine(total=1000, used=used)
    answers = [asked(seen, i, tokens, ladder) for i in range(len(ladder))]
    yes = [rung.name for rung, answer in zip(ladder, answers, strict=True) if answer.ok]
    assert {answer.fits for answer in answers} == {yes[0] if yes else None}
    assert best_fitting(seen, ladder, CALM, tokens=tokens) == (yes[0] if yes else None)
    by_hand = [used + n + max(0, tokens - 30) * size <= 0.9 * 1000 for n in needs]
    assert [answer.ok for answer in answers] == by_hand


class Given:
    """A scaler with a source that the test pushes, and `large` resident."""

    def __init__(self, **settings: Any) -> None:
        self.source: Subject[Sample] = Subject()
        self.scaler = ProactiveScaler(rungs_of(500, 300, 100), Settings(**settings), self.source)
        self.scaler.start_continuous_monitoring()

    def push(self, used: int | None, **fields: Any) -> None:
        pool = None if used is None else Pool(1000, used)
        self.source.on_next(Sample(1e9, {"ram": pool}, **fields))

    def ask(self) -> Preflight:
        return self.scaler.check_preflight_resources("reply", "large")


def test_a_source_that_was_given_and_has_sent_nothing_permits_nothing() -> None:
    given = Given()
    answer = given.ask()
    assert answer == (False, "reply: no sample has come from the source yet") and not answer.known
    assert not given.scaler.should_upgrade_model()


@pytest.mark.slow
def test_a_source_that_was_given_and_went_silent_permits_nothing_and_says_for_how_long() -> None:
    given = Given(interval=0.05)
    given.push(0)
    assert given.ask().ok and given.scaler.should_upgrade_model()
    time.sleep(0.2)
    answer = given.ask()
    assert not answer.ok and not answer.known and answer.fits is None
    assert answer.reason.startswith(
        "reply: the last sample is 0.2 s old, too old to start on; by it: fits: large needs"
    )
    assert not given.scaler.should_upgrade_model()
    given.push(0)
    assert given.ask().ok, "the age is of its arrival, as its own clock may be any"


@pytest.mark.slow
def test_a_sample_counts_for_three_of_its_own_intervals() -> None:
    given = Given(interval=0.01)
    given.push(0, interval=30.0)
    time.sleep(0.1)
    assert given.ask().ok
    given = Given(interval=30.0)
    given.push(0, interval=0.01)
    time.sleep(0.1)
    assert not given.ask().known


class Counting(ScriptedProbe):
    reads = 0

    def read(self) -> Reading:
        self.reads += 1
        return super().read()


def ram(used: int) -> Reading:
    return Reading(pools={"ram": Pool(1000, used)})


def test_before_any_sample_this_machine_is_read_by_the_probes_that_the_ladder_needs() -> None:
    memory, other = Counting([ram(0), ram(900)]), Counting([Reading()], name="cpu", pools=())
    scaler = ProactiveScaler(rungs_of(500, 300, 100), Settings(), sampler=Sampler([memory, other]))
    assert scaler.check_preflight_resources("reply", "large").ok
    answer = scaler.check_preflight_resources("reply", "large")
    assert not answer.ok and answer.known and answer.fits is None
    assert (memory.reads, other.reads) == (2, 0)


def test_a_reading_that_fails_permits_nothing() -> None:
    scaler = ProactiveScaler(rungs_of(500), Settings(), sampler=Sampler([ScriptedProbe([OSError("gone")])]))
    answer = scaler.check_preflight_resources("reply", "large")
    assert answer == (False, "reply: the memory that large needs can't be read") and not answer.known


def test_a_fresh_sample_is_not_read_again_and_a_hung_sampler_does_not_hold_the_answer_up() -> None:
    hang, hung = threading.Event(), threading.Event()

    class Hanging:
        name, pools, reads = "driver", ("cuda:0",), 0

        def read(self) -> Reading:
            self.reads += 1
            if self.reads == 2:
                hung.set()
                hang.wait(20)
            return Reading()

    memory = Counting([ram(0)])
    sampler = Sampler([memory, Hanging()])
    scaler = ProactiveScaler(rungs_of(500), Settings(interval=0.02), sampler=sampler)
    with scaler:
        assert hung.wait(10)
        time.sleep(0.1)
        reads = memory.reads
        began = time.monotonic()
        assert scaler.check_preflight_resources("reply", "large").ok
        assert time.monotonic() - began < 5
        assert memory.reads == reads + 1
        hang.set()
    scaler = ProactiveScaler(rungs_of(500), Settings(interval=30.0), sampler=Sampler([memory]))
    seen = threading.Event()
    scaler.outlooks.subscribe(lambda _: seen.set())
    with scaler:
        assert seen.wait(10)
        reads = memory.reads
        assert all(scaler.check_preflight_resources("reply", "large").ok for _ in range(10))
        assert memory.reads == reads


@pytest.mark.parametrize(
    ("tokens", "error", "says"),
    [(-1, ValueError, "tokens must be at least 0, got tokens=-1"), (1.5, TypeError, "tokens=1.5"),
     (True, TypeError, "tokens=True"), ("9", TypeError, "tokens='9'"), (None, TypeError, "tokens=None")],
)  # fmt: skip
def test_tokens_that_are_no_count_are_named(tokens: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        ProactiveScaler(LADDER, Settings(), Subject()).check_preflight_resources(rung="large", tokens=tokens)


def test_the_answer_is_a_snapshot() -> None:
    given = Given()
    given.push(0)
    before = given.ask()
    given.push(999)
    assert before.ok and "others hold 0.00 GiB" in before.reason and before.fits == "large"
    assert not given.ask().ok


def test_the_resident_rung_is_meant_when_none_is_named() -> None:
    source: Subject[Sample] = Subject()
    residencies: Subject[Residency] = Subject()
    scaler = ProactiveScaler(rungs_of(500, 300, 100), Settings(), source, residencies=residencies)
    with scaler:
        source.on_next(samples_of([500])[0])
        assert not scaler.check_preflight_resources().known
        residencies.on_next(Residency(0.0, "ready", "medium"))
        assert scaler.check_preflight_resources().ok and "medium" in scaler.check_preflight_resources().reason


def test_what_a_rung_turned_out_to_need_counts_from_then_on() -> None:
    source: Subject[Sample] = Subject()
    loaded = BehaviorSubject(Residency(0.0, "ready", "large"))
    with ProactiveScaler(rungs_of(500, 300, 100), Settings(), source, residencies=loaded) as scaler:
        source.on_next(samples_of([400])[0])
        assert scaler.check_preflight_resources().ok
        loaded.on_next(Residency(1.0, "ready", "large", need={"ram": 600}))
        assert not scaler.check_preflight_resources().ok
        assert scaler.ladder[0].need == {"ram": 600}


def test_a_resident_rung_that_is_not_on_the_ladder_is_named() -> None:
    source: Subject[Sample] = Subject()
    loaded = BehaviorSubject(Residency(0.0, "ready", "foreign"))
    with ProactiveScaler(rungs_of(500, 300, 100), Settings(), source, residencies=loaded) as scaler:
        source.on_next(samples_of([500])[0])
        answer = scaler.check_preflight_resources()
    says = "generate: foreign is loaded, which is not on the ladder; medium would fit"
    assert (answer.ok, answer.reason, answer.known) == (False, says, False)


def test_a_coroutine_may_ask_while_the_monitor_runs() -> None:
    async def ask() -> list[Preflight]:
        scaler = ProactiveScaler(rungs_of(500), Settings(interval=0.01), sampler=Sampler([ScriptedProbe([ram(0)])]))
        answers = []
        async with scaler:
            seen = asyncio.Event()
            loop = asyncio.get_running_loop()
            scaler.outlooks.subscribe(lambda _: loop.call_soon_threadsafe(seen.set))
            await asyncio.wait_for(seen.wait(), 10)
            for _ in range(200):
                answers.append(scaler.check_preflight_resources("reply", "large"))
                await asyncio.sleep(0)
        return answers

    before = set(threading.enumerate())
    assert all(answer.ok for answer in asyncio.run(ask()))
    assert set(threading.enumerate()) == before
