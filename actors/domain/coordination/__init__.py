"""From many signals to one target per pair."""
