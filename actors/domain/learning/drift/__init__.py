"""Drift detectors: fed with a model's own errors, they say when the past stopped being a guide."""
