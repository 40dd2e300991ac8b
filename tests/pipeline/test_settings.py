import re

import msgspec
import pytest
from gearshift.pipeline import Header, Settings
from gearshift.pipeline.about import BYTES, COUNT, FRACTION, SECONDS
from gearshift.pipeline.lines import decode_header, encode
from gearshift.pipeline.settings import ABOUT, explained

FIELDS = Settings.__struct_fields__
every_field = pytest.mark.parametrize("name", FIELDS)


@every_field
def test_each_field_says_its_unit_what_may_stand_in_it_and_why_it_is_as_it_is(name: str) -> None:
    about = ABOUT[name]
    assert about.unit in (FRACTION, SECONDS, BYTES, COUNT)
    assert about.what.endswith(".") and about.why and not about.why.endswith(".")
    assert any(word in about.allowed() for word in ("above ", "at least ", "from "))
    assert explained(name) in " ".join((Settings.__doc__ or "").split())


@every_field
def test_each_default_is_within_what_may_stand_there_and_so_is_each_example(name: str) -> None:
    about, usual = ABOUT[name], getattr(Settings(), name)
    assert about.wrong(name, usual) == ""
    assert (usual is None) <= bool(about.none and about.example is not None)


def test_nothing_is_documented_that_is_no_field() -> None:
    assert tuple(ABOUT) == FIELDS
    assert {other for about in ABOUT.values() for other in (about.up_to, about.under) if other} <= set(FIELDS)


_HUGE = 10**400  # no float holds it


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("high", 0.0, "high must be a fraction above 0 and at most critical (0.92), got high=0.0"),
        ("high", 0.93, "high must be a fraction above 0 and at most critical (0.92), got high=0.93"),
        ("high", 2, "high must be a fraction above 0 and at most critical (0.92), got high=2"),
        ("high", "0.8", "high must be a fraction above 0 and at most critical (0.92), got high='0.8'"),
        ("high", True, "high must be a fraction above 0 and at most critical (0.92), got high=True"),
        ("high", None, "high must be a fraction above 0 and at most critical (0.92), got high=None"),
        ("hysteresis", 0.8, "hysteresis must be a fraction above 0 and below high (0.8), got hysteresis=0.8"),
        ("hysteresis", 0, "hysteresis must be a fraction above 0 and below high (0.8), got hysteresis=0"),
        ("critical", 1.01, "critical must be a fraction above 0 and at most 1, got critical=1.01"),
        ("alpha", 0.0009, "alpha must be a fraction from 0.001 to 0.5, got alpha=0.0009"),
        ("alpha", 0.51, "alpha must be a fraction from 0.001 to 0.5, got alpha=0.51"),
        ("stall", 0, "stall must be a fraction above 0 and at most 1, got stall=0"),
        *((x, 0, f"{x} must be seconds above 0, got {x}=0") for x in ("interval", "fastest", "window", "gap")),
        *(
            (name, -0.1, f"{name} must be seconds of at least 0, got {name}=-0.1")
            for name in ("horizon", "confirm", "patience", "recovery", "settle", "retry")
        ),
        *(
            (name, float(odd), f"{name} must be seconds of at least 0, got {name}={odd}")
            for name in ("horizon", "settle") for odd in ("nan", "inf")
        ),
        ("stabilisation", -1, 'stabilisation must be seconds of at least 0 or "adaptive", got stabilisation=-1'),
        ("stabilisation", "x", 'stabilisation must be seconds of at least 0 or "adaptive", got stabilisation=\'x\''),
        ("latency", 0, "latency must be seconds above 0 or None, got latency=0"),
        *(
            ("reserve", value,
             f"reserve must be whole bytes of at least 0 for each pool, by its name, got reserve{told}")
            for value, told in (({"ram": -1}, "['ram']=-1"), ({"ram": 4e9}, "['ram']=4000000000.0"), (7, "=7"))
        ),
        ("budget", 0, "budget must be whole bytes above 0 or None, got budget=0"),
        ("budget", 4e9, "budget must be whole bytes above 0 or None, got budget=4000000000.0"),
        ("budget", _HUGE, f"budget must be whole bytes above 0 or None, got budget={_HUGE}"),
        *(
            ("max_shifts_per_hour", value,
             f"max_shifts_per_hour must be a whole number of at least 0, got max_shifts_per_hour={value}")
            for value in (-1, 2.5)
        ),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused_by_name_range_and_value(name: str, value: object, told: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        Settings(**{name: value})


@pytest.mark.parametrize(
    "changes",
    [
        {"high": 0.92}, {"critical": 1, "high": 1, "hysteresis": 0.99}, {"alpha": 0.001}, {"alpha": 0.5}, {"stall": 1},
        {"horizon": 0, "confirm": 0, "patience": 0, "recovery": 0, "settle": 0, "retry": 0, "stabilisation": 0},
        {"stabilisation": "adaptive"}, {"max_shifts_per_hour": 0}, {"latency": 0.01}, {"reserve": {"ram": 0}},
        {"budget": 1},
    ],
)  # fmt: skip
def test_a_value_just_within_its_range_is_taken(changes: dict[str, object]) -> None:
    made = Settings(**changes)  # pyright: ignore[reportArgumentType]
    assert {name: getattr(made, name) for name in changes} == changes


def test_settings_are_frozen_and_compare_by_value() -> None:
    with pytest.raises(AttributeError):
        Settings().high = 0.5  # pyright: ignore[reportAttributeAccessIssue]
    assert Settings(high=0.7) == Settings(high=0.7) != Settings()
    with pytest.raises(TypeError, match="hihg"):
        Settings(hihg=0.7)  # pyright: ignore[reportCallIssue]


def test_settings_come_back_from_a_recording_as_they_went_in() -> None:
    made = Settings(high=0.7, stabilisation="adaptive", reserve={"ram": 5}, latency=2.5, budget=1 << 40)
    header = decode_header(encode(Header(1, settings=made)), "here")
    assert header.settings == made
    assert msgspec.json.decode(msgspec.json.encode(made), type=Settings) == made


def test_code_that_gives_settings_gets_just_these(monkeypatch: pytest.MonkeyPatch) -> None:
    from gearshift.pipeline import ProactiveScaler

    monkeypatch.setenv("GEARSHIFT_ALPHA", "0.3")
    assert ProactiveScaler(settings=Settings(high=0.7)).settings == Settings(high=0.7)
    assert ProactiveScaler().settings.alpha == 0.3
