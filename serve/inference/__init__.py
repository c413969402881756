"""What computes: one deployment per file, and the pure function that it calls."""
