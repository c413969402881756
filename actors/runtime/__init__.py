"""The two hosts; the only place that imports Ray."""
