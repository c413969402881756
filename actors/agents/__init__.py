"""Generic agents: each hosts any component of its family."""
