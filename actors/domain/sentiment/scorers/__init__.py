"""Scorers of texts: one file each, found by its name; a model of your own is ``module:Class``."""
