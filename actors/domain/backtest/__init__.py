"""Backtests of one signal over one frame: the float64 path with its figures."""
