from collections.abc import Sequence

import msgspec
import pytest
from gearshift.pipeline import Outlook, Pool, Residency, Rung, Sample, Settings
from gearshift.pipeline.fleet import Standing, standing
from gearshift.pipeline.outlook import OutlookWindow
from gearshift.pipeline.testing import GIB, samples_of

LADDER = [
    Rung("large", {"ram": 8 * GIB}, quality=1.0),
    Rung("medium", {"ram": 5 * GIB}, quality=0.8),
    Rung("small", {"ram": 2 * GIB}, quality=0.6),
]
LARGE = Residency(0.0, "ready", "large")


def seen(external: Sequence[float | None]) -> Outlook:
    """After one sample a second of a machine with 16 GiB, where others hold so many GiB."""
    window = OutlookWindow(Settings())
    held = [None if each is None else int(each * GIB) for each in external]
    return [window.sample(sample) for sample in samples_of(held, total=16 * GIB)][-1]


def test_a_node_is_ready_only_while_its_rung_answers() -> None:
    for state, ready in (("ready", True), ("shifting", False), ("empty", False)):
        told = standing("n", seen([2] * 5), Residency(1.0, state, "large"), LADDER, Settings())
        assert (told.rung, told.quality, told.ready) == ("large", 1.0, ready)


def test_nothing_loaded_is_no_quality_no_readiness_and_no_room() -> None:
    told = standing("n", seen([2] * 5), Residency(1.0), LADDER, Settings())
    assert (told.rung, told.quality, told.ready, told.roomy) == (None, 0.0, False, False)


def test_a_rung_that_is_not_on_the_ladder_is_told_of_but_answers_nothing() -> None:
    told = standing("n", seen([2] * 5), Residency(1.0, "ready", "other"), LADDER, Settings())
    assert (told.rung, told.quality, told.ready, told.roomy) == ("other", 0.0, False, False)


def test_a_node_is_roomy_until_others_may_crowd_its_rung_out() -> None:
    high = Settings().high
    just, over = high * 16 - 8 - 0.5, high * 16 - 8 + 0.5
    assert standing("n", seen([just] * 60), LARGE, LADDER, Settings()).roomy
    assert not standing("n", seen([over] * 60), LARGE, LADDER, Settings()).roomy


def test_a_node_whose_others_grow_is_not_roomy_before_they_are_there() -> None:
    growing = [1.0 + 0.06 * second for second in range(60)]
    assert growing[-1] + 8 < Settings().high * 16
    assert not standing("n", seen(growing), LARGE, LADDER, Settings()).roomy
    assert standing("n", seen([growing[-1]] * 60), LARGE, LADDER, Settings()).roomy


def test_a_pool_that_cant_be_read_is_no_room_and_fits_nothing() -> None:
    told = standing("n", seen([2, 2, None]), LARGE, LADDER, Settings())
    assert (told.ready, told.roomy, told.fits, told.headroom) == (True, False, None, 0)


@pytest.mark.parametrize(("external", "fits"), [(2.0, "large"), (9.0, "medium"), (12.0, "small"), (15.9, None)])
def test_what_fits_is_the_best_rung_under_critical_with_what_is_left_there(external: float, fits: str | None) -> None:
    settings = Settings()
    told = standing("n", seen([external] * 5), Residency(1.0), LADDER, settings)
    need = {rung.name: rung.need["ram"] for rung in LADDER}
    left = 0 if fits is None else int(settings.critical * 16 * GIB) - int(external * GIB) - need[fits]
    assert told.fits == fits and told.headroom == pytest.approx(left, abs=2)


def test_a_reserve_is_taken_off_the_headroom() -> None:
    kept = Settings(reserve={"ram": 3 * GIB})
    free, less = (standing("n", seen([2] * 5), LARGE, LADDER, each).headroom for each in (Settings(), kept))
    assert less == 16 * GIB - 3 * GIB - 2 * GIB - 8 * GIB < free


def test_name_time_line_and_whether_a_model_is_kept_are_told_as_given() -> None:
    told = standing("n7", seen([2] * 5), LARGE, LADDER, Settings(), waiting=3, assistant=False)
    assert (told.node, told.time, told.waiting, told.assistant) == ("n7", 4.0, 3, False)


def test_a_standing_travels_as_json_and_shows_itself() -> None:
    told = standing("n", seen([2] * 5), LARGE, LADDER, Settings())
    assert msgspec.json.decode(msgspec.json.encode(told), type=Standing) == told
    assert "Standing" in told._repr_html_() and "large" in told._repr_html_()


def test_others_pools_make_no_difference() -> None:
    window = OutlookWindow(Settings())
    both = window.sample(Sample(4.0, {"ram": Pool(16 * GIB, 2 * GIB), "cuda:0": None}))
    alone = standing("n", seen([2]), LARGE, LADDER, Settings())
    assert msgspec.structs.replace(standing("n", both, LARGE, LADDER, Settings()), time=alone.time) == alone
