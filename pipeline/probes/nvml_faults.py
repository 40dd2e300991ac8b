"""What an error of NVML means for a reading, and questions that remember what a driver doesn't offer."""

from collections.abc import Callable, Iterable
from enum import Enum, IntEnum, auto
from functools import partial
from typing import Generic, TypeVar

T = TypeVar("T")


class Code(IntEnum):
    """The return codes of NVML (`nvmlReturn_t`), by the names that pynvml has for them."""

    UNINITIALIZED = 1
    INVALID_ARGUMENT = 2
    NOT_SUPPORTED = 3
    NO_PERMISSION = 4
    ALREADY_INITIALIZED = 5
    NOT_FOUND = 6
    INSUFFICIENT_SIZE = 7
    INSUFFICIENT_POWER = 8
    DRIVER_NOT_LOADED = 9
    TIMEOUT = 10
    IRQ_ISSUE = 11
    LIBRARY_NOT_FOUND = 12
    FUNCTION_NOT_FOUND = 13
    CORRUPTED_INFOROM = 14
    GPU_IS_LOST = 15
    RESET_REQUIRED = 16
    OPERATING_SYSTEM = 17
    LIB_RM_VERSION_MISMATCH = 18
    IN_USE = 19
    MEMORY = 20
    NO_DATA = 21
    VGPU_ECC_NOT_SUPPORTED = 22
    INSUFFICIENT_RESOURCES = 23
    FREQ_NOT_SUPPORTED = 24
    ARGUMENT_VERSION_MISMATCH = 25
    DEPRECATED = 26
    NOT_READY = 27
    GPU_NOT_FOUND = 28
    INVALID_STATE = 29
    RESET_TYPE_NOT_SUPPORTED = 30
    UNKNOWN = 999


class Fault(Enum):
    """What an error says about the thing that was asked."""

    NOT_OFFERED = auto()
    """Never: no use to ask again before NVML is initialised anew."""
    PASSING = auto()
    """Not now: ask again with the next reading."""
    LOST = auto()
    """The device, or NVML itself, is gone: initialise again."""


NO_DRIVER = frozenset({Code.LIBRARY_NOT_FOUND, Code.DRIVER_NOT_LOADED})
"""From a first start: this machine has no NVIDIA driver."""

_NOT_OFFERED = frozenset(
    {
        Code.NOT_SUPPORTED,
        Code.FUNCTION_NOT_FOUND,
        Code.VGPU_ECC_NOT_SUPPORTED,
        Code.FREQ_NOT_SUPPORTED,
        Code.ARGUMENT_VERSION_MISMATCH,
        Code.DEPRECATED,
        Code.RESET_TYPE_NOT_SUPPORTED,
    }
)
_LOST = NO_DRIVER | {
    Code.UNINITIALIZED,
    Code.GPU_IS_LOST,
    Code.RESET_REQUIRED,
    Code.LIB_RM_VERSION_MISMATCH,
    Code.GPU_NOT_FOUND,
}
_REFUSED = frozenset({Code.NO_PERMISSION, Code.INVALID_ARGUMENT})
_BUSY = frozenset(
    {
        Code.NO_PERMISSION,
        Code.INSUFFICIENT_SIZE,
        Code.INSUFFICIENT_POWER,
        Code.TIMEOUT,
        Code.IN_USE,
        Code.MEMORY,
        Code.NO_DATA,
        Code.INSUFFICIENT_RESOURCES,
        Code.NOT_READY,
    }
)


def code_of(error: Exception) -> int | None:
    """The NVML code of an error; None for any other exception."""
    code = getattr(error, "value", None)
    return code if isinstance(code, int) else None


def fault(error: Exception, *, vital: bool) -> Fault:
    """What to make of `error`.

    vital: the question was for memory, without which the device is unknown. There, whatever isn't known to pass means
    a lost device ("Unknown Error", a handle that is no longer valid, codes that don't exist yet). Elsewhere it is a
    missing field: a broken power sensor answers "Unknown Error" on a device that is well otherwise.

    >>> import pynvml
    >>> fault(pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN), vital=True).name
    'LOST'
    >>> fault(pynvml.NVMLError(pynvml.NVML_ERROR_UNKNOWN), vital=False).name
    'PASSING'
    """
    code = code_of(error)
    if code in _NOT_OFFERED:
        return Fault.NOT_OFFERED
    if code in _LOST:
        return Fault.LOST
    if vital:
        return Fault.PASSING if code in _BUSY else Fault.LOST
    return Fault.NOT_OFFERED if code in _REFUSED else Fault.PASSING


class Question(Generic[T]):
    """Asks one thing by the first way that the driver offers, and never again by one that it doesn't.

    ways: calls without arguments, best first; None stands for a function that the module doesn't have. vital: as in
    `fault`. `error` is what the last call raised.
    """

    __slots__ = ("_vital", "_ways", "error")

    def __init__(self, *ways: Callable[[], T] | None, vital: bool = False) -> None:
        self._ways = [way for way in ways if way is not None]
        self._vital = vital
        self.error: Exception | None = None

    @property
    def offered(self) -> bool:
        return bool(self._ways)

    def ask(self) -> T | None:
        """The answer; None when there is none now or at all. Raises whatever means that the device is lost."""
        while self._ways:
            try:
                return self._ways[0]()
            except Exception as error:  # noqa: BLE001 - drivers and bindings raise more than NVMLError
                self.error = error
                kind = fault(error, vital=self._vital)
                if kind is Fault.LOST:
                    raise
                if kind is Fault.PASSING:
                    return None
                del self._ways[0]
        return None


def way(function: Callable[..., T] | None, *arguments: object) -> Callable[[], T] | None:
    """A way for a `Question`: `function` with its arguments; None where the module has no such function."""
    return None if function is None else partial(function, *arguments)


def each(functions: Iterable[Callable[..., T] | None], *arguments: object) -> list[Callable[[], T] | None]:
    """Ways by several functions that take the same arguments."""
    return [way(function, *arguments) for function in functions]
