"""Indicators: one file each; the file name is the config kind."""
