"""Rungs that tell what they need, as gearshift can't read what they are made from."""

from pathlib import Path

import pytest
from gearshift.models import Ladder, LadderError, ModelSpec
from gearshift.models.needs.remembered import Needs

GIVEN = {"ram": 500 << 20}


def spec(**more: object) -> ModelSpec:
    return ModelSpec(**{"name": "own", "source": "own:model", "quality": 1.0, "need": GIVEN, **more})  # pyright: ignore


def test_nothing_is_read_of_a_rung_that_tells_its_need() -> None:
    (rung,) = Ladder([spec(context=100_000)]).rungs()
    assert (rung.need, rung.quality, rung.context, rung.per_token) == (GIVEN, 1.0, 100_000, {})


def test_a_load_that_takes_more_corrects_it_and_one_that_takes_less_does_not(tmp_path: Path) -> None:
    needs = Needs(tmp_path)
    assert needs.of(spec()).need == GIVEN and not needs.of(spec()).measured
    less = needs.learn(spec(), {"ram": 400 << 20})
    assert less.need == GIVEN and less.measured
    assert needs.learn(spec(), {"ram": 600 << 20}).need == {"ram": 600 << 20}
    assert Needs(tmp_path).of(spec()).need == {"ram": 600 << 20}


def test_memory_that_ran_out_raises_it(tmp_path: Path) -> None:
    needs = Needs(tmp_path)
    assert needs.ran_out(spec()).need == {"ram": int(1.2 * (500 << 20))}


def test_what_was_measured_is_forgotten_where_another_need_is_told(tmp_path: Path) -> None:
    needs = Needs(tmp_path)
    needs.learn(spec(), {"ram": 600 << 20})
    other = spec(need={"ram": 550 << 20})
    assert needs.of(other).need == {"ram": 550 << 20}


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"quality": None}, r"rung\[0\].quality: with `need` no file tells it; give a number"),
        ({"need": {"ram": -1}}, r"rung\[0\].need: must be bytes of at least 0, got ram = -1"),
        ({"need": {"cuda:0": 5}}, r"rung\[0\].need: has no bytes for ram, where device = 'cpu' keeps it"),
    ],
)
def test_a_need_that_can_not_be_used_is_refused_with_the_remedy(more: dict[str, object], told: str) -> None:
    with pytest.raises(LadderError, match=told):
        Ladder([spec(**more)])


def test_a_ladder_file_tells_needs_beside_a_source_of_any_kind(tmp_path: Path) -> None:
    file = tmp_path / "ladder.toml"
    file.write_text('[[rung]]\nname = "own"\nsource = "own:model"\nquality = 1.0\nneed = {ram = 524_288_000}\n')
    assert list(Ladder.from_toml(file)) == [spec()]
