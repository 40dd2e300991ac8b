"""Event-time operators for any RxPY stream: trends, and what keeps decisions on them steady."""

from .debounce import debounce
from .hysteresis import hysteresis
from .stabilize import stabilize
from .trend import Trend, trend
from .typing import Operator, Stamped

__all__ = ["Operator", "Stamped", "Trend", "debounce", "hysteresis", "stabilize", "trend"]
