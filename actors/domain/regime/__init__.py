"""Regime detectors, their ensemble and hysteresis."""
