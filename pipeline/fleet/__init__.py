"""Several machines seen as one: where each stands, and which of them is to answer."""

from .placement import merit
from .standing import Standing, standing

__all__ = ["Standing", "merit", "standing"]
