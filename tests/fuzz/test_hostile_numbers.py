"""Numbers that no format holds, in every place of a number."""

from pathlib import Path

import msgspec
import pytest
from gearshift.models.ladders.ladder import ModelSpec
from gearshift.models.needs.checkpoint import CheckpointError
from gearshift.models.needs.need import estimate
from gearshift.pipeline import Pool, load
from gearshift.pipeline.configuring import SettingsError, changes
from gearshift.pipeline.lines import RecordingError, encode
from gearshift.pipeline.settings import ABOUT
from gearshift.pipeline.settings_sources import in_file

from .inside import CONFIG, checkpoint
from .mutating import HUGE

HEADER = b'{"gearshift_recording":1}\n'

pytestmark = [pytest.mark.timeout(120), pytest.mark.usefixtures("limited")]


@pytest.mark.parametrize("value", [*HUGE, b"[" * 100_000], ids=lambda value: value[:12].decode())
@pytest.mark.parametrize("key", [key for key, value in CONFIG.items() if isinstance(value, int)])
def test_a_config_holds_numbers_that_a_model_can_have_or_is_refused(tmp_path: Path, key: str, value: bytes) -> None:
    told = msgspec.json.encode({**CONFIG, key: "HERE"}).replace(b'"HERE"', value)
    (checkpoint(tmp_path) / "config.json").write_bytes(told)
    try:
        need = estimate(ModelSpec(name="a", source=str(tmp_path), context=16)).total()
    except CheckpointError as error:
        assert str(error).isprintable()
    else:
        assert all(0 <= size < 2**63 for size in need.need.values())


@pytest.mark.parametrize("value", HUGE, ids=lambda value: value[:12].decode())
@pytest.mark.parametrize("place", ["time", "total", "used", "own", "cpu", "load", "swap_used", "interval", "wall"])
def test_a_sample_holds_numbers_that_can_be_written_again_or_is_refused(
    tmp_path: Path, place: str, value: bytes
) -> None:
    pool = {"total": 9, "used": 3, "own": 1}
    sample = {"record": "sample", "time": 1.5, "pools": {"ram": pool}, "cpu": 0.5, "load": 1.0, "swap_used": 3}
    (pool if place in pool else sample)[place] = "HERE"  # type: ignore[assignment, index]
    (tmp_path / "a.jsonl").write_bytes(HEADER + msgspec.json.encode(sample).replace(b'"HERE"', value) + b"\n")
    try:
        (found,) = load(tmp_path / "a.jsonl").samples
    except RecordingError as error:
        assert f"{tmp_path / 'a.jsonl'}:2: " in str(error)
    else:
        assert all(abs(size) < 2**63 for size in msgspec.structs.astuple(found.pools["ram"] or Pool(1, 0)))
        assert abs(found.swap_used or 0) < 2**63
        encode(found)


@pytest.mark.parametrize("value", HUGE, ids=lambda value: value[:12].decode())
def test_every_setting_takes_a_number_that_it_can_have_or_refuses_it(tmp_path: Path, value: bytes) -> None:
    for key in ABOUT:
        (tmp_path / "a.toml").write_bytes(key.encode() + b" = " + value)
        for read in (lambda: in_file(tmp_path / "a.toml"), lambda key=key: changes([f"{key}={value.decode()}"])):
            try:
                read()
            except SettingsError as error:
                assert len(str(error)) < 1100 and str(error).isprintable()
