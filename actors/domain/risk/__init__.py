"""Measures, rules, sizing and breakers."""
