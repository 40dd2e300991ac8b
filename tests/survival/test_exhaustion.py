"""Memory that really runs out, in a control group: one run of each story. `make exhaust` plays each twenty times."""

from pathlib import Path

import pytest

from .exhaustion.fates import FATES
from .exhaustion.group import MIB, group, why_not
from .exhaustion.rungs import ladders
from .exhaustion.scenarios import Ground, block, full, growth, lowered, thrash

_WHY = why_not()
pytestmark = [pytest.mark.slow, pytest.mark.skipif(bool(_WHY), reason=_WHY or "there is one"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return ladders(tmp_path_factory.mktemp("rungs"))


@pytest.fixture
def ground(files: tuple[Path, Path], tmp_path: Path) -> Ground:
    return Ground(*files, tmp_path / "cache")


def test_under_growth_next_door_a_smaller_rung_is_there_before_the_limit_and_nobody_is_killed(ground: Ground) -> None:
    told = growth(ground)
    assert told.lost == 0 and told.replies >= 3


def test_when_a_block_takes_all_at_once_the_kernel_takes_the_worker_and_a_smaller_rung_ends_its_reply(
    ground: Ground,
) -> None:
    assert block(ground).lost == 0


def test_a_limit_that_comes_down_at_run_time_brings_a_smaller_rung(ground: Ground) -> None:
    assert lowered(ground).lost == 0


def test_where_no_rung_fits_all_is_shed_and_comes_back_with_room(ground: Ground) -> None:
    told = full(ground)
    assert told.lost == 0 and told.refused >= 1


def test_stalls_under_mapped_weights_bring_a_smaller_rung_although_there_is_plenty_to_be_had(ground: Ground) -> None:
    assert thrash(ground).lost == 0


@pytest.mark.parametrize("name", list(FATES))
def test_without_gearshift_the_same_kills_the_app(name: str, ground: Ground) -> None:
    assert FATES[name](ground)


def test_a_group_is_gone_with_what_ran_in_it() -> None:
    with group("test", 64 * MIB) as made:
        folder = made.folder
        assert folder.is_dir() and not made.kills
    assert not folder.exists()
