"""What was told, at any moment of it."""

from gearshift.pipeline import Decision, Mark, Reason, Residency, Rung, Settings
from gearshift.pipeline.outlook import OutlookWindow
from gearshift.pipeline.watch.story import Story

from .pictures import GIB, played_anew, steady, told


def down(time: float) -> Decision:
    return Decision("downgrade", "large", "small", "planned", time, Reason("asked", detail="told to"))


def test_nothing_later_than_a_moment_is_told_at_it() -> None:
    story = played_anew("leak")
    early = story.begin + 15
    assert [entry.kind for entry in story.told(early)] == ["up", "mark"]
    assert [entry.kind for entry in story.told(story.end)].count("down") == 1
    before, after = story.loaded_at(early), story.loaded_at(story.end)
    assert before is not None and before.rung == "large"
    assert after is not None and after.rung == "small"


def test_time_goes_on_where_the_clock_of_the_samples_goes_back() -> None:
    story = told([steady(1000.0), steady(1001.0), steady(3.0), steady(4.0)])
    assert story.times == [1000.0, 1001.0, 1001.0, 1002.0]
    story.add(Mark(4.0, "after the restart"))
    assert story.entries[-1].time == 1002.0


def test_in_pretence_a_decision_counts_as_carried_out_and_its_need_as_held() -> None:
    ladder = (Rung("large", {"ram": 5 * GIB}), Rung("small", {"ram": 2 * GIB}))
    story, window = Story("dry", Settings(), ladder, pretended=True), OutlookWindow(Settings())
    story.add(window.update(steady(0.0, used=GIB)))
    story.add(down(0.0))
    story.add(window.update(steady(1.0, used=GIB)))
    loaded = story.loaded_at(1.0)
    assert loaded is not None and (loaded.rung, loaded.state) == ("small", "ready")
    (first, second) = (outlook.pools["ram"] for outlook in story.outlooks)
    assert first is not None and first.pool.own == 0
    assert second is not None and (second.pool.own, second.external) == (2 * GIB, GIB)


def test_what_is_older_than_what_is_kept_is_forgotten_but_not_what_is_loaded() -> None:
    story, window = Story("live", Settings(), keep=100.0), OutlookWindow(Settings())
    story.add(Residency(0.0, "ready", "large"))
    for time in range(500):
        story.add(window.update(steady(float(time))))
        if time == 10:
            story.add(Mark(10.0, "long ago"))
    assert 100 <= len(story.times) <= 126 and len(story.outlooks) == len(story.times)
    assert story.entries == []
    loaded = story.loaded_at(story.end)
    assert loaded is not None and loaded.rung == "large"


def test_a_failed_load_is_told_in_the_log() -> None:
    story = Story("failing", Settings())
    story.add(Residency(1.0, "empty", failed="large"))
    assert story.told(1.0)[-1].text == "large could not be loaded, or was lost"
