"""Metrics, scoring and the report model."""
