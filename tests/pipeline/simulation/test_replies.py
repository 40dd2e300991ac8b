from itertools import islice

import pytest
from gearshift.pipeline import Request, Rung
from gearshift.pipeline.simulation import every

from .scripted import now, play, ram, to

# 200 bytes of weights, a byte a token; the planner reckons with 100 tokens
CHAT = [Rung("large", {"ram": 500}, 4.0), Rung("small", {"ram": 300}, 1.0, context=100, per_token={"ram": 1})]
ONE = [Request(5.0, 10, 40)]  # two seconds at 20 tokens a second


def test_the_cache_grows_with_the_reply_and_goes_with_it() -> None:
    found, policy = play([0] * 10, {0.0: to("small")}, ladder=CHAT, requests=ONE)
    # all of the need while it loads, then the weights, and from 10 tokens on while a reply is written
    assert policy.own == [0, 300, 200, 200, 200, 210, 230, 200, 200, 200]
    assert (found.replies, found.waited, policy.requests) == (1, 0.0, [5.0])


def test_one_reply_at_a_time() -> None:
    found, policy = play([0] * 12, {0.0: to("small")}, ladder=CHAT, requests=[*ONE, Request(6.0, 50, 20)])
    assert policy.own == [0, 300, 200, 200, 200, 210, 230, 250, 200, 200, 200, 200]
    assert (found.replies, found.waited) == (2, 1.0)


def test_a_planned_shift_lets_the_reply_end_and_no_other_begin() -> None:
    requests = [*ONE, Request(6.5, 10, 20)]
    found, policy = play([400] * 12, {0.0: to("small"), 6.0: to("large", "small")}, ladder=CHAT, requests=requests)
    assert policy.told[2:] == [(6.0, "shifting", "small"), (9.04, "ready", "large")]
    assert found.time_by_rung == pytest.approx({"large": 11 - 9.04, "small": 5.0, None: 4.04})
    assert found.replies == 2 and found.waited == pytest.approx(9.04 - 6.5)


def test_a_shift_made_beside_hands_over_when_the_reply_has_ended() -> None:
    requests = [Request(5.0, 10, 60)]  # until 8.0, and the load until 7.0
    found, policy = play([0] * 12, {0.0: to("small"), 5.0: to("large", "small")}, ladder=CHAT, requests=requests)
    assert policy.told[2:] == [(5.0, "shifting", "small"), (8.04, "ready", "large")]
    assert found.time_by_rung[None] == 2.0


def test_an_immediate_shift_brakes_the_reply_and_the_next_rung_goes_on_with_it() -> None:
    script = {0.0: to("large"), 6.0: now("small", "large")}
    found, policy = play([400] * 12, script, ladder=CHAT, requests=ONE)
    assert policy.told[2:] == [(6.0, "shifting", "large"), (8.04, "ready", "small")]
    # 30 tokens are there at 8.04, and 50 at 9.04
    assert policy.own[6:] == [500, 300, 300, 200 + 49, 200, 200]
    assert found.replies == 1 and found.waited == pytest.approx(2.04)


def test_a_killed_models_reply_goes_on_too() -> None:
    script = {0.0: to("large"), 9.0: to("small")}
    found, policy = play([0] * 5 + [600] * 2 + [100] * 7, script, ladder=CHAT, requests=ONE, kill_after=1.5)
    assert policy.told[2] == (6.5, "empty !large", None)
    assert found.replies == 1 and found.waited == pytest.approx(11.0 - 6.5)


def test_draining_ends_when_a_newer_decision_comes() -> None:
    script = {0.0: to("small"), 6.0: to("large", "small"), 6.5: to("small", "small")}
    samples = ram([400] * 24, step=0.5)
    found, policy = play(samples, script, ladder=CHAT, requests=[Request(5.0, 10, 60)])
    assert policy.told[2:] == [(6.0, "shifting", "small"), (6.5, "ready", "small")]
    assert found.replies == 1 and found.shifts == ()


def test_requests_before_the_first_sample_wait_for_a_rung_and_those_after_the_last_are_not_taken() -> None:
    requests = [Request(-3.0, 10, 20), Request(99.0, 10, 20)]
    found, policy = play([0] * 8, {0.0: to("small")}, ladder=CHAT, requests=requests)
    assert policy.requests == [-3.0] and (found.replies, found.waited, found.seconds) == (1, 2.0, 7.0)


def test_a_request_that_wants_nothing_is_answered_at_once() -> None:
    found, _ = play([0] * 5, {0.0: to("small")}, requests=[Request(3.0, 10, 0)] * 3)
    assert (found.replies, found.waited) == (3, 0.0)


def test_requests_out_of_order_and_of_less_than_nothing_are_named() -> None:
    with pytest.raises(ValueError, match=r"in the order of their times, got 2.0 after 3.0"):
        play([0] * 5, {}, requests=[Request(3.0, 1, 1), Request(2.0, 1, 1)])
    with pytest.raises(ValueError, match=r"tokens must be at least 0, got Request\(time=1.0, prompt=-1"):
        play([0] * 5, {}, requests=[Request(1.0, -1, 1)])
    with pytest.raises(ValueError, match="tokens_per_second=0"):
        play([], {}, tokens_per_second=0)


def test_every_so_many_seconds() -> None:
    endless = every(0.5, prompt=3, generated=7, since=10.0)
    assert list(islice(endless, 3)) == [Request(10.0, 3, 7), Request(10.5, 3, 7), Request(11.0, 3, 7)]
    found, _ = play([0] * 8, {0.0: to("small")}, requests=every(1, prompt=1, generated=10))
    assert found.replies == 7  # those of the first two seconds wait for the load, and then two fit into a second
    with pytest.raises(ValueError, match="seconds=0"):
        every(0, prompt=1, generated=1)
