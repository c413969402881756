"""Benches: ratios measured in one run, kernels and hosts."""
