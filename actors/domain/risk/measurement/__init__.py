"""Streaming risk measures, one per file; hosted by risk agents."""
