"""Stress tests: what is done to a market or to its venue, and what is measured of how a fleet took it.

Nothing here is a formula for the loss: the fleet itself lives through the disturbed market, and through the same
one undisturbed; what is computed here are the disturbances before, and the differences after.
"""
