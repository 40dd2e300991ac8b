"""The closed loop in virtual time: a recording's external use, a machine that obeys, and policies to compare."""

from .fitting import fitted
from .oracle import oracle
from .policies import Gearshift, Policy
from .replies import Request, every
from .result import Moment, Shift, Simulation
from .simulate import read_from_disk, simulate

__all__ = [
    "Gearshift", "Moment", "Policy", "Request", "Shift", "Simulation", "every", "fitted", "oracle",
    "read_from_disk", "simulate",
]  # fmt: skip
