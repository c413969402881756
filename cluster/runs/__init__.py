"""Runs: from arguments to a plan, from a plan to a finished run, from a run to its result."""
