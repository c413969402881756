"""Venues behind one port: `port` says what a venue must offer, each other file is one venue."""
