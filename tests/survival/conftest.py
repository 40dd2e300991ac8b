import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True, scope="module")
def _what_was_there_before_is_not_walked() -> Iterator[None]:
    """A reading collects garbage, which takes seconds where thousands of tests have left their objects."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()
