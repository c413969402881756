"""The simulated venue and the synthetic market."""
