"""Position sizing schemes, one per file."""
