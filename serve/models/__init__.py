"""Versions of models: signed files, and a signed log of which one was made active when."""
