"""The fakes that an app tests its use of models with."""

from pathlib import Path

import pytest
from gearshift.models import LoadError, ModelManager, Options
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.testing import FakeHost, FakeModels, fake_ladder
from gearshift.pipeline import Settings, event_time
from gearshift.pipeline.testing import GIB, sample
from reactivex import Subject


def test_a_fake_ladder_has_the_sizes_that_it_is_given_and_takes_no_disk(tmp_path: Path) -> None:
    ladder = fake_ladder(tmp_path, large=4 * GIB, small=0.5 * GIB)
    process = 43 << 20  # and a first reply
    assert [(rung.name, rung.need, rung.quality) for rung in ladder.rungs()] == [
        ("large", {"ram": 4 * GIB + process}, 2.0),
        ("small", {"ram": GIB // 2 + process}, 1.0),
    ]
    used = sum(file.stat().st_blocks * 512 for file in tmp_path.rglob("*") if file.is_file())
    assert used < 1 << 20


def test_a_fake_ladder_can_be_written_again(tmp_path: Path) -> None:
    fake_ladder(tmp_path, large=GIB)
    (rung,) = fake_ladder(tmp_path, large=2 * GIB).rungs()
    assert rung.need["ram"] > 2 * GIB


@pytest.mark.parametrize(
    ("size", "error", "says"),
    [
        (0, ValueError, "size of large must be at least 1, got size of large=0"),
        (-5, ValueError, "size of large must be at least 1"),
        (0.3, TypeError, "size of large must be a whole number, got size of large=0.3"),
    ],
)
def test_a_size_that_can_not_be_is_refused(size: float, error: type[Exception], says: str, tmp_path: Path) -> None:
    with pytest.raises(error, match=says):
        fake_ladder(tmp_path, large=size)
    with pytest.raises(ValueError, match="fake_ladder: rung: holds no rung"):
        fake_ladder(tmp_path)


def test_a_real_host_says_that_a_fake_checkpoint_can_not_be_loaded(tmp_path: Path) -> None:
    (spec,) = fake_ladder(tmp_path, large=1 << 20)
    with pytest.raises(LoadError, match="large"):
        InlineHost().load(spec)


@pytest.mark.parametrize("host", [FakeHost, lambda: InlineHost(FakeModels())], ids=["FakeHost", "InlineHost"])
def test_an_app_answers_without_a_model(host, tmp_path: Path) -> None:
    source: Subject = Subject()
    ladder = fake_ladder(tmp_path, large=GIB // 5, small=GIB // 99)
    with ModelManager(ladder, Settings(), source=source, host=host()) as manager:
        source.on_next(sample(event_time(), ram=(GIB, 4 * GIB)))
        reply = manager.respond("What is gravity?", options=Options(max_new_tokens=2))
    assert (reply, reply.rungs) == ("word0 word1 ", ("large",))
