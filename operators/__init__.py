"""Event-time operators for any RxPY stream: trends and bounds, and what keeps decisions on them steady."""

from .calibrated import calibrated
from .conflate import conflate
from .cooldown import cooldown
from .debounce import debounce
from .gaps import reset_on_gap
from .hysteresis import hysteresis
from .line import Trend
from .rate_limit import rate_limit
from .retry import retry_with_backoff
from .serialize import serialize
from .stabilize import stabilize
from .staleness import staleness
from .trend import trend
from .typing import Operator, Stamped, Valued

__all__ = [
    "Operator",
    "Stamped",
    "Trend",
    "Valued",
    "calibrated",
    "conflate",
    "cooldown",
    "debounce",
    "hysteresis",
    "rate_limit",
    "reset_on_gap",
    "retry_with_backoff",
    "serialize",
    "stabilize",
    "staleness",
    "trend",
]
