"""Decisions to actions: one at a time, the latest wins, each ends in an outcome."""
