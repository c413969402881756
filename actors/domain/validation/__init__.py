"""Validation: is a result more than the luck of the best of many? Splits, overfitting, data snooping, resampling."""
