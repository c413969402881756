"""A synthetic market with planted regimes, published truth, and no claim to be real."""
