import subprocess
import sys

import pytest
from gearshift.models import ModelSpec
from gearshift.models.hosts import choosing
from gearshift.models.hosts.choosing import default_host
from gearshift.models.hosts.inline import InlineHost
from gearshift.models.hosts.process import ProcessHost


@pytest.mark.parametrize(
    ("devices", "kind"),
    [
        (["cpu"], ProcessHost),
        (["cuda:1", "cuda", "auto", "cpu"], ProcessHost),
        (["cpu", "mps"], InlineHost),
        (["xpu:0", "cpu"], InlineHost),
    ],
)
def test_workers_hold_what_can_be_measured_from_outside_and_the_app_the_rest(devices: list[str], kind: type) -> None:
    host = default_host(ModelSpec(name=device, source=".", device=device) for device in devices)
    assert type(host) is kind
    host.close()


def test_where_no_worker_can_be_forked_models_live_in_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "forks_workers", lambda: False)
    assert isinstance(default_host([ModelSpec(name="a", source=".")]), InlineHost)


@pytest.mark.parametrize(("attribute", "value"), [("platform", "darwin"), ("executable", "")])
def test_an_app_without_an_interpreter_or_linux_has_no_workers(
    attribute: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choosing.forks_workers()
    monkeypatch.setattr(sys, attribute, value)
    assert not choosing.forks_workers()


def test_choosing_starts_nothing_and_imports_no_torch() -> None:
    code = """
import sys, threading, psutil
from gearshift.models import ModelSpec
from gearshift.models.hosts.choosing import default_host
host = default_host([ModelSpec(name="a", source=".")])
host.own(), host.held("a"), host.cancel()
assert type(host).__name__ == "ProcessHost"
assert not psutil.Process().children() and threading.active_count() == 1
assert not {"torch", "transformers", "accelerate"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
