"""Pre-trade rules, one per file; their order in the configuration matters."""
