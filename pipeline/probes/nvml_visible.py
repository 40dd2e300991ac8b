"""Which GPUs and MIG instances CUDA lets this process see, and in which order."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .nvml_faults import Code, Fault, code_of, fault


@dataclass(frozen=True, slots=True)
class Card:
    """A GPU, or a MIG instance of one, as NVML lists it.

    place: where in NVML's list, `#0` or `#0/1`. names: its UUID, and for a MIG instance the older name by GPU and
    instance numbers; empty where it wouldn't say. handle: None where NVML gave none, and `error` says why.
    parent: the GPU's handle, for a MIG instance. instances: of a GPU in MIG mode; None where that mode is off.
    """

    place: str
    names: tuple[str, ...] = ()
    handle: Any = None
    parent: Any = None
    instances: "tuple[Card, ...] | None" = None
    error: Exception | None = None

    @property
    def key(self) -> str:
        """What it is recognised by when NVML has been initialised again."""
        return self.names[0] if self.names else self.place


def cards(nvml: Any) -> list[Card]:
    """All GPUs in NVML's order, that of the PCI bus. Raises NVMLError when they can't be counted."""
    return [_card(nvml, index) for index in range(nvml.nvmlDeviceGetCount())]


def _card(nvml: Any, index: int) -> Card:
    place = f"#{index}"
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        card = Card(place, _told(nvml.nvmlDeviceGetUUID, handle), handle)
    except Exception as error:  # noqa: BLE001 - one GPU that fails must not hide the others
        return Card(place, error=error)
    try:
        mode = nvml.nvmlDeviceGetMigMode(handle)[0]
        slots = nvml.nvmlDeviceGetMaxMigDeviceCount(handle) if mode else 0
    except Exception as error:  # noqa: BLE001
        lost = fault(error, vital=False) is Fault.LOST
        return replace(card, handle=None, error=error) if lost else card
    return replace(card, instances=tuple(_instances(nvml, card, slots))) if mode else card


def _instances(nvml: Any, card: Card, slots: int) -> Iterator[Card]:
    for slot in range(slots):
        place = f"{card.place}/{slot}"
        try:
            handle = nvml.nvmlDeviceGetMigDeviceHandleByIndex(card.handle, slot)
            names = _told(nvml.nvmlDeviceGetUUID, handle)
            numbers = nvml.nvmlDeviceGetGpuInstanceId, nvml.nvmlDeviceGetComputeInstanceId
            gpu, compute = (_told(number, handle) for number in numbers)
            if card.names and gpu and compute:
                names = (*names, f"MIG-{card.names[0]}/{gpu[0]}/{compute[0]}")
            yield Card(place, names, handle, card.handle)
        except Exception as error:  # noqa: BLE001
            if code_of(error) != Code.NOT_FOUND:
                yield Card(place, parent=card.handle, error=error)


def _told(function: Callable[[Any], object], handle: Any) -> tuple[str, ...]:
    """What a device says of itself, as a text; empty where it doesn't. Raises when the device is lost."""
    try:
        return (str(function(handle)),)
    except Exception as error:
        if fault(error, vital=False) is Fault.LOST:
            raise
        return ()


def visible(text: str | None, found: Sequence[Card], *, instances: int | None = 1) -> list[Card]:
    """The devices that CUDA numbers, in its order: the first is torch's `cuda:0`.

    As torch reads the variable: numbers count along NVML's list (the beginning of an entry will do: `1x` is 1);
    `GPU-…` and `MIG-…` are UUIDs or beginnings that fit one device only; the first entry decides which kind the list
    is of; an entry that fits nothing ends the list; a repeated one empties it. A GPU in MIG mode stands for its
    instances, and where there are any, CUDA sees no whole GPU beside them.

    Numbers mean what CUDA means by them only where its order is that of the PCI bus: on machines with GPUs of
    different speed CUDA_DEVICE_ORDER=PCI_BUS_ID makes it so (by default CUDA puts the fastest first).

    Args:
        text: CUDA_VISIBLE_DEVICES; None where it isn't set.
        found: from `cards`.
        instances: how many MIG instances CUDA opens in one process; None for all.

    >>> gpus = [Card("#0", ("GPU-aa11",)), Card("#1", ("GPU-ab22",)), Card("#2", ("GPU-cc33",))]
    >>> [card.place for card in visible("2,0,7,1", gpus)]
    ['#2', '#0']
    >>> [card.place for card in visible("GPU-ab,GPU-c", gpus)]
    ['#1', '#2']
    >>> visible("GPU-a", gpus)
    []

    Source: CUDA C++ programming guide, "CUDA environment variables"; NVIDIA MIG user guide, "CUDA device enumeration"
    (one compute instance in a process, which "may be relaxed"); torch.cuda.device_count.
    """
    if text is None:
        chosen = list(found)
    elif text.startswith("MIG-"):
        chosen = _by_name(text, "MIG-", [part for card in found for part in card.instances or ()])
    elif text.startswith("GPU-"):
        chosen = _by_name(text, "GPU-", found)
    else:
        chosen = _by_number(text, found)
    opened = [part for card in chosen for part in (card.instances if card.instances is not None else (card,))]
    parts = [card for card in opened if card.parent is not None]
    return parts[:instances] if parts else opened


def _by_name(text: str, prefix: str, found: Sequence[Card]) -> list[Card]:
    entries: list[str] = []
    for entry in text.split(","):
        if entry in entries:
            return []
        if not entry.startswith(prefix):
            break
        entries.append(entry)
    chosen: list[Card] = []
    for entry in entries:
        fits = [card for card in found if entry in card.names] or [
            card for card in found if any(name.startswith(entry) for name in card.names)
        ]
        if len(fits) != 1:
            break
        if fits[0] in chosen:
            return []
        chosen += fits
    return chosen


def _by_number(text: str, found: Sequence[Card]) -> list[Card]:
    numbers: list[int] = []
    for entry in text.split(","):
        digits = re.match(r"[+-]?\d{1,4000}", entry.strip(), re.ASCII)
        number = int(digits[0]) if digits is not None else -1
        if number in numbers:
            return []
        if number < 0:
            break
        numbers.append(number)
    chosen: list[Card] = []
    for number in numbers:
        if number >= len(found):
            break
        chosen.append(found[number])
    return chosen
