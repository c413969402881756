"""Coordinators: the strategy, risk and execution minds that supervise agents."""
