import tomllib
from pathlib import Path

import pytest
from gearshift.pipeline import HardwareTierDetector, ProactiveScaler, Rung, Settings, Tier, TierError
from gearshift.pipeline.probes.cores import usable_cores
from gearshift.pipeline.tier_file import SHIPPED, read_tiers
from gearshift.pipeline.tiers import VARIABLE, machine_settings
from hypothesis import given
from hypothesis import strategies as st

GIB = 1 << 30


@pytest.fixture(autouse=True)
def no_tiers_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def machine(gib: float, cores: float, tiers: Path | None = None, **gpus: int) -> HardwareTierDetector:
    accelerators = {f"cuda:{i}": int(size * GIB) for i, size in enumerate(gpus.values())}
    return HardwareTierDetector(tiers, memory=int(gib * GIB), cores=cores, accelerators=accelerators)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "my_tiers.toml"


TWO = """
[[tier]]
name = "big"
min_memory_gib = 10
min_cores = 2
high = 0.7
critical = 0.8
hysteresis = 0.2
interval = 0.5
window = 20
preferred = ["*7B*"]
[[tier]]
name = "rest"
"""


@pytest.mark.parametrize(
    ("gib", "cores", "name"),
    [
        (8, 16, "low_end"), (24, 2, "mid_range"), (64, 16, "high_end"), (64, 1, "low_end"), (64, 2, "mid_range"),
        (0.5, 1, "low_end"), (0.5, 0.25, "low_end"), (16, 1.5, "low_end"), (24, 64, "mid_range"),
    ],
)  # fmt: skip
def test_memory_and_cores_together_make_the_tier(gib: float, cores: float, name: str) -> None:
    assert machine(gib, cores).detect().name == name


@pytest.mark.parametrize(
    ("gpus", "name"),
    [({}, "low_end"), ({"a": 4}, "low_end"), ({"a": 8}, "mid_range"), ({"a": 24}, "high_end"),
     ({"a": 4, "b": 24}, "high_end"), ({"a": 12, "b": 12}, "mid_range")],
)  # fmt: skip
def test_one_accelerator_with_enough_memory_is_another_way_in(gpus: dict[str, int], name: str) -> None:
    assert machine(4, 1, **gpus).detect().name == name


machines = st.tuples(
    st.integers(1 << 20, 1 << 43),
    st.floats(0, 1024, exclude_min=True),
    st.dictionaries(st.sampled_from(["cuda:0", "cuda:1"]), st.integers(1, 1 << 38)),
)


def place(memory: int, cores: float, accelerators: dict[str, int]) -> int:
    seen = HardwareTierDetector(memory=memory, cores=cores, accelerators=accelerators)
    return [t.name for t in seen.tiers].index(seen.detect().name)


@given(machines)
def test_any_machine_is_in_exactly_one_tier(hardware: tuple[int, float, dict[str, int]]) -> None:
    reached = [t.reached_by(*hardware) for t in read_tiers()]
    assert reached.index(True) == place(*hardware)
    assert reached[-1]


@given(machines, machines)
def test_more_hardware_never_gives_a_lower_tier(
    one: tuple[int, float, dict[str, int]], other: tuple[int, float, dict[str, int]]
) -> None:
    gpus = {name: max(one[2].get(name, 0), other[2].get(name, 0)) for name in one[2] | other[2]}
    both = place(max(one[0], other[0]), max(one[1], other[1]), gpus)
    assert both <= min(place(*one), place(*other))


@given(machines)
def test_why_names_the_tier_and_what_the_one_above_lacks(hardware: tuple[int, float, dict[str, int]]) -> None:
    memory, cores, gpus = hardware
    seen = HardwareTierDetector(memory=memory, cores=cores, accelerators=gpus)
    text = seen.explain()
    assert text.startswith(seen.detect().name) and text.endswith(".")
    assert " 0 GiB" not in text.partition("lacks")[2] and " 0 cores" not in text.partition("lacks")[2]
    assert ("lacks" in text) == (place(*hardware) > 0)


def test_ceilings_rise_with_the_tier() -> None:
    assert {t.name: (t.high, t.critical) for t in read_tiers()} == {
        "high_end": (0.85, 0.94), "mid_range": (0.80, 0.92), "low_end": (0.75, 0.90),
    }  # fmt: skip


def test_thresholds_are_settings(file: Path) -> None:
    file.write_text(TWO)
    assert Settings(**machine(12, 2, file).scaling_thresholds()) == Settings(
        high=0.7, critical=0.8, hysteresis=0.2, interval=0.5, window=20.0
    )


