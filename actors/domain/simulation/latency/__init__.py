"""Latency models, one per file."""
