"""Logging, health, telemetry and reports."""
