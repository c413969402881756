"""Jobs: what `ray job submit` starts inside a running cluster."""
