"""Several machines seen as one: where each stands, which of them is to answer, and what a fleet would have done."""

from .course import Course, course
from .oracle import fleet_oracle
from .placement import merit
from .reporting import Reporter
from .result import FleetSimulation
from .simulate import simulate_fleet
from .standing import Standing, standing
from .view import FleetView, NodeItem

__all__ = [
    "Course", "FleetSimulation", "FleetView", "NodeItem", "Reporter", "Standing", "course", "fleet_oracle", "merit",
    "simulate_fleet", "standing",
]  # fmt: skip
