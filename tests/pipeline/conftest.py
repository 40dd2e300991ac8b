"""What tests of threads leave behind."""

import gc
import threading
from collections.abc import Iterator

import psutil
import pytest


@pytest.fixture
def nothing_is_left() -> Iterator[None]:
    """No thread and no descriptor outlives the last stop."""
    gc.collect()
    before, files = set(threading.enumerate()), psutil.Process().num_fds()
    yield
    gc.collect()
    assert set(threading.enumerate()) <= before
    assert psutil.Process().num_fds() <= files
