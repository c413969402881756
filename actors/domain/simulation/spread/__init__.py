"""Spread models, one per file."""
