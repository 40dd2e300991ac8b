"""What a fleet is asked to be, before anything is started."""

import tests.with_ray  # noqa: F401

# isort: split

import builtins
import importlib
import sys
from pathlib import Path
from typing import Any

import pytest
from gearshift.models import Ladder, LadderError
from gearshift.models.serve import Fleet, application, build
from gearshift.models.testing import fake_ladder
from ray.serve import Application


@pytest.fixture
def ladder(tmp_path: Path) -> Ladder:
    return fake_ladder(tmp_path, large=4.0, small=1.0)


def test_an_application_comes_from_a_ladder_and_from_texts_of_a_command_line(ladder: Ladder, tmp_path: Path) -> None:
    assert isinstance(application(ladder, replicas=2), Application)
    file = tmp_path / "ladder.toml"
    file.write_text("".join(f'[[rung]]\nname = "{spec.name}"\nsource = "{spec.source}"\n' for spec in ladder))
    assert isinstance(build({"ladder": str(file), "replicas": "3", "report": "0.5"}), Application)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"replicas": 0}, "replicas must be .* got replicas=0"),
        ({"replicas": 1.5}, "replicas"),
        ({"queue": -1}, "queue must be"),
        ({"waiting": 0}, "waiting must be"),
        ({"report": 0}, "report must be"),
        ({"report": float("nan")}, "report must be"),
        ({"silence": -1.0}, "silence must be"),
        ({"silence": 0.5, "report": 1.0}, "silence must be longer than report"),
        ({"colour": "red"}, "colour"),
        ({"http": {"colour": "red"}}, "colour"),
        ({"system": 5}, "system"),
    ],
)
def test_what_cannot_be_is_refused_by_name_before_anything_is_started(
    ladder: Ladder, given: dict[str, Any], told: str
) -> None:
    with pytest.raises((ValueError, TypeError), match=told):
        application(ladder, **given)


def test_a_ladder_that_is_not_there_is_told_by_its_path(tmp_path: Path) -> None:
    with pytest.raises(LadderError, match="nowhere.toml"):
        application(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(("given", "told"), [("three", "replicas"), ("1.5", "replicas")])
def test_a_text_that_is_no_number_is_told_by_its_name(ladder: Ladder, given: str, told: str) -> None:
    with pytest.raises(ValueError, match=f"{told} must be a whole number, got {told}='{given}'"):
        build({"ladder": ladder, "replicas": given})


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **more: Any) -> Any:
        if name.partition(".")[0] == "ray":
            raise ModuleNotFoundError("No module named 'ray'", name="ray")
        return real(name, *args, **more)

    for name in [name for name in sys.modules if name.startswith("gearshift.models.serve.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    face = importlib.import_module("gearshift.models.serve")
    with pytest.raises(ImportError, match=r"a fleet needs ray; install it with: pip install 'gearshift\[ray\]'"):
        face.__getattr__("Fleet")


def test_there_is_nothing_else_in_it() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Flock'"):
        importlib.import_module("gearshift.models.serve").__getattr__("Flock")


def test_a_fleet_without_a_cluster_says_how_to_connect() -> None:
    with pytest.raises(RuntimeError, match="Ray is not connected to a cluster; ray.init"):
        Fleet()
