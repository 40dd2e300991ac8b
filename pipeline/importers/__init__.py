"""Recordings by other programs, as samples: one format a file."""

from .importing import Imported, import_samples

__all__ = ["Imported", "import_samples"]
