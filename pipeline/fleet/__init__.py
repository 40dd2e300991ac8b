"""Several machines seen as one: where each stands, and which of them is to answer."""

from .placement import merit
from .reporting import Reporter
from .standing import Standing, standing
from .view import FleetView, NodeItem

__all__ = ["FleetView", "NodeItem", "Reporter", "Standing", "merit", "standing"]
