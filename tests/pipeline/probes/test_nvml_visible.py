"""Which devices are pools, and under which names: CUDA_VISIBLE_DEVICES and MIG."""

import os
from collections.abc import Sequence

import pynvml
import pytest
from gearshift.pipeline import Device, Pool
from gearshift.pipeline.probes.nvml_visible import Card, cards, visible
from gearshift.pipeline.testing import ScriptedGpu, ScriptedNvml
from hypothesis import assume, example, given
from hypothesis import strategies as st

from tests.pipeline.probes.gpus import GIB, PID, WELL, Clock, gpu, probe_of

UUIDS = ("GPU-a1", "GPU-ab2", "GPU-b3")
PLAIN = [Card(f"#{index}", (uuid,), handle=index) for index, uuid in enumerate(UUIDS)]

entries = st.sampled_from(
    ["0", "1", "2", "3", "-1", "-0", "+1", "00", "1x", "x1", " 2 ", "+", "-", "", "NoDevFiles", "99999999999"]
    + ["GPU-a1", "GPU-a", "GPU-ab", "GPU-b3", "GPU-", "GPU-z", " GPU-b3", "gpu-b3"]
)


def part(letter: str, number: int, **fields: object) -> ScriptedGpu:
    """A MIG instance of 10 GiB, 2 of them in use, 1 by process 4242."""
    known: dict = {"total": 10 * GIB, "used": 2 * GIB, "compute": {PID: GIB}, "utilisation": None, "power": None}
    return ScriptedGpu(f"MIG-{letter}", **{**known, "instance": (number, 0), **fields})


def sliced(letter: str, *parts: ScriptedGpu | None) -> ScriptedGpu:
    return gpu(letter, mig=list(parts))


PART = Pool(10 * GIB, 2 * GIB, GIB)


def pools(
    monkeypatch: pytest.MonkeyPatch, text: str | None, *gpus: ScriptedGpu, mig_instances: int | None = 1
) -> dict[str, Pool | None]:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    if text is not None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", text)
    return probe_of(ScriptedNvml(*gpus), mig_instances=mig_instances).read().pools


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        (None, [0, 1, 2]),
        ("", []),
        ("2,0", [2, 0]),
        ("0,2,-1,1", [0, 2]),
        ("1,7,0", [1]),
        ("NoDevFiles", []),
        ("GPU-b,GPU-a1", [2, 0]),
        ("GPU-a", []),
        ("GPU-b3,GPU-zz,GPU-a1", [2]),
        ("GPU-b3,0", [2]),
        ("0,0", []),
        ("GPU-b3,GPU-b", []),
    ],
)
def test_the_variable_decides_which_gpus_there_are_and_in_which_order(text: str | None, chosen: list[int]) -> None:
    assert visible(text, PLAIN) == [PLAIN[index] for index in chosen]


def test_the_first_visible_gpu_is_torchs_cuda_0(monkeypatch: pytest.MonkeyPatch) -> None:
    small = gpu("c", total=12 * GIB)
    assert pools(monkeypatch, "2,0", gpu("a"), gpu("b"), small) == {
        "cuda:0": Pool(12 * GIB, 9 * GIB, 3 * GIB),
        "cuda:1": WELL,
    }


def test_no_visible_gpu_is_no_pool_and_no_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    seen = probe_of(ScriptedNvml(gpu("a"))).read()
    assert (seen.pools, seen.devices, seen.missing) == ({}, {}, ())


@given(st.one_of(st.text(), st.lists(entries).map(",".join)), st.integers(0, 3))
def test_no_text_whatever_raises_or_names_a_device_twice(text: str, count: int) -> None:
    chosen = visible(text, PLAIN[:count])
    assert len({card.place for card in chosen}) == len(chosen) <= count


def by_torch(uuids: Sequence[str]) -> list[int]:
    """What torch makes of the variable, by the functions behind torch.cuda.device_count()."""
    cuda = pytest.importorskip("torch.cuda")
    if not hasattr(cuda, "_parse_visible_devices") or not hasattr(cuda, "_transform_uuid_to_ordinals"):
        pytest.skip("this torch counts devices by other functions")
    parsed = cuda._parse_visible_devices()
    if parsed and isinstance(parsed[0], str):
        return cuda._transform_uuid_to_ordinals(parsed, list(uuids))
    below = [index for index, number in enumerate(parsed) if int(number) >= len(uuids)]
    return [int(number) for number in parsed[: below[0] if below else None]]


@example("1,0,5,1")
@example("GPU-ab2,GPU-a1,GPU-a1")
@given(st.lists(entries, max_size=5).map(",".join))
def test_the_devices_are_those_that_torch_counts(text: str) -> None:
    before = os.environ.get("CUDA_VISIBLE_DEVICES")
    os.environ["CUDA_VISIBLE_DEVICES"] = text
    try:
        expected = by_torch(UUIDS)
    except ValueError:
        assume(False)  # torch falls over a lone sign
        return
    finally:
        del os.environ["CUDA_VISIBLE_DEVICES"]
        if before is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = before
    assert [card.handle for card in visible(text, PLAIN)] == expected


