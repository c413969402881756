"""Where data is kept: local stores and their formats."""
