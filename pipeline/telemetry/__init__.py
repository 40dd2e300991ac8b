"""Metrics and traces for monitoring. They need `pip install 'gearshift[metrics]'`.

`PrometheusMetrics` for prometheus-client, `OpenTelemetryMetrics` for OpenTelemetry; `dashboard()` is for Grafana.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from .dashboard import dashboard
from .events import EVENTS
from .instruments import Instrument
from .readings import READINGS

if TYPE_CHECKING:
    from .meters import OpenTelemetryMetrics
    from .prometheus import PrometheusMetrics

__all__ = ["INSTRUMENTS", "Instrument", "OpenTelemetryMetrics", "PrometheusMetrics", "dashboard"]

INSTRUMENTS = READINGS + EVENTS
"""All that is measured: names, units, attributes, and a sentence for each."""

_MODULES = {"OpenTelemetryMetrics": "meters", "PrometheusMetrics": "prometheus"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(import_module(f".{_MODULES[name]}", __name__), name)
    except ImportError as error:
        package = (error.name or "").partition(".")[0]
        if package not in ("prometheus_client", "opentelemetry"):
            raise
        raise ImportError(
            f"{name} needs {package}, which is not installed; run: pip install 'gearshift[metrics]'", name=package
        ) from None
