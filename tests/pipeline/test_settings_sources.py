"""Settings from code, a file, the environment, the tier and the defaults: which counts, and what is refused."""

import re
from itertools import combinations
from pathlib import Path

import pytest
from gearshift.pipeline import Settings, SettingsError, TierError, effective_settings, machine_settings
from gearshift.pipeline.configuring import changes, keys
from gearshift.pipeline.settings_sources import in_environment, usual_file, variable

STRENGTH = ("code", "file", "environment", "tier", "default")
SAID = dict(zip(STRENGTH, (0.71, 0.72, 0.73, 0.74, Settings().high), strict=True))


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where this user's settings file would be."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    (tmp_path / "gearshift").mkdir()
    return tmp_path / "gearshift" / "settings.toml"


@pytest.fixture
def tier(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only tier, with the usual ceilings."""
    made = tmp_path / "tiers.toml"
    made.write_text('[[tier]]\nname = "only"\n')
    monkeypatch.setenv("GEARSHIFT_TIERS", str(made))
    return made


@pytest.mark.parametrize(("stronger", "weaker"), list(combinations(STRENGTH, 2)))
def test_of_any_two_the_stronger_counts_and_is_named(
    stronger: str, weaker: str, file: Path, tier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pair = (stronger, weaker)
    name = "high" if "tier" in pair else "alpha"  # no tier says alpha
    said = SAID if name == "high" else {source: 0.1 * i for i, source in enumerate(STRENGTH[:3], 2)}
    if "file" in pair:
        file.write_text(f"{name} = {said['file']}")
    if "environment" in pair:
        monkeypatch.setenv(variable(name), str(said["environment"]))
    if "tier" in pair:
        tier.write_text(f'[[tier]]\nname = "only"\nhigh = {said["tier"]}')
    found = effective_settings(changes={name: said["code"]} if "code" in pair else {})
    told = {"file": f"file {file}", "environment": f"environment {variable(name)}", "tier": "tier only"}
    assert found.values[name] == (said[stronger], told.get(stronger, stronger))
    assert getattr(found.settings, name) == said[stronger]


def test_all_at_once_each_field_is_from_the_strongest_that_says_it(
    file: Path, tier: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("high = 0.72\nalpha = 0.2\n[reserve]\nram = '4 GiB'\n")
    tier.write_text('[[tier]]\nname = "only"\nhigh = 0.74\nwindow = 20')
    for name, text in {"HIGH": "0.73", "ALPHA": "0.3", "STABILISATION": "adaptive"}.items():
        monkeypatch.setenv(f"GEARSHIFT_{name}", text)
    found = effective_settings(changes={"high": 0.71})
    assert {name: value.source for name, value in found.values.items() if value.source != "default"} == {
        "high": "code", "alpha": f"file {file}", "reserve": f"file {file}", "window": "tier only",
        "stabilisation": "environment GEARSHIFT_STABILISATION",
        **dict.fromkeys(("critical", "hysteresis", "interval"), "tier only"),
    }  # fmt: skip
    assert machine_settings(high=0.71) == found.settings
    assert found.settings == Settings(
        high=0.71, alpha=0.2, window=20, stabilisation="adaptive", reserve={"ram": 4 << 30}
    )


@pytest.mark.usefixtures("tier")
def test_without_any_word_of_the_user_they_are_those_of_the_tier() -> None:
    assert machine_settings() == Settings()


@pytest.mark.parametrize("text", ["high = 0.7", "[ceiling]\nhigh = 0.7", "ceiling.high = 0.7", '"ceiling.high" = 0.7'])
def test_a_ceiling_may_stand_in_its_table(file: Path, text: str) -> None:
    file.write_text(text)
    assert machine_settings().high == 0.7


@pytest.mark.usefixtures("tier")
@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("budget = '1.5 GiB'", "budget", 3 << 29),
        ("budget = 4096", "budget", 4096),
        ("budget = 'none'", "budget", None),
        ("reserve = {ram = 1, 'cuda:0' = '2 GB'}", "reserve", {"ram": 1, "cuda:0": 2_000_000_000}),
        ("stabilisation = 'adaptive'", "stabilisation", "adaptive"),
        ("window = 20", "window", 20.0),
        ("\ufeffwindow = 20", "window", 20.0),
        ("", "window", 30.0),
    ],
)
def test_a_file_may_say(file: Path, text: str, name: str, value: object) -> None:
    file.write_text(text)
    assert getattr(machine_settings(), name) == value


@pytest.mark.usefixtures("tier")
@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        ("0.85", "high", 0.85), (" 0.85 ", "high", 0.85), ("none", "latency", None), ("2", "latency", 2.0),
        ("adaptive", "stabilisation", "adaptive"), ("60", "stabilisation", 60.0), ("8 GiB", "budget", 8 << 30),
        ("4096", "budget", 4096), ('{"ram": 4294967296}', "reserve", {"ram": 4 << 30}),
        ('{"ram": "4 GiB"}', "reserve", {"ram": 4 << 30}), ("", "high", 0.8),
    ],
)  # fmt: skip
def test_a_variable_may_say(monkeypatch: pytest.MonkeyPatch, text: str, name: str, value: object) -> None:
    monkeypatch.setenv(variable(name), text)
    assert getattr(machine_settings(), name) == value
    if text:
        assert changes([f"{name}={text}"]) == {name: value}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("hihg = 0.9", "unknown key 'hihg'; did you mean high? The keys are high, hysteresis, "),
        ("speed = 3", "unknown key 'speed'; the keys are high, "),
        ("[celing]\nhigh = 0.7", "unknown key 'celing'; did you mean ceiling.high? The"),
        ("[ceiling]\nhihg = 0.7", "unknown key 'ceiling.hihg'; did you mean ceiling.high? The"),
        ("high = 0.7\nceiling.high = 0.7", "high is said twice, as high and as ceiling.high; leave one of them out"),
        ("high = '0.9'", "high can't be '0.9': Expected `float`, got `str`; it must be a fraction above 0 and at most"),
        ("high = true", "high can't be True: Expected `float`, got `bool`; "),
        ("high = nan", "high must be a fraction above 0 and at most critical, got high=nan"),
        ("high = 2", "high must be a fraction above 0 and at most critical, got high=2.0"),
        ("interval = 0", "interval must be seconds above 0, got interval=0.0"),
        (
            "stabilisation = 'x'",
            "stabilisation can't be 'x': Invalid enum value 'x'; it must be seconds of at least 0 or ",
        ),
        (
            "budget = 2.5",
            "budget can't be 2.5: Expected `int | null`, got `float`; it must be whole bytes above 0 or None, as in",
        ),
        ("budget = '4 potatoes'", "budget can't be '4 potatoes': '4 potatoes' is no size; give bytes, or such as 500M"),
        (f"budget = 1{'0' * 400}", "budget must be whole bytes above 0 or None, got budget=1000"),
        ("budget = '4096'", "budget can't be '4096': Expected `int | null`, got `str`; "),
        ("reserve = 5", "reserve can't be 5: Expected `object`, got `int`; "),
        ("reserve = {ram = true}", "reserve can't be {'ram': True}: Expected `int`, got `bool`; "),
        (
            "[reserve]\nram = -1",
            "reserve must be whole bytes of at least 0 for each pool, by its name, got reserve['ram']=-1",
        ),
        ("reserve = 5", 'as in reserve = {ram = "4 GiB"}'),
        ("high = 0.8\nx y", "not TOML: Expected '=' after a key in a key/value pair (at line 2, column 3); a settings"),
        ("high = 0.8\nx", "not TOML: Expected '=' after a key in a key/value pair (at line 2, column 2, the end); "),
        ("high = [\n1,", "not TOML: Invalid value (at line 2, column 3, the end); "),
        (
            b"high = 0.8\n# \xff",
            "not TOML: no UTF-8 (at line 2, column 3); a settings file holds lines such as high = ",
        ),
    ],
)
def test_a_file_that_cannot_be_is_one_error_that_names_it_the_key_and_the_remedy(
    file: Path, text: str | bytes, told: str
) -> None:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError, match=f"^{re.escape(str(file))}: .*{re.escape(told).removeprefix('as')}"):
        machine_settings(high=0.8)  # even where the code is stronger


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("HIHG", "0.9", "GEARSHIFT_HIHG: no such setting; did you mean GEARSHIFT_HIGH? If not, give it another name"),
        ("high", "0.9", "GEARSHIFT_high: no such setting; did you mean GEARSHIFT_HIGH?"),
        ("STABILIZATION", "60", "GEARSHIFT_STABILIZATION: no such setting; did you mean GEARSHIFT_STABILISATION?"),
        (
            "HIGH",
            "lots",
            "GEARSHIFT_HIGH: high can't be 'lots': Expected `float`, got `str`; it must be a fraction above 0",
        ),
        ("HIGH", "lots", "as in GEARSHIFT_HIGH=0.8"),
        ("INTERVAL", "0", "GEARSHIFT_INTERVAL: interval must be seconds above 0, got interval=0.0"),
        (
            "MAX_SHIFTS_PER_HOUR",
            "2.5",
            "max_shifts_per_hour can't be '2.5': Expected `int`, got `str`; it must be a whole number",
        ),
        ("RESERVE", '{"ram": }', "GEARSHIFT_RESERVE: reserve can't be '{\"ram\": }': JSON is malformed: "),
        ("RESERVE", '{"a":' * 10_000, "it must be whole bytes of at least 0"),
        ("BUDGET", "9" * 400, "GEARSHIFT_BUDGET: budget must be whole bytes above 0 or None, got budget=999"),
        ("RESERVE", "5", 'as in GEARSHIFT_RESERVE=\'{"ram":"4 GiB"}\''),
        ("BUDGET", "9" * 400 + "GiB", "' is no size; give bytes, or such as 500M, 2GiB; it must be whole bytes"),
        (
            "CEILING_HIGH",
            "5",
            "GEARSHIFT_CEILING_HIGH: high must be a fraction above 0 and at most critical, got high=5.0",
        ),
    ],
)
def test_a_variable_that_cannot_be_is_one_error_that_names_it_and_the_remedy(name: str, text: str, told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        in_environment({f"GEARSHIFT_{name}": text})


def test_a_setting_in_two_variables_is_refused() -> None:
    with pytest.raises(SettingsError, match="high is said twice, as GEARSHIFT_CEILING_HIGH and as GEARSHIFT_HIGH"):
        in_environment({"GEARSHIFT_HIGH": "0.7", "GEARSHIFT_CEILING_HIGH": "0.7"})


def test_variables_that_mean_something_else_are_left_alone_and_told() -> None:
    service = ("SERVICE_HOST", "SERVICE_PORT", "PORT", "PORT_80_TCP", "PORT_80_TCP_ADDR", "PORT_80_TCP_PROTO")
    others = {f"GEARSHIFT_{name}": "10.0.0.1" for name in (*service, "LOG_LEVEL", "HOST")}
    own = {"GEARSHIFT_TIERS": "a", "GEARSHIFT_SETTINGS": "b", "GEARSHIFT_API_KEY": "c", "HIGH": "0.3"}
    assert in_environment({**others, **own}) == ({}, tuple(sorted(others)))


@pytest.mark.parametrize("key", keys())
def test_each_key_has_a_variable_that_is_taken(key: str) -> None:
    text = {"reserve": '{"ram": 1}', "stabilisation": "adaptive"}.get(
        key, "0.1" if key == "alpha" or "hysteresis" in key else "1"
    )
    said, left_alone = in_environment({variable(key): text})
    assert (list(said), left_alone) == ([key.rpartition(".")[2]], ())


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"hihg": 0.7}, "code: unknown key 'hihg'; did you mean high?"),
        ({"high": "0.7"}, "code: high can't be '0.7': Expected `float`, got `str`; "),
        ({"high": 3}, "code: high must be a fraction above 0 and at most critical, got high=3.0"),
    ],
)
def test_code_that_cannot_be_is_refused(changed: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=re.escape(told)):
        machine_settings(**changed)


@pytest.mark.usefixtures("tier")
def test_values_that_cannot_be_together_tell_where_both_are_from(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file.write_text("high = 0.95")
    told = "high must be a fraction above 0 and at most critical (0.92), got high=0.95; high is from file "
    with pytest.raises(SettingsError, match=re.escape(f"file {file}: {told}{file}, critical is from tier only")):
        machine_settings()
    monkeypatch.setenv("GEARSHIFT_CRITICAL", "0.9")
    with pytest.raises(SettingsError, match=r"critical \(0.9\).*critical is from environment GEARSHIFT_CRITICAL"):
        machine_settings()
    assert machine_settings(critical=0.96).high == 0.95
    with pytest.raises(SettingsError, match=r"^code: .*high is from file .*, critical is from code") as caught:
        machine_settings(critical=0.85)
    assert caught.value.sources == (f"file {file}", "code")
    with pytest.raises(SettingsError, match=r"^code: hysteresis .* below high \(0.5\), got hysteresis=0.6"):
        machine_settings(high=0.5, hysteresis=0.6)


def test_the_file_is_the_one_named_in_code_else_by_the_variable_else_the_usual_one(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text("alpha = 0.11")
    assert (usual_file(), machine_settings().alpha) == (file, 0.11)
    named, given = tmp_path / "named.toml", tmp_path / "given.toml"
    named.write_text("alpha = 0.12")
    given.write_text("alpha = 0.13")
    monkeypatch.setenv("GEARSHIFT_SETTINGS", str(named))
    assert (machine_settings().alpha, machine_settings(given).alpha) == (0.12, 0.13)
    monkeypatch.setenv("GEARSHIFT_SETTINGS", "")
    assert machine_settings().alpha == 0.11


def test_the_usual_file_is_under_the_home_folder_where_no_other_place_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for no_place in ("", "not/absolute"):
        monkeypatch.setenv("XDG_CONFIG_HOME", no_place)
        assert usual_file() == tmp_path / ".config" / "gearshift" / "settings.toml"


@pytest.mark.usefixtures("file", "tier")
def test_a_file_named_by_hand_that_is_missing_is_refused_and_the_usual_one_need_not_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert machine_settings() == Settings()
    absent = tmp_path / "absent.toml"
    with pytest.raises(
        SettingsError, match=rf"^{absent}: can't be read: No such file or directory; give the path of a"
    ):
        machine_settings(absent)
    monkeypatch.setenv("GEARSHIFT_SETTINGS", str(absent))
    with pytest.raises(SettingsError, match=rf"^{absent} \(named by GEARSHIFT_SETTINGS\): can't be read: No such file"):
        machine_settings()
    monkeypatch.setenv("GEARSHIFT_SETTINGS", str(tmp_path))
    with pytest.raises(SettingsError, match="can't be read: Is a directory"):
        machine_settings()
    monkeypatch.setenv("GEARSHIFT_SETTINGS", "~nobody-has-this-name/x.toml")
    with pytest.raises(SettingsError, match=r"x.toml \(named by GEARSHIFT_SETTINGS\): can't be read: Could not"):
        machine_settings()


def test_a_usual_file_that_leads_nowhere_is_refused_not_passed_over(file: Path) -> None:
    file.symlink_to("absent")
    with pytest.raises(SettingsError, match="can't be read: No such file"):
        machine_settings()


def test_an_error_of_the_tiers_is_one_of_the_settings(tier: Path) -> None:
    tier.write_text("[[tier]]\nname = 'only'\nhihg = 1")
    with pytest.raises(SettingsError, match="unknown key hihg = 1; did you mean high\\? The keys of a tier are"):
        machine_settings()
    assert issubclass(TierError, SettingsError)
