import resource
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

MEMORY = 2 << 30  # bytes of address space beyond what the process has: a monster claims thousands of times that


@pytest.fixture
def limited() -> Iterator[None]:
    """Memory can't be filled: what tries ends in a MemoryError, which no reader promises."""
    if sys.platform != "linux":
        yield
        return
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (size + MEMORY, hard))
    yield
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
