"""Execution algorithms, one per file."""
