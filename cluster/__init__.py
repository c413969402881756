"""What a person starts: the command line, jobs, benchmarks, a local cluster."""

__version__ = "0.1.0"
