"""The run report: one HTML file that needs nothing else."""
