"""What a type checker makes of each operator; checked by basedpyright in strict mode, and run here as well."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, assert_type

import reactivex
from reactivex import Observable
from reactivex.scheduler import ImmediateScheduler

if TYPE_CHECKING:  # a type checker sees the folder, Python the installed package
    import operators as gs
    from operators import Operator, Stamped, Trend
    from operators.debounce import Debouncer
    from operators.lifting import Nothing
    from operators.stabilize import Stabilizer
else:
    import gearshift.operators as gs
    from gearshift.operators import Operator, Stamped, Trend
    from gearshift.operators.debounce import Debouncer
    from gearshift.operators.lifting import Nothing
    from gearshift.operators.stabilize import Stabilizer


@dataclass
class Tick:
    at: float
    symbol: str
    price: float


NUMBERS: Observable[Stamped[float]] = reactivex.of(Stamped(0.0, 1.5), Stamped(1.0, 2.5), Stamped(2.0, 3.5))
WORDS: Observable[Stamped[str]] = reactivex.of(Stamped(0.0, "a"), Stamped(1.0, "b"))
TICKS: Observable[Tick] = reactivex.of(Tick(0.0, "X", 1.5), Tick(1.0, "X", 2.5))


def at(tick: Tick) -> float:
    return tick.at


def price(tick: Tick) -> float:
    return tick.price


def symbol(tick: Tick) -> str:
    return tick.symbol


def no_change(tick: Tick, seconds: float) -> float:
    return tick.price + 0 * seconds


def collected(*streams: Observable[Any]) -> list[list[Any]]:
    seen: list[list[Any]] = [[] for _ in streams]
    for stream, items in zip(streams, seen, strict=True):
        stream.subscribe(items.append)
    return seen


def test_numbers_become_trends_bounds_and_states() -> None:
    trends = assert_type(NUMBERS.pipe(gs.trend(60)), Observable[Trend])
    bound = assert_type(trends.pipe(gs.calibrated(1, 0.5, window=9)), Observable[Stamped[float]])
    bounds = assert_type(trends.pipe(gs.calibrated((1, 2), 0.5, window=9)), Observable[Stamped[tuple[float, ...]]])
    state = assert_type(NUMBERS.pipe(gs.hysteresis(1, 2)), Observable[Stamped[bool]])
    level = assert_type(NUMBERS.pipe(gs.hysteresis(levels=[(1, 2)])), Observable[Stamped[int]])
    limited = assert_type(NUMBERS.pipe(gs.rate_limit(1, per=9)), Observable[Stamped[float]])
    lengths = [len(items) for items in collected(trends, bound, bounds, state, level, limited)]
    assert lengths == [3, 1, 0, 3, 3, 3]


def test_what_passes_values_on_keeps_their_type() -> None:
    debounced = assert_type(WORDS.pipe(gs.debounce(1)), Observable[Stamped[str]])
    either = assert_type(WORDS.pipe(gs.debounce(rise=1, fall=0)), Observable[Stamped[str]])
    stable = assert_type(WORDS.pipe(gs.stabilize(up=1, down=0)), Observable[Stamped[str]])
    calm = assert_type(WORDS.pipe(gs.cooldown(1)), Observable[Stamped[str]])
    gate = assert_type(WORDS.pipe(gs.serialize()), Observable[Stamped[str]])
    latest = assert_type(WORDS.pipe(gs.conflate(ImmediateScheduler())), Observable[Stamped[str]])
    patient = assert_type(WORDS.pipe(gs.retry_with_backoff()), Observable[Stamped[str]])
    sessions = assert_type(WORDS.pipe(gs.reset_on_gap(9, gs.debounce(1))), Observable[Stamped[str]])
    stale = assert_type(WORDS.pipe(gs.staleness(9)), Observable[bool])
    lengths = [len(x) for x in collected(debounced, either, stable, calm, gate, latest, patient, sessions, stale)]
    assert lengths == [0, 0, 2, 2, 2, 2, 2, 0, 1]


def test_selectors_give_the_item_type_and_the_value_type() -> None:
    assert_type(gs.trend(60, value=price, time=at), Operator[Tick, Trend])
    assert_type(gs.debounce(0, value=symbol, time=at), Operator[Tick, Stamped[str]])
    assert_type(gs.stabilize(up=1, down=0, value=symbol, time=at), Operator[Tick, Stamped[str]])
    assert_type(gs.cooldown(1, value=symbol, time=at), Operator[Tick, Stamped[str]])
    assert_type(gs.hysteresis(1, 2, value=price, time=at), Operator[Tick, Stamped[bool]])
    flat = gs.calibrated(1, 0.5, window=9, value=price, time=at, forecast=no_change)
    assert_type(flat, Operator[Tick, Stamped[float]])
    symbols = assert_type(TICKS.pipe(gs.debounce(0, value=symbol, time=at)), Observable[Stamped[str]])
    assert collected(symbols) == [[Stamped(0.0, "X"), Stamped(1.0, "X")]]


def test_a_chain_is_typed_from_end_to_end() -> None:
    chain: Callable[[Observable[Stamped[float]]], Observable[Stamped[bool]]] = reactivex.compose(
        gs.trend(60), gs.calibrated(1, 0.5, window=9), gs.hysteresis(1, 2), gs.debounce(0), gs.stabilize(up=1, down=0)
    )
    assert collected(NUMBERS.pipe(chain)) == [[Stamped(2.0, True)]]


def test_plain_classes_keep_the_type_of_their_values() -> None:
    assert assert_type(Stabilizer[str](up=1, down=0).update("a", 0.0), str) == "a"
    assert assert_type(Debouncer[str](0).update("a", 0.0), str | Nothing) == "a"
