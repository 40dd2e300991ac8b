import msgspec
import pytest
from gearshift.pipeline import Pool, Sample, Settings
from gearshift.pipeline.outlook import OutlookWindow
from gearshift.pipeline.testing import samples_of
from gearshift.pipeline.views.live_picture import LivePicture


def drawn(external: list[int | None], *, window: float = 1e6, interval: float = 1.0) -> list[tuple[float, ...]]:
    settings = Settings()
    outlooks, picture = OutlookWindow(settings), LivePicture(window, settings)
    for sample in samples_of(external, interval=interval):
        picture.update(outlooks.sample(sample))
    (pool,) = picture.told(None)["pools"]
    return pool["points"]


def test_it_reaches_back_as_far_as_its_window_and_no_further() -> None:
    points = drawn(list(range(100)), window=10.0)
    assert [point[:2] for point in points] == [(-10.0 + i, 89 + i) for i in range(11)]


def test_a_pool_that_was_not_read_keeps_its_place_without_a_point() -> None:
    assert [point[:2] for point in drawn([100, None, 120])] == [(-2.0, 100), (0.0, 120)]


def test_many_points_are_thinned_and_no_peak_is_hidden() -> None:
    external: list[int | None] = [100] * 1000
    external[501] = 900
    points = drawn(external, interval=0.1)
    assert len(points) <= 240 and max(point[1] for point in points) == 900


@pytest.mark.parametrize("later", [-98.0, 60.0])
def test_a_clock_that_goes_back_and_a_silence_begin_the_line_anew(later: float) -> None:
    settings = Settings()
    picture, outlooks = LivePicture(1e6, settings), OutlookWindow(settings)
    after = [msgspec.structs.replace(sample, time=99 + later + sample.time) for sample in samples_of([200] * 2)]
    for sample in [*samples_of([100] * 100), *after]:
        outlook = outlooks.sample(sample)
        if hasattr(outlook, "pools"):
            picture.update(outlook)
    (pool,) = picture.told(None)["pools"]
    assert [point[1] for point in pool["points"]] == [200, 200]


def test_a_pool_that_a_silence_outlasted_is_not_told_of_any_more() -> None:
    settings = Settings()
    picture, outlooks = LivePicture(1e6, settings), OutlookWindow(settings)
    before, after = Pool(100, 40), Sample(99.0, {"ram": Pool(100, 50)})
    for sample in (Sample(0.0, {"ram": before, "cuda:0": before}), after):
        picture.update(outlooks.sample(sample))
    assert [pool["name"] for pool in picture.told(None)["pools"]] == ["ram"]
