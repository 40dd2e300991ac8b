import pytest

pytest.importorskip("ray", reason="Ray is not installed; pip install 'gearshift[ray]'")
