"""Asking and answering: in turn, within limits, across shifts."""
