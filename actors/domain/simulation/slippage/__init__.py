"""Slippage models, one per file."""
