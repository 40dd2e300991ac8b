"""Two hundred requests, with nodes killed at random under them. `python -m tests.clusters.kills` does it at length."""

import pytest

from tests.clusters.kills import kill_at_random
from tests.clusters.town import Town

pytestmark = pytest.mark.slow


def test_over_two_hundred_requests_with_random_kills_no_reply_and_no_conversation_is_lost(town: Town) -> None:
    found = kill_at_random(town, requests=200, kills=3, seed=7)
    assert (found.lost, found.forgotten) == ([], [])
    assert (found.requests, found.kills) == (200, 3)