class TestMig:
    def test_an_instance_is_a_pool_of_its_own(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert pools(monkeypatch, None, sliced("a", part("x", 1), part("y", 2))) == {"cuda:0": PART}

    def test_every_instance_is_one_where_cuda_opens_them_all(self, monkeypatch: pytest.MonkeyPatch) -> None:
        bigger = part("y", 2, total=20 * GIB)
        found = pools(monkeypatch, None, sliced("a", part("x", 1), None, bigger), mig_instances=None)
        assert found == {"cuda:0": PART, "cuda:1": Pool(20 * GIB, 2 * GIB, GIB)}

    def test_no_whole_gpu_is_seen_beside_an_instance(self, monkeypatch: pytest.MonkeyPatch) -> None:
        mixed = gpu("a"), sliced("b", part("x", 1))
        assert pools(monkeypatch, None, *mixed) == {"cuda:0": PART}
        assert pools(monkeypatch, "0", *mixed) == {"cuda:0": WELL}

    def test_a_sliced_gpu_without_instances_is_nothing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert pools(monkeypatch, None, sliced("a"), gpu("b")) == {"cuda:0": WELL}

    @pytest.mark.parametrize(
        ("text", "names"),
        [
            ("MIG-yy,MIG-x", ["MIG-yy", "MIG-x"]),
            ("MIG-y", []),
            ("MIG-yy,MIG-none,MIG-x", ["MIG-yy"]),
            ("MIG-GPU-b/5/0", ["MIG-yz"]),
            ("MIG-GPU-a/1/0,MIG-GPU-a/11/0", ["MIG-x", "MIG-yy"]),
            ("MIG-GPU-a/1", []),
            ("MIG-x,MIG-GPU-a/1/0", []),
            ("1", ["MIG-yz"]),
            ("GPU-a", ["MIG-x", "MIG-yy"]),
        ],
    )
    def test_instances_are_named_by_uuid_its_beginning_or_their_numbers(self, text: str, names: list[str]) -> None:
        nvml = ScriptedNvml(sliced("a", part("x", 1), part("yy", 11)), sliced("b", part("yz", 5)), gpu("c"))
        nvml.nvmlInit()
        assert [card.names[0] for card in visible(text, cards(nvml), instances=None)] == names

    def test_numbers_that_fit_exactly_win_over_those_that_begin_alike(self) -> None:
        nvml = ScriptedNvml(sliced("a", part("x", 1, instance=(1, 1)), part("y", 1, instance=(1, 11))))
        nvml.nvmlInit()
        assert [card.names[0] for card in visible("MIG-GPU-a/1/1", cards(nvml))] == ["MIG-x"]

    def test_shows_its_gpus_heat_but_not_the_power_that_all_share(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        lone = part("x", 1, temperature=None, throttle=None, ecc_errors=1)
        assert probe_of(ScriptedNvml(sliced("a", lone))).read().devices == {
            "cuda:0": Device(temperature=61.0, reserved=0, throttled=("sw_power_cap",), ecc_errors=1)
        }

    @pytest.mark.parametrize("error", [pynvml.NVML_ERROR_NO_PERMISSION, pynvml.NVML_ERROR_UNKNOWN])
    def test_one_that_may_not_be_opened_is_unknown(self, monkeypatch: pytest.MonkeyPatch, error: int) -> None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        nvml, clock = ScriptedNvml(sliced("a", part("x", 1))), Clock()
        nvml.fail("nvmlDeviceGetMigDeviceHandleByIndex", error)
        probe = probe_of(nvml, clock=clock)
        assert (probe.read().pools, probe.read().missing) == ({"cuda:0": None}, ("cuda:0",))
        nvml.heal()
        clock.now += 1
        assert probe.read().pools == {"cuda:0": PART}

    def test_one_that_is_taken_apart_is_lost_and_comes_back_by_its_uuid(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "MIG-y")
        board, clock = sliced("a", part("x", 1), part("y", 2)), Clock()
        nvml = ScriptedNvml(board)
        probe = probe_of(nvml, clock=clock)
        assert probe.read().pools == {"cuda:0": PART}
        (gone,) = (instance for instance in board.mig or () if instance and instance.uuid == "MIG-y")
        nvml.fail("nvmlDeviceGetMemoryInfo", pynvml.NVML_ERROR_INVALID_ARGUMENT, gpu=gone, times=1)
        board.mig = [part("x", 1)]
        assert probe.read().pools == {"cuda:0": None}
        clock.now += 1
        assert probe.read().pools == {"cuda:0": None}
        board.mig = [gone, part("x", 1)]
        clock.now += 2
        assert probe.read().pools == {"cuda:0": PART}
