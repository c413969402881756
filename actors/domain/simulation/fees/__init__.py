"""Fee models, one per file."""