def test_a_key_left_out_has_the_default_of_settings(file: Path) -> None:
    file.write_text(TWO)
    assert Settings(**machine(1, 2, file).scaling_thresholds()) == Settings()


def test_every_key_of_the_file_that_ships_is_there_to_be_changed() -> None:
    for table in tomllib.loads(SHIPPED.read_text("utf-8"))["tier"]:
        minima = {f for f in Tier.__struct_fields__ if f.startswith("min_")}
        assert set(Tier.__struct_fields__) - set(table) <= minima


def test_the_argument_wins_over_the_variable_and_the_variable_over_what_ships(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text(TWO)
    other = tmp_path / "other.toml"
    other.write_text(TWO.replace("big", "other"))
    assert machine(12, 2).detect().name == "mid_range"
    monkeypatch.setenv(VARIABLE, str(other))
    assert machine(12, 2).detect().name == "other"
    assert machine(12, 2, file).detect().name == "big"
    monkeypatch.setenv(VARIABLE, "")
    assert machine(12, 2).detect().name == "mid_range"


def test_a_bad_file_named_by_the_variable_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path / "absent.toml"))
    with pytest.raises(TierError, match=r"absent.toml \(named by GEARSHIFT_TIERS\): can't be read: No such file"):
        ProactiveScaler()


