"""Import this first, and where Ray is not installed the module is skipped, with the reason."""

import pytest

pytest.importorskip("ray", reason="Ray is not installed; pip install 'gearshift[ray]'")
