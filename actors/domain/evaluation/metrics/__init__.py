"""Run metrics, one family per file."""
