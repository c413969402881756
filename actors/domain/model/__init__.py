"""The nouns: instruments, bars, orders, positions, money."""
