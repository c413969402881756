"""Predictors, drift detection and training on matured outcomes."""
