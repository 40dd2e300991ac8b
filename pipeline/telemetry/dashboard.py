"""A Grafana dashboard for the Prometheus metrics."""

import json
from pathlib import Path
from typing import Any

_FILE = Path(__file__).with_name("dashboard.json")


def dashboard() -> dict[str, Any]:
    """The dashboard that ships with gearshift, for Grafana 10 or newer, as its import takes it.

    >>> dashboard()["title"]
    'gearshift'
    """
    return json.loads(_FILE.read_text(encoding="utf-8"))
