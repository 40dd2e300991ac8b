"""Real Ray clusters of several nodes on this machine: nodes are killed, crowded, and lose their head."""

import pytest

pytest.importorskip("ray", reason="Ray is not installed; pip install 'gearshift[ray]'")
