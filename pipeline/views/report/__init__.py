"""What happened as one page for a browser, which needs no network."""

from .report import write_report

__all__ = ["write_report"]
