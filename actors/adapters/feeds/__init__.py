"""Where market data comes from: files and exchanges, and the checks it has to pass."""
