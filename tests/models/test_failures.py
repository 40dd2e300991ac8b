"""Which errors mean that memory ran out: the faces by text, and those that a limit on the address space provokes."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from gearshift.models.failures import Doubts, LoadError, OutOfMemory, out_of_memory, told


class OutOfMemoryError(RuntimeError):
    """Named as torch's is, which this file doesn't import."""


ALLOCATOR = (
    "[enforce fail at alloc_cpu.cpp:124] err == 0. DefaultCPUAllocator: can't allocate memory: you tried to allocate "
    "8589934592 bytes. Error code 12 (Cannot allocate memory)"
)
MEMORY = [
    MemoryError(),
    MemoryError("Cannot allocate memory (os error 12)"),
    OSError(12, "Cannot allocate memory"),
    RuntimeError(ALLOCATOR),
    RuntimeError("unable to mmap 1073741824 bytes from file </models/model.safetensors>: Cannot allocate memory (12)"),
    RuntimeError("unable to mmap 1073741824 bytes from file </models/model.safetensors>"),
    OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("CUDA error: out of memory"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GiB, max allowed: 9.07 GiB)."),
    RuntimeError("Invalid buffer size: 12.00 GiB"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 4 bytes."),
    RuntimeError("std::bad_alloc"),
    OSError("The paging file is too small for this operation to complete. (os error 1455)"),
]
OTHER = [
    KeyError("lm_head.weight"),
    ValueError("top_p has to be between 0 and 1"),
    RuntimeError("mat1 and mat2 shapes cannot be multiplied (1x64 and 12x64)"),
    OSError(2, "No such file or directory"),
    OSError("invalid header (os error 120)"),
    RuntimeError('false INTERNAL ASSERT FAILED at "graph.cpp":12, please report a bug to PyTorch.'),
    TimeoutError("timed out"),
]


@pytest.mark.parametrize("error", MEMORY, ids=lambda e: f"{type(e).__name__} {e}"[:60])
def test_each_face_of_out_of_memory_is_known(error: BaseException) -> None:
    assert out_of_memory(error)


@pytest.mark.parametrize("error", OTHER, ids=lambda e: f"{type(e).__name__} {e}"[:60])
def test_other_errors_are_not_taken_for_it(error: BaseException) -> None:
    assert not out_of_memory(error)


def test_an_error_that_a_shortage_led_to_counts() -> None:
    try:
        try:
            raise MemoryError
        except MemoryError as cause:
            raise OSError("the checkpoint could not be read") from cause
    except OSError as error:
        assert out_of_memory(error)
    try:
        try:
            raise MemoryError
        except MemoryError:
            raise KeyError("weight") from None
    except KeyError as error:
        assert not out_of_memory(error)


def test_a_failed_internal_check_counts_only_while_memory_is_short() -> None:
    error = RuntimeError('ptr INTERNAL ASSERT FAILED at "alloc.cpp":1')
    assert out_of_memory(error, pressed=True) and not out_of_memory(error, pressed=False)


def test_an_unknown_error_while_memory_is_short_is_doubted_once_for_each_rung_until_it_loads() -> None:
    doubts, error = Doubts(), KeyError("weight")
    assert not doubts.out_of_memory(error, "large", pressed=False)
    assert [doubts.out_of_memory(error, "large", pressed=True) for _ in range(2)] == [True, False]
    assert doubts.out_of_memory(error, "small", pressed=True)
    doubts.settle("large")
    assert doubts.out_of_memory(error, "large", pressed=True)


def test_an_error_is_told_with_its_type_and_its_text() -> None:
    assert told(KeyError("weight")) == "KeyError: 'weight'"
    assert told(MemoryError()) == "MemoryError"


LIMITED = """
    import resource, sys
    import torch
    from gearshift.models.failures import out_of_memory
    torch.ones(8)
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (200 << 20), resource.RLIM_INFINITY))
    def bytes_(): return bytearray(1 << 30)
    def allocator(): return torch.ones(1 << 28)
    def mapped(): return torch.from_file(sys.argv[1], size=1 << 30, dtype=torch.uint8)
    def safetensors():
        from safetensors import safe_open
        return safe_open(sys.argv[1], "pt")
    try:
        globals()[sys.argv[2]]()
    except BaseException as error:
        print(type(error).__name__, str(error)[:200], out_of_memory(error), sep="|")
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits its address space")
@pytest.mark.parametrize("face", ["bytes_", "allocator", "mapped", "safetensors"])
def test_what_a_limited_address_space_provokes_is_known(face: str, tmp_path: Path) -> None:
    file = tmp_path / "large.safetensors"
    header = b'{"w":{"dtype":"U8","shape":[1073741824],"data_offsets":[0,1073741824]}}'
    with file.open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        stream.truncate(8 + len(header) + (1 << 30))
    command = [sys.executable, "-c", textwrap.dedent(LIMITED), str(file), face]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip().endswith("|True"), done.stdout + done.stderr


def test_the_errors_carry_what_they_say() -> None:
    error = LoadError("large: no room", out_of_memory=True)
    assert str(error) == "large: no room" and error.out_of_memory
    assert isinstance(OutOfMemory("x"), RuntimeError)
