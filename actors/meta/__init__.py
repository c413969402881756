"""Meta agents: performance evaluation and system health."""