def test_this_machine_is_read_by_its_totals(file: Path) -> None:
    seen = HardwareTierDetector()
    assert seen.memory > 1 << 20 and seen.cores == usable_cores()
    assert machine_settings() == Settings(**seen.scaling_thresholds())
    file.write_text('[[tier]]\nname = "only"\nhigh = 0.5')
    assert HardwareTierDetector(file).scaling_thresholds()["high"] == 0.5


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"memory": 0}, "memory must be bytes above 0, got memory=0"),
        ({"cores": -1}, "cores must be cores above 0, got cores=-1"),
        ({"cores": float("nan")}, "got cores=nan"),
        ({"accelerators": {"cuda:0": 0}}, r"accelerators\['cuda:0'\] must be bytes above 0, got .*=0"),
    ],
)
def test_a_machine_that_cannot_be_is_named(given: dict, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        HardwareTierDetector(**{"memory": GIB, "cores": 1, "accelerators": {}, **given})


def test_a_rung_can_run_within_critical_of_every_pool_it_needs() -> None:
    seen = machine(10, 2, a=8)
    critical = seen.detect().critical
    ram, gpu = int(critical * 10 * GIB), int(critical * 8 * GIB)
    assert seen.can_run(Rung("both", {"ram": ram, "cuda:0": gpu}))
    assert not seen.can_run(Rung("too much RAM", {"ram": ram + 1, "cuda:0": gpu}))
    assert not seen.can_run(Rung("too much GPU", {"ram": ram, "cuda:0": gpu + 1}))
    assert not seen.can_run(Rung("another GPU", {"cuda:1": 1}))


LADDER = [
    Rung("qwen2.5-32b", {"ram": 64 * GIB}),
    Rung("qwen2.5-7b", {"ram": 15 * GIB}),
    Rung("Llama-3B-bf16", {"ram": 6 * GIB}),
    Rung("Llama-3B-int8", {"ram": 3 * GIB}),
    Rung("SmolLM2-1.7B", {"ram": 4 * GIB}),
    Rung("mine", {"ram": GIB}),
]


@pytest.mark.parametrize(
    ("gib", "cores", "names"),
    [
        (64, 16, ["qwen2.5-7b", "Llama-3B-bf16", "Llama-3B-int8", "SmolLM2-1.7B", "mine"]),
        (24, 2, ["Llama-3B-bf16", "Llama-3B-int8", "SmolLM2-1.7B", "qwen2.5-7b", "mine"]),
        (5, 2, ["SmolLM2-1.7B", "Llama-3B-int8", "mine"]),
        (0.5, 1, []),
    ],
)
def test_preferred_rungs_are_those_that_can_run_best_match_first(gib: float, cores: int, names: list[str]) -> None:
    assert [rung.name for rung in machine(gib, cores).preferred_rungs(LADDER)] == names


def test_without_a_ladder_the_patterns_are_told_and_case_does_not_count(file: Path) -> None:
    file.write_text(TWO)
    assert machine(20, 2, file).preferred_rungs() == ["*7B*"]
    assert [rung.name for rung in machine(20, 2, file).preferred_rungs(LADDER)] == ["qwen2.5-7b", "SmolLM2-1.7B"]


LAST = '[[tier]]\nname = "last"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", ": holds no tier; add"),
        ("tier = []", ": holds no tier; add"),
        ("not toml [", ": not TOML: "),
        ("tier = 3", ": tier must be [[tier]] tables, got tier=3; "),
        ("tier = [1]", ": tier must be [[tier]] tables, got tier=[1]; "),
        ("speed = 3\n" + LAST, ": unknown key speed = 3; "),
        ("[[tier]]\nhigh = 0.8", ": tier[0]: name is missing; give"),
        (LAST + "speed = 3", ": tier[0] 'last': unknown key speed = 3; the keys of a tier are name, "),
        (LAST + 'high = "0.8"', ": tier[0] 'last': high must be a number, got high='0.8'"),
        (LAST + "high = true", "high must be a number, got high=True"),
        (LAST + 'min_accelerator_gib = "8"', "min_accelerator_gib must be a number, got min_accelerator_gib='8'"),
        ("[[tier]]\nname = 3", "tier[0] 3: name must be text in quotes, got name=3"),
        (LAST + 'preferred = "*7b*"', "preferred must be a list of patterns in quotes, such as"),
        (LAST + 'preferred = ["*7b*", 7]', "got preferred=['*7b*', 7]"),
        ('[[tier]]\nname = " "', "tier[0] ' ': name must hold a word"),
        (LAST + LAST, "tier[1] 'last': name='last' is the name of an earlier tier too; give each"),
        (LAST + "high = 0.95", "tier[0] 'last': high must be below critical (0.92), got high=0.95; lower high"),
        (LAST + "high = 0.9\ncritical = 0.9", "high must be below critical (0.9), got high=0.9; "),
        (LAST + "critical = 1.5", "critical must be a fraction above 0 and at most 1, got critical=1.5"),
        (LAST + "hysteresis = 0.8", "hysteresis must be a fraction above 0 and below high (0.8), got hysteresis=0.8"),
        (LAST + "hysteresis = 0", "got hysteresis=0"),
        (LAST + "high = nan", "got high=nan"),
        (LAST + "interval = 0", "interval must be seconds above 0, got interval=0"),
        (LAST + "window = inf", "got window=inf"),
        (LAST + "min_cores = -1", "min_cores must be a number from 0 to 1e+09, got min_cores=-1"),
        (LAST + "min_memory_gib = 1e308", "got min_memory_gib=1e+308"),
        (LAST + "min_memory_gib = nan", "got min_memory_gib=nan"),
        (LAST + "min_accelerator_gib = 0", "min_accelerator_gib=0.0; leave it out"),
        (LAST + "min_accelerator_gib = inf", "got min_accelerator_gib=inf"),
        (LAST + "min_memory_gib = 4", "'last': min_memory_gib must be 0 in the last tier, got min_memory_gib=4"),
        (LAST + "min_cores = 0.5", "min_cores must be 0 in the last tier, got min_cores=0.5: "),
        (LAST + '[[tier]]\nname = "big"\nmin_memory_gib = 9', "tier[1] 'big': can never be reached: with min_"),
        (
            '[[tier]]\nname = "a"\nmin_cores = 2\nmin_accelerator_gib = 7.3\n'
            '[[tier]]\nname = "b"\nmin_memory_gib = 9\nmin_cores = 3\nmin_accelerator_gib = 7.3\n' + LAST,
            "tier[1] 'b': can never be reached: with min_memory_gib=9, min_cores=3, min_accelerator_gib=7.3 every",
        ),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_error_that_names_file_tier_key_and_value(file: Path, text: str, says: str) -> None:
    file.write_text(text)
    with pytest.raises(TierError) as caught:
        HardwareTierDetector(file)
    assert str(caught.value).startswith(str(file)) and says in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_way_in_by_accelerator_alone_makes_a_tier_reachable(file: Path) -> None:
    file.write_text(
        '[[tier]]\nname = "a"\nmin_memory_gib = 4\n'
        '[[tier]]\nname = "gpu"\nmin_memory_gib = 8\nmin_accelerator_gib = 6\n' + LAST
    )
    assert [machine(gib, 1, file, a=6).detect().name for gib in (9, 3)] == ["a", "gpu"]
    assert machine(3, 1, file).detect().name == "last"


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(TierError, match=r"can't be read: Is a directory; give the path"):
        HardwareTierDetector(tmp_path)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(TierError, match=r"binary.toml: not TOML"):
        HardwareTierDetector(tmp_path / "binary.toml")


def test_a_tier_in_code_is_checked_as_in_a_file() -> None:
    with pytest.raises(ValueError, match=r"high must be below critical \(0.7\), got high=0.8"):
        Tier(name="mine", critical=0.7)
