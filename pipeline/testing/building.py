"""Samples, residencies and ladders in one line each, checked when they are made."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeAlias

from ...operators.typing import finite, not_negative, positive, whole
from ..rungs import Residency, Rung, checked_ladder
from ..samples import Device, Pool, Pressure, Sample
from ..words import GIB

PoolLike: TypeAlias = Pool | tuple[float, float] | None
"""A pool as tests write it: bytes `(used, total)`, a `Pool`, or None where the reading failed."""

_BY_KEYWORD = ("ram", "mps")
_FIELDS = tuple(name for name in Sample.__struct_fields__ if name not in ("time", "pools"))
_UNKNOWABLE = ("cpu", "load", "swap_used", "swap_in", "alarm")
_STATES = ("empty", "shifting", "ready")


def sample(
    time: float = 0.0,
    pools: Mapping[str, PoolLike] | None = None,
    *,
    own: float | Mapping[str, float] = 0,
    **more: Any,
) -> Sample:
    """One sample.

    Args:
        time: seconds of event time.
        pools: by name, each `(used, total)` in bytes, a `Pool`, or None where the reading failed.
        own: bytes of `used` that this app's models hold: a number where one pool is given, else by pool.
        more: the pools `ram` and `mps`, and the fields of `Sample` under their names. `missing` names the pools that
            are None, unless it is given. A stall may be written as `pressure={"memory": (some, full)}`.

    Without any pool it has `ram` with 8 of 16 GiB in use.

    Raises:
        ValueError: for sizes below 0, own above used, used above total (a machine can be in that state, under a budget
            for one: give a `Pool` then), times and shares that are no finite numbers.
        TypeError: for a keyword that is neither, and for sizes that are no whole numbers.

    >>> sample(12.0, ram=(7 * GIB, 16 * GIB), own=4 * GIB).pools["ram"].external == 3 * GIB
    True
    >>> read = sample(12.0, {"ram": (300, 1000), "cuda:0": None}, cpu=0.5)
    >>> read.pools, read.cpu, read.missing
    ({'ram': Pool(total=1000, used=300, own=0), 'cuda:0': None}, 0.5, ('cuda:0',))
    >>> sample(12.0, ram=(16, 7))
    Traceback (most recent call last):
    ValueError: ram has used 16 above total 7; a pool is (used, total), or Pool(total, used) where that is meant
    """
    given = dict(pools or {})
    for name in _BY_KEYWORD:
        if name in more:
            if name in given:
                raise TypeError(f"{name} is given twice, by keyword and among pools")
            given[name] = more.pop(name)
    given = given or {"ram": (8 * GIB, 16 * GIB)}
    ours = _by_pool("own", own, given)
    made = {name: _pool(name, pool, ours.get(name, 0)) for name, pool in given.items()}
    return _sample(finite("time", time), made, _checked(more))


def samples_of(
    external: Iterable[float | None] | Mapping[str, Iterable[float | None]],
    *,
    total: float | Mapping[str, float] = 1000,
    own: float | Mapping[str, float] = 0,
    interval: float = 1.0,
    since: float = 0.0,
    **more: Any,
) -> list[Sample]:
    """Samples from a series of what others hold, in bytes; None is a failed reading.

    Args:
        external: bytes of `ram`, or by pool series of the same length.
        total, own: bytes, of every pool or by pool. What others hold and `own` may go beyond `total`, as on a machine
            with swap.
        interval: seconds between the samples.
        since: the time of the first, seconds.
        more: fields of `Sample`, as in `sample`, the same in each.

    Raises ValueError, TypeError, as `sample`.

    >>> [(s.time, s.pools["ram"]) for s in samples_of([100, None], own=500, since=7.0)]
    [(7.0, Pool(total=1000, used=600, own=500)), (8.0, None)]
    >>> samples_of({"ram": [100], "cuda:0": [0]}, total={"ram": 1000, "cuda:0": 800})[0].pools["cuda:0"]
    Pool(total=800, used=0, own=0)
    """
    for name in (name for name in _BY_KEYWORD if name in more):
        raise TypeError(f"{name}={more[name]!r} is one pool; its series is external={{{name!r}: [bytes, …]}}")
    series = {name: list(levels) for name, levels in _series(external).items()}
    if len({len(levels) for levels in series.values()}) > 1:
        lengths = {name: len(levels) for name, levels in series.items()}
        raise ValueError(f"the series of external use must be of one length, got {lengths}")
    step, start, fields = positive("interval", interval), finite("since", since), _checked(more)
    totals, ours = _by_pool("total", total, series), _by_pool("own", own, series)
    if lacking := [name for name in series if name not in totals]:
        raise ValueError(f"total lacks {lacking}; give the bytes of each pool, got total={total!r}")
    made: list[Sample] = []
    for i, levels in enumerate(zip(*series.values(), strict=True)):
        pools = {
            name: None if level is None else _beside(name, level, totals[name], ours.get(name, 0))
            for name, level in zip(series, levels, strict=True)
        }
        made.append(_sample(start + i * step, pools, fields))
    return made


def residency(
    rung: str | None = None,
    time: float = 0.0,
    *,
    state: str | None = None,
    failed: str | None = None,
    seconds: float = 0.0,
    need: Mapping[str, float] | None = None,
) -> Residency:
    """What is loaded from `time` on: `ready` with a rung and `empty` without, unless `state` says `shifting`.

    time, seconds (of the shift that led here), failed, need (bytes by pool): as in `Residency`; times are in seconds.
    Raises ValueError, TypeError, naming the field and its value.

    >>> residency("large", 3.0, seconds=2.0) == Residency(3.0, "ready", "large", seconds=2.0)
    True
    >>> residency("large", state="empty")
    Traceback (most recent call last):
    ValueError: a residency with rung='large' can't be 'empty'; leave state out, or mend the rung
    """
    state = state or ("empty" if rung is None else "ready")
    if state not in _STATES:
        raise ValueError(f"state must be one of {', '.join(_STATES)}, got state={state!r}")
    if (state == "ready" and rung is None) or (state == "empty" and rung is not None):
        raise ValueError(f"a residency with rung={rung!r} can't be {state!r}; leave state out, or mend the rung")
    sizes = {pool: whole_bytes(f"need[{pool!r}]", size) for pool, size in (need or {}).items()}
    return Residency(finite("time", time), state, rung, failed, not_negative("seconds", seconds), sizes)


def rungs_of(*needs: float | Mapping[str, float], **named: float | Mapping[str, float]) -> list[Rung]:
    """A ladder from needs, best first: bytes of `ram`, or bytes by pool. Quality counts down to 1.

    Without names they are `large`, `medium` and `small`, or numbered from four on.

    Raises ValueError, TypeError: for no rung at all, for needs below 0 or no whole numbers, for needs with and without
    names together.

    >>> [(rung.name, rung.need, rung.quality) for rung in rungs_of(500, 100)]
    [('large', {'ram': 500}, 2.0), ('small', {'ram': 100}, 1.0)]
    >>> [rung.need for rung in rungs_of(gpu={"cuda:0": 8 * GIB, "ram": GIB}, cpu=2 * GIB)]
    [{'cuda:0': 8589934592, 'ram': 1073741824}, {'ram': 2147483648}]
    """
    if needs and named:
        raise TypeError(f"give all needs by name or none, got {list(needs)} and {named}")
    names = {1: ["large"], 2: ["large", "small"], 3: ["large", "medium", "small"]}.get(len(needs))
    listed = named or {names[i] if names else f"rung{i}": need for i, need in enumerate(needs)}
    return list(
        checked_ladder([
            Rung(name, _need(name, need), quality=float(len(listed) - i))
            for i, (name, need) in enumerate(listed.items())
        ])
    )  # fmt: skip


def _need(rung: str, need: float | Mapping[str, float]) -> dict[str, int]:
    by_pool = need if isinstance(need, Mapping) else {"ram": need}
    return {pool: whole_bytes(f"need of {rung} in {pool}", size) for pool, size in by_pool.items()}


def _series(external: Any) -> Mapping[str, Iterable[float | None]]:
    if isinstance(external, Mapping):
        if not external:
            raise ValueError("external must hold at least one pool's series, got an empty mapping")
        found = external
    else:
        found = {"ram": external}
    for name, levels in found.items():
        if not isinstance(levels, Iterable):
            raise TypeError(
                f"external use of {name} must be a series of bytes, got {levels!r}; for one sample, [{levels!r}]"
            )
    return found


def _sample(time: float, pools: dict[str, Pool | None], fields: dict[str, Any]) -> Sample:
    lost = tuple(name for name, pool in pools.items() if pool is None)
    return Sample(time, pools, **{"missing": lost, **fields})


def _pool(name: str, given: PoolLike, own: int) -> Pool | None:
    if given is None:
        return None
    if isinstance(given, Pool):
        if own:
            raise ValueError(f"{name} is given as {given}, which tells its own; leave own={own} out")
        return given
    if not (isinstance(given, tuple | list) and len(given) == 2):
        raise TypeError(f"{name} must be (used, total) in bytes, a Pool, or None, got {given!r}")
    used, total = (whole_bytes(f"{what} of {name}", size) for what, size in zip(("used", "total"), given, strict=True))
    if used > total:
        raise ValueError(
            f"{name} has used {used} above total {total}; a pool is (used, total), or Pool(total, used) where that is "
            "meant"
        )
    if own > used:
        raise ValueError(f"{name} has own {own} above used {used}; own is a part of used")
    return Pool(total, used, own)


def _beside(name: str, external: float, total: int, own: int) -> Pool:
    return Pool(total, whole_bytes(f"external use of {name}", external) + own, own)


def _by_pool(what: str, given: Any, pools: Mapping[str, Any]) -> dict[str, int]:
    """A number for each pool; one for all counts where that leaves no doubt."""
    if not isinstance(given, Mapping):
        if what == "own" and given and len(pools) > 1:
            raise ValueError(
                f"own={given!r} doesn't say in which pool; give it by name, {{{next(iter(pools))!r}: {given!r}}}"
            )
        given = dict.fromkeys(pools, given)
    if strange := [name for name in given if name not in pools]:
        raise ValueError(f"{what} names {strange}, and the pools are {list(pools)}")
    return {name: whole_bytes(f"{what} of {name}", size) for name, size in given.items()}


def whole_bytes(what: str, size: Any, *, least: int = 0) -> int:
    """A size as an int, `1.5 * GIB` too. Raises TypeError, ValueError, naming what it is the size of."""
    number: Any = int(size) if isinstance(size, float) and size.is_integer() else size
    return whole(what, number, least=least)


def _checked(more: Mapping[str, Any]) -> dict[str, Any]:
    """Fields of a sample that are not its time and its pools."""
    made: dict[str, Any] = {}
    for name, value in more.items():
        if name not in _FIELDS:
            raise TypeError(_unknown(name))
        made[name] = None if value is None and name in _UNKNOWABLE else _field(name, value)
    return made


def _field(name: str, value: Any) -> Any:
    if name == "missing":
        return (value,) if isinstance(value, str) else tuple(value)
    if name == "pressure":
        return {key: _stalled(key, stall) for key, stall in _by_name(name, value).items()}
    if name == "devices":
        for key, device in _by_name(name, value).items():
            if not isinstance(device, Device):
                raise TypeError(f"devices[{key!r}] must be a Device, got {device!r}")
        return value
    if name == "alarm":
        if not isinstance(value, bool):
            raise TypeError(f"alarm must be True, False or None, got alarm={value!r}")
        return value
    if name == "swap_used":
        return whole_bytes(name, value)
    if name == "cpu":
        return _share(name, value)
    return finite(name, value) if name == "wall" else not_negative(name, value)


def _by_name(what: str, given: Any) -> Mapping[str, Any]:
    if not isinstance(given, Mapping):
        raise TypeError(f"{what} must be a mapping by name, got {what}={given!r}")
    return given


def _stalled(name: str, stall: Any) -> Pressure:
    if isinstance(stall, Pressure):
        return stall
    if not (isinstance(stall, tuple | list) and len(stall) == 2):
        raise TypeError(f"pressure of {name} must be (some, full), or a Pressure, got {stall!r}")
    return Pressure(*(_share(f"pressure of {name}", share) for share in stall))


def _share(name: str, value: Any) -> float:
    share = not_negative(name, value)
    if share > 1:
        raise ValueError(f"{name} must be a fraction from 0 to 1, got {name}={value!r}")
    return share


def _unknown(name: str) -> str:
    near = get_close_matches(name, (*_FIELDS, *_BY_KEYWORD), 1)
    hint = f"did you mean {near[0]!r}?" if near else f"the fields are {', '.join(_FIELDS)}."
    return (
        f"a sample has no field {name!r}; {hint} "
        f"A pool other than {' and '.join(_BY_KEYWORD)} goes among pools: {{{name!r}: (used, total)}}"
    )
