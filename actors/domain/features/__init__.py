"""The feature pipeline: from bars to the vectors that models read."""
